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
    for row in batch.with_status(at.DEFLATED):
        _inflate_row(batch, int(row), read_on)


def _inflate_row(batch: Walked, row: int, read_on: ReadOn | None) -> None:
    s, one = batch.state[row], np.array([row])
    deflated = batch.arena.content[s[at.POS] : s[at.END]].tobytes()
    s[at.POS], s[at.LEAVE] = s[at.END], -1
    stream = _Stream(deflated, None if read_on is None else lambda have: read_on(row, have))
    while True:
        more = stream.more()
        kept = int(s[at.END] - s[at.POS])
        place = batch.arena.append(batch.arena.content[s[at.POS] : s[at.END]].tobytes() + more)
        size = at.NO_LIMIT if more else int(s[at.FILE]) + kept
        batch.supply(one, one * 0 + place, one * 0 + kept + len(more), one * 0 + size)
        batch.walk(one)
        if s[at.STATUS] != at.MORE:
            break
    if not more and s[at.STATUS] == at.DONE and not (stream.complete or read_on is None):
        s[at.STATUS] = at.CUT
    batch.add_piece(row, batch.arena.append(stream.used), len(stream.used))


class _Stream:
    """Bytes inflated a step at a time, up to a limit or the first damage."""

    def __init__(self, deflated: bytes, read_on: Callable[[int], bytes] | None) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._deflated, self._read_on = deflated, read_on
        self._fresh, self._inflated = deflated, 0

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
        return b""
