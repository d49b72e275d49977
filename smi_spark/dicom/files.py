"""Bytes of many sources at once: local files by compiled reading in threads, objects by ranged requests."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

import numpy as np

from smi_spark.dicom import remote
from smi_spark.dicom.arena import Bytes
from smi_spark.dicom.plan import Numbers
from smi_spark.dicom.pread import pack_names, read_ranges

_SLICE = 32  # files that one thread takes at a time


class Files:
    """The sources of one batch.

    ``sizes`` holds each source's size as far as known, ``errors`` why a source could not be read.
    """

    def __init__(self, sources: Sequence[str], readers: int) -> None:
        self.sources = sources
        self.sizes = np.zeros(len(sources), np.int64)
        self.errors: dict[int, str] = {}
        self._readers = readers
        self._remote = np.fromiter(map(remote.is_remote, sources), np.bool_, len(sources))
        self._names, self._starts = pack_names([_name(source) for source in sources])

    def read(self, rows: Numbers, offsets: Numbers, lengths: Numbers, places: Numbers, buffer: Bytes) -> Numbers:
        """For each of ``rows``: ``lengths`` bytes from ``offsets`` to ``places`` of the buffer; gives how many came.

        -1 where the source could not be read; ``errors`` then says why.
        """
        got = np.full(len(rows), -1, np.int64)
        sizes = np.zeros(len(rows), np.int64)
        far = self._remote[rows]
        near = np.flatnonzero(~far)
        jobs = []
        step = max(1, min(_SLICE, -(-len(near) // self._readers)))
        pool = _pool(self._readers)
        for start in range(0, len(near), step):
            part = near[start : start + step]
            jobs.append(pool.submit(self._read_near, part, rows, offsets, lengths, places, buffer, got, sizes))
        for i in np.flatnonzero(far):
            jobs.append(pool.submit(self._read_far, int(i), rows, offsets, lengths, places, buffer, got, sizes))
        wait(jobs)
        for job in jobs:
            job.result()
        self.sizes[rows] = np.where(got >= 0, sizes, self.sizes[rows])
        for i in near[got[near] < 0]:
            self.errors[int(rows[i])] = _why(self.sources[rows[i]])
        return got

    def _read_near(self, part: Numbers, rows: Numbers, offsets: Numbers, lengths: Numbers, places: Numbers,
                   buffer: Bytes, got: Numbers, sizes: Numbers) -> None:  # fmt: skip
        came, size = np.zeros(len(part), np.int64), np.zeros(len(part), np.int64)
        starts = self._starts[rows[part]]
        read_ranges(self._names, starts, offsets[part], lengths[part], places[part], buffer, came, size)
        got[part], sizes[part] = came, size

    def _read_far(self, i: int, rows: Numbers, offsets: Numbers, lengths: Numbers, places: Numbers,
                  buffer: Bytes, got: Numbers, sizes: Numbers) -> None:  # fmt: skip
        try:
            data, sizes[i] = remote.read_range(self.sources[rows[i]], int(offsets[i]), int(lengths[i]))
        except OSError as error:
            self.errors[int(rows[i])] = str(error)
            return
        got[i] = min(len(data), int(lengths[i]))
        buffer[places[i] : places[i] + got[i]] = np.frombuffer(data, np.uint8)[: got[i]]


@cache
def _pool(readers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(readers, thread_name_prefix="headers")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not come along


def _name(source: str) -> bytes:
    """The file's name for the C library; a name with a zero byte in it names nothing."""
    name = os.fsencode(source.removeprefix("file://"))
    return b"" if b"\0" in name else name


def _why(source: str) -> str:
    """The system's own words for a file that could not be read."""
    try:
        file = os.open(source.removeprefix("file://"), os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    try:
        os.pread(file, 1, 0)
    except OSError as error:
        return str(error.strerror)
    finally:
        os.close(file)
    return "the file could not be read"
