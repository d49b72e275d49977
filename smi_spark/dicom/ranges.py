"""Ranges of sources that are no local files: objects, files of HDFS, and members of archives, many at once."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from smi_spark.dicom import archives, stores

Range = tuple[str, int, int]


def is_far(source: str) -> bool:
    """Whether a source is none that the system opens by its name."""
    return stores.is_remote(source) or ("!" in source and archives.split(source) is not None)


def read_ranges(ranges: Sequence[Range], at_once: int) -> list[tuple[bytes, int] | OSError]:
    """For each source, offset and length: its bytes and the source's size, or why it could not be read."""
    groups: dict[str, list[int]] = {}
    for number, (source, _, _) in enumerate(ranges):
        groups.setdefault(_together(source), []).append(number)
    jobs = [[ranges[number] for number in numbers] for numbers in groups.values()]
    done = map(_read, jobs) if len(jobs) == 1 else pool(at_once).map(_read, jobs)
    found: list[tuple[bytes, int] | OSError] = [OSError()] * len(ranges)
    for numbers, some in zip(groups.values(), done, strict=True):
        for number, one in zip(numbers, some, strict=True):
            found[number] = one
    return found


@cache
def pool(at_once: int) -> ThreadPoolExecutor:
    """The threads that read; a forked process has its own."""
    return ThreadPoolExecutor(at_once, thread_name_prefix="headers")


os.register_at_fork(after_in_child=pool.cache_clear)  # threads do not come along


def _together(source: str) -> str:
    """What is read at one go: a source, or the archive in which members are reached from its start alone."""
    member = archives.split(source) if "!" in source else None
    return member[0] if member and member[1] and archives.is_streamed(member[0]) else source


def _read(job: list[Range]) -> list[tuple[bytes, int] | OSError]:
    """Ranges of one source, or of members of one archive that are reached from its start alone."""
    source = job[0][0]
    try:
        member = archives.split(source) if "!" in source else None
        if member is None:
            return [stores.read_range(*one) for one in job]
        if _together(source) == source:
            return [archives.read_member(*member, offset, length) for _, offset, length in job]
        names = [source[len(member[0]) + 1 :] for source, _, _ in job]
        found = archives.read_streamed(member[0], {n: one[1:] for n, one in zip(names, job, strict=True)})
        return [found.get(name) or OSError("no such member in the archive") for name in names]
    except OSError as error:
        return [error] * len(job)
