"""Broken files: at least one of each kind that ingest must put aside, made from the archive's own images."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from smi_spark.reasons import Reason
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.files import encode, series_images
from smi_spark.synthetic.headers import transfer_syntax
from smi_spark.synthetic.profile import Figure
from smi_spark.synthetic.studies import Study

FIRST_NUMBER = 901  # broken files have numbers that no good file has, and sort after those
_CONFLICTING = 3  # files of a study that contradicts itself
Fault = tuple[str, bytes, Reason]

_SITE = b"\x08\x00\x80\x00LO"  # InstitutionName in explicit little endian
_CODES = b"\x08\x00\x32\x10SQ"  # ProcedureCodeSequence
_ITEM = b"\xfe\xff\x00\xe0"


def faults(studies: list[Study], shares: Mapping[Reason, Figure], seed: int, block: int) -> Iterator[Fault]:
    """Path below ``dicom/``, bytes and reason of every broken file of a block, by their ``shares`` of its files.

    The first block has one of each kind at least, and what lies beside the studies. A file that is damaged is one more
    image of a study that has no other peculiarity; no study has two of a kind.
    """
    donors = [study for study in studies if _is_plain(study)]
    files = sum(series.images for study in studies for series in study.series)
    rng = stream(seed, "faults", block)
    if not donors:
        return

    def chosen(reason: Reason, kinds: int) -> list[Study]:
        """Donors for one of so many kinds of ``reason``."""
        figure = shares.get(reason)
        wanted = figure.value * files / kinds if figure else 0
        count = max(int(wanted + rng.random()), int(block == 0))
        return rng.sample(donors, min(count, len(donors)))

    kinds = Counter(reason for reason, _ in _SPOILT)
    for number, (reason, spoil) in enumerate(_SPOILT, start=FIRST_NUMBER):
        for donor in chosen(reason, kinds[reason]):
            yield f"{donor.folder}/{number}.dcm", spoil(_good(donor, number, seed)), reason
    if block == 0:
        yield "DICOMDIR", _directory(), Reason.DICOM_DIRECTORY
        yield "README.txt", b"Images of the year, exported on request.\n", Reason.NOT_DICOM
    copied = {study.uid: study for study in studies if study.duplicated}
    copied |= {study.uid: study for study in chosen(Reason.IDENTICAL_COPY, 1)}
    yield from _copies(copied.values(), seed)
    for donor in chosen(Reason.CONFLICTING_STUDY, _CONFLICTING):
        yield from _conflict(donor, seed)


def _is_plain(study: Study) -> bool:
    """Whether the study's files have no other peculiarity, and bytes that can be found in them."""
    return transfer_syntax(study) == ExplicitVRLittleEndian and not (study.scanner.blob or study.careless)


def _good(study: Study, number: int, seed: int) -> Dataset:
    """One more image of the study's last series."""
    return next(series_images(study, study.series[-1], seed, [number]))


def _copies(studies: Iterable[Study], seed: int) -> Iterator[Fault]:
    """The first image of each study once more."""
    for study in studies:
        again = next(series_images(study, study.series[0], seed, [1]))
        yield f"{study.folder}/981.dcm", encode(again), Reason.IDENTICAL_COPY


def _conflict(study: Study, seed: int) -> Iterator[Fault]:
    """A study of its own: two files of one SOP instance that contradict each other, and a second instance."""
    for number, instance in ((991, "1"), (992, "77"), (993, "2")):
        image = _good(study, 993 if number == 993 else 991, seed)
        image.StudyInstanceUID = UID(f"{image.StudyInstanceUID[:50]}.2")
        image.SeriesInstanceUID = UID(f"{image.SeriesInstanceUID[:50]}.2")
        image.InstanceNumber = instance
        yield f"{study.folder}/{number}.dcm", encode(image), Reason.CONFLICTING_STUDY


def _without(keyword: str) -> Callable[[Dataset], bytes]:
    def spoil(image: Dataset) -> bytes:
        delattr(image, keyword)
        return encode(image)

    return spoil


def _blank(keyword: str) -> Callable[[Dataset], bytes]:
    def spoil(image: Dataset) -> bytes:
        setattr(image, keyword, "")
        return encode(image)

    return spoil


def _nobody(image: Dataset) -> bytes:
    """A good image of a study of its own, whose patient is not named."""
    image.StudyInstanceUID = UID(f"{image.StudyInstanceUID[:50]}.1")
    image.SeriesInstanceUID = UID(f"{image.SeriesInstanceUID}.0")
    image.PatientID = ""
    return encode(image)


def _nothing(_image: Dataset) -> bytes:
    return b""


def _text(_image: Dataset) -> bytes:
    return b"Dear colleague, the images follow by post.\n" * 40


def _picture(_image: Dataset) -> bytes:
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(600)


def _cut_in_header(image: Dataset) -> bytes:
    content = encode(image)
    return content[: content.index(_SITE) + 12]


def _cut_in_pixels(image: Dataset) -> bytes:
    return encode(image)[:-100]


def _unknown_vr(image: Dataset) -> bytes:
    return encode(image).replace(_SITE, _SITE[:4] + b"\x00\x07", 1)


def _no_item(image: Dataset) -> bytes:
    """A sequence that begins with something else than an item; of undefined length, so that nobody can skip it."""
    image["ProcedureCodeSequence"].is_undefined_length = True
    content = encode(image)
    start = content.index(_CODES) + 12
    assert content[start : start + 4] == _ITEM
    return content[:start] + b"\x08\x00\x18\x00" + content[start + 4 :]


def _directory() -> bytes:
    """A DICOMDIR without entries (PS3.3 F.3.2.2)."""
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = UID("1.3.6.1.4.1.99999.7.1")
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.FileSetID = "ARCHIVE"
    directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.FileSetConsistencyFlag = 0
    directory.DirectoryRecordSequence = []
    return encode(directory)


_SPOILT: tuple[tuple[Reason, Callable[[Dataset], bytes]], ...] = (
    (Reason.EMPTY_FILE, _nothing),
    (Reason.NOT_DICOM, _text),
    (Reason.NOT_DICOM, _picture),
    (Reason.CUT_SHORT, _cut_in_header),
    (Reason.CUT_SHORT, _cut_in_pixels),
    (Reason.MALFORMED, _unknown_vr),
    (Reason.MALFORMED, _no_item),
    (Reason.NO_STUDY_UID, _without("StudyInstanceUID")),
    (Reason.NO_STUDY_UID, _blank("StudyInstanceUID")),
    (Reason.NO_SERIES_UID, _without("SeriesInstanceUID")),
    (Reason.NO_SOP_UID, _without("SOPInstanceUID")),
    (Reason.NO_PATIENT_ID, _nobody),
)
