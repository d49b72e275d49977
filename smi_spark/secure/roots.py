"""Under which source a file is known, whatever root it was listed below: one file, one row of ``secure/files``."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.dicom import pacs
from smi_spark.dicom.places import above, lies_below, relative
from smi_spark.dicom.sources import Root
from smi_spark.progress import LOG


@dataclass(frozen=True)
class Home:
    """Files whose path below a root begins with ``prefix`` are known in ``source``, their paths beginning with
    ``start`` instead.
    """

    prefix: str
    source: str
    start: str = ""


@dataclass(frozen=True)
class Place:
    """A root, and the homes of its files: the first whose prefix fits; the last one's fits all."""

    root: Root
    homes: tuple[Home, ...]

    def known_as(self, path: str) -> tuple[str, str]:
        """Source and path in the tables of a path below the root.

        >>> Place(Root("/pacs/2026"), (Home("", "/pacs", "2026/"),)).known_as("11/1.dcm")
        ('/pacs', '2026/11/1.dcm')
        """
        home = next(home for home in self.homes if path.startswith(home.prefix))
        return home.source, home.start + path[len(home.prefix) :]


def place_roots(files: DataFrame, roots: Sequence[Root]) -> list[Place]:
    """The roots, each once, with the homes of their files.

    ``files``: ``schemas/files.yaml``. A root below a source that is known, or below another of the roots, is listed as
    a part of that; of a root above known sources their files stay theirs. A root below another that is listed whole is
    left out. Sources known are looked for in the rows that Delta cannot skip: none where no roots overlap.
    """
    ordered = sorted(dict.fromkeys(roots), key=lambda root: (len(root.folder), root.bounds is None))
    known = known_sources(files, [root.folder for root in ordered])
    places: list[Place] = []
    for root in ordered:
        if any(_covers(other.root, root) for other in places):
            LOG.info("%s lies below another source that was given: its files count once", root.folder)
            continue
        source = max((one for one in known if lies_below(root.folder, one)), key=len, default=root.folder)
        if source != root.folder:
            LOG.info("%s is listed as a part of the source %s", root.folder, source)
        known.add(source)
        inner = [one for one in known if one != root.folder and lies_below(one, root.folder)]
        homes = [Home(relative(one, root.folder) or "", one) for one in sorted(inner, key=len, reverse=True)]
        places.append(Place(root, (*homes, Home("", source, relative(root.folder, source) or ""))))
    return places


def known_sources(files: DataFrame, folders: Sequence[str]) -> set[str]:
    """The sources among ``files`` above and below any of the folders; those at them too, where there are such."""
    outer = sorted({one for folder in folders for one in above(folder)})
    inner = [F.col("source").startswith(f"{folder.rstrip('/')}/") for folder in folders]
    overlapping = reduce(or_, inner, F.col("source").isin(outer))
    if files.where(overlapping).select("source").isEmpty():
        return set()
    found = files.where(overlapping | F.col("source").isin(list(folders))).select("source").distinct()
    return {row["source"] for row in found.collect()}  # a few roots


def known_below(files: DataFrame, places: Sequence[Place]) -> DataFrame:
    """The known files that the listing of the places may find; by literals, so that Delta skips the others' rows."""
    return files.where(reduce(or_, (_at(place.root, home) for place in places for home in place.homes)))


def listed_whole(places: Sequence[Place]) -> Column:
    """Which known files (source, path) are gone where the listing of the places does not have them."""
    exact = [_all_of(place.root, home) for place in places if place.root.bounds for home in place.homes]
    return reduce(or_, exact, F.lit(False))


def _at(root: Root, home: Home) -> Column:
    """Known files of a home; of some days alone where the root has some."""
    low, high = (home.start + _below_prefix(bound, home.prefix) for bound in root.bounds or pacs.Days().bounds)
    path = F.col("path")
    return (F.col("source") == home.source) & (path >= low) & (path < high)


def _all_of(root: Root, home: Home) -> Column:
    """Those of them that were listed: of days, what fits the layout."""
    if root.days is None or root.days.is_all:
        return _at(root, home)
    below_root = F.concat(F.lit(home.prefix), F.substring("path", len(home.start) + 1, 1 << 30))
    return _at(root, home) & below_root.rlike(pacs.FITS)


def _below_prefix(bound: str, prefix: str) -> str:
    """A bound of paths below a root as one of paths below a prefix of it."""
    if bound.startswith(prefix):
        return bound.removeprefix(prefix)
    return "" if bound < prefix else pacs.TOP


def _covers(outer: Root, inner: Root) -> bool:
    is_whole = outer.bounds == pacs.Days().bounds
    return is_whole and inner.list is None and lies_below(inner.folder, outer.folder)
