"""Rules on records: what a right one becomes, and what a wrong one says."""

from pathlib import Path
from typing import Any

import pytest

from smi_spark.analysis.definition import Definition, load_definition, read_definition
from smi_spark.errors import ConfigError

PLACE = "conf/cohorts/stroke.yaml"
STROKE: dict[str, Any] = {"table": "smr01", "codes": {"ICD-10": "I63"}, "which": "first ever"}


def asking(*required: Any, **fields: Any) -> Definition:
    content = {"cohort": "c", "project": "p", "question": "Who?", "records": {"required": list(required)}, **fields}
    return read_definition(content, PLACE)


def error(*required: Any, **fields: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        asking(*required, **fields)
    return str(raised.value).removeprefix(f"{PLACE}: ")


def told(rule: Any, **fields: Any) -> str:
    return str(asking(rule, **fields).records.required[0])


def test_a_rule_reads_as_a_line_of_the_attrition() -> None:
    within = {"from": "0 days", "until": "30 days"}
    assert told({"table": "deaths", "window": within}) == "deaths: any record, from 0 days until 30 days"
    assert told(STROKE) == "smr01: ICD-10 I63, the first ever, at any time"
    assert told({"table": "prescribing", "codes": {"BNF": "0208020V0"}, "at_least": 3}) == (
        "prescribing: BNF 0208020V0, on 3 or more days, at any time"
    )
    assert told({"table": "smr02", "having": {"BIRTHWEIGHT_BABY_1": {"at_most": 1500}, "SEX_BABY_1": "2"}}) == (
        "smr02: BIRTHWEIGHT_BABY_1 at most 1500 g, SEX_BABY_1 2, at any time"
    )
    after = {"table": "deaths", "window": within, "around": "stroke"}
    assert told(after, groups={"stroke": STROKE}) == "deaths: any record, from 0 days until 30 days of stroke"
    assert told({"any_of": ["stroke", {"table": "ae"}]}, groups={"stroke": STROKE}) == (
        "any of (stroke; ae: any record, at any time)"
    )
    codes = [f"F{number}" for number in range(10, 20)]
    assert told({"table": "smr04", "codes": {"ICD-10": codes}}) == (
        "smr04: ICD-10 F10 or F11 or F12 or F13 or F14 or 5 more, at any time"
    )


def test_at_least_once_is_what_a_rule_asks_anyway() -> None:
    assert asking({"table": "ae", "at_least": 1}).sha256() == asking({"table": "ae"}).sha256()


def test_the_codes_of_a_file_count_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "one.csv").write_text("\ufeffcode\r\nF01\r\n F00 \r\n\r\nF01\r\n", encoding="utf-8")
    (tmp_path / "two.csv").write_text('term,code\n"Dementia, vascular",F01\nDementia,F00\n')
    written = (
        "cohort: c\nproject: p\nquestion: Who?\nrecords:\n  excluded:\n  - {table: smr01, codes: {ICD-10: CODES}}\n"
    )
    found = []
    for codes in ("[F00, F01]", "{file: lists/one.csv}", "{file: two.csv, column: code}", "{file: lists/one.csv}"):
        file = tmp_path / "dementia.yaml"
        file.write_text(written.replace("CODES", codes))
        found.append(load_definition(file).sha256())
        if len(found) == 3:
            (tmp_path / "lists" / "one.csv").write_text("code\nF01\n")
    assert found[0] == found[1] == found[2] != found[3]


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("", {"file": "none.csv"}, "code list {folder}/none.csv does not exist: files are named from the definition's "
                                   "folder."),
        ("code\n", {}, "code list {file} has no codes below its header."),
        ("F00\nF01\n", {}, "code list {file} begins with F00, as a code would: its first line is a header."),
        ("code,term\nF00,Dementia\n", {}, "code list {file} has the columns code, term: name one of them in column."),
        ("code,term\nF00,Dementia\n", {"column": "kode"},
         "code list {file} has no column kode. Did you mean code? Columns here: code, term."),
        ("code\nF00\n", {"columns": "code"}, "a code list is {{file: codes.csv}}, with column where it has several."),
    ],
)  # fmt: skip
def test_a_code_list_that_cannot_be_read_is_named(tmp_path: Path, text: str, given: dict[str, str], said: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text)
    content = {"cohort": "c", "project": "p", "question": "Who?", "records": {
        "excluded": [{"table": "smr01", "codes": {"ICD-10": {"file": "list.csv", **given}}}]}}  # fmt: skip
    with pytest.raises(ConfigError) as raised:
        read_definition(content, PLACE, tmp_path)
    assert str(raised.value) == (
        f"{PLACE}: records.excluded[0].codes.ICD-10: {said.format(file=file, folder=tmp_path)}"
    )


DEEP: dict[str, Any] = {"any_of": [{"all_of": [{"none_of": [{"any_of": [{"table": "ae"}]}]}]}]}


@pytest.mark.parametrize(
    ("required", "groups", "said"),
    [
        ([{"codes": {"ICD-10": "F00"}}], {},
         "records.required[0]: a rule has a table, or any_of, all_of or none_of, or names a group: give one of these."),
        ([{"table": "ae", "any_of": [{"table": "deaths"}]}], {}, "records.required[0]: a rule has a table, or any_of"),
        ([{"any_of": [{"table": "ae"}], "at_least": 2}], {},
         "records.required[0]: at_least belong to a rule with a table, not to any_of."),
        ([{"table": "ae", "at_least": 2, "which": "first ever"}], {},
         "records.required[0]: first ever is one record, at_least asks for more: give one of the two."),
        ([{"table": "ae", "at_least": 4, "window": {"from": "-1 day", "until": "1 day"}}], {},
         "records.required[0]: no 4 days lie from -1 day until 1 day: make the window longer."),
        ([{"table": "ae", "which": "fist"}], {},
         "records.required[0].which: Input should be 'first ever', 'last ever', 'first' or 'last'. Given: 'fist'. "
         "It is: first ever or last ever of the person; first or last in the window."),
        ([{"any_off": [{"table": "ae"}]}], {},
         "records.required[0].any_off is not a field. Fields here: table, codes, having, at_least, which, window, "
         "around, any_of, all_of, none_of, group. Did you mean any_of?"),
        ([{"any_of": [{"table": "ae"}, {"tabel": "ae"}]}], {}, "records.required[0].any_of[1].tabel is not a field."),
        ([{"any_of": []}], {}, "records.required[0].any_of: nothing is given. Given: []. "),
        (["strok"], {"stroke": STROKE},
         "records.required[0].group: strok is not a group. Groups here: stroke. Did you mean stroke?"),
        ([{"table": "ae", "around": "stroke"}], {},
         "records.required[0].around: stroke is not a group. Groups here: none."),
        ([{"table": "ae", "around": "ill"}], {"ill": {"any_of": [STROKE]}},
         "records.required[0].around: ill is not one record, which a window could count from. "
         "Give the group a table, without at_least."),
        ([{"any_of": [{"table": "smr1"}]}], {}, "records.required[0].any_of[0].table: smr1 is not a table. Tables "),
        ([{"table": "smr02", "having": {"BIRTHWEIGHT_BABY1": 3000}}], {},
         "records.required[0].having: BIRTHWEIGHT_BABY1 is not a column of records/smr02 in zone 2. "
         "docs/data-dictionary.md lists them. Did you mean BIRTHWEIGHT_BABY_1?"),
        ([{"table": "ae", "having": {"chi_flags": "head"}}], {},
         "records.required[0].having.chi_flags.one_of: chi_flags is a list of flags. Ask for present."),
        ([{"table": "smr02", "having": {"BIRTHWEIGHT_BABY_1": "low"}}], {},
         "records.required[0].having.BIRTHWEIGHT_BABY_1.one_of: 'low' is not a whole number, as BIRTHWEIGHT_BABY_1 "
         "is."),
        ([{"table": "ae"}], {"stroke": STROKE},
         "groups.stroke: no rule names it. Name it in records, or take it out."),
        (["a"], {"a": {"all_of": ["b"]}, "b": {"any_of": ["a", {"table": "ae"}]}},
         "groups.a: it is made of itself. Write what it is made of in another way."),
        ([DEEP], {}, "records.required[0]: rules in rules are 4 deep, and 3 can be read. "
                     "Name the inner ones in groups."),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named(required: list[Any], groups: dict[str, Any], said: str) -> None:
    assert error(*required, **({"groups": groups} if groups else {})).startswith(said)


def test_what_is_required_and_excluded_leaves_nothing() -> None:
    records = {"required": [{"table": "ae"}, STROKE], "excluded": [STROKE]}
    assert error(records=records) == (
        "records.required[1] and records.excluded[0] are the same rule, so that nothing is left. Take one of them out."
    )


def test_every_rule_is_told_with_its_place() -> None:
    definition = asking(
        {"any_of": ["stroke", {"none_of": [{"table": "ae"}]}]}, {"table": "deaths", "around": "stroke"},
        groups={"stroke": STROKE},
    )  # fmt: skip
    assert [path for path, _ in definition.rules()] == [
        "records.required[0]", "records.required[0].any_of[0]", "records.required[0].any_of[1]",
        "records.required[0].any_of[1].none_of[0]", "records.required[1]", "groups.stroke",
    ]  # fmt: skip
    assert definition.record_tables() == ("ae", "deaths", "smr01")
