"""A stored header as the file that it was, for readers of files."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate


class StoredFile:
    """A stored header in place of its file, up to the pixel data: what pydicom reads as an open file.

    A value that was left out is read as nothing where it is read by itself, however long it was, and as zeros where it
    is read with its sequence.
    """

    def __init__(self, header: bytes, gaps: Mapping[int, int]) -> None:
        """``gaps``: offset in the file → length of each value that ``header`` lacks."""
        self._header, self._gaps = header, dict(sorted(gaps.items()))
        self._starts = list(self._gaps)
        self._ends = [start + length for start, length in self._gaps.items()]
        self._lacking = list(accumulate(self._gaps.values(), initial=0))  # bytes, before each gap
        self._size, self._place = len(header) + self._lacking[-1], 0

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = max(0, offset + (0, self._place, self._size)[whence])
        return self._place

    def read(self, size: int = -1) -> bytes:
        start = self._place
        if start in self._gaps and size == self._gaps[start]:
            self._place += size
            return b""
        self._place = max(start, self._size if size < 0 else min(start + size, self._size))
        return b"".join(self._parts(start, self._place))

    def _parts(self, start: int, end: int) -> Iterable[bytes]:
        gap = bisect_right(self._ends, start)
        while start < end:
            until = min(end, self._starts[gap]) if gap < len(self._starts) else end
            lacking = self._lacking[gap]
            yield self._header[start - lacking : max(start, until) - lacking]
            if until < end:
                yield bytes(min(end, self._ends[gap]) - max(start, until))
                until = self._ends[gap]
            start, gap = until, gap + 1
