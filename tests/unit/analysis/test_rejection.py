"""Rejection rules: what a file becomes, what it says of a row, and what a wrong one says."""

import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.permission import check_permitted, with_rejection
from smi_spark.analysis.project import read_project
from smi_spark.analysis.rejection import Rejection, check_row, load_rejection, read_row, reason
from smi_spark.analysis.uid_list import read_uids
from smi_spark.errors import ConfigError, InputError
from smi_spark.resources import folder
from tests.projects import LONG, LUNG

ROOT = Path(__file__).parents[3]
CT = {"modality": "CT", "is_original": True, "burned_in_risk": "low", "face_risk": "none"}
QUESTION = {"cohort": "scans", "project": "lung", "question": "Who?", "images": {"modality": "CT"}}


def rules(place: Path, *given: dict[str, Any], **more: Any) -> Rejection:
    """The rules read from a file in ``place``; those without a name are called by their number."""
    named = [{"name": f"rule_{number}", **rule} for number, rule in enumerate(given)]
    file = place / "rules.yaml"
    file.write_text(yaml.safe_dump({"rules": named, **more}), encoding="utf-8")
    return load_rejection(str(file))


def when(column: str, **condition: Any) -> dict[str, Any]:
    return {"when": {column: {name.removesuffix("_"): value for name, value in condition.items()}}}


def rejected(read: Rejection, **row: Any) -> str | None:
    return reason(read, check_row(row, "row.json"))


@pytest.mark.parametrize(
    ("rule", "row", "is_rejected"),
    [
        (when("is_original", is_=False), {"is_original": False}, True),
        (when("is_original", is_=False), {"is_original": True}, False),
        (when("is_original", is_=False), {}, False),
        (when("is_original", is_=False) | {"unknown": "reject"}, {}, True),
        (when("face_risk", any_of=["high", "possible"]), {"face_risk": " HIGH "}, True),
        (when("face_risk", any_of="high"), {"face_risk": "low"}, False),
        (when("face_risk", none_of=["none"]), {"face_risk": "low"}, True),
        (when("face_risk", none_of=["none"]), {"face_risk": None}, False),
        (when("face_risk", none_of=["none"]) | {"unknown": "reject"}, {"face_risk": "  "}, True),
        (when("ImageType", any_of=["mip"]), {"ImageType": ["DERIVED", None, "MIP "]}, True),
        (when("ImageType", all_of=["DERIVED", "MIP"]), {"ImageType": ["DERIVED", "MPR"]}, False),
        (when("ImageType", none_of=["PRIMARY"]), {"ImageType": [None, ""]}, False),
        (when("SliceThickness", at_most=2.5), {"SliceThickness": 2.5}, True),
        (when("SliceThickness", at_least=1, at_most=2), {"SliceThickness": 3}, False),
        (when("SliceThickness", at_most=2.5), {"SliceThickness": float("nan")}, False),
        (when("StudyDate", present=False), {"StudyDate": None}, True),
        (when("PixelSpacing", present=True), {"PixelSpacing": []}, False),
        # both must hold; what is false decides, whatever is unknown beside it
        ({"unknown": "reject", "when": {"face_risk": {"any_of": ["high"]}, "is_primary": {"is": False}}},
         {"face_risk": "low"}, False),
        ({"unknown": "reject", "when": {"face_risk": {"any_of": ["high"]}, "is_primary": {"is": False}}},
         {"face_risk": "high"}, True),
        ({"when": {"face_risk": {"any_of": ["high"]}, "is_primary": {"is": False}}}, {"face_risk": "high"}, False),
    ],
)  # fmt: skip
def test_a_rule_rejects_where_all_of_it_holds_and_what_is_unknown_only_where_it_says_so(
    tmp_path: Path, rule: dict[str, Any], row: dict[str, Any], is_rejected: bool
) -> None:
    assert rejected(rules(tmp_path, rule), **row) == ("rule_0" if is_rejected else None)


def test_the_first_rule_that_rejects_is_the_reason(tmp_path: Path) -> None:
    read = rules(tmp_path, when("is_original", is_=False), when("face_risk", any_of="high"))
    assert rejected(read, is_original=False, face_risk="high") == "rule_0"
    assert rejected(read, is_original=True, face_risk="high") == "rule_1"


def test_a_modality_adds_rules_puts_others_in_place_and_leaves_some_out(tmp_path: Path) -> None:
    of_ultrasound = {
        "without": ["rule_0"],
        "rules": [{"name": "rule_1", **when("burned_in_risk", any_of="high")},
                  {"name": "no_frames", **when("NumberOfFrames", present=False)}],
    }  # fmt: skip
    read = rules(
        tmp_path, when("is_original", is_=False), when("burned_in_risk", any_of=["high", "possible"]),
        modalities={"US": of_ultrasound},
    )  # fmt: skip
    assert read.names == ["rule_0", "rule_1", "no_frames"]
    assert rejected(read, modality="CT", burned_in_risk="possible") == "rule_1"
    assert rejected(read, modality="US", is_original=False, burned_in_risk="possible", NumberOfFrames=1) is None
    assert rejected(read, modality="US", burned_in_risk="high") == "rule_1"
    assert rejected(read, modality="US") == "no_frames"
    assert rejected(read, burned_in_risk="possible") == "rule_1"


def test_a_list_of_uids_lies_beside_the_rules_and_its_content_is_part_of_them(tmp_path: Path) -> None:
    file, rule = tmp_path / "bad.csv", when("SeriesInstanceUID", listed_in="bad.csv")
    file.write_text('\ufeffSeriesInstanceUID\r\n2.25.7\r\n"2.25.8"\r\n\r\n2.25.7\r\n', encoding="utf-8")
    read = rules(tmp_path, rule)
    assert rejected(read, SeriesInstanceUID="2.25.8") == "rule_0"
    assert rejected(read, SeriesInstanceUID="2.25.9") is None
    file.write_text("2.25.8\n2.25.7\n", encoding="utf-8")
    assert rules(tmp_path, rule) == read, "the same UIDs in another order"
    file.write_text("2.25.8\n", encoding="utf-8")
    assert rules(tmp_path, rule) != read


def test_a_definition_holds_the_rules_themselves_and_is_read_again_as_it_was_registered(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("2.25.7\n", encoding="utf-8")
    rules(tmp_path, when("SeriesInstanceUID", listed_in="bad.csv"), when("is_original", is_=False))
    given = QUESTION | {"rejection": str(tmp_path / "rules.yaml")}
    definition = read_definition(given, "scans.yaml")
    again = read_definition(json.loads(definition.to_json()), "the registry")
    assert again == definition
    assert again.rejection is not None
    assert rejected(again.rejection, SeriesInstanceUID="2.25.7") == "rule_0"
    rules(tmp_path, when("SeriesInstanceUID", listed_in="bad.csv"))
    assert read_definition(given, "scans.yaml").sha256() != definition.sha256()
    (tmp_path / "bad.csv").write_text("2.25.6\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.csv does not hold the UIDs that the rules were used with \(SHA-256 "):
        read_definition(json.loads(definition.to_json()), "the registry")


def test_a_definition_without_rules_has_those_of_its_project(tmp_path: Path) -> None:
    rules(tmp_path, when("is_original", is_=False))
    own = read_definition(QUESTION | {"rejection": "standard"}, "scans.yaml")
    none = read_definition(QUESTION, "scans.yaml")
    project = read_project(LUNG | LONG | {"rejection": str(tmp_path / "rules.yaml")}, "conf/projects/lung.yaml")
    beside = read_definition(QUESTION | {"rejection": "rules.yaml"}, "scans.yaml", tmp_path)
    assert beside.rejection is not None
    assert project.rejection is not None
    assert beside.rejection.rules == project.rejection.rules
    assert with_rejection(own, project) == own
    assert with_rejection(none, project).rejection == project.rejection
    assert with_rejection(none, read_project(LUNG, "conf/projects/lung.yaml")) == none
    assert with_rejection(none, project).sha256() != none.sha256()


def test_rules_that_look_at_what_the_project_may_not_have_are_refused(tmp_path: Path) -> None:
    rules(tmp_path, when("PatientSex", any_of="O"))
    profile = tmp_path / "strict.yaml"
    profile.write_text("profile: strict\nmeaning: Dates alone.\noptions: [retain_modified_dates]\n", encoding="utf-8")
    strict = LUNG | LONG | {"rejection": str(tmp_path / "rules.yaml"), "profile": str(profile)}
    of_any_year: dict[str, Any] = {"controls": {"match": "year", "from": {"images": {"modality": "CT"}}}}
    for question in (QUESTION, QUESTION | of_any_year):  # controls have the same rules: they are told once
        with pytest.raises(ConfigError) as raised:
            check_permitted(
                read_definition(question, "scans.yaml"), read_project(strict, "conf/projects/lung.yaml"), "scans.yaml"
            )
        assert str(raised.value) == (
            f"scans.yaml: rejection: {tmp_path}/rules.yaml looks at PatientSex, which the project may not have. "
            f"conf/projects/lung.yaml: profile: {profile}."
        )


def test_the_shipped_rules_read_and_reject_what_they_are_for() -> None:
    for file in (folder("conf") / "rejection").glob("*.yaml"):
        load_rejection(file.stem)
    read = load_rejection("standard")
    assert rejected(read, **CT) is None
    assert rejected(read, **CT | {"is_original": False}) == "not_original"
    assert rejected(read, **CT | {"modality": "DX", "is_original": False}) is None
    assert rejected(read, **CT | {"burned_in_risk": "possible"}) == "burned_in"
    assert rejected(read, **CT | {"modality": "US", "burned_in_risk": "possible"}) is None
    assert rejected(read, **CT | {"face_risk": None}) == "face"
    assert rejected(read, **CT | {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}) == "not_extractable"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"rules": [{"name": "a", "when": {"face_risk": {"any_of": "high"}}, "unknwn": "keep"}]},
         "rules[0].unknwn is not a field. Fields here: name, when, unknown. Did you mean unknown?"),
        ({"rules": [{"name": "a", "when": {"is_orignal": {"is": False}}}]},
         "rule a: is_orignal is not a column of images in zone 2. Did you mean is_original?"),
        ({"rules": [{"name": "a", "when": {"PatientName": {"present": True}}}]},
         "rule a: PatientName stands in no table beyond zone 1. Take it out."),
        ({"rules": [{"name": "a", "when": {"SliceThickness": {"at_least": True}}}]},
         "rules[0].when.SliceThickness.at_least: a number is wanted. Given: True. "
         "It is: number from which on it fits."),
        ({"rules": [{"name": "a", "when": {"is_original": {"is": "no"}}}]},
         "rules[0].when.is_original.is: true or false is wanted, without quotes. Given: 'no'. "
         "It is: true or false, for columns that say so."),
        ({"rules": [{"name": "a", "when": {"SliceThickness": {"any_of": ["1"]}}}]},
         "rule a: SliceThickness is double: any_of does not go with it. Ask for at_least, at_most, present."),
        ({"rules": [{"name": "a", "when": {"face_risk": {"is": True}}}]},
         "rule a: face_risk is string: is does not go with it. Ask for any_of, all_of, none_of, present."),
        ({"rules": [{"name": "a", "when": {"face_risk": {"listed_in": "x.csv"}}}]},
         "rule a: face_risk is string: listed_in does not go with it. Ask for any_of, all_of, none_of, present."),
        ({"rules": [{"name": "a", "when": {"face_risk": {}}}]},
         "rule a: nothing is asked of face_risk. Ask for is, any_of, all_of, none_of, at_least, at_most, present, "
         "listed_in."),
        ({"rules": [{"name": "a", "when": {"SliceThickness": {"at_least": 2, "at_most": 1}}}]},
         "rule a: SliceThickness: no number is at least 2.0 and at most 1.0."),
        ({"rules": [{"name": "a", "when": {"face_risk": {"any_of": "high"}}}] * 2},
         "a is the name of several rules. Rename all but one."),
        ({"rules": [], "modalities": {"CTT": {}}},
         "modalities: CTT is not a value. Values here: CT, MR, CR, DX, US, MG, PT, NM, XA, RF, SR, OTHER. "
         "Did you mean CT?"),
        ({"rules": [{"name": "face", "when": {"face_risk": {"any_of": "high"}}}],
          "modalities": {"CT": {"without": ["fase"]}}},
         "modalities.CT.without: fase is not a rule. Rules here: face. Did you mean face?"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_the_rule_and_what_is_accepted(tmp_path: Path, content: dict[str, Any], told: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_rejection(str(file))
    assert str(raised.value) == f"{file}: {told}"


def test_rules_that_are_not_there_and_lines_that_are_no_uids_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^conf/rejection: standart is not a rule file\. .* mean standard\?$"):
        load_rejection("standart")
    with pytest.raises(ConfigError, match=r"^rejection rules no/such\.yaml do not exist\. "):
        load_rejection("no/such.yaml")
    with pytest.raises(ConfigError, match=r"nowhere\.csv does not exist\. Lists of UIDs lie beside the rules"):
        rules(tmp_path, when("StudyInstanceUID", listed_in="nowhere.csv"))
    (tmp_path / "names.csv").write_text("SeriesInstanceUID\n2.25.7\n0101010028 SMITH\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_uids(tmp_path / "names.csv", "SeriesInstanceUID")
    assert "line 3 is no UID of zone 2" in str(raised.value)
    assert "SMITH" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"is_orignal": false}', "is_orignal is not a column of images in zone 2. Did you mean is_original?"),
        ('{"is_original": "NO"}', "is_original is boolean, and not what is given: str."),
        ('{"SliceThickness": true}', "SliceThickness is double, and not what is given: bool."),
        ('{"ImageType": "ORIGINAL"}', "ImageType is array<string>, and not what is given: str."),
        ('{"modality": "ct"}', "modality: ct is not a value. Values here: CT, MR, CR, DX, US, MG, PT, NM, XA, RF, SR, "
                               "OTHER. Did you mean CT?"),
        ("[1]", 'must hold one row, as {"modality": "CT", …}, not a list.'),
        ('{"a": 1}\n{"a": 2}', "is not one row of JSON: Extra data: line 2 column 1 (char 9)."),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_judged_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "row.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_row(str(file))
    assert str(raised.value).removeprefix(str(file)).lstrip(": ") == told


def job(monkeypatch: pytest.MonkeyPatch, row: str, *given: str) -> object:
    monkeypatch.setattr(sys, "argv", ["test_rules.py", *given])
    monkeypatch.setattr(sys, "stdin", io.StringIO(row))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "jobs" / "test_rules.py"), run_name="__main__")
    return ended.value.code


def test_the_job_accepts_rejects_with_the_reason_or_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standard = ("--rules", "standard")
    assert job(monkeypatch, json.dumps(CT), *standard) == 0
    assert job(monkeypatch, json.dumps(CT | {"is_original": False}), *standard) == 1
    assert capsys.readouterr() == ("accepted\nnot_original\n", "")
    for given in (("--rules", "standart"), (*standard, "--row", "no/such.json"), ()):
        assert job(monkeypatch, "{}", *given) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Did you mean standard?" in said.err
    assert "no/such.json cannot be read: No such file or directory." in said.err


def test_no_cohort_lies_where_the_annotations_of_its_project_do() -> None:
    with pytest.raises(ConfigError, match=r"^x: cohort: annotations is where the project's labels are\. Give the"):
        read_definition(QUESTION | {"cohort": "annotations"}, "x")


def test_rules_travel_as_a_value() -> None:
    read = load_rejection("standard")
    assert read_definition(QUESTION | {"rejection": read}, "x").rejection is read
    assert read_definition(QUESTION | {"rejection": "standard"}, "x").rejection == read
