"""Record extracts as CSV: official or alias headers, mixed date formats, UTF-8 or latin-1, rows that do not fit."""

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

ALIASED = ("prescribing", "smr06", "smr00", "ae")  # extracts whose headers are the columns' first aliases
LATIN_1 = ("demography", "prescribing")  # extracts that are not in UTF-8; a letter that it lacks becomes ?
BAD_SHARE = 0.04  # most bad rows for one good row
_OURS = ("chi_flags", "source", "path", "run_id")
_HARMLESS = {"smr01": "LOCATION", "smr02": "LOCATION", "smr06": "TYPE_ICDO3", "prescribing": "PAID_QUANTITY"}


@dataclass(frozen=True)
class BadRow:
    """One row that does not fit; ``row_number`` counts rows of data from 1."""

    row_number: int
    column: str | None
    reason: Reason


def input_columns(schema: TableSchema) -> tuple[Column, ...]:
    """The columns that an extract of the table can have."""
    return tuple(column for column in schema.in_zone("secure") if column.name not in _OURS)


def write_extract(table: str, rows: list[Row], donors: list[Row], rng: random.Random) -> tuple[bytes, list[BadRow]]:
    """The bytes of one extract, and which of its rows are bad; bad rows are made from ``donors``, never of good ones.

    The extract has the columns that it must have and those that its rows fill, also such as the table does not take.
    """
    columns = _columns(load_schema(f"records/{table}"), rows)
    rows = rng.sample(rows, len(rows))
    lines = [_fields(row, columns, rng) for row in rows]
    bad = []
    for line, column, reason in _bad_lines(table, donors, len(rows), columns, rng):
        place = rng.randrange(len(lines) // 2, len(lines)) if reason != Reason.DUPLICATE_KEY else len(lines)
        lines.insert(place, line)
        bad.append((line, column, reason))
    found = [BadRow(_place(lines, line), column, reason) for line, column, reason in bad]
    header = [column.aliases[0] if table in ALIASED and column.aliases else column.name for column in columns]
    text = _csv([header, *lines])
    content = text.encode("latin-1", "replace") if table in LATIN_1 else text.encode()
    return content, sorted(found, key=lambda row: row.row_number)


def _columns(schema: TableSchema, rows: list[Row]) -> tuple[Column, ...]:
    filled = dict.fromkeys(name for row in rows for name, value in row.items() if value not in (None, ""))
    known = [column for column in input_columns(schema) if column.required or column.name in filled]
    names = {column.name for column in input_columns(schema)}
    further = [Column(name=name, type="string", meaning="not of the table") for name in filled if name not in names]
    return (*known, *further)


def _place(lines: list[list[str]], wanted: list[str]) -> int:
    return next(number for number, line in enumerate(lines, start=1) if line is wanted)


def _csv(lines: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _fields(row: Row, columns: tuple[Column, ...], rng: random.Random) -> list[str]:
    """The row as text; its dates in one of the formats that all date columns of the table take."""
    formats = [column.formats for column in columns if column.type == "date"]
    form = rng.choice([form for form in formats[0] if all(form in others for others in formats)])
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
    has_number = any(column.type == "int" for column in columns)
    spoilt = [spoil for spoil in _SPOILT if has_number or spoil is not _not_a_number]
    count = min(int(good * BAD_SHARE), len(donors), len(spoilt))
    made = []
    for donor, spoil in zip(rng.sample(donors, count), spoilt, strict=False):
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
