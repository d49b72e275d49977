"""Where people live and which CHI numbers they have over time, as the demography tells it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from zlib import crc32

from smi_spark.synthetic.days import day_between, yearly
from smi_spark.synthetic.people import Person, Population, a_postcode, an_address
from smi_spark.synthetic.profile import Profile
from smi_spark.synthetic.records import Row, sex_code

# CHI keeps addresses since 2000 ("CURL Extensions", International Journal of Population Data Science, September 2024).
ADDRESSES_SINCE = date(2000, 1, 1)
_DAY = timedelta(days=1)
# Of a thousand people. Source: Scotland's Census 2011, table KS201SC: White 96.0 %, Asian 2.7 %, African 0.6 %, mixed
# 0.4 %, other 0.3 %, Caribbean or Black 0.1 % (rounded); not known: assumed.
_ETHNIC_GROUPS = {
    "1A": 840, "1B": 75, "1Z": 25, "3F": 10, "3G": 6, "3J": 8, "4D": 6, "2A": 4, "6Z": 3, "5D": 1, "99": 22,
}  # fmt: skip


@dataclass(frozen=True)
class Home:
    """An address, and the first day there."""

    since: date
    postcode: str
    address: str


@dataclass(frozen=True)
class Merge:
    """Two numbers of one person: ``old`` alone before the day ``second``, when the kept one was given beside it; the
    kept one alone from the day ``merged``.
    """

    old: str
    second: date
    merged: date


@dataclass(frozen=True)
class History:
    """What the demography knows of a person but for the end; ``homes`` in order of time, at least one."""

    person: Person
    homes: tuple[Home, ...]
    merge: Merge | None = None

    @property
    def since(self) -> date:
        """The first day of which anything is known."""
        return self.homes[0].since

    def on(self, day: date, rng: random.Random) -> Person:
        """The person as a record of ``day`` has it; while there were two numbers, with either."""
        home = [home for home in self.homes if home.since <= max(day, self.since)][-1]
        return replace(self.person, chi=self._number(day, rng), postcode=home.postcode, address=home.address)

    def _number(self, day: date, rng: random.Random) -> str:
        if self.merge is None or day >= self.merge.merged:
            return self.person.chi
        return self.merge.old if day < self.merge.second else rng.choice((self.merge.old, self.person.chi))

    def rows(self, died: date | None, left: date | None) -> list[Row]:
        """The rows of ``records/demography``: a row a number, whose it is, and home; none begins after the end."""
        person, end = self.person, died or left
        spans = [(person.chi, person.chi, self.merge.second if self.merge else self.since, end)]
        if self.merge:
            old, merged = self.merge.old, self.merge.merged
            spans = [(old, old, self.since, merged - _DAY), (old, person.chi, merged, end), *spans]
        return [
            {
                "CHI_NUMBER": number,
                "UPI_NUMBER": whose,
                "DATE_FROM": start,
                "DATE_TO": stop,
                "DATE_OF_BIRTH": person.birth_date,
                "SEX": sex_code(person),
                "POSTCODE": home.postcode,
                "SIMD_QUINTILE": quintile(home.postcode),
                "ETHNIC_GROUP": ethnic_group(person),
                "DATE_OF_DEATH": died,
                "DATE_TRANSFER_OUT": left,
                "SURNAME": person.surname,
                "FORENAME": person.forename,
            }
            for number, whose, first, last in spans
            for home, start, stop in self._stays(first, last)
        ]

    def _stays(self, first: date, last: date | None) -> Iterator[tuple[Home, date, date | None]]:
        """The homes of a span, each with its first and last day there; the last day is None where it lasts."""
        ends = [following.since - _DAY for following in self.homes[1:]]
        for home, end in zip(self.homes, [*ends, None], strict=True):
            start = max(home.since, first)
            stop = min((day for day in (end, last) if day is not None), default=None)
            if stop is None or start <= stop:
                yield home, start, stop


def quintile(postcode: str) -> str:
    """Quintile of deprivation of a postcode, the same for all who live there."""
    return str(crc32(postcode.encode()) % 5 + 1)


def ethnic_group(person: Person) -> str:
    """Code of the person's ethnic group; told by the CHI number, so that no other chance of the archive moves."""
    drawn = crc32(f"ethnic group|{person.chi}".encode()) % 1_000
    bounds = zip(_ETHNIC_GROUPS, accumulate(_ETHNIC_GROUPS.values()), strict=True)
    return next(code for code, bound in bounds if drawn < bound)


def plan_history(
    person: Person, population: Population, profile: Profile, rng: random.Random, merge: tuple[date, date] | None = None
) -> History:
    """Homes and numbers by chance; ``merge``: the days on which a second number is given and both are merged."""
    born = person.birth_date
    since = born if born >= ADDRESSES_SINCE else day_between(ADDRESSES_SINCE, date(2010, 12, 31), rng)
    homes = [Home(since, person.postcode, person.address)]
    for day in yearly(profile.people.moves_a_year.value, since.year + 1, rng):
        homes.append(Home(day, a_postcode(rng), an_address(rng)))
    days = merge or (_merge_days(since, rng) if rng.random() < profile.people.two_numbers.value else None)
    if days is None:
        return History(person, tuple(homes))
    return History(person, tuple(homes), Merge(population.number(born, person.sex, rng), *days))


def _merge_days(since: date, rng: random.Random) -> tuple[date, date]:
    """When a second number was given and both were merged: soon after birth, or in the years of the archive."""
    second = since + timedelta(days=rng.randint(10, 60))
    if since.year < 2012:
        second = day_between(date(2012, 1, 1), date(2019, 12, 31), rng)
    return second, second + timedelta(days=rng.randint(30, 700))
