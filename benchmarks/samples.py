"""Files for the benchmark: small CT headers, large vendor headers, and the real ones at hand."""

import random
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom.data
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian

from smi_spark.dicom import read_headers

COMMON = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "SeriesInstanceUID",
    "SOPInstanceUID", "SOPClassUID", "Modality", "StudyDate", "StudyTime", "StudyDescription", "SeriesDescription",
    "AccessionNumber", "Manufacturer", "ManufacturerModelName", "BodyPartExamined", "SliceThickness", "PixelSpacing",
    "Rows", "Columns", "ImageType",
)  # fmt: skip
_PIXELS = bytes(18_000)  # a reader of the first 16 KiB finds 16 KiB, as in any real image
_SOP = "1.2.826.0.1.3680043.8.498."
SHARED = Path(__file__).parents[2] / "shared" / "data" / "dicom"


def small_files(folder: Path, count: int) -> list[str]:
    """CT-like files of 100 to 200 elements, with private elements and sequences; no two have one instance UID."""
    chance = random.Random(1)  # noqa: S311
    kinds = [written(folder, ct(i, chance.randint(60, 150))) for i in range(min(count, 1000))]
    paths = []
    for i in range(count):
        path = folder / f"{i // 20_000:02}" / f"{i:06}.dcm"
        path.parent.mkdir(exist_ok=True)
        paths.append(_copied(path, kinds, i))
    return paths


def large_files(folder: Path, count: int) -> list[str]:
    """Headers of 150 to 220 KB and some 3,000 elements, as Siemens scanners write them: private blobs of many
    kilobytes, and functional groups for each of many frames.
    """
    kinds = [_large(folder, i) for i in range(min(count, 50))]
    return [_copied(folder / f"large{i:04}.dcm", kinds, i) for i in range(count)]


def _large(folder: Path, i: int) -> bytes:
    ds = ct(i, 120)
    ds.SOPClassUID, ds.Modality, ds.Manufacturer = EnhancedMRImageStorage, "MR", "SIEMENS"
    ds.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    for element, size in ((0x1010, 14_000), (0x1020, 60_000 + 700 * (i % 60))):
        ds.add_new(0x00290000 | element, "OB", bytes(range(256)) * (size // 256))
    ds.PerFrameFunctionalGroupsSequence = Items([_frame(number) for number in range(190)])
    return written(folder, ds)


def _copied(path: Path, kinds: Sequence[bytes], number: int) -> str:
    """A file of one of the kinds, with a SOP instance UID of its own."""
    kind = number % len(kinds)
    path.write_bytes(kinds[kind].replace(f"{_SOP}{10**20 + kind}".encode(), f"{_SOP}{10**20 + number}".encode()))
    return str(path)


def real_files(folder: Path, times: int) -> list[str]:
    """The files that come with pydicom, and those of ../shared/data/dicom where it is there, copied several times."""
    folders = [Path(pydicom.data.__file__).parent / "test_files", SHARED]
    paths = [str(path) for folder in folders for path in sorted(folder.rglob("*.dcm"))]
    readable = [path for path, row in zip(paths, read_headers(paths, {})["reason"].to_pylist(), strict=True) if not row]
    copies = []
    for number, path in enumerate(readable):
        content = Path(path).read_bytes()[: 1 << 20]
        for time in range(times):
            copies.append(folder / f"real{number:03}-{time:02}.dcm")
            copies[-1].write_bytes(content)
    return [str(path) for path in copies]


def shared_files() -> Sequence[str]:
    """The files of ../shared/data/dicom; none where it is not there."""
    return [str(path) for path in sorted(SHARED.rglob("*")) if path.is_file() and path.suffix in ("", ".dcm")]


def written(folder: Path, ds: Dataset) -> bytes:
    path = folder / "one.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    path.unlink()
    return content


def ct(i: int, private: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{_SOP}{10**20 + i}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.826.0.1.{i // 400}", f"1.2.826.0.1.{i // 400}.{i // 100}"
    ds.PatientID, ds.PatientName, ds.PatientSex = f"{i // 400:010}", "Macdonald^Flora", "F"
    ds.PatientBirthDate, ds.StudyDate, ds.StudyTime = "19700101", "20240229", "101530.25"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "CT", "Maker", "Model 64"
    ds.StudyDescription, ds.SeriesDescription, ds.BodyPartExamined = "CT HEAD", "Axial 1.25", "HEAD"
    ds.AccessionNumber, ds.InstanceNumber, ds.ImageType = f"A{i}", i, ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SliceThickness, ds.PixelSpacing, ds.KVP = "1.25", ["0.488281", "0.488281"], "120"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = ["-125", "-125", str(i)], ["1", "0", "0", "0", "1", "0"]
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.SamplesPerPixel = 512, 512, 16, 12, 1
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C0001", "99SMI", "CT of head"
    ds.ProcedureCodeSequence = [code]
    ds.add_new(0x00090010, "LO", "MAKER PRIVATE")
    for element in range(private):
        ds.add_new(0x00091000 + element, "LO" if element % 3 else "DS", "private text" if element % 3 else "1.5")
    ds.add_new(0x7FE00010, "OW", _PIXELS)
    return ds


def _frame(number: int) -> Dataset:
    frame = Dataset()
    groups: dict[str, dict[str, Any]] = {
        "FrameContentSequence": {"FrameAcquisitionNumber": 1, "StackID": "1", "InStackPositionNumber": number + 1,
                                 "TemporalPositionIndex": 1, "DimensionIndexValues": [1, number + 1, 1]},
        "PlanePositionSequence": {"ImagePositionPatient": ["-120.5", "-110.25", str(number * 1.5)]},
        "PlaneOrientationSequence": {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]},
        "PixelMeasuresSequence": {"SliceThickness": "1.5", "PixelSpacing": ["0.9", "0.9"]},
        "MRTimingAndRelatedParametersSequence": {"RepetitionTime": "2300", "FlipAngle": "9", "EchoTrainLength": 1},
        "MREchoSequence": {"EffectiveEchoTime": 2.98},
    }  # fmt: skip
    for keyword, values in groups.items():
        item = Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        setattr(frame, keyword, [item])
    return frame
