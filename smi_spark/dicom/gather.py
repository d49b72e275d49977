"""What a walk found → values of each column in order of row, stored headers, texts beyond ASCII. Compiled."""

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import compiled
from smi_spark.dicom.eights import beyond_ascii, copy_bytes
from smi_spark.dicom.syntax import packed_length, packed_vr, vr_index


@compiled
def order(spans, slots, rows):  # type: ignore[no-untyped-def]
    """Spans by slot and row, several of one row in the order found; and where each slot begins."""
    by_row, _ = _sorted_by(spans, at.SPAN_ROW, rows)
    return _sorted_by(by_row, at.SPAN_SLOT, slots)


@compiled
def _sorted_by(spans, key, kinds):  # type: ignore[no-untyped-def]
    """The spans stably sorted by a small number, and where each number begins."""
    starts = np.zeros(kinds + 1, np.int64)
    for i in range(spans.shape[1]):
        starts[spans[key, i] + 1] += 1
    for kind in range(kinds):
        starts[kind + 1] += starts[kind]
    places = starts.copy()
    ordered = np.empty(spans.shape, np.int64)
    for i in range(spans.shape[1]):
        to = places[spans[key, i]]
        places[spans[key, i]] += 1
        for field in range(spans.shape[0]):
            ordered[field, to] = spans[field, i]
    return ordered, starts


@compiled
def first_of(spans, start, stop, rows):  # type: ignore[no-untyped-def]
    """The first of the spans ``start`` to ``stop`` of each row, as places and packed numbers by row."""
    places, packed = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    for i in range(start, stop):
        row = spans[at.SPAN_ROW, i]
        if packed[row] == 0:
            places[row], packed[row] = spans[at.SPAN_PLACE, i], spans[at.SPAN_PACKED, i]
    return places, packed


@compiled
def texts_beyond_ascii(buffer, places, packed):  # type: ignore[no-untyped-def]
    """Which of the values are text with bytes beyond ASCII, or with switches of charset."""
    found = np.empty(len(packed), np.int64)
    count = 0
    for i in range(len(packed)):
        vr = packed_vr(packed[i])
        is_text = packed[i] != 0 and (vr == at.UN or at.VR_KIND[vr_index(vr)] & at.IS_BINARY == 0)
        if is_text and beyond_ascii(buffer, places[i], packed_length(packed[i])):
            found[count] = i
            count += 1
    return found[:count]


@compiled
def join_pieces(buffer, pieces, rows):  # type: ignore[no-untyped-def]
    """Stored headers one after the other: offsets and bytes. Pieces of one row come in their order."""
    offsets = np.zeros(rows + 1, np.int64)
    for i in range(pieces.shape[1]):
        offsets[pieces[0, i] + 1] += pieces[2, i]
    for row in range(rows):
        offsets[row + 1] += offsets[row]
    places = offsets.copy()
    joined = np.empty(offsets[rows], np.uint8)
    for i in range(pieces.shape[1]):
        row, start, length = pieces[0, i], pieces[1, i], pieces[2, i]
        copy_bytes(buffer, start, length, joined, places[row])
        places[row] += length
    return offsets, joined
