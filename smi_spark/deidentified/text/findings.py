"""What says in a text who somebody is: every detector, then the rules."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from smi_spark.deidentified.text.names import find_names, find_titled
from smi_spark.deidentified.text.numbers import Part, find_health_numbers, find_phones
from smi_spark.deidentified.text.places import find_dates, find_emails, find_postcodes
from smi_spark.deidentified.text.rules import Rules, shipped_rules

DETECTORS = ("chi", "nhs", "date", "postcode", "phone", "email", "title", "name")
_BY_DIGITS: tuple[Callable[[str], Iterator[Part]], ...] = (find_health_numbers, find_phones, find_dates, find_postcodes)
_NUMBERS = {"chi", "nhs", "phone", "date"}


class Finding(NamedTuple):
    """``part`` of a text, from ``start`` up to ``end``; ``detector`` is one of ``DETECTORS`` or the name of a rule."""

    detector: str
    start: int
    end: int
    part: str


def find_identifiers(text: str, names: str | None = None, rules: Rules | None = None) -> list[Finding]:
    """What in the text says who somebody is, in order.

    names: PatientName of the person whose text it is, where known; several joined by a backslash.
    rules: those of the column (default: all of ``conf/text``).
    Of numbers that overlap the first counts, in the order of ``DETECTORS``.
    """
    rules = shipped_rules() if rules is None else rules
    by_digits = _first(chain.from_iterable(d(text) for d in _BY_DIGITS)) if any(map(str.isdigit, text)) else []
    found = [*by_digits, *find_titled(text), *rules.reported(text)]
    if "@" in text:
        found += find_emails(text)
    if names:
        found += find_names(text, names)
    return [Finding(*part, text[part.start : part.end]) for part in sorted(rules.kept(text, found), key=_place)]


def has_name(text: str, names: str, rules: Rules) -> bool:
    """Whether a word of ``names`` (as for ``find_identifiers``) stands in the text and no rule takes it away."""
    return bool(rules.kept(text, list(find_names(text, names))))


def _first(found: Iterator[Part]) -> list[Part]:
    kept: list[Part] = []
    for part in found:
        numbers = [k for k in kept if k.detector in _NUMBERS]
        if part.detector not in _NUMBERS or all(part.end <= k.start or part.start >= k.end for k in numbers):
            kept.append(part)
    return kept


def _place(part: Part) -> tuple[int, int, str]:
    return part.start, part.end, part.detector
