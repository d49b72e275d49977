"""Many files in parts of about a minute's work, each a commit of its own."""

import time
from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_PLACES = 1_000_000  # among which folders are spread
_SECONDS = 60  # of work in a slice
_FOLDER = r"(?s)^([^!]*!|.*/)?"  # of a file; members of an archive stand together, whatever folders it has


def slices(files: DataFrame, count: int, first: int) -> Iterator[tuple[DataFrame, int]]:
    """``files`` (``with_place``, held; ``count`` of them) in parts, and how many files each has.

    Up to ``first`` files are one part, as they are. Of more a folder is in one part, an archive too; the first part has
    about ``first`` files, the later ones as many as were done in a minute, judged by how long the caller took for the
    one before, and no fewer than ``first``. Parts depend on names alone.
    """
    if count <= first:
        yield files, count
        return
    begin, size = 0, first
    while begin < _PLACES:
        end = begin + max(1, _PLACES * size // count)
        part = files.where((F.col("place") >= begin) & (F.col("place") < end))
        found = part.count()  # of rows that are held
        started = time.monotonic()
        if found:
            yield part, found
            size = next_size(found, time.monotonic() - started, first)
        begin = end


def with_place(files: DataFrame) -> DataFrame:
    """Adds ``place``: where a file's folder stands among ``_PLACES``, by its name, so that slices are of like sizes."""
    folder = F.regexp_extract("path", _FOLDER, 0)
    return files.withColumn("place", F.pmod(F.xxhash64("source", folder), F.lit(_PLACES)))


def next_size(files: int, seconds: float, least: int) -> int:
    """How many files a minute takes, when so many took ``seconds``; at least ``least``.

    >>> next_size(200_000, seconds=10, least=200_000), next_size(5, seconds=10, least=200_000)
    (1200000, 200000)
    """
    return max(least, int(files * _SECONDS / max(seconds, 1e-3)))
