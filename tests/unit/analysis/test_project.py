"""Projects: what a right file becomes, what a wrong one says, and what a cohort may not have."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from smi_spark.analysis.definition import load_definition, read_definition
from smi_spark.analysis.permission import check_permitted, left_out, load_permitted
from smi_spark.analysis.project import load_project, read_project
from smi_spark.config import Config
from smi_spark.errors import ConfigError
from smi_spark.resources import folder
from smi_spark.schema import load_schema
from tests.projects import LONG, LUNG, with_projects

PLACE, ASKED = "conf/projects/lung.yaml", "conf/cohorts/nodules.yaml"
NODULES: dict[str, Any] = {
    "cohort": "nodules",
    "project": "lung",
    "question": "Who had a nodule?",
    "images": {"modality": "CT"},
    "records": {"required": [{"table": "smr01", "codes": {"MAIN_CONDITION": "R91"}}]},
    "deliver": {"records": {"smr06": {}}},
}
TODAY = date(2026, 11, 26)


def wrong(**fields: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        read_project({**LUNG, **fields}, PLACE)
    return str(raised.value).replace(f"{PLACE}: ", "", 1)


def beyond(today: date = TODAY, project: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    """What the project has against the definition above with these fields, a line each."""
    definition = read_definition({**NODULES, **fields}, ASKED)
    try:
        check_permitted(definition, read_project({**LUNG, **(project or {})}, PLACE), ASKED, today)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def test_a_file_becomes_a_value_with_what_it_leaves_open() -> None:
    project = read_project(LUNG, PLACE)
    assert (project.profile, project.dates, project.minimum_cell, project.licence) == ("project", "shift", 10, None)
    assert project.records == {"smr06": None, "smr01": ("ADMISSION_DATE", "MAIN_CONDITION")}
    assert (str(project.years), project.start, project.until) == ("any year", date(2026, 1, 1), date(2028, 12, 31))
    listed = read_project({**LUNG, "records": ["smr01", "smr06"]}, PLACE)
    assert listed.records == {"smr01": None, "smr06": None}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"modalites": ["CT"]},
         "modalites is not a field. Fields here: project, title, approval, people, from, until, records, modalities, "
         "years, profile, dates, licence, rejection, minimum_cell. Did you mean modalities?"),
        ({"approval": {"number": "7"}},
         "approval.reference is missing. It is: who gave it, when, and where it is kept, in words."),
        ({"people": []}, "people: nothing is given. Given: []. "
                         "It is: names of those responsible."),
        ({"modalities": ["CTT"]},
         "modalities: CTT is not a value. Values here: CT, MR, CR, DX, US, MG, PT, NM, XA, RF, SR, OTHER. "
         "Did you mean CT?"),
        ({"records": {"smr6": None}},
         "records: smr6 is not a table. Tables here: ae, deaths, demography, prescribing, smr00, smr01, smr02, smr04, "
         "smr06. Did you mean smr06?"),
        ({"from": "2029-01-01"}, "no day lies from 2029-01-01 until 2028-12-31."),
        ({"dates": "shifted"}, "dates: Input should be 'shift', 'truncate' or 'keep'. Given: 'shifted'. "
                               "It is: shift, truncate or keep."),
        ({"dates": "keep"},
         "dates: keep needs a profile with retain_full_dates. conf/profiles/project.yaml: options: "
         "retain_patient_characteristics, retain_modified_dates, clean_descriptors. Choose another of the two."),
        ({"profile": "basic", "dates": "truncate"},
         "dates: truncate needs a profile with retain_modified_dates or retain_full_dates. "
         "conf/profiles/basic.yaml: options: none. Choose another of the two."),
        ({"project": "heart"}, "project is heart. Name it as its file: lung."),
    ],
)  # fmt: skip
def test_a_wrong_file_names_the_field_and_what_is_accepted(fields: dict[str, Any], told: str) -> None:
    assert wrong(**fields) == told


def test_a_wrong_column_or_profile_is_named_with_the_nearest() -> None:
    assert wrong(records={"deaths": ["DATE_OF_DETH"]}).endswith("Did you mean DATE_OF_DEATH?")
    with pytest.raises(ConfigError, match=r"^conf/profiles: projects is not a profile\. .* Did you mean project\?$"):
        read_project({**LUNG, "profile": "projects"}, PLACE)


def test_full_dates_serve_every_policy() -> None:
    for policy in ("shift", "truncate", "keep"):
        assert read_project({**LUNG, "profile": "archive", "dates": policy}, PLACE).dates == policy


def test_what_keeps_to_the_project_is_permitted() -> None:
    assert beyond() == []
    within = {"modality": ["CT", "DX"], "study_date": {"from": "2012-01-01", "until": "2018-12-31"}}
    assert beyond(project={"years": {"from": 2012, "until": 2018}}, images=within) == []
    columns = {"smr01": {"from": "0 days", "columns": ["patient_id", "MAIN_CONDITION"]}}
    assert beyond(deliver={"records": columns}) == []


PERMITS = f"{PLACE}: modalities permits CT, DX."
BEYOND = [
    ({"images": {"modality": ["MR", "CT"]}}, f"images.modality: MR is not permitted. {PERMITS}"),
    ({"images": {}}, f"images.modality is left out, which means all. {PERMITS} Write those that are wanted."),
    ({"deliver": {"records": {"deaths": {}}}},
     f"deliver.records: deaths is not permitted. {PLACE}: records permits smr01, smr06."),
    ({"records": {"excluded": [{"table": "deaths"}]}},
     f"records.excluded[0].table: deaths is not permitted. {PLACE}: records permits smr01, smr06."),
    ({"records": {"required": [{"table": "smr01", "codes": {"MAIN_OPERATION": "E59"}}]}},
     "records.required[0].codes.MAIN_OPERATION: MAIN_OPERATION is not permitted. "
     f"{PLACE}: records.smr01 permits ADMISSION_DATE, MAIN_CONDITION."),
    ({"deliver": {"records": {"smr01": {"columns": ["MAIN_CONDITION", "SEX", "LOCATION"]}}}},
     f"deliver.records.smr01.columns: LOCATION, SEX are not permitted. "
     f"{PLACE}: records.smr01 permits ADMISSION_DATE, MAIN_CONDITION."),
]  # fmt: skip


RULES_BEYOND = [
    ({"records": {"required": [{"any_of": [{"table": "smr06"}, {"none_of": [{"table": "deaths"}]}]}]}},
     "records.required[0].any_of[1].none_of[0].table: deaths is not permitted. "
     f"{PLACE}: records permits smr01, smr06."),
    ({"groups": {"ill": {"table": "smr01", "codes": {"MAIN_OPERATION": "E59"}}}, "records": {"excluded": ["ill"]}},
     "groups.ill.codes.MAIN_OPERATION: MAIN_OPERATION is not permitted. "
     f"{PLACE}: records.smr01 permits ADMISSION_DATE, MAIN_CONDITION."),
    ({"records": {"required": [{"table": "smr01", "having": {"LENGTH_OF_STAY": {"at_least": 2}}}]}},
     "records.required[0].having.LENGTH_OF_STAY: LENGTH_OF_STAY is not permitted. "
     f"{PLACE}: records.smr01 permits ADMISSION_DATE, MAIN_CONDITION."),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "told"), [*BEYOND, *RULES_BEYOND])
def test_what_goes_beyond_the_project_is_told_with_both_files(fields: dict[str, Any], told: str) -> None:
    assert beyond(**fields) == [f"{ASKED}: {told}"]


def test_a_code_system_means_all_its_columns_and_all_have_to_be_permitted() -> None:
    (told,) = beyond(records={"required": [{"table": "smr01", "codes": {"ICD-10": "C34"}}]})
    assert told.startswith(f"{ASKED}: records.required[0].codes.ICD-10: OTHER_CONDITION_1, OTHER_CONDITION_2, ")
    assert told.endswith(f"are not permitted. {PLACE}: records.smr01 permits ADMISSION_DATE, MAIN_CONDITION.")


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        ({"from": "2012-01-01"}, ["until is left out, which means any date. {} Write 2018-12-31 or an earlier day."]),
        ({"from": "2011-12-31", "until": "2019-01-01"},
         ["from 2011-12-31 is too early. {} Write 2012-01-01 or a later day.",
          "until 2019-01-01 is too late. {} Write 2018-12-31 or an earlier day."]),
        (None, ["from is left out, which means any date. {} Write 2012-01-01 or a later day.",
                "until is left out, which means any date. {} Write 2018-12-31 or an earlier day."]),
    ],
)  # fmt: skip
def test_years_beyond_those_permitted_are_told(dates: dict[str, str] | None, told: list[str]) -> None:
    permits = f"{PLACE}: years permits from 2012 until 2018."
    images = {"modality": "CT", "study_date": dates}
    found = beyond(project={"years": {"from": 2012, "until": 2018}}, images=images)
    assert found == [f"{ASKED}: images.study_date.{line.format(permits)}" for line in told]


def test_a_project_builds_from_its_first_day_to_its_last() -> None:
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2028, 12, 31), date(2029, 1, 1)]
    assert [beyond(day) for day in days] == [
        [f"{ASKED}: project: lung begins later. {PLACE}: from: 2026-01-01, and today is 2025-12-31."],
        [],
        [],
        [f"{ASKED}: project: lung has ended. {PLACE}: until: 2028-12-31, and today is 2029-01-01. "
         "Have the approval prolonged."],
    ]  # fmt: skip


@pytest.fixture
def strict(tmp_path: Path) -> str:
    """A profile without patient characteristics, with one of the exceptions of the project's."""
    file = tmp_path / "strict.yaml"
    file.write_text(
        "profile: strict\nmeaning: dates alone\noptions: [retain_modified_dates]\nexceptions:\n"
        "  - {column: images.Study_ReferencedSOPClassUID, deidentify: keep, reason: names a class of the standard}\n"
    )
    return str(file)


def test_columns_that_say_more_than_the_profile_or_are_not_permitted_are_left_out(strict: str) -> None:
    definition = read_definition({**NODULES, "deliver": {"records": {"smr01": {}, "smr06": {}}}}, ASKED)
    assert left_out(definition, read_project(LUNG, PLACE))["images"] == ()
    hidden = left_out(definition, read_project({**LUNG, "profile": strict}, PLACE))
    told = {"PatientSex", "PatientSize", "PatientWeight", "RefProcStep_ReferencedSOPClassUID", "age_at_study"}
    assert set(hidden["images"]) == told | set(load_schema("images").text_columns)
    assert hidden["series"] == ("SeriesDescription",)
    assert hidden["studies"] == ("PatientSex", "StudyDescription", "age_at_study")
    assert hidden["patients"] == ("PatientSex", "age_at_first_study")
    assert hidden["records/smr06"] == ()
    smr01 = hidden["records/smr01"]
    assert {"ADMISSION_DATE", "MAIN_CONDITION", "patient_id"}.isdisjoint(smr01)
    assert {"SEX", "DISCHARGE_DATE", "age_at_event"} <= set(smr01)
    narrower = read_definition({**NODULES, "deliver": {"records": {"smr01": {"columns": "MAIN_CONDITION"}}}}, ASKED)
    assert set(left_out(narrower, read_project(LUNG, PLACE))["records/smr01"]) - set(smr01) == {"ADMISSION_DATE"}


def test_columns_of_images_that_are_not_asked_for_are_left_out_of_all_that_has_them(strict: str) -> None:
    asked = read_definition({**NODULES, "deliver": {"images": ["KVP", "PatientSex"]}}, ASKED)
    project = read_project({**LUNG, "profile": strict}, PLACE)
    kept = {name: {c.name for c in load_schema(name).in_zone("analysis")} - set(left)
            for name, left in left_out(asked, project).items()}  # fmt: skip
    ids = {"patient_id", "StudyInstanceUID", "SeriesInstanceUID"}
    assert kept["images"] == {*ids, "SOPInstanceUID", "modality", "year", "StudyDate", "held_out", "KVP"}
    assert ids | {"image_count", "held_out"} <= kept["series"]
    assert {"body_part_label", "manufacturer_label", "SliceThickness"}.isdisjoint(kept["series"] | kept["studies"])
    assert "first_study_date" in kept["patients"]


def test_who_selects_by_what_the_profile_hides_would_tell_it(strict: str) -> None:
    told = beyond(project={"profile": strict}, images={"modality": "CT", "sex": "F", "age": {"min": 40}})
    assert told == [
        f"{ASKED}: images.{field} looks at {column}, which the project may not have. {PLACE}: profile: {strict}."
        for field, column in (("sex", "PatientSex"), ("age", "age_at_study"))
    ]


def test_every_column_of_images_that_a_definition_looks_at_has_to_be_let_through(strict: str) -> None:
    images = {
        "modality": "CT", "having": {"PatientWeight": {"at_least": 60}, "SliceThickness": 1},
        "any_of": [{"sex": "F"}, {"body_part": "chest"}], "none_of": [{"having": {"StudyDescription": "CT CHEST"}}],
    }  # fmt: skip
    told = beyond(project={"profile": strict}, images=images)
    assert told == [
        f"{ASKED}: images.{field} looks at {column}, which the project may not have. {PLACE}: profile: {strict}."
        for field, column in (
            ("having.PatientWeight", "PatientWeight"), ("any_of[0].sex", "PatientSex"),
            ("none_of[0].having.StudyDescription", "StudyDescription"),
        )
    ]  # fmt: skip
    assert beyond(images=images) == []


def test_an_idle_exception_of_the_projects_profile_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "idle.yaml"
    file.write_text(
        "profile: idle\nmeaning: m\noptions: [retain_modified_dates]\nexceptions:\n"
        "  - {column: images.Rows, deidentify: keep, reason: there was one once}\n"
    )
    with pytest.raises(ConfigError, match=r"images\.Rows is not weaker than the profile\. Take the exception out\."):
        read_project({**LUNG, "profile": str(file)}, PLACE)


def test_a_project_without_a_file_says_where_it_was_looked_for(config: Config, tmp_path: Path) -> None:
    there = with_projects(config, tmp_path / "projects", LUNG)
    with pytest.raises(ConfigError) as raised:
        load_project(there, "lungs", "x.yaml: ")
    assert str(raised.value) == (
        "x.yaml: project: lungs is not a project. Projects here: lung. Did you mean lung? "
        f"Looked for {tmp_path}/projects/lungs.yaml. Write it from the approval, or say where the files are: "
        "--set projects=FOLDER."
    )


def test_a_definition_is_loaded_where_its_project_permits_it(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "nodules.yaml"
    file.write_text("cohort: nodules\nproject: lung\nquestion: Who?\nimages: {modality: MR}\n")
    there = with_projects(config, tmp_path / "projects", {**LUNG, **LONG})
    with pytest.raises(ConfigError) as raised:
        load_permitted(there, file)
    assert str(raised.value) == (
        f"{file}: images.modality: MR is not permitted. {tmp_path}/projects/lung.yaml: modalities permits CT, DX."
    )
    file.write_text(file.read_text().replace("MR", "CT"))
    assert load_permitted(there, file).cohort == "nodules"


@pytest.mark.parametrize("path", sorted((folder("conf") / "cohorts").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_definitions_that_come_along_are_permitted_by_projects_that_do(config: Config, path: Path) -> None:
    assert load_permitted(config, path) == load_definition(path)
