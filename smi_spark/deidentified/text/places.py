"""Dates, postcodes and addresses of e-mail in free text."""

import re
from collections.abc import Iterator

from smi_spark.deidentified.text.numbers import Part

_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d\d"
_ANY_YEAR = rf"(?:{_YEAR}|'?\d\d)"
# March and May are words of other things (metal artefact reduction, "may repeat"): only with a year are they months.
_NAMES = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_SURE = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|march|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_ORDINAL = r"(?:st|nd|rd|th)"
_GAP = r"[ .,/_^-]{0,2}"
_FREE, _END = r"(?<![\d./-])", r"(?![./-]?\d)"  # not within a longer number, version or fraction
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_FREE}{_DAY}([./-]){_MONTH}\1{_ANY_YEAR}{_END}",
        rf"{_FREE}{_DAY}[ ]?([./ -])[ ]?{_MONTH}[ ]?\1[ ]?{_YEAR}{_END}",
        rf"{_FREE}{_MONTH}([./-]){_DAY}\1{_YEAR}{_END}",  # as Americans write it
        rf"{_FREE}{_YEAR}([./_ -]){_MONTH}\1{_DAY}(?!\d)",
        rf"(?<!\d){_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?=\d{{6}}(?!\d)|(?!\d))",  # DA, DT
        rf"(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}(?!\d)",
        r"(?:(?<=dob)|(?<=d\.o\.b)|(?<=born))[ .:]{0,2}(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d(?!\d)",
        rf"{_FREE}{_YEAR}-(?:0[1-9]|1[0-2]){_END}",
        rf"{_FREE}(?:0[1-9]|1[0-2])/{_YEAR}{_END}",
        rf"{_FREE}{_DAY}{_ORDINAL}?(?:[ ]of)?{_GAP}{_NAMES}{_GAP}{_ANY_YEAR}(?![\d.])",
        rf"{_FREE}{_DAY}{_ORDINAL}?(?:[ ]of)?[ _-]?{_SURE}(?![a-z])",
        rf"{_FREE}{_DAY}(?:{_ORDINAL}[ ]|[ ]of[ ]|{_ORDINAL}[ ]of[ ]){_NAMES}(?![a-z])",
        rf"(?<![a-z]){_NAMES}{_GAP}{_DAY}{_ORDINAL}?{_GAP}{_YEAR}(?!\d)",
        rf"(?<![a-z]){_SURE}[ _]{_DAY}{_ORDINAL}?(?![\d./])",
        rf"(?<![a-z]){_NAMES}(?:{_GAP}{_YEAR}|[ ]?'\d\d)(?!\d)",
    )
]
_POSTCODE = re.compile(
    r"(?<![A-Z0-9])[A-Z]{1,2}\d[A-Z\d]?[ .-]{0,2}[\dO][ABD-HJLNP-UW-Z]{2}(?![A-Z0-9])", re.IGNORECASE
)
_EMAIL = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,63}", re.IGNORECASE)


def find_dates(text: str) -> Iterator[Part]:
    """``date``: a day, or a month of a year, in figures or words; two figures alone (``30/04``) are none."""
    found: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if all(end <= begun or start >= ended for begun, ended in found):
                found.append((start, end))
                yield Part("date", start, end)


def find_postcodes(text: str) -> Iterator[Part]:
    """``postcode``: what has the shape of one of the United Kingdom, of any area; with or without its space.

    Source: BS 7666, UK Government Data Standards Catalogue: the inward code has none of C, I, K, M, O, V.
    """
    for match in _POSTCODE.finditer(text):
        yield Part("postcode", *match.span())


def find_emails(text: str) -> Iterator[Part]:
    """``email``: an address of e-mail."""
    for match in _EMAIL.finditer(text):
        yield Part("email", *match.span())
