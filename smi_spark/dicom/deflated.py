"""Data sets that were deflated: inflated as far as their header goes, then walked like any other.

Source: DICOM PS3.5 section A.5 (deflated explicit VR little endian).
"""

import zlib
from collections.abc import Callable

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.walked import Walked

MOST = 64 << 20  # a header does not inflate to more
_STEP = 4096


def inflate_rows(batch: Walked, read_rest: Callable[[int], None] | None = None) -> None:
    """Walk the deflated headers of a batch.

    ``read_rest`` brings the rest of a file behind what is at hand; none for stored headers, which are complete. What
    is stored of a deflated file is deflated as well: its bytes as far as the header needs them, nothing left out.
    """
    for row in batch.with_status(at.DEFLATED):
        if read_rest is not None:
            read_rest(int(row))
        s = batch.state[row]
        deflated = batch.arena.content[s[at.POS] : s[at.END]].tobytes()
        inflated, steps, complete = _inflate(deflated)
        start = int(s[at.FILE])
        place = batch.arena.append(inflated)
        known = read_rest is not None and len(inflated) < MOST
        size = start + len(inflated) if known else at.NO_LIMIT
        one = np.array([row])
        batch.supply(one, one * 0 + place, one * 0 + len(inflated), one * 0 + size)
        s[at.LEAVE] = -1
        batch.walk(one)
        if known and not complete and s[at.STATUS] == at.DONE and s[at.FILE] >= size:
            s[at.STATUS] = at.CUT
        needed = int(s[at.FILE]) - start
        stored = deflated[: next((came for came, out in steps if out >= needed), len(deflated))]
        batch.add_piece(int(row), batch.arena.append(stored), len(stored))


def _inflate(deflated: bytes) -> tuple[bytes, list[tuple[int, int]], bool]:
    """Inflated bytes, up to a limit or the first damage; how much came of how much; whether the end was reached."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    out = bytearray()
    steps = []
    for start in range(0, len(deflated), _STEP):
        try:
            out += inflater.decompress(deflated[start : start + _STEP], MOST - len(out) or 1)
        except zlib.error:
            break
        steps.append((min(start + _STEP, len(deflated)), len(out)))
        if inflater.eof or len(out) >= MOST:
            break
    return bytes(out), steps, inflater.eof
