"""The header engine: sources or stored headers → one Arrow record batch, a batch of headers at a time."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from smi_spark.dicom import layout as at
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.arrow import number_array, text_array
from smi_spark.dicom.columns import STORED, batch_schema, value_errors_field
from smi_spark.dicom.deflated import inflate_rows
from smi_spark.dicom.files import Files
from smi_spark.dicom.plan import Numbers, Plan, make_plan
from smi_spark.dicom.pread import LONGEST_READ, wishes_of
from smi_spark.dicom.reason import explain
from smi_spark.dicom.stored import keep_limits, unwalked
from smi_spark.dicom.walked import Walked

BATCH = 2048
_BATCH_BYTES = 96 << 20  # of headers read together, beyond the first read of each


def read_headers(
    sources: Sequence[str | os.PathLike[str]],
    columns: Mapping[str, str] | None = None,
    *,
    readers: int = 16,
    first_read: int = 16_384,
    keep_binary: int = 4_096,
    keep_text: int = 65_536,
    with_header: bool = False,
    within: str | None = None,
) -> pa.RecordBatch:
    """Read DICOM headers into one Arrow record batch, one row a source, in their order.

    Reads ``first_read`` bytes of each source, then further ranges until (7FE0,0008|0009|0010); steps over values
    longer than ``keep_binary`` (binary VRs) or ``keep_text`` bytes (others), which are null in their columns and
    listed in ``value_errors``. Sequences in which nothing is wanted are not looked into; where the header is stored,
    only those up to 4 KiB are not.

    sources: paths, URIs (``s3://``, ``gs://``, ``abfss://``, ``hdfs://``), or members of archives
    (``night.zip!deep/1.dcm``). columns: name → DICOM keyword, path of keywords joined by dots or
    ``(gggg,eeee)``; default ``schemas/images.yaml``. readers: sources read at once. within: the folder or URI that all
    sources begin with; one that leads out of it by ``..`` or a link is not opened (reason ``outside_root``).

    Gives ``source``, the columns (dates date32; DS, FD, FL float64 and IS, US, UL, SS, SL int64 in the attribute's
    unit; text UTF-8; several values a list; no value null), ``value_errors`` (tag, raw value, reason of values that do
    not parse: null in their column), ``reason`` (a ``smi_spark.reasons.Reason`` where the file cannot be used, else
    null) and ``detail`` (where and what, without values). With ``with_header`` also ``size``, ``bytes_read``,
    ``requests``, ``header`` (the file's bytes up to the pixel data) and ``left_out`` (tag, offset in the file and
    length in bytes of the values that ``header`` lacks).

    A source that cannot be read is a row with a reason, never an error. Raises InputError for a column that is not in
    the dictionary.
    Source: DICOM PS3.5 section 7 (data set encoding), PS3.10 section 7 (file meta information).
    """
    names = [os.fspath(source) for source in sources]
    plan = make_plan(columns)
    limits = keep_limits(keep_binary, keep_text) if with_header else np.array([keep_binary, keep_text, at.NO_LIMIT])
    schema = batch_schema(columns, with_header=with_header)
    batches: list[pa.RecordBatch] = []
    start, size = 0, BATCH
    while start < len(names):
        files = Files(names[start : start + size], readers, within)
        batches.append(_read_batch(files, plan, limits, schema, first_read, with_header))
        done = batches[-1].num_rows
        start, size = start + done, min(BATCH, done + done // 4 if done < size else 2 * size)
    return _joined(batches) if batches else pa.RecordBatch.from_pylist([], schema)


def decode_headers(
    headers: "pa.Array[Any] | pa.ChunkedArray[Any]",
    left_out: "pa.Array[Any] | pa.ChunkedArray[Any] | None" = None,
    columns: Mapping[str, str] | None = None,
    *,
    as_text: bool = False,
) -> pa.RecordBatch:
    """The columns and ``value_errors`` of stored headers, one row a header, the same as ``read_headers`` gave.

    ``headers`` and ``left_out`` are what ``read_headers(…, with_header=True)`` gave, in the same order. Where a header
    is null, or no more than a part of one, so are the columns that it lacks. ``as_text``: values as they are written in
    the file, unchecked: ``plan_columns``.
    """
    left_out = _one_array(left_out)
    if isinstance(headers, pa.ChunkedArray):
        chunks = headers.chunks or [pa.array([], headers.type)]
        starts = np.cumsum([0, *map(len, chunks[:-1])])
        parts = [None if left_out is None else left_out.slice(start) for start in starts]
        decoded = [decode_headers(*both, columns, as_text=as_text) for both in zip(chunks, parts, strict=True)]
        return _joined(decoded)
    plan = make_plan(columns, as_text=as_text)
    batch = unwalked(headers, plan, np.full(3, at.NO_LIMIT))
    batch.state[:, at.LEAVE] = -1
    if left_out is not None:
        batch.gaps_known(left_out.slice(0, len(headers)))
    batch.walk(np.arange(len(headers)))
    inflate_rows(batch)
    arrays, errors = batch.gathered().columns()
    fields = [pa.field(c.name, c.type) for c in plan.columns]
    return pa.RecordBatch.from_arrays([*arrays, errors], schema=pa.schema([*fields, value_errors_field()]))


def _read_batch(
    files: Files, plan: Plan, limits: Numbers, schema: pa.Schema, first_read: int, with_header: bool
) -> pa.RecordBatch:
    """The rows of these sources, or of the first of them where all would not fit the memory of a batch."""
    names = list(files.sources)
    batch = Walked(plan, len(names), Arena(), limits)
    batch.state[:, at.LEAVE] = 1
    asked, done = _read_all(files, batch, max(first_read, 512))
    meta = batch.state[:, at.FILE].copy()
    inflate_rows(batch, lambda row, have: _read_on(files, row, int(meta[row]) + have, asked))
    gathered = batch.gathered()
    arrays, errors = gathered.columns()
    reason, detail = explain(files, batch, gathered)
    found = {**{c.name: a for c, a in zip(plan.columns, arrays, strict=True)}, "source": text_array(names)}
    found |= {"value_errors": errors, "reason": reason, "detail": detail}
    if with_header:
        known = np.ones(len(names), np.bool_)
        known[list(files.errors)] = False
        costs = number_array(asked[0], pa.int64()), number_array(asked[1].astype(np.int32), pa.int32())
        stored = (number_array(files.sizes, pa.int64(), known), *costs, batch.headers(), batch.left_out())
        found |= dict(zip(STORED, stored, strict=True))
    batch.arena.give_back()
    return pa.RecordBatch.from_arrays([found[name] for name in schema.names], schema=schema).slice(0, done)


def _read_all(files: Files, batch: Walked, first_read: int) -> tuple[Numbers, int]:
    """Read and walk in rounds until no header asks for more.

    Gives bytes read and requests by source, and how many sources are done: fewer than all where their headers together
    take too much memory.
    """
    done, more = batch.rows, 0
    rows, asked = np.arange(batch.rows), np.zeros((2, batch.rows), np.int64)
    wishes = np.zeros((3, batch.rows), np.int64)
    wishes[1] = first_read
    while len(rows):
        files.read(batch, rows, wishes, asked)
        rows = rows[(batch.state[rows, at.STATUS] == at.MORE) & (asked[0, rows] >= 0)]
        wishes = wishes_of(batch.state, rows, asked[0])
        while done > 1 and more + int(np.sum(wishes[1:])) > _BATCH_BYTES:
            done //= 2
            rows, wishes = rows[rows < done], wishes[:, rows < done]
        more += int(np.sum(wishes[1:]))
    return np.maximum(asked, 0), done


def _read_on(files: Files, row: int, offset: int, asked: Numbers) -> bytes:
    """What a deflated file holds from an offset on, as much as one read brings."""
    length = min(int(files.sizes[row]) - offset, LONGEST_READ)
    if length <= 0:
        return b""
    data = files.fetch(row, offset, length)
    asked[0, row] += len(data)
    asked[1, row] += 1
    return data


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    joined: pa.RecordBatch = pa.concat_batches(batches)  # type: ignore[attr-defined]  # which the stubs lack
    return joined


def _one_array(given: Any) -> Any:
    """A chunked array in one piece."""
    if not isinstance(given, pa.ChunkedArray):
        return given
    return given.chunk(0) if given.num_chunks == 1 else given.combine_chunks()
