"""CHI, Scotland's Community Health Index number: ten digits, the last one a check."""

import importlib
from collections.abc import Callable
from enum import StrEnum
from functools import reduce
from operator import add

from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark.errors import ConfigError

LENGTH = 10

Check = Callable[[Column], Column]


class ChiFlag(StrEnum):
    """What a row's ``chi_flags`` say of a CHI number. A number that is as it should be has none."""

    RESTORED = "restored"
    SECOND_CHECK = "second_check"
    NOT_TEN_DIGITS = "not_ten_digits"
    WRONG_DATE = "wrong_date"
    WRONG_CHECK = "wrong_check"


FAILURES = (ChiFlag.NOT_TEN_DIGITS, ChiFlag.WRONG_DATE, ChiFlag.WRONG_CHECK)


def restore_chi(chi: Column) -> Column:
    """The number as text, with the leading zero that spreadsheets lose put back where nine digits are left."""
    return F.when(is_short(chi), F.lpad(chi, LENGTH, "0")).otherwise(chi)


def patient_identity(raw: Column) -> Column:
    """The text of a patient id that pseudonyms are made of: the same for all ways of writing one CHI number.

    Padding is stripped, spaces within a CHI are closed, and a leading zero that a spreadsheet took is put back
    (nine digits); blank is null.
    """
    closed = F.regexp_replace(raw, r"[\s\x00]", "")
    stripped = F.regexp_replace(raw, r"^[\s\x00]+|[\s\x00]+$", "")
    identity = F.when(closed.rlike("^[0-9]{9,10}$"), F.lpad(closed, 10, "0")).otherwise(stripped)
    return F.when(identity != "", identity)


def is_short(chi: Column) -> Column:
    """Whether a leading zero was lost: nine digits."""
    return chi.rlike("^[0-9]{9}$")


def chi_number(chi: Column) -> Column:
    """A CHI of ten digits as a number (long); null for anything else."""
    return F.when(chi.rlike("^[0-9]{10}$"), chi.try_cast("long"))


def passes_check(number: Column) -> Column:
    """Whether a CHI (``chi_number``) passes its check; null where that is.

    The ten digits weighted by 10, 9 … 1 add up to a multiple of 11. Numbers with the second check digit, issued
    since November 2025 for birthdays whose numbers have run out, fail this one: they are flagged, never dropped.
    Source: NHS Scotland, CHI number, modulus 11.
    """
    weighted: Column = reduce(add, (_digits(number, place, 1) * (LENGTH - place) for place in range(LENGTH)))
    return weighted % 11 == 0


def chi_fault(chi: Column, number: Column, second: Check | None = None) -> Column:
    """What a CHI fails, or that only ``second`` passes it: a ``ChiFlag`` as text; null where it is in order, or none.

    Ten digits, of which the first six are a date written DDMMYY, and a check digit. ``number`` is a column that holds
    ``chi_number`` of it: an expression in its place would be worked out twenty times.
    """
    fits = _begins_with_date(number)
    told = F.when(chi.isNull() | (passes_check(number) & fits), F.lit(None))  # as most are
    told = told.when(number.isNull(), ChiFlag.NOT_TEN_DIGITS).when(~fits, ChiFlag.WRONG_DATE)
    if second is not None:
        told = told.when(second(chi), ChiFlag.SECOND_CHECK)
    return told.otherwise(ChiFlag.WRONG_CHECK)


def second_check(name: str | None) -> Check | None:
    """The site's further check: ``package.module:function``, a function of a column of CHIs to a boolean column.

    Raises ConfigError where there is no such function.
    """
    if name is None:
        return None
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function, None) if function else None
    except ImportError as error:
        raise ConfigError(f"records.second_chi_check: {name} cannot be imported: {error}.") from None
    if not callable(found):
        raise ConfigError(f"records.second_chi_check: {name} is no function. Write it as package.module:function.")
    check: Check = found
    return check


def _begins_with_date(number: Column) -> Column:
    day, month, year = (_digits(number, place, 2) for place in (0, 2, 4))
    february = F.when(year % 4 == 0, 29).otherwise(28)  # 1900 and 2000 look alike
    days = F.when(month.isin(4, 6, 9, 11), 30).when(month == 2, february).otherwise(31)
    return month.between(1, 12) & day.between(1, days)


def _digits(number: Column, place: int, count: int) -> Column:
    """So many digits from a place on."""
    rest = F.call_function("div", number, F.lit(10 ** (LENGTH - place - count)))
    return rest % int(10**count)
