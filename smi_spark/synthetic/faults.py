"""Broken files: at least one of each kind that ingest must put aside, made from the archive's own images."""

from collections.abc import Callable, Iterator

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from smi_spark.reasons import Reason
from smi_spark.synthetic.files import encode, series_images
from smi_spark.synthetic.headers import transfer_syntax
from smi_spark.synthetic.studies import Study

FIRST_NUMBER = 901  # broken files have numbers that no good file has, and sort after those
Fault = tuple[str, bytes, Reason]

_SITE = b"\x08\x00\x80\x00LO"  # InstitutionName in explicit little endian
_CODES = b"\x08\x00\x32\x10SQ"  # ProcedureCodeSequence
_ITEM = b"\xfe\xff\x00\xe0"


def faults(studies: list[Study], seed: int) -> Iterator[Fault]:
    """Path below ``dicom/``, bytes and reason of every broken file; donors are spread over ``studies``."""
    donors = [study for study in studies if _is_plain(study)]
    if not donors:
        return
    for index, (reason, spoil) in enumerate(_SPOILT):
        donor = donors[index * len(donors) // len(_SPOILT)]
        number = FIRST_NUMBER + index
        yield f"{donor.folder}/{number}.dcm", spoil(_good(donor, number, seed)), reason
    yield "DICOMDIR", _directory(), Reason.DICOM_DIRECTORY
    yield "README.txt", b"Images of the year, exported on request.\n", Reason.NOT_DICOM
    yield from _copies([study for study in studies if study.duplicated] + donors[-1:], seed)
    yield from _conflict(donors[0], seed)


def _is_plain(study: Study) -> bool:
    """Whether the study's files have no other peculiarity, and bytes that can be found in them."""
    return transfer_syntax(study) == ExplicitVRLittleEndian and not (study.scanner.blob or study.careless)


def _good(study: Study, number: int, seed: int) -> Dataset:
    """One more image of the study's last series."""
    return next(series_images(study, study.series[-1], seed, [number]))


def _copies(studies: list[Study], seed: int) -> Iterator[Fault]:
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
