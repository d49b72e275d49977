"""Headers of many sources at once: local files read and walked by compiled code in threads, others by their ranges."""

import os
import resource
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.plan import Numbers
from smi_spark.dicom.pread import pack_names, read_and_walk
from smi_spark.dicom.ranges import is_far, pool, read_ranges
from smi_spark.dicom.walked import Walked

_ALONE = 512  # files read at once while none has to be waited for


class _Disk:
    """Whether reading lately had to wait for bytes. Then many read at once; else one does, as switching costs time."""

    waits = True


_DISK = _Disk()


class Files:
    """The sources of one batch.

    ``sizes`` holds each source's size as far as known, ``errors`` why a source could not be read.
    """

    def __init__(self, sources: Sequence[str], readers: int) -> None:
        self.sources = sources
        self.sizes = np.zeros(len(sources), np.int64)
        self.errors: dict[int, str] = {}
        self._readers = readers
        self._far = np.zeros(len(sources), np.bool_)
        self._names, self._starts = pack_names(sources)
        together = self._names.tobytes()  # one look at all of them
        if b"://" in together or b"!" in together:
            self._far[:] = [is_far(source) for source in sources]

    def read(self, batch: Walked, rows: Numbers, wishes: Numbers, asked: Numbers) -> None:
        """Read a range or more of each of ``rows`` and walk its header as far as that goes.

        ``wishes``: offsets, lengths, and how many bytes at hand stand before each range. ``asked`` counts bytes and
        requests by row; bytes are -1 where the source could not be read, and ``errors`` says why.
        """
        room = np.cumsum(wishes[1] + wishes[2])
        place = batch.arena.reserve(int(room[-1]))
        near = np.flatnonzero(~self._far[rows])
        jobs: list[Future[None]] = []
        while len(near):
            alone = len(near) == 1 or self._readers == 1 or not _DISK.waits
            step = _ALONE if alone else max(1, -(-len(near) // max(1, self._readers - len(jobs))))
            part, near = near[:step], near[step:]
            first = place + int(room[part[0]] - wishes[1, part[0]] - wishes[2, part[0]])
            if alone:
                self._read_near(batch, rows[part], wishes[:, part], first, asked)
            else:
                jobs.append(
                    pool(self._readers).submit(self._read_near, batch, rows[part], wishes[:, part], first, asked)
                )
        for job in jobs:
            job.result()
        self._read_far(batch, rows, wishes, place + room - wishes[1], asked)
        came = asked[0, rows] >= 0
        self.sizes[rows[came]] = batch.state[rows[came], at.SIZE]
        for row in rows[~came & ~self._far[rows]]:
            self.errors[int(row)] = _why(self.sources[row])

    def fetch(self, row: int, offset: int, length: int) -> bytes:
        """One range of one source; nothing where it cannot be read any more."""
        found = read_ranges([(self.sources[row], offset, length)], 1)[0]
        if isinstance(found, OSError):
            self.errors[row] = str(found)
            return b""
        return found[0]

    def _read_near(self, batch: Walked, rows: Numbers, wishes: Numbers, place: int, asked: Numbers) -> None:
        finds, waited = batch.new_finds(len(rows)), _times_waited()
        starts, wishes = self._starts[rows], np.ascontiguousarray(wishes)
        end = place + int(np.sum(wishes[1:]))
        done = 0
        while True:
            done, place = read_and_walk(
                self._names, starts, rows, done, wishes, _DISK.waits, place, end,
                batch.arena.writable, batch.arena.content, asked, *batch.walking(finds),
            )  # fmt: skip
            if done == len(rows):
                _DISK.waits = _times_waited() - waited > len(rows) // 8
                return
            finds.make_room()
            batch.walk(rows[done : done + 1], finds)
            done += 1

    def _read_far(self, batch: Walked, rows: Numbers, wishes: Numbers, places: Numbers, asked: Numbers) -> None:
        far = np.flatnonzero(self._far[rows])
        if len(far) == 0:
            return
        ranges = [(self.sources[rows[i]], int(wishes[0, i]), int(wishes[1, i])) for i in far]
        for i, found in zip(far, read_ranges(ranges, self._readers), strict=True):
            row, place, kept = rows[i], places[i], wishes[2, i]
            if isinstance(found, OSError):
                self.errors[int(row)] = str(found)
                asked[0, row] = -1
                continue
            data, size = found
            got, end = min(len(data), wishes[1, i]), batch.state[row, at.END]
            batch.arena.writable[place : place + got] = np.frombuffer(data, np.uint8)[:got]
            batch.arena.writable[place - kept : place] = batch.arena.writable[end - kept : end]
            asked[:, row] += got, 1
            if got < wishes[1, i]:  # the end, whatever size was told
                size = min(size, int(wishes[0, i]) + got)
            one = np.array([row])
            batch.supply(one, one * 0 + place - kept, one * 0 + kept + got, one * 0 + size)
        batch.walk(rows[far][asked[0, rows[far]] >= 0])


def _times_waited() -> int:
    """How often this thread gave up its core of its own: once for each read that is not from memory, or more."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _path(source: str) -> str:
    return source.removeprefix("file://")


def _why(source: str) -> str:
    """The system's own words for a file that could not be read."""
    try:
        file = os.open(_path(source), os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    try:
        os.pread(file, 1, 0)
    except OSError as error:
        return str(error.strerror)
    finally:
        os.close(file)
    return "the file could not be read"
