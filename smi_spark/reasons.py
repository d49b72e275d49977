"""Why something stands in quarantine: the closed list, and what to do about each."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason for quarantine, as the tables hold it."""

    # files
    UNREADABLE = "unreadable"
    OUTSIDE_ROOT = "outside_root"
    EMPTY_FILE = "empty_file"
    NOT_DICOM = "not_dicom"
    CUT_SHORT = "cut_short"
    MALFORMED = "malformed"
    DICOM_DIRECTORY = "dicom_directory"
    NO_STUDY_UID = "no_study_instance_uid"
    NO_SERIES_UID = "no_series_instance_uid"
    NO_SOP_UID = "no_sop_instance_uid"
    # good files
    IDENTICAL_COPY = "identical_copy"
    CONFLICTING_STUDY = "conflicting_study"
    SET_ASIDE = "set_aside"
    REFUSED_FOLDER = "refused_folder"
    ERASED = "erased"
    # images
    NO_PATIENT_ID = "no_patient_id"
    DEFAULT_PATIENT_ID = "default_patient_id"
    TWO_PATIENT_IDS = "two_patient_ids"
    NOT_IN_MAPPING = "not_in_mapping"
    # record rows
    WRONG_FIELD_COUNT = "wrong_field_count"
    BAD_VALUE = "bad_value"
    MISSING_VALUE = "missing_value"
    DUPLICATE_KEY = "duplicate_key"
    # rows of a site's table of patient ids
    TWO_IDS = "two_ids_of_a_person"
    TWO_PERSONS = "two_persons_of_an_id"
    OTHER_ID = "other_id_in_mapping"
    UNFIT_ID = "unfit_id"


BAD_FILES = (
    Reason.UNREADABLE, Reason.OUTSIDE_ROOT, Reason.EMPTY_FILE, Reason.NOT_DICOM, Reason.CUT_SHORT, Reason.MALFORMED,
    Reason.DICOM_DIRECTORY, Reason.NO_STUDY_UID, Reason.NO_SERIES_UID, Reason.NO_SOP_UID,
)  # fmt: skip

REMEDIES: dict[Reason, str] = {
    Reason.UNREADABLE: "Check the file's rights and the storage, then ingest again.",
    Reason.OUTSIDE_ROOT: "Its name or a link leads out of the source: not opened. Make where it leads a source.",
    Reason.EMPTY_FILE: "The file has no bytes: ask the archive to send it again.",
    Reason.NOT_DICOM: "The file is not DICOM: leave it, or take it out of the source.",
    Reason.CUT_SHORT: "The file ends before its data does: ask the archive to send it again.",
    Reason.MALFORMED: "The data set breaks DICOM's encoding at the place named: ask the sender.",
    Reason.DICOM_DIRECTORY: "A DICOMDIR describes other files: nothing to do.",
    Reason.NO_STUDY_UID: "The image cannot be placed in a study: ask the archive.",
    Reason.NO_SERIES_UID: "The image cannot be placed in a series: ask the archive.",
    Reason.NO_SOP_UID: "The image has no identity of its own: ask the archive.",
    Reason.IDENTICAL_COPY: "Another file of this SOP instance has the same header and size: nothing to do.",
    Reason.CONFLICTING_STUDY: "Two files of one SOP instance contradict each other: take one out, or release one.",
    Reason.SET_ASIDE: "Another file of this SOP instance was released in its place: nothing to do.",
    Reason.REFUSED_FOLDER: "Another file of its folder is bad, and ingest.strict is on: mend that, or release these.",
    Reason.ERASED: "A person's who said no: nothing to do. If they take part again, try it with --reason erased.",
    Reason.NO_PATIENT_ID: "Nobody can be found behind the image: ask the archive for the patient's id.",
    Reason.DEFAULT_PATIENT_ID: "Its id stands for nobody (pseudonyms.nobody): ask the archive for the patient's id.",
    Reason.TWO_PATIENT_IDS: "Its id names two patients: ask the archive which one it is.",
    Reason.NOT_IN_MAPPING: "secure/mapping has no id for the patient: load one, then run pseudonymise.py again.",
    Reason.WRONG_FIELD_COUNT: "The row has more or fewer fields than the header: check quotes and separators.",
    Reason.BAD_VALUE: "The value does not fit the column's type or formats in schemas/records/.",
    Reason.MISSING_VALUE: "A column that must have a value is empty.",
    Reason.DUPLICATE_KEY: "Another row of the load has this key, and differs: ask which one holds, load it later.",
    Reason.TWO_IDS: "The site's table has two ids for one person: none is taken. Ask which one holds.",
    Reason.TWO_PERSONS: "One id for two persons, whom the demography does not merge: none is taken. Ask whose it is.",
    Reason.OTHER_ID: "The person has another id of the site, which stays: ask which one holds.",
    Reason.UNFIT_ID: "An id is up to 64 letters, digits, - _ . and has no CHI number in it: have others made.",
}
