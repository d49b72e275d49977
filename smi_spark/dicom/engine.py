"""The header engine: sources or stored headers → one Arrow record batch, a batch of headers at a time."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smi_spark.dicom import layout as at
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.columns import STORED, batch_schema, value_errors_field
from smi_spark.dicom.deflated import MOST, inflate_rows
from smi_spark.dicom.files import Files
from smi_spark.dicom.plan import Numbers, Plan, make_plan
from smi_spark.dicom.reason import explain
from smi_spark.dicom.walked import Walked

BATCH = 2048
_SHORT = 4096  # sequences up to this length in which nothing is wanted are not gone down into
_NEXT_READ = 8192
_LONGEST_READ = 256 << 10


def read_headers(
    sources: Sequence[str | os.PathLike[str]],
    columns: Mapping[str, str] | None = None,
    *,
    readers: int = 16,
    first_read: int = 16_384,
    keep_binary: int = 4_096,
    keep_text: int = 65_536,
    with_header: bool = False,
) -> pa.RecordBatch:
    """Read DICOM headers into one Arrow record batch, one row a source, in their order.

    Reads ``first_read`` bytes of each source, then further ranges until (7FE0,0008|0009|0010); steps over values
    longer than ``keep_binary`` (binary VRs) or ``keep_text`` bytes (others), which are null in their columns and
    listed in ``value_errors``.

    sources: paths, or ``s3://`` URIs. columns: name → DICOM keyword, path of keywords joined by dots or
    ``(gggg,eeee)``; default ``schemas/images.yaml``. readers: sources read at once.

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
    limits = np.array([keep_binary, keep_text, min(keep_binary, keep_text, _SHORT)], np.int64)
    schema = batch_schema(columns, with_header=with_header)
    batches = [
        _read_batch(names[start : start + BATCH], plan, limits, schema, readers, first_read, with_header)
        for start in range(0, len(names), BATCH)
    ]
    return _joined(batches) if batches else pa.RecordBatch.from_pylist([], schema)


def decode_headers(
    headers: "pa.Array[Any] | pa.ChunkedArray[Any]",
    left_out: "pa.Array[Any] | pa.ChunkedArray[Any] | None" = None,
    columns: Mapping[str, str] | None = None,
) -> pa.RecordBatch:
    """The columns and ``value_errors`` of stored headers, one row a header, the same as ``read_headers`` gave.

    ``headers`` and ``left_out`` are what ``read_headers(…, with_header=True)`` gave, in the same order. Where a header
    is null, or no more than a part of one, so are the columns that it lacks.
    """
    left_out = _one_array(left_out)
    if isinstance(headers, pa.ChunkedArray):
        chunks = headers.chunks or [pa.array([], headers.type)]
        starts = np.cumsum([0, *map(len, chunks[:-1])])
        parts = [None if left_out is None else left_out.slice(start) for start in starts]
        return _joined([decode_headers(one, part, columns) for one, part in zip(chunks, parts, strict=True)])
    plan = make_plan(columns)
    content, offsets = _binary_parts(headers)
    batch = Walked(plan, len(headers), Arena(content), np.array([0, 0, _SHORT], np.int64))
    batch.state[:, at.POS] = batch.state[:, at.PIECE] = offsets[:-1]
    batch.state[:, at.END] = offsets[1:]
    batch.state[:, at.LEAVE] = -1
    if left_out is not None:
        batch.gaps_known(left_out.slice(0, len(headers)))
    batch.walk(np.arange(len(headers)))
    inflate_rows(batch)
    arrays, errors = batch.gathered().columns()
    fields = [pa.field(c.name, c.type) for c in plan.columns]
    return pa.RecordBatch.from_arrays([*arrays, errors], schema=pa.schema([*fields, value_errors_field()]))


def _read_batch(
    names: list[str], plan: Plan, limits: Numbers, schema: pa.Schema, readers: int, first_read: int, with_header: bool
) -> pa.RecordBatch:
    files = Files(names, readers)
    batch = Walked(plan, len(names), Arena(), limits)
    batch.state[:, at.LEAVE] = 1
    asked = _read_all(files, batch, max(first_read, 512))
    inflate_rows(batch, lambda row: _rest(files, batch, row, asked))
    gathered = batch.gathered()
    arrays, errors = gathered.columns()
    reason, detail = explain(files, batch, gathered)
    found = {**{c.name: a for c, a in zip(plan.columns, arrays, strict=True)}, "source": pa.array(names, pa.string())}
    found |= {"value_errors": errors, "reason": reason, "detail": detail}
    if with_header:
        unread = np.zeros(len(names), np.bool_)
        unread[list(files.errors)] = True
        sizes = pa.array(files.sizes, mask=unread)
        stored = (sizes, pa.array(asked[0]), pa.array(asked[1], pa.int32()), batch.headers(), batch.left_out())
        found |= dict(zip(STORED, stored, strict=True))
    batch.arena.give_back()
    return pa.RecordBatch.from_arrays([found[name] for name in schema.names], schema=schema)


def _read_all(files: Files, batch: Walked, first_read: int) -> tuple[Numbers, Numbers]:
    """Read and walk in rounds until no header asks for more; gives bytes read and requests a source."""
    rows = np.arange(batch.rows)
    bytes_read, requests = np.zeros(batch.rows, np.int64), np.zeros(batch.rows, np.int64)
    offsets, lengths = np.zeros(batch.rows, np.int64), np.full(batch.rows, first_read, np.int64)
    kept = np.zeros(batch.rows, np.int64)
    while len(rows):
        places = batch.arena.reserve(int(np.sum(kept + lengths))) + np.cumsum(kept + lengths) - lengths
        for row, place, left in zip(rows[kept > 0], places[kept > 0], kept[kept > 0], strict=True):
            end = batch.state[row, at.END]
            batch.arena.writable[place - left : place] = batch.arena.writable[end - left : end]
        got = files.read(rows, offsets, lengths, places, batch.arena.writable)
        requests[rows] += 1
        bytes_read[rows] += np.maximum(got, 0)
        batch.supply(rows, places - kept, kept + np.maximum(got, 0), files.sizes[rows])
        rows = rows[got >= 0]
        batch.walk(rows)
        rows = rows[batch.state[rows, at.STATUS] == at.MORE]
        offsets, lengths, kept = _wishes(batch.state[rows], bytes_read[rows])
    return bytes_read, requests


def _rest(files: Files, batch: Walked, row: int, asked: tuple[Numbers, Numbers]) -> None:
    """Read a deflated file on, behind what is at hand of it, as far as a header can reach."""
    kept = int(batch.state[row, at.END] - batch.state[row, at.POS])
    offset = int(batch.state[row, at.FILE]) + kept
    length = min(int(files.sizes[row]) - offset, MOST)
    if length <= 0:
        return
    place = batch.arena.reserve(kept + length)
    end = batch.state[row, at.END]
    batch.arena.writable[place : place + kept] = batch.arena.writable[end - kept : end]
    one = np.array([row])
    got = files.read(one, one * 0 + offset, one * 0 + length, one * 0 + place + kept, batch.arena.writable)
    batch.state[row, at.POS], batch.state[row, at.END] = place, place + kept + max(int(got[0]), 0)
    asked[0][row] += max(int(got[0]), 0)
    asked[1][row] += 1


def _wishes(state: Any, bytes_read: Numbers) -> tuple[Numbers, Numbers, npt.NDArray[np.int64]]:
    """What to read next: offsets and lengths in the file, and how many bytes at hand stand before them.

    Reads grow with what a header has already cost, so that a long one takes few requests and little too much.
    """
    kept = np.maximum(state[:, at.END] - state[:, at.POS], 0)
    offsets = state[:, at.FILE] + kept
    step = np.clip(bytes_read // 4, _NEXT_READ, _LONGEST_READ)
    wanted = np.maximum(state[:, at.WANT] - kept, step)
    return offsets, np.minimum(wanted, state[:, at.SIZE] - offsets), kept


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    joined: pa.RecordBatch = pa.concat_batches(batches)  # type: ignore[attr-defined]  # which the stubs lack
    return joined


def _one_array(given: Any) -> Any:
    """A chunked array in one piece."""
    if not isinstance(given, pa.ChunkedArray):
        return given
    return given.chunk(0) if given.num_chunks == 1 else given.combine_chunks()


def _binary_parts(headers: Any) -> tuple[Any, Numbers]:
    """The buffer of a binary array, and where each value begins and ends in it, without a copy."""
    if not pa.types.is_binary(headers.type) and not pa.types.is_large_binary(headers.type):
        headers = headers.cast(pa.large_binary())
    width: Any = np.int32 if pa.types.is_binary(headers.type) else np.int64
    _, offsets, content = headers.buffers()
    if offsets is None or content is None:
        return np.zeros(0, np.uint8), np.zeros(len(headers) + 1, np.int64)
    ends = np.frombuffer(offsets, width)[headers.offset : headers.offset + len(headers) + 1]
    return np.frombuffer(content, np.uint8), ends.astype(np.int64)
