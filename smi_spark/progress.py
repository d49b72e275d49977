"""How far a long job is: a bar where a person looks on, else lines of the log."""

import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

LOG = logging.getLogger("smi_spark")

_SHORT = 10.0  # seconds: what takes no longer and comes in one part is not told
_BETWEEN = 30.0  # seconds between two lines of the log
_WIDTH = 20  # characters of the bar


class Progress:
    """What is done of a ``total`` of files, partitions …, told each time that a part is done, and at the end.

    On a terminal (``stream``) one line is written over; else the log ``smi_spark`` gets a line every 30 seconds at
    most, and the last. A job that ends within 10 seconds and in one part tells nothing. ``what`` is the table written.
    """

    def __init__(
        self,
        what: str,
        total: int,
        unit: str = "files",
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._stream, self._clock = stream or sys.stderr, clock
        self._done = self._quarantined = 0
        self._began = clock()
        self._told: float | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._told is not None and self._stream.isatty():
            print(file=self._stream)

    def add(self, done: int, quarantined: int = 0) -> None:
        """A part is done: so many more, ``quarantined`` of them."""
        self._done += done
        self._quarantined += quarantined
        now, finished = self._clock(), self._done >= self._total
        if finished and self._told is None and now - self._began < _SHORT:
            return
        if self._stream.isatty():
            full = _WIDTH * self._done // max(1, self._total)
            bar = "#" * full + "." * (_WIDTH - full)
            print(f"\r\x1b[K[{bar}] {self.text(now)}", end="", file=self._stream, flush=True)
        elif finished or now - (self._began if self._told is None else self._told) >= _BETWEEN:
            LOG.info(self.text(now))
        else:
            return
        self._told = now

    def text(self, now: float) -> str:
        """``secure/headers: 300,000 of 1,200,000 files (25%), 5,000 a second, 12 quarantined, 3 min left``."""
        seconds = max(now - self._began, 1e-3)
        rate = self._done / seconds
        bad = f", {self._quarantined:,} quarantined" if self._quarantined else ""
        left = max(0, self._total - self._done)
        time_left = f"{duration(left / rate)} left" if left and rate else f"in {duration(seconds)}"
        return (
            f"{self._what}: {self._done:,} of {self._total:,} {self._unit} ({self._done / max(1, self._total):.0%}), "
            f"{rate:,.{0 if rate >= 10 else 1}f} a second{bad}, {time_left}"
        )


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(42), duration(250), duration(8000)
    ('42 s', '4 min', '2 h 13 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
