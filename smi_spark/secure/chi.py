"""CHI, Scotland's Community Health Index number: ten digits, the last one a check."""

from functools import reduce
from operator import add

from pyspark.sql import Column
from pyspark.sql import functions as F

LENGTH = 10


def restore_chi(chi: Column) -> Column:
    """The number as text, with the leading zero that spreadsheets lose put back where nine digits are left."""
    return F.when(chi.rlike("^[0-9]{9}$"), F.lpad(chi, LENGTH, "0")).otherwise(chi)


def chi_is_valid(chi: Column) -> Column:
    """Whether a CHI (ten digits, as text) passes its check; null where there is none.

    The ten digits weighted by 10, 9 … 1 add up to a multiple of 11. Numbers with the second check digit, issued
    since November 2025, fail this one: count them, never drop them.
    Source: NHS Scotland, CHI number, modulus 11.
    """
    digits = [F.substring(chi, place, 1).try_cast("int") for place in range(1, LENGTH + 1)]
    weighted = reduce(add, (digit * (LENGTH - place) for place, digit in enumerate(digits)))
    passes = (F.length(chi) == LENGTH) & F.coalesce(weighted % 11 == 0, F.lit(False))
    return F.when(chi.isNotNull(), passes)
