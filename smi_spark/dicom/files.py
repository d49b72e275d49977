"""Headers of many sources at once: local files read and walked by compiled code in threads, others by their ranges."""

import os
import resource
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from smi_spark.dicom import archives, stores
from smi_spark.dicom import layout as at
from smi_spark.dicom.names import leads_out
from smi_spark.dicom.places import climbs
from smi_spark.dicom.plan import Numbers
from smi_spark.dicom.pread import FLAGS, pack_names, read_and_walk
from smi_spark.dicom.ranges import is_far, pool, read_ranges
from smi_spark.dicom.walked import Walked
from smi_spark.reasons import Reason

_OUTSIDE = "its name, or a link, leads out of the root"
_ALONE = 512  # files read at once while none has to be waited for


class _Disk:
    """Whether reading lately had to wait for bytes. Then many read at once; else one does, as switching costs time."""

    waits = True


_DISK = _Disk()


class Files:
    """The sources of one batch.

    ``sizes`` holds each source's size as far as known, ``errors`` why a source could not be read. Of sources below a
    folder or URI ``within``, those that lead out of it are not opened.
    """

    def __init__(self, sources: Sequence[str], readers: int, within: str | None = None) -> None:
        self.sources = list(sources)
        self.sizes = np.zeros(len(sources), np.int64)
        self.errors: dict[int, tuple[Reason, str]] = {}
        self._readers, self._within = readers, within
        # The system says at no cost which names are links: it does not open them.
        self._flags = FLAGS if within is None else FLAGS | os.O_NOFOLLOW
        self._far = np.zeros(len(sources), np.bool_)
        self._names, self._starts = pack_names(sources)
        together = self._names.tobytes()  # one look at all of them
        if b"://" in together or b"!" in together:
            self._far[:] = [is_far(source) for source in sources]
        if within is not None and (b".." in together or b"!" in together):
            self._refuse(within)

    def read(self, batch: Walked, rows: Numbers, wishes: Numbers, asked: Numbers) -> None:
        """Read a range or more of each of ``rows`` and walk its header as far as that goes.

        ``wishes``: offsets, lengths, and how many bytes at hand stand before each range. ``asked`` counts bytes and
        requests by row; bytes are -1 where the source could not be read, and ``errors`` says why.
        """
        refused = np.isin(rows, list(self.errors))
        asked[0, rows[refused]] = -1
        near = ~self._far[rows] & ~refused
        self._read_near(batch, rows[near], wishes[:, near], asked)
        for row in rows[near & (asked[0, rows] < 0)]:
            self._follow(int(row), asked)
        far = self._far[rows] & ~refused
        self._read_far(batch, rows[far], wishes[:, far], asked)
        came = asked[0, rows] >= 0
        self.sizes[rows[came]] = batch.state[rows[came], at.SIZE]

    def fetch(self, row: int, offset: int, length: int) -> bytes:
        """One range of one source; nothing where it cannot be read any more."""
        found = read_ranges([(self.sources[row], offset, length)], 1)[0]
        if isinstance(found, OSError):
            self.errors[row] = Reason.UNREADABLE, str(found)
            return b""
        return found[0]

    def _refuse(self, within: str) -> None:
        """Sources whose names lead out, and members of archives whose names or links do."""
        for row, source in enumerate(self.sources):
            archive = archives.split(source) if self._far[row] and not stores.is_remote(within) else None
            if climbs(source[len(within) :]) or (archive and leads_out(archive[0], within)):
                self.errors[row] = Reason.OUTSIDE_ROOT, _OUTSIDE

    def _follow(self, row: int, asked: Numbers) -> None:
        """What to do about a file that was not opened: a link within the root is read for what it leads to."""
        source = _path(self.sources[row])
        if self._within is None or not os.path.islink(source):  # noqa: PTH114
            self.errors[row] = Reason.UNREADABLE, _why(source)
        elif leads_out(source, self._within):
            self.errors[row] = Reason.OUTSIDE_ROOT, _OUTSIDE
        elif not os.path.isfile(source):  # noqa: PTH113
            self.errors[row] = Reason.UNREADABLE, _why(source)
        else:
            self.sources[row] = os.path.realpath(source)
            self._far[row], asked[0, row] = True, 0

    def _read_near(self, batch: Walked, rows: Numbers, wishes: Numbers, asked: Numbers) -> None:
        """Local files, in as many threads as there are readers where they have to be waited for."""
        lengths = wishes[1] + wishes[2]
        places = batch.arena.reserve(int(np.sum(lengths))) + np.cumsum(lengths) - lengths
        jobs: list[Future[None]] = []
        done = 0
        while done < len(rows):
            left = len(rows) - done
            alone = left == 1 or self._readers == 1 or not _DISK.waits
            step = _ALONE if alone else max(1, -(-left // max(1, self._readers - len(jobs))))
            part = slice(done, done + step)
            done += step
            job = batch, rows[part], wishes[:, part], int(places[part][0]), asked
            if alone:
                self._read_part(*job)
            else:
                jobs.append(pool(self._readers).submit(self._read_part, *job))
        for running in jobs:
            running.result()

    def _read_part(self, batch: Walked, rows: Numbers, wishes: Numbers, place: int, asked: Numbers) -> None:
        finds, waited = batch.new_finds(len(rows)), _times_waited()
        starts, wishes = self._starts[rows], np.ascontiguousarray(wishes)
        end = place + int(np.sum(wishes[1:]))
        done = 0
        while True:
            done, place = read_and_walk(
                self._names, starts, self._flags, rows, done, wishes, _DISK.waits, place, end,
                batch.arena.writable, batch.arena.content, asked, *batch.walking(finds),
            )  # fmt: skip
            if done == len(rows):
                _DISK.waits = _times_waited() - waited > len(rows) // 8
                return
            finds.make_room()
            batch.walk(rows[done : done + 1], finds)
            done += 1

    def _read_far(self, batch: Walked, rows: Numbers, wishes: Numbers, asked: Numbers) -> None:
        """Sources that are read by their ranges, each to a place of its own."""
        if len(rows) == 0:
            return
        places = batch.arena.reserve(int(np.sum(wishes[1:]))) + np.cumsum(wishes[1] + wishes[2]) - wishes[1]
        ranges = [(self.sources[row], int(wishes[0, i]), int(wishes[1, i])) for i, row in enumerate(rows)]
        for i, found in enumerate(read_ranges(ranges, self._readers)):
            row, place, kept = rows[i], places[i], wishes[2, i]
            if isinstance(found, OSError):
                self.errors[int(row)] = Reason.UNREADABLE, str(found)
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
        batch.walk(rows[asked[0, rows] >= 0])


def _times_waited() -> int:
    """How often this thread gave up its core of its own: once for each read that is not from memory, or more."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _path(source: str) -> str:
    return source.removeprefix("file://")


def _why(source: str) -> str:
    """The system's own words for a file that could not be read."""
    try:
        file = os.open(source, FLAGS)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    try:
        os.pread(file, 1, 0)
    except OSError as error:
        return str(error.strerror)
    finally:
        os.close(file)
    return "the file could not be read"
