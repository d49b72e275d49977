"""Profiles as YAML, and what their options make of each element."""

from pathlib import Path

import pytest
from pydicom.tag import Tag

from smi_spark.deidentified.profile import Profile, load_profile
from smi_spark.deidentified.profile.definition import profile_names
from smi_spark.errors import ConfigError


def profile(*options: str) -> Profile:
    return Profile.model_validate({"profile": "test", "meaning": "test", "options": options})


FULL, MODIFIED = "retain_full_dates", "retain_modified_dates"
DEVICE, UIDS, TEXT = "retain_device", "retain_uids", "clean_descriptors"
PATIENT, PLACE = "retain_patient_characteristics", "retain_institution"
CHOICES = [
    # element                        options           done  otherwise
    ("PatientName",                  [],               "Z",  "Z"),
    ("PatientName",                  [PATIENT, UIDS],  "Z",  "Z"),
    ("PatientBirthDate",             [FULL, PATIENT],  "Z",  "Z"),
    ("OtherPatientIDs",              [],               "X",  "X"),
    ("PatientSex",                   [],               "Z",  "Z"),
    ("PatientSex",                   [PATIENT],        "K",  "Z"),
    ("PatientAge",                   [PATIENT],        "K",  "X"),
    ("Allergies",                    [PATIENT],        "C",  "X"),
    ("StudyInstanceUID",             [],               "U",  "U"),
    ("StudyInstanceUID",             [UIDS],           "K",  "U"),
    ("StudyDate",                    [],               "Z",  "Z"),
    ("StudyDate",                    [FULL],           "K",  "Z"),
    ("StudyDate",                    [MODIFIED],       "C",  "Z"),
    ("StudyDescription",             [],               "X",  "X"),
    ("StudyDescription",             [TEXT],           "C",  "X"),
    ("ContrastBolusAgent",           [TEXT],           "C",  "D"),  # Z/D
    ("ProtocolName",                 [],               "D",  "D"),  # X/D
    ("AcquisitionDate",              [],               "Z",  "Z"),  # X/Z
    ("InstitutionName",              [],               "D",  "D"),  # X/Z/D
    ("InstitutionName",              [PLACE],          "K",  "D"),
    ("SourceImageSequence",          [],               "U",  "U"),  # X/Z/U*
    ("ReferencedStudySequence",      [],               "Z",  "Z"),
    ("DeviceSerialNumber",           [DEVICE],         "K",  "D"),
    ("DateOfLastCalibration",        [DEVICE],         "K",  "X"),
    ("DateOfLastCalibration",        [DEVICE, MODIFIED], "C", "X"),  # the stricter
    ("DeviceUID",                    [DEVICE],         "K",  "U"),
    ("ContentSequence",              [],               "D",  "D"),
    ("ContentSequence",              ["clean_structured_content"], "C", "D"),
    ("GraphicAnnotationSequence",    ["clean_graphics"], "C", "D"),
    (0x60003000,                     [],               "X",  "X"),
    (0x60023000,                     ["clean_graphics"], "C", "X"),
    (0x60020010,                     [],               "X",  "X"),
    (0x60020010,                     ["clean_graphics"], "C", "X"),
    (0x00191001,                     [],               "X",  "X"),
    (0x00191001,                     ["retain_safe_private"], "C", "X"),
    ("IconImageSequence",            [TEXT, "clean_graphics"], "X", "X"),
    ("Rows",                         [],               "K",  "X"),  # unlisted and safe
    ("WindowCenterWidthExplanation", [TEXT],           "X",  "X"),  # unlisted
    ("WaveformData",                 [],               "X",  "X"),
    (0x00080202,                     [],               "X",  "X"),
]  # fmt: skip


@pytest.mark.parametrize(("element", "options", "done", "otherwise"), CHOICES)
def test_options_decide_what_is_done(element: str | int, options: list[str], done: str, otherwise: str) -> None:
    treatment = profile(*options).treatment(Tag(element))
    assert (treatment.action, treatment.otherwise) == (done, otherwise)


ITEMS = [
    # code      scheme   type        options     done
    ("121031",  "DCM",   "DATE",     [FULL],     "X"),  # Subject Birth Date
    ("111060",  "DCM",   "DATE",     [],         "D"),  # Study Date
    ("111060",  "DCM",   "DATE",     [FULL],     "K"),
    ("111060",  "DCM",   "DATE",     [MODIFIED], "C"),
    ("121033",  "DCM",   "NUM",      [],         "X"),  # Subject Age
    ("121033",  "DCM",   "NUM",      [PATIENT],  "K"),
    ("121106",  "DCM",   "TEXT",     [],         "X"),  # Comment
    ("121106",  "DCM",   "TEXT",     [TEXT],     "C"),
    ("110180",  "DCM",   "UIDREF",   [],         "D"),  # Study Instance UID
    ("OURS",    "99SMI", "TEXT",     [],         "X"),
    ("OURS",    "99SMI", "TEXT",     [TEXT],     "C"),
    ("OURS",    "99SMI", "PNAME",    [TEXT],     "X"),
    ("OURS",    "99SMI", "DATETIME", [],         "X"),
    ("OURS",    "99SMI", "DATETIME", [MODIFIED], "C"),
    ("OURS",    "99SMI", "IMAGE",    [],         "U"),
    ("OURS",    "99SMI", "NUM",      [],         "K"),
    ("OURS",    "99SMI", "CODE",     [],         "K"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "scheme", "kind", "options", "done"), ITEMS)
def test_content_items_go_by_their_concept_and_type(
    code: str, scheme: str, kind: str, options: list[str], done: str
) -> None:
    assert profile(*options).item_treatment(code, scheme, kind).action == done


def test_the_profiles_that_come_along() -> None:
    assert profile_names() == ["archive", "basic", "project"]
    assert {name: set(load_profile(name).options) for name in profile_names()} == {
        "archive": {DEVICE, PATIENT, FULL, TEXT},
        "basic": set(),
        "project": {PATIENT, MODIFIED, TEXT},
    }


def write(folder: Path, text: str) -> str:
    file = folder / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_project_may_bring_its_own_file(tmp_path: Path) -> None:
    own = load_profile(write(tmp_path, "profile: mine\nmeaning: mine\noptions: [retain_uids]"))
    assert own.treatment(Tag("SOPInstanceUID")).action == "K"


WRONG = [
    (
        "profile: mine\nmeaning: m\noptions: [retain_devices]",
        "options: retain_devices is not a profile option.",
        "Did you mean retain_device?",
    ),
    ("profile: mine\nmeaning: m\noption: []", "mine.yaml: option is not a field.", "Did you mean options?"),
    (
        "profile: mine\nmeaning: m\noptions: [retain_full_dates, retain_modified_dates]",
        "exclude each other",
        "choose one",
    ),
    ("profile: mine\nmeaning: m\noptions: [retain_uids, retain_uids]", "an option stands twice", ""),
    ("profile: other\nmeaning: m", "profile is other.", "Name it as its file: mine."),
    ("profile: mine\nmeaning: m\nedition: 2019a", "edition", "2024b"),
    (
        "profile: mine\nmeaning: m\nexceptions: [{column: images.Rows, deidentify: keep, reason: so}]",
        "exceptions[0].reason",
        "why this is no risk",
    ),
]


@pytest.mark.parametrize(("text", "wrong", "remedy"), WRONG)
def test_a_wrong_profile_says_where_and_what_to_write(tmp_path: Path, text: str, wrong: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_profile(write(tmp_path, text))
    assert wrong in str(error.value)
    assert remedy in str(error.value)


def test_an_unknown_profile_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"conf/profiles: archiv is not a profile\. .* Did you mean archive\?"):
        load_profile("archiv")
    with pytest.raises(ConfigError, match=r"gone\.yaml does not exist\. Give a file, or one of: archive, basic"):
        load_profile("gone.yaml")
