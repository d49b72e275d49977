"""Where a large CSV can be cut, so that several tasks read it: at ends of rows, which line breaks in quotes are not."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

LEAST, MOST = 16 << 20, 64 << 20  # bytes of a piece, about: each costs its task a tenth of a second
_SHARES = 4  # pieces of a file that is not large, so that two cores have about as much to do

_njit: Any = numba.njit
_QUOTE, _COMMA, _NEWLINE, _RETURN = b'",\n\r'
# What is known behind a byte: it is within quotes, a quote now would open a value, a row begins; how many rows ended.
_QUOTED, _AT_FIELD, _AT_ROW, _ROWS = range(4)


@dataclass(frozen=True)
class Piece:
    """Part of a CSV: its first byte, its bytes, and how many rows, the header among them, stand before it."""

    offset: int
    size: int
    rows_before: int


WHOLE = Piece(0, -1, 0)  # a file that is not cut


def piece_size(size: int) -> int:
    """Bytes that each piece of a CSV of ``size`` bytes has at least, but for the last one.

    >>> [piece_size(mebibytes << 20) >> 20 for mebibytes in (20, 40, 100, 1000)]
    [20, 20, 25, 62]
    """
    pieces = max(-(-size // MOST), min(size // LEAST, _SHARES), 1)
    return -(-size // pieces)


def cut(blocks: Iterable[bytes], least: int) -> list[Piece]:
    """The pieces of a CSV whose bytes ``blocks`` give in order: each has rows, and ``least`` bytes but for the last.

    Quotes, separators and empty lines are understood as by pyarrow's reader: a quote opens a value only where the value
    begins, and an empty line is no row.
    """
    state = np.array([0, 1, 1, 0], np.int64)
    starts, position = [(0, 0)], 0
    for block in blocks:
        bytes_ = np.frombuffer(block, np.uint8)
        begin = 0
        while begin < len(bytes_):
            first, rows = starts[-1]
            end = _row_end(bytes_, begin, first + least - position, rows + 1, state)
            if end < 0:
                break
            starts.append((position + end, int(state[_ROWS])))
            begin = end
        position += len(bytes_)
    if len(starts) > 1 and state[_AT_ROW] and state[_ROWS] == starts[-1][1]:
        starts.pop()  # what is left has no row
    ends = [*(start for start, _ in starts[1:]), position]
    return [Piece(start, end - start, rows) for (start, rows), end in zip(starts, ends, strict=True)]


def _scan(block: Any, begin: int, wanted: int, enough: int, state: Any) -> int:
    """The first position at or behind ``wanted`` that follows a line feed when so many rows ended; -1 for none here.

    ``state`` is brought to that position, else to the end of the block.
    """
    quoted, at_field, at_row, rows = state
    for place in range(begin, block.size):
        byte = block[place]
        if quoted:
            if byte == _QUOTE:
                quoted, at_field = 0, 1  # of a doubled quote the second opens the value again
            continue
        if byte == _QUOTE and at_field:
            quoted, at_field, at_row = 1, 0, 0
        elif byte == _COMMA:
            at_field, at_row = 1, 0
        elif byte in (_NEWLINE, _RETURN):
            if not at_row:
                rows += 1
            at_field, at_row = 1, 1
        else:
            at_field, at_row = 0, 0
        if byte == _NEWLINE and place + 1 >= wanted and rows >= enough:
            state[_QUOTED], state[_AT_FIELD], state[_AT_ROW], state[_ROWS] = quoted, at_field, at_row, rows
            return place + 1
    state[_QUOTED], state[_AT_FIELD], state[_AT_ROW], state[_ROWS] = quoted, at_field, at_row, rows
    return -1


_row_end = _njit(nogil=True)(_scan)  # compiled anew in each worker: half a second, for large files alone
