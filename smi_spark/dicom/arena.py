"""One growing buffer for the bytes of a batch."""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

_SPARE = threading.local()
_SPARE_LIMIT = 64 << 20


class Arena:
    """Bytes of many headers in one array; places in it stay valid while it grows."""

    def __init__(self, content: Bytes | None = None) -> None:
        if content is None:
            content = getattr(_SPARE, "content", None)
            self._content: Bytes = np.empty(1 << 20, np.uint8) if content is None else content
            self._used = 0
            _SPARE.content = None  # two at once must not share it
        else:
            self._content, self._used = content, len(content)

    @property
    def content(self) -> Bytes:
        """The bytes, not to be written: compiled code knows one kind of buffer."""
        view = self._content.view()
        view.flags.writeable = False
        return view

    @property
    def writable(self) -> Bytes:
        return self._content

    def reserve(self, length: int) -> int:
        """The place of ``length`` bytes more."""
        place, self._used = self._used, self._used + length
        if self._used > len(self._content):
            larger = np.empty(max(self._used, 2 * len(self._content)), np.uint8)
            larger[:place] = self._content[:place]
            self._content = larger
        return place

    def append(self, data: Any) -> int:
        """The place of these bytes, now in the buffer."""
        place = self.reserve(len(data))
        if len(data):
            self._content[place : place + len(data)] = np.frombuffer(data, np.uint8)
        return place

    def give_back(self) -> None:
        """Keep the memory for the next batch of this thread: fresh pages cost more than the reading."""
        if len(self._content) <= _SPARE_LIMIT and self._content.flags.writeable:
            _SPARE.content = self._content
