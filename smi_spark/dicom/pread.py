"""Ranges of many local files into one buffer, by the C library's own calls and without the interpreter lock."""

import os
from typing import Any

import numpy as np
from numba.core import types

from smi_spark.dicom.compiled import compiled

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe must not hold up the others
_END = os.SEEK_END
_RANDOM = getattr(os, "POSIX_FADV_RANDOM", -1)

_open: Any = types.ExternalFunction("open", types.int32(types.intp, types.int32))
_pread: Any = types.ExternalFunction("pread", types.intp(types.int32, types.intp, types.intp, types.int64))
_lseek: Any = types.ExternalFunction("lseek", types.int64(types.int32, types.int64, types.int32))
_close: Any = types.ExternalFunction("close", types.int32(types.int32))
_advise: Any = types.ExternalFunction("posix_fadvise", types.int32(types.int32, types.int64, types.int64, types.int32))


@compiled
def read_ranges(names, starts, offsets, lengths, places, buffer, got, sizes):  # type: ignore[no-untyped-def]
    """For file i, named by the zero-ended bytes at ``starts[i]``: ``lengths[i]`` bytes from ``offsets[i]`` to
    ``buffer[places[i]:]``. ``got[i]`` is how many came, -1 where the system refused; ``sizes[i]`` the file's size.
    """
    for i in range(len(starts)):
        got[i] = -1
        file = _open(names.ctypes.data + starts[i], _FLAGS)
        if file < 0:
            continue
        if _RANDOM >= 0:
            _advise(file, 0, 0, _RANDOM)
        wanted = min(lengths[i], len(buffer) - places[i])
        total = 0
        while total < wanted:
            came = _pread(file, buffer.ctypes.data + places[i] + total, wanted - total, offsets[i] + total)
            if came < 0:
                total = -1
            if came <= 0:
                break
            total += came
        sizes[i] = offsets[i] + total
        if total == wanted:
            sizes[i] = _lseek(file, 0, _END)
        got[i] = total
        _close(file)


def pack_names(paths: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The names one after the other, each ended by a zero, and where each starts."""
    lengths = np.fromiter(map(len, paths), np.int64, len(paths)) + 1
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(paths) else np.zeros(0, np.int64)
    return np.frombuffer(b"\0".join([*paths, b""]), np.uint8), starts.astype(np.int64)
