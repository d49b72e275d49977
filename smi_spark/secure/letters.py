"""The bytes of a column of texts, to reckon with many values at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any  # of pyarrow: its stubs know an array's type where it is written down alone

ZERO = ord("0")


@dataclass(frozen=True)
class Letters:
    """All bytes of a column (UTF-8), and where each value begins; its length is -1 where it is null."""

    data: Any
    starts: Any
    lengths: Any

    @classmethod
    def of(cls, texts: Array) -> "Letters":
        """The bytes of an array of strings; nothing is copied."""
        size = len(texts)
        _, places, content = texts.buffers()
        if size == 0 or places is None:
            return cls(np.zeros(0, np.uint8), np.zeros(size, np.int32), np.full(size, -1, np.int32))
        offsets = np.frombuffer(places, np.int32)[texts.offset : texts.offset + size + 1]
        data = np.frombuffer(content, np.uint8) if content is not None else np.zeros(0, np.uint8)
        lengths = np.diff(offsets)
        if texts.null_count:
            lengths = np.where(texts.is_null().to_numpy(zero_copy_only=False), np.int32(-1), lengths)
        return cls(data, offsets[:-1], lengths)

    def are_all_among(self, letters: bytes) -> bool:
        """Whether no value has another byte than these (ASCII)."""
        if not len(self.starts):
            return True
        last = int(self.starts[-1]) + max(int(self.lengths[-1]), 0)
        among = np.zeros(256, bool)
        among[list(letters)] = True
        return bool(among[self.data[int(self.starts[0]) : last]].all())

    def rows(self, places: Any, width: int) -> Any:
        """The bytes of the values at ``places``, which are ``width`` long: a row each."""
        starts = self.starts[places]
        if len(starts) and starts[-1] - starts[0] == width * (len(starts) - 1):  # they lie behind one another
            return self.data[starts[0] : starts[0] + width * len(starts)].reshape(len(starts), width)
        return self.data[starts[:, None] + np.arange(width, dtype=np.int32)]


def are_digits(rows: Any) -> Any:
    """For each row of bytes whether all are 0 to 9."""
    fit = np.ones(len(rows), bool)
    for letters in rows.T:  # numpy is slow along short rows
        fit &= letters - np.uint8(ZERO) <= 9
    return fit


def are_equal(rows: Any, letters: bytes) -> Any:
    """For each row of bytes whether it is ``letters``."""
    fit = np.ones(len(rows), bool)
    for found, letter in zip(rows.T, letters, strict=True):
        fit &= found == letter
    return fit


def number(rows: Any, start: int, width: int) -> Any:
    """The number that so many digits of each row make (int32); anything where they are none."""
    value = rows[:, start].astype(np.int32) - ZERO
    for place in range(start + 1, start + width):
        value = value * 10 + (rows[:, place].astype(np.int32) - ZERO)
    return value
