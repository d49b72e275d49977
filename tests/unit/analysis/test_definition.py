"""Definitions: what a right one becomes, and what a wrong one says."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from smi_spark.analysis.definition import Delivery, load_definition, read_definition
from smi_spark.analysis.windows import Period, Window
from smi_spark.deidentified.label_rules import body_part_rules
from smi_spark.errors import ConfigError
from smi_spark.resources import folder

PLACE = "conf/cohorts/lung.yaml"
LUNG: dict[str, Any] = {
    "cohort": "lung",
    "project": "demo",
    "question": "Chest CT before lung cancer?",
    "images": {"modality": "CT", "body_part": ["chest"], "study_date": {"from": "2015-01-01"}, "age": {"min": 18}},
    "records": {
        "required": [{"table": "smr06", "codes": {"ICD-10": "C34"}, "window": {"until": "2 years"}}],
        "excluded": [{"table": "deaths"}],
    },
    "deliver": {"records": {"smr06": {}}},
}


def lung(path: str = "", value: Any = None) -> dict[str, Any]:
    """The definition above with the field at ``path`` put otherwise."""
    content = copy.deepcopy(LUNG)
    *sections, field = path.split("/") if path else [""]
    inner: Any = content
    for section in sections:
        inner = inner[int(section) if section.isdigit() else section]
    if field:
        inner[field] = value
    return content


def error(path: str, value: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        read_definition(lung(path, value), PLACE)
    return str(raised.value)


def test_a_definition_becomes_a_value() -> None:
    definition = read_definition(LUNG, PLACE)
    assert definition.images.modality == ("CT",)
    rule = definition.records.required[0]
    assert rule.codes == {"ICD-10": ("C34",)}
    assert rule.window.until == Period(months=24)
    assert str(rule) == "smr06: ICD-10 C34, until 24 months"
    assert definition.record_tables() == ("deaths", "smr06")


def test_a_code_system_means_all_its_columns_and_a_column_itself() -> None:
    rule = read_definition(LUNG, PLACE).records.required[0]
    assert rule.code_columns("ICD-10") == ["ICD10S_CANCER_SITE"]
    assert rule.code_columns("TYPE_ICDO3") == ["TYPE_ICDO3"]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            "images/modalty", "CT",
            "images.modalty is not a field. Fields here: modality, body_part, study_date, sex, age, mr_sequence, "
            "ct_kind, plane, contrast, capture, manufacturer, burned_in_risk, face_risk, label_confidence, having, "
            "any_of, none_of, each_series, each_study, where, from_list. Did you mean modality?",
        ),
        (
            "records/required/0/windw", {},
            "records.required[0].windw is not a field. Fields here: table, codes, having, at_least, which, window, "
            "around, any_of, all_of, none_of, group. Did you mean window?",
        ),
        (
            "records/required/0/window/form", "1 day",
            "records.required[0].window.form is not a field. Fields here: from, until. Did you mean from?",
        ),
        (
            "records/required/0/window/from", "six months",
            "records.required[0].window.from: this is no period: write it as -6 months, 1 day, 2 weeks or 0 days. "
            "Given: 'six months'. It is: first day, counted from the study, as in -6 months.",
        ),
        (
            "images/modality", "CTT",
            "images.modality: CTT is not a value. "
            "Values here: CT, MR, CR, DX, US, MG, PT, NM, XA, RF, SR, OTHER. Did you mean CT?",
        ),
        (
            "images/body_part", ["chset"],
            "images.body_part: chset is not a value. "
            "Values here: {body_parts}. Did you mean chest?",
        ),
        ("images/sex", "W", "images.sex: W is not a value. Values here: F, M, O."),
        (
            "images/modality", [],
            "images.modality: nothing is given. Given: []. "
            "It is: one or more of CT, MR ….",
        ),
        (
            "records/required/0/table", "smr6",
            "records.required[0].table: smr6 is not a table. "
            "Tables here: ae, deaths, demography, prescribing, smr00, smr01, smr02, smr04, smr06. Did you mean smr06?",
        ),
        (
            "records/required/0/codes", {"ICD10": "C34"},
            "records.required[0].codes: ICD10 is not a code system or column. "
            "Code system or columns here: ICD-10, ICD-O-3, ICD-9, ICD-O-2, ICD-O, ICD10S_CANCER_SITE, TYPE_ICDO3, "
            "SITE_ICD9, ICDO2_ICDO2, TYPE_ICDO. Did you mean ICD-10?",
        ),
        (
            "records/required/0/codes", {"ICD-10": [34]},
            "records.required[0].codes.ICD-10[0]: a text is wanted: put it in quotes, as in \"0411\". Given: 34.",
        ),
        (
            "records/required/0/codes", {"ICD-10": "c34.1"},
            "records.required[0].codes.ICD-10: no record has c34.1: codes stand there in capitals and without points. "
            "Write C341; where your extracts do have it so, ask for it with having and begins_with.",
        ),
        (
            "records/required/0/table", "SMR06",
            "records.required[0].table: SMR06 is not a table. Tables here: ae, deaths, demography, prescribing, smr00, "
            "smr01, smr02, smr04, smr06. Did you mean smr06?",
        ),
        (
            "records/required/0/window", "6 months",
            "records.required[0].window: fields are wanted here: from, until. Given: '6 months'. "
            "It is: from and until, counted from the study.",
        ),
        (
            "records/required/0/window/from", "-201 years",
            "records.required[0].window.from: nothing lies more than 200 years from a study: leave the side out. "
            "Given: '-201 years'. It is: first day, counted from the study, as in -6 months.",
        ),
        (
            "records/required/0/at_least", True,
            "records.required[0].at_least: a whole number is wanted. Given: True. "
            "It is: on how many days there must be such a record.",
        ),
        (
            "images/study_date/from", 2015,
            "images.study_date.from: this is no date: write it as 2015-01-31. Given: 2015. "
            "It is: first date, as in 2015-01-01.",
        ),
        (
            "rejection", "standrad",
            "rejection: conf/rejection: standrad is not a rule file. Rule files here: standard. Did you mean standard? "
            "Given: 'standrad'. It is: rules of conf/rejection, or a .yaml file; left out: the project's, "
            "if it has any.",
        ),
        (
            "deliver/images", ["KPV"],
            "deliver.images: KPV is not a column of images in a snapshot; docs/data-dictionary.md lists them. "
            "Did you mean KVP?",
        ),
        (
            "deliver/records", {"smr08": {}},
            "deliver.records: smr08 is not a table. "
            "Tables here: ae, deaths, demography, prescribing, smr00, smr01, smr02, smr04, smr06. Did you mean smr06?",
        ),
        (
            "cohort", "Lung 2",
            "cohort: String should match pattern '^[a-z][a-z0-9_]*$'. Given: 'Lung 2'. "
            "It is: name of the cohort: small letters, digits, _.",
        ),
        (
            "project", "cohorts",
            "project: cohorts is the name of the registry in zone 3. Give the project another name.",
        ),
        ("images/age", {"min": 40, "max": 30}, "images.age: nobody is at least 40 and at most 30. "
                                               "It is: min and max, whole years at the study."),
    ],
)  # fmt: skip
def test_a_wrong_definition_names_the_field_and_what_is_accepted(path: str, value: Any, expected: str) -> None:
    assert (
        error(path, value) == f"{PLACE}: {expected.replace('{body_parts}', ', '.join([*body_part_rules(), 'unknown']))}"
    )


def test_a_missing_field_is_named() -> None:
    content = lung()
    del content["question"]
    with pytest.raises(ConfigError) as raised:
        read_definition(content, PLACE)
    assert str(raised.value) == f"{PLACE}: question is missing. It is: the question that the cohort answers, in words."


def test_every_wrong_name_is_reported_at_once() -> None:
    content = lung("images/modality", ["CTT", "MRR"])
    content["deliver"] = {"records": {"smr08": {}}}
    with pytest.raises(ConfigError) as raised:
        read_definition(content, PLACE)
    assert len(str(raised.value).splitlines()) == 3


def test_wrong_names_are_told_beside_fields_that_are_none() -> None:
    content = lung() | {
        "images": {"modalty": "CT", "body_part": "ches", "mr_sequence": "T1"},
        "records": {"required": [{"table": "smr1"}], "excluded": ["strok"]},
        "deliver": {"images": ["KVPs"]},
    }
    with pytest.raises(ConfigError) as raised:
        read_definition(content, PLACE)
    assert [line.removeprefix(f"{PLACE}: ").partition(" is not ")[0] for line in str(raised.value).splitlines()] == [
        "images.modalty", "images.body_part: ches", "records.required[0].table: smr1",
        "records.excluded[0].group: strok", "deliver.images: KVPs",
    ]  # fmt: skip


@pytest.mark.parametrize(("section", "field"), [("records", "exclude"), ("recrods", "excluded")])
def test_what_a_part_that_cannot_be_read_would_have_said_is_not_made_up(section: str, field: str) -> None:
    content = lung() | {"groups": {"stroke": {"table": "smr01", "codes": {"ICD-10": "I63"}}}}
    del content["records"]
    content[section] = {"required": ["stroke"], field: []}
    with pytest.raises(ConfigError) as raised:
        read_definition(content, PLACE)
    assert len(str(raised.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError) as raised:
        load_definition("conf/cohorts/none.yaml")
    assert str(raised.value) == (
        "cohort definition conf/cohorts/none.yaml does not exist. Give --cohort conf/cohorts/<name>.yaml."
    )


def test_the_hash_is_of_the_value_not_of_the_file(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("cohort: c\nproject: p\nquestion: Who?\nimages: {modality: [MR, CT]}\n")
    other.write_text(
        "# the same\nquestion: >\n  Who?\nproject: p\nimages:\n  modality: [CT, MR, CT]\n  sex:\ncohort: c\n"
    )
    assert load_definition(one).sha256() == load_definition(other).sha256()
    other.write_text(one.read_text().replace("MR", "US"))
    assert load_definition(one).sha256() != load_definition(other).sha256()


def test_periods_of_the_same_length_are_the_same_definition() -> None:
    path = "records/required/0/window/until"
    years, months, days = (
        read_definition(lung(path, text), PLACE).sha256() for text in ("2 years", "24 months", "730 days")
    )
    assert years == months != days


def test_what_looks_like_a_number_or_a_date_is_what_its_author_wrote(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        "cohort: x\nproject: demo\nquestion: Who?\nrecords:\n  required:\n    table: prescribing\n"
        "    codes: {BNF: [0411, 0801]}\n"  # without quotes, and the one rule without its dash
    )
    (rule,) = load_definition(file).records.required
    assert rule.codes == {"BNF": ("0411", "0801")}
    file.write_text("cohort: x\nproject: demo\nquestion: Who?\nimages: {study_date: {from: 2015-02-30}}\n")
    with pytest.raises(ConfigError, match=r"images.study_date.from: the calendar has no such day. Given: '2015-02-30'"):
        load_definition(file)


def test_tables_alone_and_windows_of_python_are_deliveries() -> None:
    named, none, written = (
        read_definition(lung("deliver/records", given), PLACE) for given in (["smr06"], {"smr06": None}, {"smr06": {}})
    )
    assert named == none == written
    window = Window.model_validate({"from": "1 day"})
    assert read_definition(lung("deliver/records", {"smr06": window}), PLACE).deliver.records["smr06"] == Delivery(
        **{"from": "1 day"}
    )


def test_a_definition_reads_back_from_its_json() -> None:
    definition = read_definition(LUNG, PLACE)
    assert read_definition(json.loads(definition.to_json()), PLACE) == definition


def test_a_definition_keeps_the_hash_that_registries_have() -> None:
    assert read_definition(LUNG, PLACE).sha256() == "41129b26a5338483223ea473ed86293cd34cbb3723b6bf9b34ffb830b6ba0fe4"


@pytest.mark.parametrize("path", sorted((folder("conf") / "cohorts").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_definitions_that_come_along_are_right_and_named_as_their_files(path: Path) -> None:
    assert load_definition(path).cohort == path.stem
