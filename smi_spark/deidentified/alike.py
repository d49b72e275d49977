"""Rows of an Arrow batch that hold the same, so that what costs much is done once for each set of values."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MOST = 2**62  # of a number that stands for values of several columns


def alike(rows: "pa.StructArray") -> tuple[Any, Any]:
    """The number of each row's set of values, in the order in which they come, and the first row of each set.

    Fields are texts, numbers or lists of these. Null is a value of its own, NaN another one.
    """
    numbers, sets = np.zeros(len(rows), np.int64), 1
    for codes, count in _codes(rows.flatten()):
        if count > 1:
            if sets * count > _MOST:
                numbers, sets = _renumbered(numbers)
            numbers, sets = numbers * count + codes, sets * count
    numbers, sets = _renumbered(numbers)
    first = np.zeros(sets, np.int64)
    first[numbers[::-1]] = np.arange(len(rows))[::-1]  # of several rows the last one that is written stays
    return numbers, first


def _codes(columns: list[Any]) -> Iterator[tuple[Any, int]]:
    """For each column, or place in its lists, a number for each row's value, and how many numbers there can be."""
    for column in columns:
        if not pa.types.is_list(column.type):
            yield _encoded(column)
            continue
        lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False) + 1
        longest = int(lengths.max(initial=0))
        yield lengths, longest + 1
        codes, count = _encoded(column.flatten())
        places = np.arange(longest - 1) < lengths[:, None] - 1
        padded = np.full(places.shape, count, np.int64)
        padded[places] = codes
        for place in range(longest - 1):
            yield padded[:, place], count + 1


def _encoded(values: "pa.Array[Any]") -> tuple[Any, int]:
    encoded = values.dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), len(encoded.dictionary)


def _renumbered(numbers: Any) -> tuple[Any, int]:
    return _encoded(pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)]))
