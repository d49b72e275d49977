"""CHI and NHS numbers, and telephone numbers, in free text, however their digits are grouped."""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from smi_spark.secure.chi import LENGTH

_DIGITS = re.compile(r"(?<!\d)\d+")
_SEPARATOR = re.compile(r" ?[ \-/.] ?")
_NHS_GROUPS = [[LENGTH], [3, 3, 4]]
_DOTTED = re.compile(r"(?<!\d\.)(?:\d{6} ?\. ?\d{4}|\d{3} ?\. ?\d{3} ?\. ?\d{4})(?!\.\d)")
_GROUPED = r"(?:[ .-]{0,2}\d)"
_PHONE = re.compile(
    rf"(?<![\w.+])(?:(?:\+44|0044)[ -]?(?:\(0\)[ -]?)?\d{_GROUPED}{{8,9}}|\(0\d{{2,5}}\)[ -]?\d{_GROUPED}{{4,7}}"
    rf"|0[ ]?[1-3578]\d{_GROUPED}{{7,8}})(?!\d)"
)
_PHONE_BY_WORD = re.compile(r"\b(?:tel|telephone|phone|ph|mob|mobile|fax)\b\W{0,3}(\d{3,5}[ -]?\d{3,6})(?!\d)", re.I)


class Part(NamedTuple):
    """A place in a text that a detector found: from ``start`` up to ``end``."""

    detector: str
    start: int
    end: int


def passes_modulus_11(digits: str) -> bool:
    """Whether ten digits end in their check digit: NHS and CHI numbers have the same.

    Source: NHS Data Dictionary, NHS number: weights 10 to 2, 11 less the remainder, 11 counts as 0, 10 is none.
    """
    return sum(int(digit) * (LENGTH - place) for place, digit in enumerate(digits)) % 11 == 0


def begins_with_date(digits: str) -> bool:
    """Whether the first six digits are a day, written DDMMYY; 29 February of 1900 and 2000 look alike."""
    day, month, year = (int(digits[place : place + 2]) for place in (0, 2, 4))
    try:
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True


def find_health_numbers(text: str) -> Iterator[Part]:
    """``chi`` and ``nhs`` numbers.

    Ten digits in one are a CHI number where they begin with a date, whatever their check digit: those issued since
    November 2025 may have another one, and people mistype. Groups with a space, hyphen, stroke or dot between them,
    and nine digits that have lost a leading zero, have to pass the check too; dots count
    between groups of 6-4 and 3-3-4 alone, as UIDs and versions have them. Else they are an NHS number where they pass
    the check, in one or grouped 3-3-4.
    """
    runs = [match.span() for match in _DIGITS.finditer(text)]
    taken = 0
    for place in range(len(runs)):
        for last in _joined(text, runs, place):
            start, end = runs[place][0], runs[last][1]
            found = _health_number([text[begin:ended] for begin, ended in runs[place : last + 1]])
            if "." in text[start:end] and not _is_dotted(text, start, end):
                continue
            if found and start >= taken:
                taken = end
                yield Part(found, start, taken)


def find_phones(text: str) -> Iterator[Part]:
    """UK ``phone`` numbers: of ten or eleven digits with their 0 or +44, or any digits behind a word that says so."""
    for match in _PHONE.finditer(text):
        digits = sum(character.isdigit() for character in match[0])
        if not (digits == LENGTH and match[0].isdigit()):  # ten digits in one: a CHI number, or a number of a list
            yield Part("phone", *match.span())
    for match in _PHONE_BY_WORD.finditer(text):
        yield Part("phone", *match.span(1))


def _joined(text: str, runs: list[tuple[int, int]], first: int) -> Iterator[int]:
    """The last run of each group of neighbours, from ``first`` on, that has nine or ten digits together."""
    length = 0
    for last in range(first, len(runs)):
        if last > first and not _SEPARATOR.fullmatch(text, runs[last - 1][1], runs[last][0]):
            return
        length += runs[last][1] - runs[last][0]
        if length > LENGTH:
            return
        if length >= LENGTH - 1:
            yield last


def _is_dotted(text: str, start: int, end: int) -> bool:
    """Whether these are the groups of a number, and no part of a version, a UID or a list."""
    match = _DOTTED.match(text, start)
    return match is not None and match.end() == end


def _health_number(groups: list[str]) -> str | None:
    digits = "".join(groups)
    passes = passes_modulus_11(digits.zfill(LENGTH))
    in_one = len(digits) == LENGTH and len(groups) == 1
    if begins_with_date(digits.zfill(LENGTH)) and (in_one or passes):
        return "chi"
    if passes and [len(group) for group in groups] in _NHS_GROUPS:
        return "nhs"
    return None
