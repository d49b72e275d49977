"""Dates in the ways that extracts write them, a column at once."""

import calendar
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from smi_spark.errors import ConfigError, unknown_name
from smi_spark.secure.letters import Array, Letters, are_digits, are_equal, number

ISO_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")  # never ambiguous, and how dates of Parquet look as text

_DIGITS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_LIMITS = {"%H": 24, "%M": 60, "%S": 60}
_MONTHS = {"%b": [name.lower() for name in calendar.month_abbr], "%B": [name.lower() for name in calendar.month_name]}
_LETTERS = (*_DIGITS, *_MONTHS)
# The first day of each month from January of the year 1 on, in days since 1970; one month more than there are.
_FIRST_DAYS = np.arange("0001-01", "10000-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int32)


@dataclass(frozen=True)
class Part:
    """Some bytes of a date: a letter of strftime, or what stands between two of them."""

    written: str
    start: int
    width: int


Layout = tuple[Part, ...]


def layouts(formats: Iterable[str]) -> list[Layout]:
    """What bytes a date has that is written in one of ``formats`` (strftime letters), or as ISO has it.

    A month's full name is of seven lengths: a layout for each. Raises ConfigError for a letter that is not known.
    """
    return [layout for written in dict.fromkeys((*formats, *ISO_DATES)) for layout in _layouts(written)]


def parse_dates(texts: Array, ways: Sequence[Layout]) -> Array:
    """``texts`` as dates (date32), each by the first layout that it fits; null where it fits none.

    Years are 0001 to 9999, names of months English in any capitals, hours and minutes must be some and are left out.
    """
    letters = Letters.of(texts)
    days, open_ = np.zeros(len(texts), np.int32), letters.lengths >= 0
    for layout in ways:
        places = np.flatnonzero(open_ & (letters.lengths == layout[-1].start + layout[-1].width))
        if not len(places):
            continue
        found, fits = _days(letters.rows(places, layout[-1].start + layout[-1].width), layout)
        days[places[fits]] = found[fits]
        open_[places[fits]] = False
        if not open_.any():
            break
    none = open_ | (letters.lengths < 0)
    return pa.array(days, pa.int32(), mask=none if none.any() else None).cast(pa.date32())


def _layouts(written: str) -> Iterator[Layout]:
    parts = re.findall(r"%.|[^%]+|%$", written)
    for part in parts:
        if part.startswith("%") and part not in _LETTERS:
            raise ConfigError(unknown_name(f"date format {written}", part, "letter", _LETTERS))
    for widths in product(*map(_widths, parts)):
        starts = np.cumsum([0, *widths])[:-1]
        yield tuple(Part(part, int(start), width) for part, start, width in zip(parts, starts, widths, strict=True))


def _widths(part: str) -> list[int]:
    if part in _MONTHS:
        return sorted({len(name) for name in _MONTHS[part] if name})
    return [_DIGITS.get(part, len(part.encode()))]


def _days(rows: Any, layout: Layout) -> tuple[Any, Any]:
    """Days since 1970 of dates of one layout, and which of them are some."""
    fits = np.ones(len(rows), bool)
    values: dict[str, Any] = {"%Y": 1970, "%m": 1, "%d": 1}
    for part in layout:
        piece = rows[:, part.start : part.start + part.width]
        if part.written in _DIGITS:
            fits &= are_digits(piece)
            values[part.written] = number(piece, 0, part.width)
        elif part.written in _MONTHS:
            values["%m"] = _month(piece, _MONTHS[part.written])
        else:
            fits &= are_equal(_lower(piece), part.written.encode().lower())
    for letter, limit in _LIMITS.items():
        if letter in values:
            fits &= values[letter] < limit
    year, month, day = np.broadcast_arrays(values["%Y"], values["%m"], values["%d"])
    fits &= (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12)
    place = np.where(fits, year * 12 + month - 13, 0)
    first = _FIRST_DAYS[place]
    fits &= (day >= 1) & (day <= _FIRST_DAYS[place + 1] - first)
    return first + day - 1, fits


def _month(rows: Any, names: Sequence[str]) -> Any:
    """The month that each row names; 0 for none."""
    months, lower = np.zeros(len(rows), np.int32), _lower(rows)
    for month, name in enumerate(names):
        if len(name) == rows.shape[1]:
            months[are_equal(lower, name.encode())] = month
    return months


def _lower(rows: Any) -> Any:
    return np.where((rows >= ord("A")) & (rows <= ord("Z")), rows | np.uint8(0x20), rows)
