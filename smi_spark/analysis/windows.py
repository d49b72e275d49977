"""Windows of time around a study: as definitions write them, and as Spark decides them."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from pyspark.sql import Column

_IN_DAYS = {"day": 1, "week": 7}
_IN_MONTHS = {"month": 1, "year": 12}
_MOST_MONTHS, _MOST_DAYS = 200 * 12, 200 * 366  # further from a study lies nothing that is recorded
_UNEVEN_MONTHS = 3  # days by which any number of calendar months can differ from months of the mean length


class Part(BaseModel):
    """A part of a definition: frozen, and no field beyond those stated."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Period:
    """Calendar months or days from a study, before it when negative."""

    months: int = 0
    days: int = 0

    def __str__(self) -> str:
        number, unit = (self.months, "month") if self.months else (self.days, "day")
        return f"{number} {unit}" if abs(number) == 1 else f"{number} {unit}s"

    def from_day(self, day: "Column") -> "Column":
        """The date that lies so far from ``day``; a day that the month lacks is the month's last."""
        from pyspark.sql import functions as F  # definitions are checked without Spark

        return F.add_months(day, self.months) if self.months else F.date_add(day, self.days)

    def mean_days(self) -> float:
        return self.months * 30.436875 + self.days


def parse_period(text: Any) -> Any:
    """The Period in ``-6 months``, ``1 day``, ``2 weeks`` or ``1 year``."""
    match = re.fullmatch(r"([+-]?\d+) *(day|week|month|year)s?", str(text).strip())
    if match is None:
        raise PydanticCustomError("period", "this is no period: write it as -6 months, 1 day, 2 weeks or 0 days")
    number, unit = int(match[1]), match[2]
    if abs(number) * (_IN_DAYS.get(unit) or _IN_MONTHS[unit]) > (_MOST_DAYS if unit in _IN_DAYS else _MOST_MONTHS):
        raise PydanticCustomError("period", "nothing lies more than 200 years from a study: leave the side out")
    if number == 0 or unit in _IN_DAYS:
        return Period(days=number * _IN_DAYS.get(unit, 1))
    return Period(months=number * _IN_MONTHS[unit])


def _day(given: Any) -> Any:
    if isinstance(given, datetime) and given.time() == time():
        return given.date()
    if isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", given, re.ASCII):
        try:
            return date.fromisoformat(given)
        except ValueError:
            raise PydanticCustomError("day", "the calendar has no such day") from None
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    raise PydanticCustomError("day", "this is no date: write it as 2015-01-31")


Day = Annotated[date, BeforeValidator(_day)]  # a number or a text with a time is none
Whole = Annotated[int, Field(strict=True)]  # true and "3" are none
PeriodText = Annotated[Period, BeforeValidator(parse_period), PlainSerializer(str)]


class Span(Part):
    """What has two sides, ``start`` (``from`` in files) and ``until``, both included; a side left out is open."""

    start: Any = None
    until: Any = None
    _open: ClassVar[str]  # the words for both sides left out

    @model_validator(mode="after")
    def _can_match(self) -> Self:
        if self.start and self.until and self._never(self.start, self.until):
            raise PydanticCustomError(
                "span", f"no day lies from {self.start} until {self.until}: put the earlier one after from"
            )
        return self

    def __str__(self) -> str:
        sides = [f"from {self.start}" if self.start else "", f"until {self.until}" if self.until else ""]
        return " ".join(filter(None, sides)) or self._open

    def _never(self, start: Any, until: Any) -> bool:
        """Whether no day can lie between the two sides."""
        return bool(start > until)


class Window(Span):
    """From one period to another around a study's date."""

    _open = "at any time"
    start: Annotated[
        PeriodText | None, Field(alias="from", description="first day, counted from the study, as in -6 months")
    ] = None
    until: Annotated[PeriodText | None, Field(description="last day, counted from the study, as in 3 months")] = None

    def holds(self, event: "Column", study: "Column") -> "Column":
        """Whether the date ``event`` lies in the window around the date ``study``; null where a side needs a null."""
        from pyspark.sql import functions as F

        condition = F.lit(True)
        if self.start is not None:
            condition = condition & (event >= self.start.from_day(study))
        if self.until is not None:
            condition = condition & (event <= self.until.from_day(study))
        return condition

    def most_days(self) -> int | None:
        """The most days that can lie in the window; none where a side is open."""
        if self.start is None or self.until is None:
            return None
        uneven = _UNEVEN_MONTHS if self.start.months or self.until.months else 0
        return int(self.until.mean_days() - self.start.mean_days()) + 1 + uneven

    def _never(self, start: Period, until: Period) -> bool:
        if not start.months or not until.months:
            return start.mean_days() - until.mean_days() > (_UNEVEN_MONTHS if start.months or until.months else 0)
        return start.months > until.months


class Dates(Span):
    """From one date to another."""

    _open = "of any date"
    start: Annotated[Day | None, Field(alias="from", description="first date, as in 2015-01-01")] = None
    until: Annotated[Day | None, Field(description="last date, as in 2018-12-31")] = None
