"""Rows of health records: from the text of an extract to the table's types, a batch at once, and what is amiss."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smi_spark.reasons import Reason
from smi_spark.schema import Column, TableSchema, parse_type
from smi_spark.secure.chi import ChiFlag, fault_names, judge_chis
from smi_spark.secure.dates import ISO_DATES
from smi_spark.secure.extracts import record_columns
from smi_spark.secure.letters import Array, Letters
from smi_spark.secure.values import parser, trimmed

PLACE = ("source", "path", "row_number")
LISTS = {  # what is said of a row, and its type
    "chi_flags": "array<struct<column:string,flag:string>>",
    "problems": "array<struct<column:string,reason:string,detail:string,value:string>>",
}

_FACTOR, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


class Remarks:
    """What is said of some rows of a batch: structs of texts, to be a list for each row."""

    def __init__(self, kind: str) -> None:
        parsed: Any = parse_type(kind)
        self._kind, self._fields = parsed, list(parsed.value_type)
        self._rows: list[Any] = []
        self._texts: list[list[Any]] = []

    def add(self, is_meant: Any, **texts: Any) -> None:
        """Say one thing of each row that is meant (an array of booleans); a text is one for all, or one a row."""
        rows = np.flatnonzero(is_meant)
        if len(rows):
            self._rows.append(rows)
            self._texts.append([_picked(texts.get(field.name), rows) for field in self._fields])

    def lists(self, size: int) -> Any:
        """For each of ``size`` rows what was said of it, in the order in which it was; null for nothing."""
        if not self._rows:
            return pa.nulls(size, self._kind)
        rows = np.concatenate(self._rows)
        order = pa.array(np.argsort(rows, kind="stable"))
        texts = [pa.concat_arrays(list(pieces)).take(order) for pieces in zip(*self._texts, strict=True)]
        said = pa.StructArray.from_arrays(texts, fields=self._fields)
        counts = np.bincount(rows, minlength=size)
        offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
        return pa.ListArray.from_arrays(offsets, said, type=self._kind, mask=pa.array(counts == 0))


def typed_rows(rows: pa.RecordBatch, schema: TableSchema) -> pa.RecordBatch:
    """A batch of rows as ``extract_rows.read_piece`` gives them, typed.

    Columns: source, path, row_number, those of the table, null where a value does not fit; ``chi_flags``: CHI numbers
    whose zero was put back, or that fail their checks, null for none; ``problems``: (column, reason, detail, value),
    null for a good row; ``key_hash``: the same for good rows with the same key, null for others.
    """
    remarks = {name: Remarks(kind) for name, kind in LISTS.items()}
    flags, problems = remarks["chi_flags"], remarks["problems"]
    is_wrong = _told_of_fields(rows["field_count"], rows["line"], problems)
    typed = {}
    for column in record_columns(schema):
        texts = trimmed(rows[column.name])
        if column.name in schema.chi_columns:
            texts = _judged(column.name, texts, flags)
        typed[column.name] = _typed(column, texts, problems, ~is_wrong)
    told = {name: said.lists(rows.num_rows) for name, said in remarks.items()}
    hashes = pa.array(key_hashes([typed[name] for name in schema.key]), mask=_booleans(told["problems"].is_valid()))
    place = {name: rows[name] for name in PLACE}
    return pa.RecordBatch.from_pydict({**place, **typed, **told, "key_hash": hashes})


def key_hashes(keys: Sequence[Array]) -> Any:
    """A number (int64) for each row of the columns of a key: equal keys have equal ones, others nearly always not."""
    hashes = np.zeros(len(keys[0]), np.uint64)
    for values in keys:
        letters = Letters.of(values.cast(pa.string()))
        for width in np.flatnonzero(np.bincount(letters.lengths + 1)) - 1:
            if width < 0:
                continue
            places = np.flatnonzero(letters.lengths == width)
            rows = np.pad(letters.rows(places, int(width)), [(0, 0), (0, int(-width % 8))])
            hashed = _mixed(hashes[places] + np.uint64(width))
            for word in np.ascontiguousarray(rows).view(np.uint64).T:
                hashed = _mixed(hashed ^ word)
            hashes[places] = hashed
    return hashes.view(np.int64)


def _mixed(hashes: Any) -> Any:
    hashes = hashes * _FACTOR
    return hashes ^ (hashes >> _SHIFT)


def _told_of_fields(counts: Array, lines: Array, problems: Remarks) -> Any:
    """Which rows have too many fields or too few; ``problems`` has them then."""
    is_wrong = _booleans(counts.is_valid())
    if is_wrong.any():
        told = pc.binary_join_element_wise(
            counts.cast(pa.string()), pa.scalar("fields, not as many as the header"), pa.scalar(" ")
        )
        problems.add(is_wrong, reason=str(Reason.WRONG_FIELD_COUNT), detail=told, value=lines)
    return is_wrong


def _judged(name: str, texts: Array, flags: Remarks) -> Array:
    """CHI numbers with their lost zeros; what is amiss with them goes to ``flags``."""
    chis = judge_chis(texts)
    flags.add(chis.restored, column=name, flag=str(ChiFlag.RESTORED))
    is_amiss = chis.faults >= 0
    if is_amiss.any():
        flags.add(is_amiss, column=name, flag=fault_names(chis.faults))
    return chis.numbers


def _typed(column: Column, texts: Array, problems: Remarks, is_told: Any) -> Array:
    """The values of a column; what is wrong with them, in rows of which it ``is_told``, goes to ``problems``."""
    if column.required and texts.null_count:
        is_missing = is_told & _booleans(texts.is_null())
        problems.add(is_missing, column=column.name, reason=str(Reason.MISSING_VALUE), detail="required and empty")
    if texts.null_count == len(texts):
        kind: Any = column.arrow_type
        return pa.nulls(len(texts), kind)
    values = parser(column)(texts)
    if values.null_count > texts.null_count:
        is_bad = _booleans(texts.is_valid()) & _booleans(values.is_null())
        written = f"written as {' or '.join(column.formats or ISO_DATES)}" if column.type == "date" else ""
        told = f"not a {column.type} {written}".strip()
        problems.add(is_bad, column=column.name, reason=str(Reason.BAD_VALUE), detail=told, value=texts)
    if column.values:
        known = pc.is_in(values, pa.array(column.values, values.type))
        told = f"not one of {', '.join(column.values)}"
        is_bad = _booleans(values.is_valid()) & ~_booleans(known)
        problems.add(is_bad, column=column.name, reason=str(Reason.BAD_VALUE), detail=told, value=texts)
    return values


def _picked(texts: Any, rows: Any) -> Array:
    if texts is None or isinstance(texts, str):
        return pa.repeat(pa.scalar(texts, pa.string()), len(rows))
    return texts.take(pa.array(rows))


def _booleans(values: Any) -> Any:
    return values.to_numpy(zero_copy_only=False)
