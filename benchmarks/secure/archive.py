"""Small files by the million: the bytes of a few CT headers, with UIDs and places of their own patched in."""

import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import samples

SLICES = 300  # of a series, and one series a study
_STUDIES_A_FOLDER = 100
_ROOT = "1.2.826.0.1.3680043.8.49"
_PLACES = {"SOPInstanceUID": f"{_ROOT}8.7{10**15}", "StudyInstanceUID": f"{_ROOT}9.7{10**11}",
           "SeriesInstanceUID": f"{_ROOT}9.8{10**11}"}  # fmt: skip
_POSITION, _PATIENT = "-9999.5", "9" * 10


@dataclass(frozen=True)
class Kind:
    """Modality and year of a study: the partition of its images."""

    modality: str
    year: int


KINDS = tuple(Kind("MR" if number % 4 == 3 else "CT", 2015 + number % 5) for number in range(10))


def write_archive(folder: Path, count: int, first: int = 0, kinds: Sequence[Kind] = KINDS) -> None:
    """``count`` files of a few kB, in studies of ``SLICES``: ``folder/NNNN/<study>/<slice>.dcm``.

    ``first`` is the number of the first study: archives whose numbers do not overlap share no UID.
    """
    studies = range(first, first + -(-count // SLICES))
    folder.mkdir(parents=True)
    templates = [_template(kind) for kind in kinds]
    cores = len(os.sched_getaffinity(0))
    parts = [(folder, studies[i::cores], (first * SLICES) + count, templates) for i in range(cores)]
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        pool.starmap(_write_studies, parts)


def _write_studies(folder: Path, studies: Sequence[int], end: int, templates: Sequence[bytes]) -> None:
    for study in studies:
        place = folder / f"{study // _STUDIES_A_FOLDER:04}" / f"{study:07}"
        place.mkdir(parents=True)
        content = _of_study(templates[study % len(templates)], study)
        for number in range(min(SLICES, end - study * SLICES)):
            with open(f"{place}/{number:04}.dcm", "wb", buffering=0) as file:  # noqa: PTH123
                file.write(_of_slice(content, study * SLICES + number, number))


def _of_study(template: bytes, study: int) -> bytes:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        uid = _PLACES[keyword]
        template = template.replace(uid.encode(), f"{uid[:-11]}{study:011}".encode())
    return template.replace(_PATIENT.encode(), f"{study:010}".encode())


def _of_slice(content: bytes, image: int, number: int) -> bytes:
    uid = _PLACES["SOPInstanceUID"]
    content = content.replace(uid.encode(), f"{uid[:-15]}{image:015}".encode())
    return content.replace(_POSITION.encode(), f"{number * 1.25 - 187:+07.1f}".encode())


def _template(kind: Kind) -> bytes:
    """A header of some 120 elements, and a pixel: nothing reads behind it."""
    ds = samples.ct(0, 80)
    for keyword, uid in _PLACES.items():
        setattr(ds, keyword, uid)
    ds.Modality, ds.StudyDate, ds.PatientID = kind.modality, f"{kind.year}0215", _PATIENT
    ds.ImagePositionPatient, ds.AccessionNumber = ["-125", "-125", _POSITION], f"A{_PATIENT}"
    ds.PixelData = b"\0\0"
    with tempfile.TemporaryDirectory() as folder:
        return samples.written(Path(folder), ds)
