"""What a de-identified file says of itself: its meta information, and the method that was used."""

from collections.abc import Callable

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from smi_spark import __version__
from smi_spark.deidentified.profile.definition import Profile
from smi_spark.deidentified.profile.facts import Option

# Of this package as a writer of files, made once at random. Source: DICOM PS3.5 annex B.2.
IMPLEMENTATION_UID = "2.25.100556076484359116181434776561092980246"
# Source: DICOM PS3.16 CID 7050 (de-identification method).
BASIC = ("113100", "Basic Application Confidentiality Profile")
CODES: dict[Option, tuple[str, str]] = {
    "clean_graphics": ("113103", "Clean Graphics Option"),
    "clean_structured_content": ("113104", "Clean Structured Content Option"),
    "clean_descriptors": ("113105", "Clean Descriptors Option"),
    "retain_full_dates": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "retain_modified_dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "retain_patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain_device": ("113109", "Retain Device Identity Option"),
    "retain_uids": ("113110", "Retain UIDs Option"),
    "retain_safe_private": ("113111", "Retain Safe Private Option"),
    "retain_institution": ("113112", "Retain Institution Identity Option"),
}


def note_method(dataset: Dataset, profile: Profile) -> None:
    """Write into the data set that, and how, identity was removed, in place of what it said before.

    Clean Pixel Data (113101) and Clean Recognizable Visual Features (113102) are for who cleaned pixels to add.
    Source: DICOM PS3.15 section E.1.1 (6), section E.3.6.
    """
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"smi_spark {__version__}, PS3.15 {profile.edition}, {profile.profile}"
    codes = [BASIC, *(code for option, code in CODES.items() if option in profile.options)]
    dataset.DeidentificationMethodCodeSequence = Sequence([_code(*code) for code in codes])
    if "retain_full_dates" in profile.options:
        dataset.LongitudinalTemporalInformationModified = "UNMODIFIED"
    elif "retain_modified_dates" in profile.options:
        dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    else:
        dataset.LongitudinalTemporalInformationModified = "REMOVED"


def file_meta(source: Dataset, dataset: Dataset, uid: Callable[[str], str]) -> FileMetaDataset:
    """Meta information of a file that this package wrote: the data set's own UIDs, and no application entity.

    A data set without an instance UID (a DICOMDIR) has the one of ``source``, replaced by ``uid``.

    Source: DICOM PS3.10 section 7.1.
    """
    meta = FileMetaDataset()
    for name in ("MediaStorageSOPClassUID", "TransferSyntaxUID"):
        if name in source:
            setattr(meta, name, source[name].value)
    if "SOPInstanceUID" in dataset:
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    elif source.get("MediaStorageSOPInstanceUID"):
        meta.MediaStorageSOPInstanceUID = UID(uid(source.MediaStorageSOPInstanceUID))
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = f"SMI_SPARK_{__version__}"[:16]
    return meta


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
