"""Spans of a batch → Arrow arrays and the list of values that do not parse."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from smi_spark.dicom import values
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.charsets import recode
from smi_spark.dicom.columns import HeaderColumn, value_errors_field, written
from smi_spark.dicom.gather import order
from smi_spark.dicom.plan import Numbers, Plan

_REASONS = {
    values.NOT_NUMBER: "not a number",
    values.NOT_DATE: "not a date",
    values.NOT_TIME: "not a time",
    values.LEFT_OUT: "longer than the keep limit",
    values.OTHER_VR: "value representation does not fit the column",
    values.SEVERAL: "several values where one is allowed",
    values.NOT_INTEGER: "not a whole number",
}


@dataclass
class BadValue:
    row: int
    tag: str
    raw: str
    reason: str


class Gathered:
    """The spans of a batch in order, from which columns are made."""

    def __init__(self, arena: Arena, spans: Numbers, count: int, plan: Plan, rows: int) -> None:
        self._arena, self._plan, self._rows = arena, plan, rows
        self._spans, self._starts = order(spans, count, len(plan.paths), rows)
        texts = {slot for slot, c in zip(plan.slots, plan.columns, strict=True) if pa.types.is_string(c.item_type)}
        recode(arena, self._spans, self._starts, texts)

    def columns(self) -> tuple[list["pa.Array[Any]"], "pa.Array[Any]"]:
        """The planned columns in order, and ``value_errors``."""
        errors: list[BadValue] = []
        arrays = []
        for column, slot in zip(self._plan.columns, self._plan.slots, strict=True):
            arrays.append(self._column(column, slot, errors))
        return arrays, _error_array(errors, self._rows)

    def present(self, slot: int) -> Any:
        """For each row, whether the path of ``slot`` has a value."""
        parts, _ = self._parts(slot, values.TEXT, is_list=False)
        found = np.zeros(self._rows, np.bool_)
        found[parts[0][parts[5] == values.FINE]] = True
        return found

    def _parts(self, slot: int, holds: int, *, is_list: bool) -> Any:
        nested = len(self._plan.paths[slot]) > 1
        start, stop = self._starts[slot], self._starts[slot + 1]
        return values.collect(self._arena.content, self._spans, start, stop, self._rows, holds, is_list, nested)

    def _column(self, column: HeaderColumn, slot: int, errors: list[BadValue]) -> "pa.Array[Any]":
        holds = _holds(column.item_type)
        parts, heads = self._parts(slot, holds, is_list=column.is_list)
        places = np.arange(parts.shape[1]) if column.is_list else parts[0]
        total = parts.shape[1] if column.is_list else self._rows
        array = self._array(holds, parts, places, total)
        bad = np.flatnonzero(parts[5] != values.FINE)
        errors.extend(self._errors(column, parts, bad))
        if not column.is_list:
            return array
        valid = heads[1:] > heads[:-1]
        valid[parts[0][bad]] = False
        return pa.Array.from_buffers(
            column.type, self._rows, [_bits(valid), as_buffer(heads.astype(np.int32))], children=[array]
        )

    def _array(self, holds: int, parts: Numbers, places: Numbers, total: int) -> "pa.Array[Any]":
        buffer = self._arena.content
        if holds == values.TEXT:
            offsets, texts, valid = values.copy_texts(buffer, parts, places, total)
            buffers = [_bits(valid), as_buffer(offsets.astype(np.int32)), as_buffer(texts)]
            return pa.Array.from_buffers(pa.string(), total, buffers)
        valid = np.zeros(total, np.bool_)
        if holds == values.DATE:
            days = np.zeros(total, np.int32)
            values.parse_dates(buffer, parts, places, days, valid)
            return pa.Array.from_buffers(pa.date32(), total, [_bits(valid), as_buffer(days)])
        whole = holds == values.LONG
        doubles, longs = np.zeros(0 if whole else total), np.zeros(total if whole else 0, np.int64)
        values.parse_numbers(buffer, parts, places, doubles, longs, valid, whole)
        self._hard_numbers(parts, places, doubles, longs, valid, whole)
        data = as_buffer(longs if whole else doubles)
        return pa.Array.from_buffers(pa.int64() if whole else pa.float64(), total, [_bits(valid), data])

    def _hard_numbers(self, parts: Numbers, places: Numbers, doubles: Any, longs: Any, valid: Any, whole: bool) -> None:
        """Numbers of more digits than compiled code takes: rounded as Python does."""
        for i in np.flatnonzero(parts[5] == values.HARD):
            number = float(self._raw(parts, i))
            fits = abs(number) < 2.0**63 and number.is_integer() if whole else np.isfinite(number)
            parts[5, i] = values.FINE if fits else values.NOT_INTEGER if whole else values.NOT_NUMBER
            if fits:
                valid[places[i]] = True
                (longs if whole else doubles)[places[i]] = number

    def _errors(self, column: HeaderColumn, parts: Numbers, bad: Numbers) -> Iterator[BadValue]:
        for row, i in dict(zip(reversed(parts[0][bad]), reversed(bad), strict=True)).items():
            reason = int(parts[5, i])
            data = self._raw(parts, i)
            raw = data.hex() if reason == values.OTHER_VR else data.decode("utf-8", "backslashreplace")
            yield BadValue(int(row), written(column.path[-1]), raw, _REASONS[reason])

    def _raw(self, parts: Numbers, i: Any) -> bytes:
        return self._arena.content[parts[1, i] : parts[1, i] + parts[2, i]].tobytes()


def _holds(kind: pa.DataType) -> int:
    if pa.types.is_floating(kind):
        return values.DOUBLE
    if pa.types.is_integer(kind):
        return values.LONG
    return values.DATE if pa.types.is_date(kind) else values.TEXT


def as_buffer(values: Any) -> pa.Buffer:
    """The memory of a numpy array for Arrow, without a copy."""
    return pa.py_buffer(values)


def _bits(valid: Any) -> pa.Buffer | None:
    return None if valid.all() else as_buffer(np.packbits(valid, bitorder="little"))


def _error_array(errors: list[BadValue], rows: int) -> "pa.Array[Any]":
    errors.sort(key=lambda error: error.row)
    counts = np.bincount([error.row for error in errors], minlength=rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    kind = value_errors_field().type
    found = pa.array([{"tag": e.tag, "raw": e.raw, "reason": e.reason} for e in errors], kind.value_type)
    return pa.Array.from_buffers(kind, rows, [None, as_buffer(offsets)], children=[found])
