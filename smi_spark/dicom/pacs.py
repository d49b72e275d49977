"""The layout of a PACS, ``YYYY/MM/DD/ACCESSION/``: listed day by day, of all days or of a span of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from smi_spark.dicom import stores
from smi_spark.errors import SourceError

_NAMES = ("[0-9]{4}", "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])")
_LEVELS = tuple(map(re.compile, _NAMES))
FITS = f"^{'/'.join(_NAMES)}/"  # paths of the layout
TOP = "\U0010ffff"  # behind all paths
_START, _END = "0000/00/00", "9999/99/99"
_SPAN = re.compile(r"(?P<first>\d{4}-\d\d-\d\d)?(?P<to>\.\.)?(?P<last>\d{4}-\d\d-\d\d)?")


@dataclass(frozen=True)
class Days:
    """From the first day to the last, both with them, written ``YYYY/MM/DD``; by default all days."""

    first: str = _START
    last: str = _END

    @property
    def is_all(self) -> bool:
        return (self.first, self.last) == (_START, _END)

    @property
    def bounds(self) -> tuple[str, str]:
        """Paths of these days are those of the layout from the first bound on, and before the second."""
        return ("", TOP) if self.is_all else (f"{self.first}/", f"{self.last}0")  # 0 comes behind /

    def meet(self, prefix: str) -> bool:
        """Whether a year, month or day has days of the span."""
        return self.first[: len(prefix)] <= prefix <= self.last[: len(prefix)]


def days_of(text: str) -> Days:
    """A span of days as it is written: ``2026-11-24``, ``2026-11-01..2026-11-24``, ``2026-11-01..``, ``..2026-11-24``.

    Raises SourceError for what is none.
    """
    found = _SPAN.fullmatch(text)
    try:
        if found is None or not text.strip("."):
            raise ValueError
        first, last = found["first"], found["last"] if found["to"] else found["first"]
        if found["last"] and not found["to"]:
            raise ValueError
        for day in filter(None, (first, last)):
            date.fromisoformat(day)
        if first and last and first > last:
            raise ValueError
    except ValueError:
        raise SourceError(
            f"{text} is no span of days. Write pacs:/archive@2026-11-01..2026-11-24, @2026-11-24 or @2026-11-01.. "
            "for all days from that one on."
        ) from None
    return Days((first or "").replace("-", "/") or _START, (last or "").replace("-", "/") or _END)


def prefixes(folder: str, days: Days) -> list[str]:
    """The parts of an archive that are listed apart: a day each.

    Where all days are asked for, what does not fit the layout is a part too: a folder with all below it, and the files
    that lie directly at the root, in a year or in a month. Raises SourceError for a folder that cannot be listed, and
    for an archive without a year of which days are asked for.
    """
    years, _ = stores.level(folder)
    if not days.is_all and not any(_LEVELS[0].fullmatch(year) for year in years):
        raise SourceError(
            f"source {folder} has no folder of a year, so no days to choose from. "
            "Give the folder above the years, or leave pacs: out to list all below it."
        )
    return list(_parts(folder, days, ""))


def _parts(folder: str, days: Days, above: str) -> Iterator[str]:
    number = above.count("/")
    folders, files = stores.level(f"{folder.rstrip('/')}/{above}".rstrip("/") or "/")
    if files and days.is_all:
        yield above
    for name in folders:
        prefix = f"{above}{name}"
        if _LEVELS[number].fullmatch(name) is None:
            if days.is_all:
                yield prefix
        elif days.meet(prefix):
            yield from [prefix] if number == len(_LEVELS) - 1 else _parts(folder, days, f"{prefix}/")
