"""Expressions on images: what is read, what a wrong one says, and what is refused whatever it means."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.grammar import parse_expression
from smi_spark.analysis.where import told as one_line
from smi_spark.errors import ConfigError

PLACE = "conf/cohorts/lung.yaml"


def lung(where: Any) -> dict[str, Any]:
    return {"cohort": "lung", "project": "demo", "question": "Who?", "images": {"where": where}}


def error(where: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        read_definition(lung(where), PLACE)
    return str(raised.value).removeprefix(f"{PLACE}: images.where: ").partition(" Given: ")[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("KVP>100 and not is_original", "KVP > 100 AND NOT is_original"),
        ("KVP != .5 or KVP = 1e3", "KVP <> 0.5 OR KVP = 1000.0"),
        ("is_original or is_primary and KVP > 1", "is_original OR is_primary AND KVP > 1"),
        ("(is_original or is_primary) and KVP > 1", "(is_original OR is_primary) AND KVP > 1"),
        ("not (KVP is null)", "KVP IS NOT NULL"),
        ("not KVP in (1, -2)", "KVP NOT IN (1, -2)"),
        ("not KVP = 1 and is_original", "NOT KVP = 1 AND is_original"),
        ("Rows - (Columns - 1) - -2 > Rows*(1+2)", "Rows - (Columns - 1) - -2 > Rows * (1 + 2)"),
        ("ProtocolName\n  like 'O''Neill%'", "ProtocolName LIKE 'O''Neill%'"),
        ("StudyDate between date '2015-01-01' and SeriesDate", "StudyDate BETWEEN DATE '2015-01-01' AND SeriesDate"),
        ("ARRAY_CONTAINS(ImageType,'AXIAL')", "array_contains(ImageType, 'AXIAL')"),
        ("(is_original AND is_primary) AND TRUE", "is_original AND is_primary AND TRUE"),
        ("(is_original = is_primary) = true", "(is_original = is_primary) = TRUE"),
    ],
)
def test_an_expression_is_a_value_however_it_is_written(written: str, meant: str) -> None:
    one, other = (read_definition(lung(text), PLACE) for text in (written, meant))
    assert str(one.images.where) == meant
    assert one == other
    assert one.sha256() == other.sha256()
    assert one.sha256() != read_definition(lung(f"NOT ({meant})"), PLACE).sha256()


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("KPV > 100",
         "character 1: KPV is not a column of images in zone 2; docs/data-dictionary.md lists them. Did you mean KVP?"),
        ("kvp > 100",
         "character 1: kvp is not a column of images in zone 2; docs/data-dictionary.md lists them. Did you mean KVP?"),
        ("PatientName = 'x'", "character 1: PatientName stands in no table beyond zone 1."),
        ("StudyInstanceUID = '2.25.1'", "character 1: StudyInstanceUID holds ids, which an expression may not look at. "
                                        "Give ids in a file: images.from_list."),
        ("KVP > 'high'", "KVP > 'high': 'high' is a text, and a number is wanted there."),
        ("StudyDate < '2015-01-31'", "StudyDate < '2015-01-31': '2015-01-31' is a text, and a date is wanted there. "
                                     "Write a date as in DATE '2015-01-31'."),
        ("ImageType = 'ORIGINAL'",
         "ImageType = 'ORIGINAL': ImageType is a list, and a text or a number or true or false or a date is wanted "
         "there. Write array_contains(ImageType, 'value') or element_at(ImageType, 1)."),
        ("array_contains(PixelSpacing, 'x')",
         "array_contains(PixelSpacing, 'x'): 'x' is a text, and a number is wanted there."),
        ("element_at(PixelSpacing, 0) > 1",
         "element_at(PixelSpacing, 0): 0 has to be a whole number from 1, written out."),
        ("KVP + 1", "KVP + 1 is a number: a condition is wanted, as in KVP > 100."),
        ("KVP AND is_original", "KVP AND is_original: KVP is a number, and true or false is wanted there."),
        ("is_original < is_primary",
         "is_original < is_primary: is_original is true or false, and a text or a number or a date is wanted there."),
        ("length(ProtocolName, 1) > 1",
         "length(ProtocolName, 1): length takes 1 in its brackets, not 2."),
        ("coalesce(KVP) > 1", "coalesce(KVP): coalesce takes 2 or more in its brackets, not 1."),
        ("KVP = NULL", "character 7: nothing equals NULL: write IS NULL or IS NOT NULL."),
        ("KVP > 1 = TRUE", "character 9: = follows a comparison: put one of the two in brackets."),
        ("KVP >", "character 6: the end is not expected: a column, a value, a function or ( is."),
        ("KVP > 1 KVP", "character 9: KVP is not expected: an operator (AND, OR, = …) or the end is."),
        ("ProtocolName LIKE PatientSex",
         "character 19: PatientSex is not expected: a text, as in LIKE 'CHEST%', is."),
        ("StudyDate = DATE '2015-02-30'", "character 13: '2015-02-30' is no date: write it as in DATE '2015-01-31'."),
        ("KVP > 1e999", "character 7: 1e999 is too great a number."),
        ("", "an expression is wanted, as in SliceThickness <= 1.5 AND is_original."),
    ],
)  # fmt: skip
def test_a_wrong_expression_says_where_and_what_is_accepted(where: str, told: str) -> None:
    assert error(where) == told


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("KVP IN (SELECT 1)", "character 9: SELECT is not accepted: an expression is about the columns of an image, "
                              "no query."),
        ("EXISTS (SELECT 1)", "character 1: EXISTS is not accepted: an expression is about the columns of an image, "
                              "no query."),
        ("KVP > 1; DROP TABLE images", "character 8: one expression is accepted, and nothing behind it."),
        ("KVP > 1 -- always", "character 9: -- is not accepted: comments stand outside the expression, after # in the "
                              "file."),
        ("KVP /* x */ > 1", "character 5: /* is not accepted: comments stand outside the expression, after # in the "
                            "file."),
        ("`KVP` > 1", "character 1: columns stand without quotes."),
        ('"KVP" > 1', "character 1: texts stand in single quotes, columns in none."),
        ("images.KVP > 1", "character 7: columns stand without a table before them."),
        ("ProtocolName = 'x", "character 16: this text has no end; a quote within a text is written twice, as in "
                              "'O''Neill'."),
        ("ProtocolName = 'x\\' OR 1 = 1 --'", "character 30: -- is not accepted: comments stand outside the "
                                              "expression, after # in the file."),
        ("exists(ImageType, x -> TRUE)", "character 1: exists is not accepted: an expression is about the columns of "
                                         "an image, no query."),
        ("transform(ImageType, x -> x) IS NULL", "character 25: > is not expected: a column, a value, a function or ( "
                                                 "is."),
        ("count(*) > 1", "character 7: * is not expected: a column, a value, a function or ( is."),
        ("CAST(KVP AS INT) = 1", "character 10: AS is not expected: ) is."),
        ("KVP :: INT = 1", "character 5: ':' is not accepted here."),
        ("ＫＶＰ > 1", "character 1: 'Ｋ' is not accepted here."),
        ("(" * 5000 + "TRUE", "5,004 characters are too many: up to 4,000 are accepted."),
        ("(" * 100 + "TRUE", "character 31: more than 30 levels within each other are not accepted."),
        ("NOT " * 100 + "TRUE", "character 1: more than 30 levels within each other are not accepted."),
        ("1" + " + 1" * 100 + " > KVP", "character 119: more than 30 levels within each other are not accepted."),
        ("KVP IN (" + "1," * 1000 + "1)", "character 9: 1,001 values after IN are too many: up to 1,000 are accepted."),
    ],
)  # fmt: skip
def test_what_is_no_plain_condition_is_refused(where: str, told: str) -> None:
    assert error(where).rstrip(".") == told.rstrip(".")


@pytest.mark.parametrize(
    "function",
    ["java_method", "reflect", "input_file_name", "current_user", "version", "rand", "assert_true", "raise_error",
     "from_json", "rlike", "try_cast", "negative", "and_", "read_files", "spark_partition_id", "aes_decrypt"],
)  # fmt: skip
def test_functions_that_are_not_listed_are_refused(function: str) -> None:
    told = error(f"{function}('java.lang.System', 'exit') = 1")
    assert told.startswith(f"character 1: {function} is not a function. Functions here: lower, upper, trim, length, ")


@pytest.mark.parametrize("where", [["KVP > 1"], {"text": "KVP > 1", "tree": "KVP > 1"}, 1, True])
def test_what_is_no_text_is_refused(where: Any) -> None:
    assert error(where).startswith("an expression is one text.")


def test_it_is_one_line_of_the_attrition() -> None:
    where = read_definition(lung("ProtocolName = 'a\nb'"), PLACE).images.where
    assert where is not None
    assert where.text == "ProtocolName = 'a\nb'"
    assert one_line(where) == "where ProtocolName = 'a b'"


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(ConfigError) as raised:
        read_definition(lung("(" * 100_000), PLACE)
    assert len(str(raised.value)) < 600


SNIPPETS = st.sampled_from(
    ["KVP", "is_original", "1", "-2.5", "'a''b'", "DATE '2015-01-31'", "(", ")", "AND", "OR", "NOT", "=", "<>", "<",
     "+", "-", "*", "/", "IS", "NULL", "IN", "BETWEEN", "LIKE", ",", "lower(", "coalesce(", "TRUE", ";", "`", "SELECT",
     "--", "\x00", "é", "\\"]
)  # fmt: skip


def read(where: str) -> tuple[Definition | None, str]:
    try:
        return read_definition(lung(where), PLACE), ""
    except ConfigError as refused:
        return None, str(refused)


@given(st.lists(SNIPPETS, max_size=12))
def test_any_text_is_read_back_the_same_or_refused_with_a_place(snippets: list[str]) -> None:
    definition, told = read(" ".join(snippets))
    if definition is None:
        assert told.startswith(f"{PLACE}: images.where: ")
        return
    assert definition.images.where is not None
    written = str(definition.images.where)
    assert parse_expression(written).tree == definition.images.where.tree
    assert str(parse_expression(written)) == written
