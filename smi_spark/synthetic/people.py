"""Invented people: CHI numbers, names that no real text holds, birth dates, postcodes."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from smi_spark.synthetic.days import FIRST_DAY, day_between

_WEIGHTS = range(10, 1, -1)

# Syllables of names that stand in no other text, so that a search for them has no false hits.
_SURNAMES_1 = ("QUIBBLE", "ZANDER", "FJORDO", "WYVERN", "THRIMBLE", "OXTER", "KVASIR", "BRAMBLOX", "JUNIVER", "GLAXEN")
_SURNAMES_2 = ("THORPE", "WICKET", "MUIRKIRK", "DALVEEN", "BRIGGAN", "SHAWFIELD", "CROFTIE", "LOANING", "STANE", "WATH")
_FORENAMES_F = ("ISOLWYN", "MORVENNA", "EILISABEL", "FIONNGHAL", "ROSWITHE", "CATRIONELL", "UNAVERE", "SEONAIDH")
_FORENAMES_M = ("ALISTAIRN", "TORQUILAN", "FEARCHARD", "RUAIRIDHE", "WENDELIN", "CALUMBAN", "EACHANNO", "OSGARTH")
_ACCENTED = ("MÜLLENBRAẞ", "ÅSGÅRDSEN", "ÓCEALLAGHWYN", "ŒUVRARDIÉ", "NÚÑEZARRA", "BJÖRKENSTÅL")
_STREETS = ("Thrapple Wynd", "Quern Loan", "Yestreen Close", "Skelf Brae", "Wheesht Gardens", "Hoolet Row")
_LATIN = tuple(name for name in _ACCENTED if name.encode("latin-1", "ignore").decode("latin-1") == name)


@dataclass(frozen=True)
class Person:
    """One person, or what a record of some day has of one: ``chi``, ``postcode`` and ``address`` are of that day.

    ``number`` is the place in the archive, ``charset`` what the scanners write the name in.
    """

    number: int
    chi: str
    sex: str
    forename: str
    surname: str
    birth_date: date
    postcode: str
    address: str
    charset: str

    @property
    def pn(self) -> str:
        """The name as DICOM writes it (PS3.5 section 6.2, VR PN)."""
        return f"{self.surname}^{self.forename}"


def chi_check_digit(first_nine: str) -> int:
    """The modulus-11 check digit of a CHI number; 10 says that no number with these nine digits exists.

    Source: NHS Scotland, CHI number: weights 10 to 2, 11 less the remainder, 11 counts as 0.
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_nine, strict=True))
    return (11 - total % 11) % 11


def chi_number(birth_date: date, sex: str, rng: random.Random) -> str:
    """A valid CHI: DDMMYY, two digits, a digit for the sex (even for ``F``, odd for ``M``), the check digit."""
    while True:
        first_nine = f"{birth_date:%d%m%y}{rng.randrange(100):02d}{2 * rng.randrange(5) + (sex == 'M')}"
        check = chi_check_digit(first_nine)
        if check < 10:
            return f"{first_nine}{check}"


class Population:
    """Makes people one by one, no two with the same CHI, none with one of those in ``kept_free``.

    They are numbered from ``first`` on.
    """

    def __init__(self, first: int = 1, kept_free: Collection[str] = ()) -> None:
        self.people: list[Person] = []
        self.chis: set[str] = set()
        self._first = first
        self._kept_free = frozenset(kept_free)

    def new(self, rng: random.Random, *, sex: str = "", born: tuple[date, date] | None = None) -> Person:
        """A new person, born between the two dates of ``born`` (default: an adult by the time of the scans)."""
        sex = sex or rng.choice("FM")
        birth_date = day_between(*(born or (date(1927, 1, 1), date(1996, 12, 31))), rng)
        chi = self.number(birth_date, sex, rng)
        surname, charset = _surname(rng)
        person = Person(
            number=self._first + len(self.people),
            chi=chi,
            sex=sex,
            forename=rng.choice(_FORENAMES_F if sex == "F" else _FORENAMES_M),
            surname=surname,
            birth_date=birth_date,
            postcode=a_postcode(rng),
            address=an_address(rng),
            charset=charset,
        )
        self.people.append(person)
        return person

    def number(self, birth_date: date, sex: str, rng: random.Random) -> str:
        """A CHI that nobody has yet."""
        while (chi := chi_number(birth_date, sex, rng)) in self.chis or chi in self._kept_free:
            pass
        self.chis.add(chi)
        return chi


def infancy(rng: random.Random) -> tuple[date, date]:
    """A span in which people are born who are infants when they are scanned."""
    year = rng.randint(FIRST_DAY.year, FIRST_DAY.year + 5)
    return date(year, 1, 1), date(year, 12, 31)


def a_postcode(rng: random.Random) -> str:
    """A postcode of an area that no town has, ``ZX12 3AB``."""
    return f"ZX{rng.randint(10, 99)} {rng.randint(1, 9)}{rng.choice('ABDEFGH')}{rng.choice('JLNPQRS')}"


def an_address(rng: random.Random) -> str:
    """House and street."""
    return f"{rng.randint(1, 250)} {rng.choice(_STREETS)}"


def _surname(rng: random.Random) -> tuple[str, str]:
    """A surname, and a character set that can write it."""
    if rng.random() < 0.15:
        name = rng.choice(_ACCENTED)
        return name, "ISO_IR 100" if name in _LATIN and rng.random() < 0.5 else "ISO_IR 192"
    charset = rng.choice(("", "", "ISO_IR 100", "ISO_IR 100", "ISO_IR 192"))
    return rng.choice(_SURNAMES_1) + rng.choice(_SURNAMES_2), charset
