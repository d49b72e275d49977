"""Chance as Spark columns: every draw is decided by the seed, what is drawn, and whole numbers that say for whom.

Only hashes and whole numbers are used, which are the same on every machine and however rows are spread.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark.synthetic.quotas import allocate

_PARTS = 1_000_000
_LOW, _SPAN = 10**18, 8 * 10**18  # numbers of 19 digits that a long holds


@dataclass(frozen=True)
class Draws:
    """The draws of one archive."""

    seed: int

    def number(self, what: str, below: int | Column, *of: Column) -> Column:
        """A whole number (long) from 0, less than ``below``; ``of``: whole numbers that say for whom it is drawn."""
        return F.pmod(self._hash(what, *of), F.lit(below) if isinstance(below, int) else below)

    def happens(self, what: str, share: float, *of: Column) -> Column:
        """Whether (boolean) something happens that happens with that share; to a millionth."""
        return self.number(what, _PARTS, *of) < round(share * _PARTS)

    def chosen(self, what: str, shares: Mapping[Any, float], *of: Column) -> Column:
        """One of the keys of ``shares``, as often as its share says; to a millionth."""
        bounds = [*accumulate(allocate(_PARTS, list(shares.values())))]

        def of_number(number: Column) -> Column:
            *before, last = zip(shares, bounds, strict=True)
            return F.coalesce(*(F.when(number < bound, F.lit(value)) for value, bound in before), F.lit(last[0]))

        # Within a lambda the number is drawn once a row, not once for each of the keys.
        return F.transform(F.array(self.number(what, _PARTS, *of)), of_number)[0]

    def hexadecimal(self, what: str, *of: Column) -> Column:
        """32 hexadecimal digits, as pseudonyms of patients and of accession numbers are."""
        halves = (F.lpad(F.lower(F.hex(self._hash(f"{what} {half}", *of))), 16, "0") for half in (1, 2))
        return F.concat(*halves)

    def uid(self, what: str, *of: Column) -> Column:
        """``2.25.`` and a number of 38 digits, as pseudonymous UIDs are."""
        return self._uid(self.number(f"{what} 1", _SPAN, *of), what, *of)

    def ascending_uid(self, what: str, place: Column, places: Column, *of: Column) -> Column:
        """As ``uid``; those of ``place`` 0, 1 … below ``places`` are in that order, and as evenly spread."""
        step = F.call_function("div", F.lit(_SPAN), places)
        # Spark may work it out for rows that it drops afterwards: a place too large must not overflow.
        first = F.pmod(place, places) * step + self.number(f"{what} 1", step, *of)
        return self._uid(first, what, *of)

    def _uid(self, first: Column, what: str, *of: Column) -> Column:
        rest = self.number(f"{what} 2", _SPAN, *of)
        return F.concat(F.lit("2.25."), (first + _LOW).cast("string"), (rest + _LOW).cast("string"))

    def _hash(self, what: str, *of: Column) -> Column:
        digest = hashlib.sha256(f"{self.seed}|{what}".encode()).digest()
        salt = F.lit(int.from_bytes(digest[:8], "big", signed=True))
        return F.xxhash64(*(column.cast("long") for column in (salt, *of)))  # an int has another hash than a long
