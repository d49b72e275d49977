"""Tables of the tokeniser → order by column and row, stored headers, texts that need another charset. Compiled."""

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import compiled
from smi_spark.dicom.syntax import among

_ESCAPE = 27


@compiled
def grown(table, columns):  # type: ignore[no-untyped-def]
    """The table with room for so many columns. By loops: numba takes seconds to compile an assignment of slices."""
    larger = np.empty((table.shape[0], columns), np.int64)
    for field in range(table.shape[0]):
        for i in range(min(columns, table.shape[1])):
            larger[field, i] = table[field, i]
    return larger


@compiled
def order(spans, count, slots, rows):  # type: ignore[no-untyped-def]
    """Spans by slot and row, several of one row in the order found; and where each slot begins."""
    by_row = _sorted_by(spans, count, 1, rows)
    starts = np.zeros(slots + 1, np.int64)
    for i in range(count):
        starts[by_row[0, i] + 1] += 1
    for slot in range(slots):
        starts[slot + 1] += starts[slot]
    return _sorted_by(by_row, count, 0, slots), starts


@compiled
def _sorted_by(spans, count, key, kinds):  # type: ignore[no-untyped-def]
    """A copy of the first spans, stably sorted by a small number."""
    places = np.zeros(kinds + 1, np.int64)
    for i in range(count):
        places[spans[key, i] + 1] += 1
    for kind in range(kinds):
        places[kind + 1] += places[kind]
    ordered = np.empty((spans.shape[0], count), np.int64)
    for i in range(count):
        to = places[spans[key, i]]
        places[spans[key, i]] += 1
        for field in range(spans.shape[0]):
            ordered[field, to] = spans[field, i]
    return ordered


@compiled
def beyond_ascii(buffer, spans, start, stop):  # type: ignore[no-untyped-def]
    """Which spans of one slot hold text with bytes beyond ASCII, or switches of charset; and how many."""
    found = np.empty(stop - start, np.int64)
    count = 0
    for i in range(start, stop):
        if spans[4, i] == at.UN or not among(spans[4, i], at.BINARY):
            for k in range(spans[2, i], spans[2, i] + spans[3, i]):
                if buffer[k] >= 128 or buffer[k] == _ESCAPE:
                    found[count] = i
                    count += 1
                    break
    return found, count


@compiled
def join_pieces(buffer, pieces, count, rows):  # type: ignore[no-untyped-def]
    """Stored headers one after the other: offsets and bytes. Pieces of one row come in their order."""
    offsets = np.zeros(rows + 1, np.int64)
    for i in range(count):
        offsets[pieces[0, i] + 1] += pieces[2, i]
    for row in range(rows):
        offsets[row + 1] += offsets[row]
    places = offsets.copy()
    joined = np.empty(offsets[rows], np.uint8)
    for i in range(count):
        row, start, length = pieces[0, i], pieces[1, i], pieces[2, i]
        for k in range(length):
            joined[places[row] + k] = buffer[start + k]
        places[row] += length
    return offsets, joined
