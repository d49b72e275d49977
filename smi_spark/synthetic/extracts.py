"""Record extracts as CSV: official or alias headers, mixed date formats, and rows that do not fit."""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from smi_spark.reasons import Reason
from smi_spark.schema import Column, TableSchema, load_schema
from smi_spark.synthetic.records import Row

ALIASED = ("prescribing", "smr06")  # extracts whose headers are the columns' first aliases
BAD_SHARE = 0.04  # most bad rows for one good row
_OURS = ("source", "path", "run_id")
_HARMLESS = {"smr01": "LOCATION", "smr02": "LOCATION", "smr06": "TYPE_ICDO3", "prescribing": "PAID_QUANTITY"}


@dataclass(frozen=True)
class BadRow:
    """One row that does not fit; ``row_number`` counts rows of data from 1."""

    row_number: int
    column: str | None
    reason: Reason


def input_columns(schema: TableSchema) -> tuple[Column, ...]:
    """The columns that an extract of the table has."""
    return tuple(column for column in schema.in_zone("secure") if column.name not in _OURS)


def write_extract(table: str, rows: list[Row], donors: list[Row], rng: random.Random) -> tuple[str, list[BadRow]]:
    """The text of one extract, and which of its rows are bad; bad rows are made from ``donors``, never of good ones."""
    columns = input_columns(load_schema(f"records/{table}"))
    rows = rng.sample(rows, len(rows))
    lines = [_fields(row, columns, rng) for row in rows]
    bad = []
    for line, column, reason in _bad_lines(table, donors, len(rows), columns, rng):
        place = rng.randrange(len(lines) // 2, len(lines)) if reason != Reason.DUPLICATE_KEY else len(lines)
        lines.insert(place, line)
        bad.append((line, column, reason))
    found = [BadRow(_place(lines, line), column, reason) for line, column, reason in bad]
    header = [column.aliases[0] if table in ALIASED and column.aliases else column.name for column in columns]
    return _csv([header, *lines]), sorted(found, key=lambda row: row.row_number)


def _place(lines: list[list[str]], wanted: list[str]) -> int:
    return next(number for number, line in enumerate(lines, start=1) if line is wanted)


def _csv(lines: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _fields(row: Row, columns: tuple[Column, ...], rng: random.Random) -> list[str]:
    """The row as text; its dates in one of the formats that all date columns of the table take."""
    form = rng.choice(next((column.formats for column in columns if column.formats), ("%Y-%m-%d",)))
    return [_text(row.get(column.name), form) for column in columns]


def _text(value: Any, form: str) -> str:
    if isinstance(value, date):
        return value.strftime(form)
    return "" if value is None else str(value)


def _bad_lines(
    table: str, donors: list[Row], good: int, columns: tuple[Column, ...], rng: random.Random
) -> list[tuple[list[str], str | None, Reason]]:
    """A line, the column that is wrong and the reason, as many as the share allows."""
    schema = load_schema(f"records/{table}")
    count = min(int(good * BAD_SHARE), len(donors), len(_SPOILT))
    made = []
    for donor, spoil in zip(rng.sample(donors, count), _SPOILT, strict=False):
        row = {**donor, schema.key[0]: f"{donor[schema.key[0]]}B"}
        line, column, reason = spoil(_Damage(table, schema, row, donor, columns, rng))
        made.append((line, column, reason))
    return made


@dataclass(frozen=True)
class _Damage:
    """What the makers of bad rows work on: a row with a key of its own, and the row that it came from."""

    table: str
    schema: TableSchema
    row: Row
    donor: Row
    columns: tuple[Column, ...]
    rng: random.Random

    def line(self, changes: Row | None = None) -> list[str]:
        return _fields({**self.row, **(changes or {})}, self.columns, self.rng)


_Spoilt = tuple[list[str], str | None, Reason]


def _impossible_date(damage: _Damage) -> _Spoilt:
    column = str(damage.schema.event_date)
    return damage.line({column: "2019-02-30"}), column, Reason.BAD_VALUE


def _nobody(damage: _Damage) -> _Spoilt:
    column = str(damage.schema.patient)
    return damage.line({column: ""}), column, Reason.MISSING_VALUE


def _field_too_many(damage: _Damage) -> _Spoilt:
    return [*damage.line(), "stray"], None, Reason.WRONG_FIELD_COUNT


def _same_key(damage: _Damage) -> _Spoilt:
    key = damage.schema.key[0]
    changes: Row = {key: damage.donor[key], _HARMLESS.get(damage.table, "SEX"): "9"}
    return damage.line(changes), ", ".join(damage.schema.key), Reason.DUPLICATE_KEY


def _not_a_number(damage: _Damage) -> _Spoilt:
    column = next(column.name for column in damage.columns if column.type == "int")
    return damage.line({column: "three"}), column, Reason.BAD_VALUE


def _field_missing(damage: _Damage) -> _Spoilt:
    return damage.line()[:-1], None, Reason.WRONG_FIELD_COUNT


_SPOILT: tuple[Callable[[_Damage], _Spoilt], ...] = (
    _impossible_date,
    _same_key,
    _field_too_many,
    _nobody,
    _not_a_number,
    _field_missing,
)
