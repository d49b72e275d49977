"""Spans of a batch → Arrow arrays and the list of values that do not parse."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from smi_spark.dicom import layout as at
from smi_spark.dicom import values
from smi_spark.dicom.arena import Arena, Bytes
from smi_spark.dicom.arrow import as_buffer, bits, number_array, text_array
from smi_spark.dicom.charsets import recode, recode_spans
from smi_spark.dicom.columns import HeaderColumn, is_us_or_ss, value_errors_field, written
from smi_spark.dicom.gather import first_of, order, texts_beyond_ascii
from smi_spark.dicom.numbers import numbers_among, write_numbers
from smi_spark.dicom.plan import CHARSET, PIXEL_REPRESENTATION, Numbers, Plan
from smi_spark.dicom.private import name_vrs, nearest_before

_REASONS = {
    values.NOT_NUMBER: "not a number",
    values.NOT_DATE: "not a date",
    values.NOT_TIME: "not a time",
    values.LEFT_OUT: "longer than the keep limit",
    values.OTHER_VR: "value representation does not fit the column",
    values.SEVERAL: "several values where one is allowed",
    values.NOT_INTEGER: "not a whole number",
}
_TM = at.vr_code("TM")


@dataclass
class BadValue:
    row: int
    tag: str
    raw: str
    reason: str


class Gathered:
    """What the walk of a batch found, from which columns are made: ``places`` and ``packed`` by slot and row for the
    data set's own values, ``spans`` for those in items.
    """

    def __init__(self, arena: Arena, plan: Plan, places: Numbers, packed: Numbers, spans: Numbers) -> None:
        self._arena, self._plan, self._rows = arena, plan, places.shape[1]
        self._places, self._packed = places, packed
        self._spans, self._starts = order(spans, len(plan.paths), self._rows)
        self._settle_signs()
        self._settle_private()
        if plan.as_text:
            self._leave_times()
        self._recoded: set[int] = set()
        for slot in {slot for slot, c in zip(plan.slots, plan.columns, strict=True) if pa.types.is_string(c.item_type)}:
            recode_spans(arena, self._spans[:, self._starts[slot] : self._starts[slot + 1]], self._charset)

    def columns(self) -> tuple[list["pa.Array[Any]"], "pa.Array[Any]"]:
        """The planned columns in order, and ``value_errors``."""
        errors: list[BadValue] = []
        arrays = []
        for column, slot in zip(self._plan.columns, self._plan.slots, strict=True):
            make = self._list if column.is_list else self._single
            arrays.append(make(column, slot, errors))
        return arrays, _error_array(errors, self._rows)

    def present(self, slot: int) -> Any:
        """For each row, whether the data set has a value for ``slot``."""
        return values.present(self._content, self._places[slot], self._packed[slot])

    def _settle_signs(self) -> None:
        """Let values that are US or SS, and do not say which, follow PixelRepresentation."""
        for slot, column in zip(self._plan.slots, self._plan.columns, strict=True):
            if not is_us_or_ss(column.path[-1]):
                continue
            places, packed = self._places[PIXEL_REPRESENTATION], self._packed[PIXEL_REPRESENTATION]
            parts = values.single_values(self._content, places, packed, values.LONG)
            signed = values.parse_numbers(self._content, parts, True)[1] == 1
            found = self._spans[:, self._starts[slot] : self._starts[slot + 1]]
            for known, rows in ((self._packed[slot], slice(None)), (found[at.SPAN_PACKED], found[at.SPAN_ROW])):
                settled = np.where(signed[rows], at.SS, at.US) << 1 | known & ~(0xFFFF << 1)
                known[:] = np.where((known >> 1) & 0xFFFF == at.XS, settled, known)

    def _settle_private(self) -> None:
        """Let private values of which the file does not say the VR have the one that their creator gives them."""
        for slot, creator in self._plan.creators.items():
            tag = self._plan.paths[slot][-1]
            name_vrs(self._content, tag, self._packed[slot], (self._places[creator], self._packed[creator]))
            found, says = (self._spans[:, self._starts[s] : self._starts[s + 1]] for s in (slot, creator))
            if found.shape[1] and says.shape[1]:
                near = nearest_before(*(spans[k] for spans in (found, says) for k in (at.SPAN_ROW, at.SPAN_PLACE)))
                places, packed = (np.where(near < 0, 0, says[k][near]) for k in (at.SPAN_PLACE, at.SPAN_PACKED))
                name_vrs(self._content, tag, found[at.SPAN_PACKED], (places, packed))

    def _leave_times(self) -> None:
        """Let times be any text, so that they are not checked."""
        for packed in (self._packed, self._spans[at.SPAN_PACKED]):
            packed[(packed >> 1) & 0xFFFF == _TM] += (at.CS - _TM) << 1

    @property
    def _charset(self) -> tuple[Numbers, Numbers]:
        return self._places[CHARSET], self._packed[CHARSET]

    @property
    def _content(self) -> Bytes:
        return self._arena.content

    def _recode(self, slot: int, rows: Numbers) -> bool:
        """Recode values of a slot, once; whether there was anything to do."""
        if slot in self._recoded or len(rows) == 0:
            return False
        self._recoded.add(slot)
        recode(self._arena, rows, self._places[slot], self._packed[slot], self._charset)
        return True

    def _single(self, column: HeaderColumn, slot: int, errors: list[BadValue]) -> "pa.Array[Any]":
        if len(column.path) > 1:
            start, stop = self._starts[slot], self._starts[slot + 1]
            places, packed = first_of(self._spans, start, stop, self._rows)
        else:
            places, packed = self._places[slot], self._packed[slot]
        holds = _holds(column.item_type)
        if holds == values.TEXT:
            return self._single_texts(column, slot, places, packed, errors)
        parts = values.single_values(self._content, places, packed, holds)
        array = self._array(holds, parts)
        bad = np.flatnonzero(parts[values.WHY] > values.ABSENT)
        if len(bad):
            errors.extend(self._errors(column, parts, bad, bad))
        return array

    def _single_texts(
        self, column: HeaderColumn, slot: int, places: Numbers, packed: Numbers, errors: list[BadValue]
    ) -> "pa.Array[Any]":
        offsets, texts, valid, why, beyond = values.single_texts(self._content, places, packed)
        rewritten = write_numbers(self._arena, places, packed, np.flatnonzero(why == values.OTHER_VR))
        recoded = len(column.path) == 1 and self._recode(slot, beyond)
        if rewritten or recoded:
            offsets, texts, valid, why, beyond = values.single_texts(self._content, places, packed)
        bad = np.flatnonzero(why > values.ABSENT)
        if len(bad):
            parts = values.single_values(self._content, places, packed, values.TEXT)
            parts[values.WHY] = why
            errors.extend(self._errors(column, parts, bad, bad))
        return pa.Array.from_buffers(
            pa.string(), self._rows, [bits(valid), as_buffer(offsets), as_buffer(texts[: offsets[-1]])]
        )

    def _list(self, column: HeaderColumn, slot: int, errors: list[BadValue]) -> "pa.Array[Any]":
        if len(column.path) > 1:
            found = self._spans[:, self._starts[slot] : self._starts[slot + 1]]
            rows, places, packed = found[at.SPAN_ROW], found[at.SPAN_PLACE], found[at.SPAN_PACKED]
        else:
            if pa.types.is_string(column.item_type):
                beyond = texts_beyond_ascii(self._content, self._places[slot], self._packed[slot])
                self._recode(slot, beyond)
            rows = np.flatnonzero(self._packed[slot])
            places, packed = self._places[slot][rows], self._packed[slot][rows]
        holds = _holds(column.item_type)
        if holds == values.TEXT:
            places, packed = places.copy(), packed.copy()
            write_numbers(self._arena, places, packed, numbers_among(packed))
        parts, of_rows, heads = values.several_values(self._content, rows, places, packed, self._rows, holds)
        array = self._array(holds, parts)
        valid = heads[1:] > heads[:-1]
        bad = np.flatnonzero(parts[values.WHY] > values.ABSENT)
        if len(bad):
            errors.extend(self._errors(column, parts, bad, of_rows[bad]))
            valid[of_rows[bad]] = False
        return pa.Array.from_buffers(column.type, self._rows, [bits(valid), as_buffer(heads)], children=[array])

    def _array(self, holds: int, parts: Numbers) -> "pa.Array[Any]":
        total = parts.shape[1]
        if holds == values.TEXT:
            offsets, texts, valid = values.copy_texts(self._content, parts)
            return pa.Array.from_buffers(pa.string(), total, [bits(valid), as_buffer(offsets), as_buffer(texts)])
        if holds == values.DATE:
            days, valid = values.parse_dates(self._content, parts)
            return number_array(days, pa.date32(), valid)
        whole = holds == values.LONG
        doubles, longs, valid = values.parse_numbers(self._content, parts, whole)
        self._hard_numbers(parts, longs if whole else doubles, valid, whole)
        kind: Any = pa.int64() if whole else pa.float64()
        return number_array(longs if whole else doubles, kind, valid)

    def _hard_numbers(self, parts: Numbers, numbers: Any, valid: Any, whole: bool) -> None:
        """Numbers of more digits than compiled code takes: rounded as Python does."""
        for i in np.flatnonzero(parts[values.WHY] == values.HARD):
            number = float(self._raw(parts, i))
            fits = abs(number) < 2.0**63 and number.is_integer() if whole else np.isfinite(number)
            parts[values.WHY, i] = values.FINE if fits else values.NOT_INTEGER if whole else values.NOT_NUMBER
            if fits:
                valid[i] = True
                numbers[i] = number

    def _errors(self, column: HeaderColumn, parts: Numbers, bad: Numbers, rows: Numbers) -> Iterator[BadValue]:
        """The first bad value of each row."""
        for row, i in dict(zip(reversed(rows), reversed(bad), strict=True)).items():
            reason = int(parts[values.WHY, i])
            data = self._raw(parts, i)
            raw = data.hex() if reason == values.OTHER_VR else data.decode("utf-8", "backslashreplace")
            yield BadValue(int(row), written(column.path[-1]), raw, _REASONS[reason])

    def _raw(self, parts: Numbers, i: Any) -> bytes:
        return self._content[parts[values.START, i] : parts[values.START, i] + parts[values.SIZE, i]].tobytes()


def _holds(kind: pa.DataType) -> int:
    if pa.types.is_floating(kind):
        return values.DOUBLE
    if pa.types.is_integer(kind):
        return values.LONG
    return values.DATE if pa.types.is_date(kind) else values.TEXT


def _error_array(errors: list[BadValue], rows: int) -> "pa.Array[Any]":
    errors.sort(key=lambda error: error.row)
    counts = np.bincount(np.array([error.row for error in errors], np.int64), minlength=rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    kind: Any = value_errors_field().type
    fields = [text_array([getattr(error, name) for error in errors]) for name in ("tag", "raw", "reason")]
    found = pa.StructArray.from_arrays(fields, fields=list(kind.value_type))
    return pa.Array.from_buffers(kind, rows, [None, as_buffer(offsets)], children=[found])
