"""The record extracts: columns of the schemas, rows of known quality."""

import re
from datetime import date, datetime
from typing import Any

import pytest

from smi_spark.schema import load_schema
from smi_spark.synthetic.records import TABLES

OURS = {"chi_flags", "source", "path", "run_id"}
NAMES = {"SURNAME", "FORENAME"}  # which extracts of the demography have and the table does not


def _columns(table: str, header: list[str]) -> list[Any]:
    """The table's column that each field fills, None for one that it does not take."""
    known = {
        name: column
        for column in load_schema(f"records/{table}").in_zone("secure")
        if column.name not in OURS
        for name in (column.name, *column.aliases)
    }
    return [known.get(name) for name in header]


@pytest.mark.parametrize("table", TABLES)
def test_headers_are_official_names_or_their_aliases(archive: Any, table: str) -> None:
    header, _ = archive.extract(table)
    columns = _columns(table, header)
    required = {column.name for column in load_schema(f"records/{table}").columns if column.required}
    assert {name for name, column in zip(header, columns, strict=True) if column is None} == (
        NAMES if table == "demography" else set()
    )
    assert required <= {column.name for column in columns if column}


def test_some_extracts_have_alias_headers(archive: Any) -> None:
    assert "Pat UPI [C]" in archive.extract("prescribing")[0]
    assert "CHI_NO" in archive.extract("smr06")[0]
    assert "CHI" in archive.extract("ae")[0]


def test_some_extracts_are_in_latin_1(archive: Any) -> None:
    contents = {table: (archive.root / "records" / table / "0000.csv").read_bytes() for table in TABLES}
    assert {table for table, content in contents.items() if not _is_utf_8(content)} == {"demography", "prescribing"}
    assert any("µG" in field for row in archive.extract("prescribing")[1] for field in row)


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("table", TABLES)
def test_all_rows_but_the_bad_ones_fit_the_schema(archive: Any, table: str) -> None:
    header, rows = archive.extract(table)
    columns = _columns(table, header)
    keys: set[Any] = set()
    bad: dict[int, tuple[str | None, str]] = {}
    for number, row in enumerate(rows, start=1):
        problem = _problem(row, columns, load_schema(f"records/{table}").key, keys)
        if problem:
            bad[number] = problem
    assert bad == {told.row_number: (told.column, told.reason) for told in archive.answers.bad_rows[table]}
    assert len(rows) - len(bad) == archive.answers.rows[table]
    assert len(bad) < 0.05 * len(rows)


@pytest.mark.parametrize("table", ["demography", "smr00", "ae"])
def test_extracts_of_every_kind_have_bad_rows(archive: Any, table: str) -> None:
    assert len(archive.answers.bad_rows[table]) >= 3


def _problem(row: list[str], columns: Any, key: tuple[str, ...], keys: set[Any]) -> tuple[str | None, str] | None:
    if len(row) != len(columns):
        return None, "wrong_field_count"
    known = [(column, text) for column, text in zip(columns, row, strict=True) if column]
    for column, text in known:
        if not text and column.required:
            return column.name, "missing_value"
        if text and not _fits(text, column):
            return column.name, "bad_value"
    values = tuple(_plain(text, column) for column, text in known if column.name in key)
    if values in keys:
        return ", ".join(key), "duplicate_key"
    keys.add(values)
    return None


def _plain(text: str, column: Any) -> Any:
    """A date as such, however it is written."""
    return next(filter(None, (_date(text, form) for form in column.formats)), text)


def _fits(text: str, column: Any) -> bool:
    if column.type == "int":
        return re.fullmatch(r"-?\d+", text) is not None
    return column.type != "date" or any(_date(text, form) for form in column.formats)


def _date(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()
    except ValueError:
        return None


def test_each_kind_of_bad_row_occurs(archive: Any) -> None:
    kinds = {bad.reason for rows in archive.answers.bad_rows.values() for bad in rows}
    assert kinds == {"bad_value", "missing_value", "wrong_field_count", "duplicate_key"}


def test_dates_are_written_in_several_formats(archive: Any) -> None:
    header, rows = archive.extract("prescribing")
    place = header.index("Prescribed Full Date")
    shapes = {re.sub(r"[A-Za-z]", "x", re.sub(r"\d", "9", row[place])) for row in rows if len(row) == len(header)}
    assert {"9999-99-99", "9999/99/99", "99-xxx-9999"} <= shapes


def test_a_field_may_hold_a_line_break(archive: Any) -> None:
    assert any("\n" in field for row in archive.extract("prescribing")[1] for field in row)


def test_babies_have_chis_of_their_own_and_imaged_ones_have_mothers(archive: Any) -> None:
    header, rows = archive.extract("smr02")
    places = [header.index(f"BABY_CI_CHI_NUMBER_BABY_{n}") for n in (1, 2)]
    babies = {row[place] for row in rows for place in places} - {""}
    assert babies <= set(archive.answers.identifiers["chi"])
    assert babies.isdisjoint(row[header.index("UPI_NUMBER")] for row in rows)


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("demography", "CHI_NUMBER", "chi"), ("demography", "POSTCODE", "postcode"), ("smr01", "POSTCODE", "postcode"),
        ("smr01", "URI", "record_key"), ("smr02", "UPI_NUMBER", "chi"), 
        ("prescribing", "Pat Postcode [C]", "postcode"), ("smr01", "LINK_NO", "record_key"),
        ("prescribing", "Practice Code", "practice"), ("smr02", "BABY_CI_CHI_NUMBER_BABY_1", "chi"),
        ("smr04", "URI", "record_key"), ("smr04", "LINK_NO", "record_key"), ("smr04", "GP_PRACTICE_CODE", "practice"),
        ("smr04", "CONSULTANT_HCP_RESPONSIBLE", "physician"), ("deaths", "POSTCODE", "postcode"),
        ("smr00", "DR_POSTCODE", "postcode"), ("smr00", "CHI", "chi"), ("ae", "Postcode (epi) [C]", "postcode"),
        ("smr00", "Episode Record Key (SMR00) [C]", "record_key"), ("ae", "Case Reference Number", "record_key"),
        ("smr00", "Consultant/HCP Code", "physician"), ("ae", "CHI", "chi"), ("ae", "GP Practice Code", "practice"),
    ],
)  # fmt: skip
def test_identifiers_hold_what_records_tell_of_somebody(archive: Any, table: str, column: str, kind: str) -> None:
    texts = {text for (text,) in archive.good_rows(table, column)} - {""}
    assert texts
    assert texts <= set(archive.answers.identifiers[kind])


def test_the_later_extract_corrects_some_rows_under_the_same_key_and_no_other(archive: Any) -> None:
    columns = ("URI", "UPI_NUMBER", "MAIN_CONDITION", "OTHER_CONDITION_1")
    first = {uri: row for uri, *row in archive.good_rows("smr01", *columns)}
    late = {uri: row for uri, *row in archive.good_rows("smr01_late", *columns)}
    assert sorted(late) == archive.answers.corrected["smr01"]
    assert 0.02 * len(first) < len(late) < 0.05 * len(first)
    for uri, (chi, main, other) in late.items():
        assert (chi, other) == tuple(first[uri][:2])
        assert main != first[uri][1]
