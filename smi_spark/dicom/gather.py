"""Tables of the tokeniser → order by column and row, stored headers, texts that need another charset. Compiled."""

import numpy as np

from smi_spark.dicom.compiled import compiled
from smi_spark.dicom.layout import vr_code

_ESCAPE = 27
_TEXT_VRS = np.array(
    [vr_code(v) for v in ("AE", "AS", "CS", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UN", "UR", "UT")],
    np.int64,
)


@compiled
def order(spans, count, slots, rows):  # type: ignore[no-untyped-def]
    """Spans by slot and row, several of one row in the order found; and where each slot begins."""
    by_row = _sorted_by(spans[:, :count], 1, rows)
    starts = np.zeros(slots + 1, np.int64)
    for i in range(count):
        starts[by_row[0, i] + 1] += 1
    for slot in range(slots):
        starts[slot + 1] += starts[slot]
    return _sorted_by(by_row, 0, slots), starts


@compiled
def _sorted_by(spans, key, kinds):  # type: ignore[no-untyped-def]
    """A copy, stably sorted by a small number."""
    places = np.zeros(kinds + 1, np.int64)
    for i in range(spans.shape[1]):
        places[spans[key, i] + 1] += 1
    for kind in range(kinds):
        places[kind + 1] += places[kind]
    ordered = np.empty((spans.shape[0], spans.shape[1]), np.int64)
    for i in range(spans.shape[1]):
        to = places[spans[key, i]]
        places[spans[key, i]] += 1
        for field in range(spans.shape[0]):
            ordered[field, to] = spans[field, i]
    return ordered


@compiled
def beyond_ascii(buffer, spans, start, stop):  # type: ignore[no-untyped-def]
    """Which spans of one slot hold text with bytes beyond ASCII, or switches of charset."""
    found = np.empty(stop - start, np.int64)
    count = 0
    for i in range(start, stop):
        if _is_text(spans[4, i]):
            for k in range(spans[2, i], spans[2, i] + spans[3, i]):
                if buffer[k] >= 128 or buffer[k] == _ESCAPE:
                    found[count] = i
                    count += 1
                    break
    return found[:count]


@compiled
def _is_text(vr):  # type: ignore[no-untyped-def]
    for one in _TEXT_VRS:  # noqa: SIM110
        if one == vr:
            return True
    return False


@compiled
def join_pieces(buffer, pieces, count, rows):  # type: ignore[no-untyped-def]
    """Stored headers one after the other: offsets and bytes. Pieces of one row come in their order."""
    offsets = np.zeros(rows + 1, np.int64)
    for i in range(count):
        offsets[pieces[0, i] + 1] += pieces[2, i]
    for row in range(rows):
        offsets[row + 1] += offsets[row]
    places = offsets[:-1].copy()
    joined = np.empty(offsets[rows], np.uint8)
    for i in range(count):
        row, start, length = pieces[0, i], pieces[1, i], pieces[2, i]
        joined[places[row] : places[row] + length] = buffer[start : start + length]
        places[row] += length
    return offsets, joined
