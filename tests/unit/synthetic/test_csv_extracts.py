"""The record extracts: columns of the schemas, rows of known quality."""

import csv
import re
from datetime import date, datetime
from typing import Any

import pytest

from smi_spark.schema import load_schema
from smi_spark.synthetic.records import TABLES

OURS = {"source", "path", "run_id"}


def _read(archive: Any, table: str) -> tuple[list[str], list[list[str]]]:
    with (archive.root / "records" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


@pytest.mark.parametrize("table", TABLES)
def test_headers_are_official_names_or_their_aliases(archive: Any, table: str) -> None:
    columns = [column for column in load_schema(f"records/{table}").in_zone("secure") if column.name not in OURS]
    header, _ = _read(archive, table)
    assert len(header) == len(columns)
    assert all(name in (column.name, *column.aliases) for name, column in zip(header, columns, strict=True))


def test_some_extracts_have_alias_headers(archive: Any) -> None:
    assert "Pat UPI [C]" in _read(archive, "prescribing")[0]
    assert "CHI_NO" in _read(archive, "smr06")[0]


@pytest.mark.parametrize("table", TABLES)
def test_all_rows_but_the_bad_ones_fit_the_schema(archive: Any, table: str) -> None:
    columns = [column for column in load_schema(f"records/{table}").in_zone("secure") if column.name not in OURS]
    _, rows = _read(archive, table)
    keys = set()
    bad: dict[int, tuple[str | None, str]] = {}
    for number, row in enumerate(rows, start=1):
        problem = _problem(row, columns, load_schema(f"records/{table}").key, keys)
        if problem:
            bad[number] = problem
    assert bad == {told.row_number: (told.column, told.reason) for told in archive.answers.bad_rows[table]}
    assert len(rows) - len(bad) == archive.answers.rows[table]
    assert len(bad) < 0.05 * len(rows)


def _problem(row: list[str], columns: Any, key: tuple[str, ...], keys: set[Any]) -> tuple[str | None, str] | None:
    if len(row) != len(columns):
        return None, "wrong_field_count"
    for column, text in zip(columns, row, strict=True):
        if not text and column.required:
            return column.name, "missing_value"
        if text and not _fits(text, column):
            return column.name, "bad_value"
    values = tuple(text for column, text in zip(columns, row, strict=True) if column.name in key)
    if values in keys:
        return ", ".join(key), "duplicate_key"
    keys.add(values)
    return None


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
    header, rows = _read(archive, "prescribing")
    place = header.index("Prescribed Full Date")
    shapes = {re.sub(r"[A-Za-z]", "x", re.sub(r"\d", "9", row[place])) for row in rows if len(row) == len(header)}
    assert {"9999-99-99", "9999/99/99", "99-xxx-9999"} <= shapes


def test_a_field_may_hold_a_line_break(archive: Any) -> None:
    assert any("\n" in field for row in _read(archive, "prescribing")[1] for field in row)


def test_babies_have_chis_of_their_own_and_imaged_ones_have_mothers(archive: Any) -> None:
    header, rows = _read(archive, "smr02")
    places = [header.index(f"BABY_CI_CHI_NUMBER_BABY_{n}") for n in (1, 2)]
    babies = {row[place] for row in rows for place in places} - {""}
    assert babies <= set(archive.answers.identifiers["chi"])
    assert babies.isdisjoint(row[header.index("UPI_NUMBER")] for row in rows)


@pytest.mark.parametrize(("table", "column"), [("smr01", "POSTCODE"), ("deaths", "POSTCODE"), ("smr02", "UPI_NUMBER")])
def test_identifiers_hold_postcodes_and_chis_of_the_records(archive: Any, table: str, column: str) -> None:
    header, rows = _read(archive, table)
    kind = "postcode" if column == "POSTCODE" else "chi"
    texts = {row[header.index(column)] for row in rows if len(row) == len(header)} - {""}
    assert texts <= set(archive.answers.identifiers[kind])
