"""Days and months as the planted questions count them."""

import calendar
import random
from collections.abc import Iterator
from datetime import date, timedelta

FIRST_DAY = date(2015, 1, 1)
LAST_DAY = date(2022, 12, 31)
YEARS = LAST_DAY.year - FIRST_DAY.year + 1


def add_months(day: date, months: int) -> date:
    """``day`` moved by calendar months, as Spark's ``add_months``: the last day of a month that is too short.

    >>> add_months(date(2018, 8, 31), -6)
    datetime.date(2018, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def moved(day: date, months: int, days: int) -> date:
    """``day`` moved by calendar months, then by days."""
    return add_months(day, months) + timedelta(days=days)


def day_between(first: date, last: date, rng: random.Random) -> date:
    """One of the days from ``first`` to ``last``, both included."""
    return first + timedelta(days=rng.randint(0, (last - first).days))


def yearly(share: float, first_year: int, rng: random.Random) -> Iterator[date]:
    """A day in each of the years from ``first_year`` to the last one, of which a ``share`` has one."""
    for year in range(first_year, LAST_DAY.year + 1):
        if rng.random() < share:
            yield day_between(date(year, 1, 1), date(year, 12, 31), rng)


def whole_years(born: date, day: date) -> int:
    """Age on ``day`` in whole years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
