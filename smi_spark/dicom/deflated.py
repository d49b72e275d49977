"""Data sets that were deflated: inflated step by step as far as their header goes, and walked like any other.

Source: DICOM PS3.5 section A.5 (deflated explicit VR little endian).
"""

import zlib
from collections.abc import Callable

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.walked import Walked

_MOST = 64 << 20  # a header does not inflate to more
_STEP = 16 << 10

ReadOn = Callable[[int, int], bytes]


def inflate_rows(batch: Walked, read_on: ReadOn | None = None) -> None:
    """Walk the deflated headers of a batch.

    ``read_on`` gives more bytes of a row's file, behind so many of the deflated ones; none at its end. Stored headers
    need none: they are complete. What is stored of a deflated file is deflated as well: its bytes as far as the header
    needs them, nothing left out.
    """
    streams = {int(row): _begin(batch, int(row), read_on) for row in batch.with_status(at.DEFLATED)}
    rows = np.array(list(streams), np.int64)
    while len(rows):
        fed = np.array([_feed(batch, row, streams[row]) for row in rows.tolist()], np.int64)
        batch.supply(rows, *fed.T)
        batch.walk(rows)
        rows = rows[batch.state[rows, at.STATUS] == at.MORE]
    for row, stream in streams.items():
        if batch.state[row, at.STATUS] == at.DONE and stream.ended and not (stream.complete or read_on is None):
            batch.state[row, at.STATUS] = at.CUT
        batch.add_piece(row, batch.arena.append(stream.used), len(stream.used))


def _begin(batch: Walked, row: int, read_on: ReadOn | None) -> "_Stream":
    """The stream of what the row holds behind its file meta, which is taken from it."""
    s = batch.state[row]
    deflated = batch.arena.content[s[at.POS] : s[at.END]].tobytes()
    s[at.POS], s[at.LEAVE] = s[at.END], -1
    return _Stream(deflated, None if read_on is None else lambda have: read_on(row, have))


def _feed(batch: Walked, row: int, stream: "_Stream") -> tuple[int, int, int]:
    """The next bytes of a row behind those not walked yet: where they stand, how many, and the size of the whole."""
    s, more = batch.state[row], stream.more()
    waiting = batch.arena.content[s[at.POS] : s[at.END]].tobytes()
    size = at.NO_LIMIT if more else int(s[at.FILE]) + len(waiting)
    return batch.arena.append(waiting + more), len(waiting) + len(more), size


class _Stream:
    """Bytes inflated a step at a time, up to a limit or the first damage."""

    def __init__(self, deflated: bytes, read_on: Callable[[int], bytes] | None) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._deflated, self._read_on = deflated, read_on
        self._fresh, self._inflated = deflated, 0
        self.ended = False  # nothing more came

    @property
    def complete(self) -> bool:
        """Whether the end that the encoder wrote was reached."""
        return self._inflater.eof

    @property
    def used(self) -> bytes:
        """The deflated bytes that were needed so far."""
        return self._deflated[: len(self._deflated) - len(self._fresh)]

    def more(self) -> bytes:
        """The next bytes; none at the end."""
        while not self._inflater.eof and self._inflated < _MOST:
            if not self._fresh:
                self._fresh = self._read_on(len(self._deflated)) if self._read_on else b""
                self._deflated += self._fresh
                if not self._fresh:
                    break
            try:
                found = self._inflater.decompress(self._fresh, _STEP)
            except zlib.error:
                break
            self._fresh = self._inflater.unconsumed_tail
            if found:
                self._inflated += len(found)
                return found
        self.ended = True
        return b""
