"""Arrow arrays over the memory of numpy, and of Python's text.

``pyarrow.array`` imports pandas at its first call, which costs a new worker more than its first batch of headers.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa


def as_buffer(values: Any) -> pa.Buffer:
    """The memory of a numpy array for Arrow, without a copy."""
    return pa.py_buffer(values)


def bits(valid: Any) -> pa.Buffer | None:
    """Validity as Arrow keeps it; none where all are valid."""
    return None if valid.all() else as_buffer(np.packbits(valid, bitorder="little"))


def number_array(values: Any, kind: pa.DataType, valid: Any = None) -> "pa.Array[Any]":
    """The numbers of a numpy array whose type is that of ``kind``; null where not ``valid``."""
    return pa.Array.from_buffers(
        kind, len(values), [None if valid is None else bits(valid), as_buffer(np.ascontiguousarray(values))]
    )


def text_array(texts: Sequence[str]) -> "pa.Array[Any]":
    """Texts as a string array."""
    data = "\0".join([*texts, ""]).encode("utf-8", "backslashreplace")
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    if len(ends) == len(texts):
        offsets = np.zeros(len(ends) + 1, np.int32)
        offsets[1:] = ends - np.arange(len(ends))
        data = data.replace(b"\0", b"")
        return pa.Array.from_buffers(pa.string(), len(ends), [None, as_buffer(offsets), as_buffer(data)])
    encoded = [text.encode("utf-8", "backslashreplace") for text in texts]
    offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int32, len(encoded) + 1)
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, as_buffer(offsets), as_buffer(b"".join(encoded))])


def sparse_texts(texts: dict[int, str], rows: int) -> "pa.Array[Any]":
    """A string array of so many rows, with text at some of them."""
    found = [texts[row].encode("utf-8", "backslashreplace") for row in sorted(texts)]
    lengths, valid = np.zeros(rows, np.int32), np.zeros(rows, np.bool_)
    lengths[sorted(texts)] = [len(text) for text in found]
    valid[sorted(texts)] = True
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    return pa.Array.from_buffers(pa.string(), rows, [bits(valid), as_buffer(offsets), as_buffer(b"".join(found))])
