"""Tables under a profile."""

import pytest

from smi_spark.config import Config
from smi_spark.deidentified.profile import Profile, load_profile
from smi_spark.deidentified.profile.columns import check_tables, weaknesses
from smi_spark.deidentified.pseudonymise import run
from smi_spark.errors import ConfigError
from smi_spark.schema import TableSchema


def table(*columns: tuple[str, str]) -> TableSchema:
    """Columns by their tag path, named by its last keyword, with their action."""
    return TableSchema.model_validate(
        {
            "table": "images",
            "zone": "secure",
            "meaning": "test",
            "key": [],
            "columns": [
                {"name": tag.split(".")[-1], "type": "string", "tag": tag, "deidentify": action, "meaning": "test"}
                for tag, action in columns
            ],
        }
    )


def profile(*options: str, **fields: object) -> Profile:
    return Profile.model_validate({"profile": "test", "meaning": "test", "options": options, **fields})


FULL, MODIFIED, PATIENT = "retain_full_dates", "retain_modified_dates", "retain_patient_characteristics"
COLUMNS = [
    # column                              action       options      allowed
    ("StudyDate",                         "date",      [FULL],      True),
    ("StudyDate",                         "keep",      [FULL],      True),
    ("StudyDate",                         "date",      [MODIFIED],  True),
    ("StudyDate",                         "keep",      [MODIFIED],  False),
    ("StudyDate",                         "date",      [],          False),
    ("StudyTime",                         "keep",      [MODIFIED],  True),
    ("StudyTime",                         "keep",      [],          False),
    ("PatientBirthDate",                  "date",      [FULL],      False),
    ("PatientBirthDate",                  "remove",    [FULL],      True),
    ("PatientSex",                        "keep",      [PATIENT],   True),
    ("PatientSex",                        "keep",      [],          False),
    ("PatientAge",                        "age",       [],          False),
    ("PatientID",                         "keep",      [],          False),
    ("PatientID",                         "pseudonym", [],          True),
    ("OtherPatientIDs",                   "pseudonym", [],          False),
    ("AccessionNumber",                   "accession", [],          True),
    ("StudyInstanceUID",                  "uid",       [],          True),
    ("StudyInstanceUID",                  "keep",      [],          False),
    ("StudyInstanceUID",                  "keep",      ["retain_uids"], True),
    ("SeriesDescription",                 "keep",      ["clean_descriptors"], False),
    ("SeriesDescription",                 "text",      ["clean_descriptors"], True),
    ("SeriesDescription",                 "text",      [],          False),
    ("PatientName",                       "text",      ["clean_descriptors"], False),
    ("SeriesDescription",                 "remove",    [],          True),
    ("InstitutionName",                   "keep",      ["retain_institution"], True),
    ("Rows",                              "keep",      [],          True),
    ("WindowCenterWidthExplanation",      "keep",      [],          False),
    ("SourceImageSequence.ReferencedSOPInstanceUID", "uid",  [],    True),
    ("SourceImageSequence.ReferencedSOPClassUID", "keep",    [],    True),
    ("ReferencedStudySequence.ReferencedSOPInstanceUID", "uid", [], True),
    ("ReferencedStudySequence.ReferencedSOPClassUID", "keep", [],   False),
    ("RequestAttributesSequence.CodeValue", "keep",   [],           False),
    ("OperatorIdentificationSequence.CodeValue", "keep", [],        False),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "action", "options", "allowed"), COLUMNS)
def test_a_column_may_be_stricter_than_the_profile_never_weaker(
    tag: str, action: str, options: list[str], allowed: bool
) -> None:
    assert (weaknesses(profile(*options), table((tag, action))) == []) is allowed


def test_the_error_names_table_column_tag_both_actions_and_the_remedy() -> None:
    assert weaknesses(profile(), table(("PatientSex", "keep"))) == [
        "schemas/images.yaml: PatientSex (PatientSex) has deidentify: keep, and profile test says Z for PatientSex "
        "(basic profile Z). Write deidentify: remove, or give conf/profiles/test.yaml an exception for it with its "
        "reason."
    ]
    (uid,) = weaknesses(profile(), table(("FrameOfReferenceUID", "keep")))
    assert "Write deidentify: uid, or" in uid
    (date,) = weaknesses(profile(MODIFIED), table(("StudyDate", "keep")))
    assert "(retain_modified_dates C). Write deidentify: date, or" in date
    (text,) = weaknesses(profile("clean_descriptors"), table(("ProtocolName", "keep")))
    assert "(clean_descriptors C). Write deidentify: text, or" in text


def test_a_column_without_a_tag_goes_by_its_name() -> None:
    schema = TableSchema.model_validate(
        {"table": "studies", "zone": "secure", "meaning": "test", "key": [], "columns": [
            {"name": "StudyDescription", "type": "string", "meaning": "test"},
            {"name": "image_count", "type": "long", "meaning": "test"},
        ]}
    )  # fmt: skip
    (found,) = weaknesses(profile(), schema)
    assert found.startswith("schemas/studies.yaml: StudyDescription (StudyDescription) has deidentify: keep")


def test_an_exception_holds_for_its_column_with_its_action_alone() -> None:
    spared = {"column": "images.PatientSex", "deidentify": "keep", "reason": "the study is of men alone"}
    assert weaknesses(profile(exceptions=[spared]), table(("PatientSex", "keep"))) == []
    assert weaknesses(profile(exceptions=[spared]), table(("PatientSex", "keep"), ("PatientSize", "keep"))) != []
    assert weaknesses(profile(exceptions=[{**spared, "deidentify": "date"}]), table(("PatientSex", "keep"))) != []


@pytest.mark.parametrize("name", ["archive", "project"])
def test_no_column_of_zone_2_is_weaker_than_the_profiles_that_come_along(name: str) -> None:
    assert check_tables(load_profile(name)) == ["images", "series", "studies"]


def test_all_that_is_weaker_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        check_tables(profile(PATIENT, FULL, "clean_descriptors"))
    assert str(error.value).count("\n") == 1  # two class UIDs, which both profiles have exceptions for
    assert "Study_ReferencedSOPClassUID (ReferencedStudySequence.ReferencedSOPClassUID)" in str(error.value)


def test_an_exception_for_nothing_is_an_error() -> None:
    fields = load_profile("archive").model_dump()
    reason = "there was one once"
    idle = {"column": "images.Rows", "deidentify": "keep", "reason": reason}
    gone = {"column": "images.PatientSexe", "deidentify": "keep", "reason": reason}
    with pytest.raises(ConfigError) as error:
        check_tables(Profile.model_validate({**fields, "exceptions": [*fields["exceptions"], idle, gone]}))
    assert "exceptions: images.Rows is not weaker than the profile. Take the exception out." in str(error.value)
    assert "Did you mean images.PatientSex?" in str(error.value)


def test_pseudonymise_writes_nothing_under_a_profile_that_its_columns_do_not_keep_to(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"StudyDate .* profile basic says Z for StudyDate"):
        run(None, config.model_copy(update={"profile": "basic"}))
