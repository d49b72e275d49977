"""Ranges of many local files, read by the C library's own calls and walked at once, without the interpreter lock."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.core import types

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import compiled, inner
from smi_spark.dicom.eights import copy_bytes
from smi_spark.dicom.kernel import walk_row
from smi_spark.dicom.plan import Numbers

FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe must not hold up the others
_END = os.SEEK_END
_RANDOM = getattr(os, "POSIX_FADV_RANDOM", -1)
_NEXT_READ = 8192
LONGEST_READ = 256 << 10

_open: Any = types.ExternalFunction("open", types.int32(types.intp, types.int32))
_pread: Any = types.ExternalFunction("pread", types.intp(types.int32, types.intp, types.intp, types.int64))
_lseek: Any = types.ExternalFunction("lseek", types.int64(types.int32, types.int64, types.int32))
_close: Any = types.ExternalFunction("close", types.int32(types.int32))
_advise: Any = types.ExternalFunction("posix_fadvise", types.int32(types.int32, types.int64, types.int64, types.int32))


@compiled
def read_and_walk(  # type: ignore[no-untyped-def]
    names, starts, flags, rows, begin, wishes, cold, place, end, buffer, content, asked,
    state, levels, plan, dictionary, limits, stored, found,
):  # fmt: skip
    """Read ranges of each file and walk its header as far as that goes, from number ``begin`` of ``rows`` on.

    The file of ``rows[i]`` is named by the zero-ended bytes at ``starts[i]`` and opened with ``flags``; ``wishes``
    holds offset and length of its first range, and how many bytes at hand stand before it. Headers are laid one behind
    the other from ``place`` to ``end``: what a walk left behind it of its range is written over, and stays in the
    processor's cache. While there is room for more than the other rows wish, a header that needs more gets it at once.
    Where files are ``cold``, the system is told not to read ahead. ``buffer`` and ``content`` are the same bytes, to
    write and to read.

    ``asked`` counts bytes and requests by row; bytes are -1 where the system refused. Gives how many rows are done,
    and the next place. Fewer than all: a table is full, and the bytes of the next row are there; give it room, and
    call ``walk`` and this again.
    """
    end -= np.sum(wishes[1, begin:] + wishes[2, begin:])
    for i in range(begin, len(rows)):
        row = rows[i]
        s = state[row]
        end += wishes[1, i] + wishes[2, i]
        offset, length, kept = wishes[0, i], wishes[1, i], wishes[2, i]
        file = _open(names.ctypes.data + starts[i], flags)
        if file < 0:
            asked[0, row] = -1
            continue
        if cold and _RANDOM >= 0:
            _advise(file, 0, 0, _RANDOM)
        copy_bytes(content, s[at.END] - kept, kept, buffer, place)
        walked = True
        while True:
            got = _read(file, offset, min(length, end - place - kept), buffer, place + kept)
            asked[0, row] = asked[0, row] + got if got >= 0 else -1
            if got < 0:
                break
            asked[1, row] += 1
            size = _lseek(file, 0, _END) if got == length else offset + got
            supply(s, levels[0, row], place, kept + got, size)
            walked = walk_row(content, row, state, levels, plan, dictionary, limits, stored, found)
            if not walked or s[at.STATUS] != at.MORE:
                break
            offset, length, kept = _wish(s, asked[0, row])
            # Of a value that is stepped over nothing has to stay.
            place = s[at.END] - kept if s[at.POS] <= s[at.END] else s[at.POS] - s[at.LENGTH]
            if place + kept + length > end:
                break
        _close(file)
        if asked[0, row] < 0:
            continue
        place = s[at.END]
        if not walked:
            return i, place
        if s[at.STATUS] != at.MORE and s[at.STATUS] != at.DEFLATED:
            place = min(place, s[at.POS])
    return len(rows), place


@compiled
def wishes_of(state, rows, bytes_read):  # type: ignore[no-untyped-def]
    """What to read next of headers that need more: offsets, lengths, and how many bytes at hand stand before each."""
    wishes = np.empty((3, len(rows)), np.int64)
    for i in range(len(rows)):
        wishes[0, i], wishes[1, i], wishes[2, i] = _wish(state[rows[i]], bytes_read[rows[i]])
    return wishes


@inner
def _wish(s, bytes_read):  # type: ignore[no-untyped-def]
    """Reads grow with what a header has already cost, so that a long one takes few requests and little too much."""
    kept = max(s[at.END] - s[at.POS], 0)
    offset = s[at.FILE] + kept
    step = min(max(bytes_read >> 2, _NEXT_READ), LONGEST_READ)
    return offset, min(max(s[at.WANT] - kept, step), s[at.SIZE] - offset), kept


@inner
def supply(s, level, start, length, size):  # type: ignore[no-untyped-def]
    """Let a header go on with new bytes, which begin where its walk stopped; ``size`` is that of the file."""
    s[at.POS] = s[at.PIECE] = start
    s[at.END] = start + length
    s[at.SIZE] = level[at.L_END] = level[at.L_BOUND] = size
    s[at.STATUS] = at.RUNNING


@inner
def _read(file, offset, wanted, buffer, place):  # type: ignore[no-untyped-def]
    """Bytes of a file to ``buffer[place:]``: how many came; -1 where it cannot be read."""
    total = np.int64(0)
    while total < wanted:
        came = _pread(file, buffer.ctypes.data + place + total, wanted - total, offset + total)
        if came < 0:
            return np.int64(-1)
        if came == 0:
            break
        total += came
    return total


def pack_names(sources: Sequence[str]) -> tuple[Numbers, Numbers]:
    """The names of the files one after the other, each ended by a zero, and where each starts."""
    joined = os.fsencode("\0".join([*sources, ""]))
    ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == 0)
    if len(ends) != len(sources) or b"file://" in joined:
        names = [os.fsencode(source.removeprefix("file://")) for source in sources]
        # A name with a zero byte in it names nothing.
        joined = b"\0".join([*(b"" if b"\0" in name else name for name in names), b""])
        ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == 0)
    return np.frombuffer(joined, np.uint8), np.concatenate([[0], ends + 1])[:-1]
