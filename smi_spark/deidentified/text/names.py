"""Names in free text: behind a title, or those that the person's own record has."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from smi_spark.deidentified.text.numbers import Part

_SPELLED_OUT = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
_NOBODY = {"baby", "boy", "girl", "infant", "twin", "unknown", "test", "patient", "anonymous", "van", "von", "der",
           "den", "de", "du", "la", "le", "of", "mr", "mrs", "ms", "miss", "dr", "prof", "jr", "sr"}  # fmt: skip
LAST_LATIN = "\u02af"
_WORD = re.compile(r"[^\W\d_]+")
_JOIN = re.compile(r"[ '’\-]")

_TITLES = r"(?:Mr|Mrs|Ms|Miss|Mx|Drs?|Doctor|Prof|Professor|Sister|Master|Rev|Reverend|Sir|Lady|Nurse)"
_CAPITALS = _TITLES.upper()
_PARTICLE = r"(?:[Vv]an|[Vv]on|[Dd]er|[Dd]en|[Dd]e|[Dd]i|[Dd]u|[Ll]a|[Ll]e|[Aa]l|[Bb]in|VAN|VON|DER|DEN|DE|DI|DU|LA|LE)"
_INITIAL = r"[A-Z]\.?"
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
_NAME = rf"(?:{_PARTICLE}[ ]){{0,2}}[{_UPPER}][{_UPPER}{_LOWER}]*(?:['’\-][{_UPPER}{_LOWER}]{{2,}})*"
_GAP = r"[ ._^,]{1,2}"
_BETWEEN = r"[ .^]{1,2}"
_TITLED = re.compile(
    rf"(?<![{_UPPER}{_LOWER}0-9])(?:(?:{_TITLES}|{_CAPITALS}){_GAP}){{0,3}}(?:{_TITLES}|{_CAPITALS})"
    rf"(?:{_GAP}(?:{_INITIAL}{_BETWEEN}){{0,3}}|(?=[{_UPPER}][{_LOWER}]))(?!{_TITLES}\b)"
    rf"(?:{_NAME})(?<![ .])(?:{_BETWEEN}(?=[{_UPPER}][{_UPPER}{_LOWER}]){_NAME}){{0,2}}"
)
_TITLED_SMALL = re.compile(rf"\b(?:mr|mrs|dr|prof|doctor)[ .]{{1,2}}[{_LOWER}]['’]?[{_LOWER}]{{2,}}")


def find_titled(text: str) -> Iterator[Part]:
    """``title``: a title with the words of a name behind it, in capitals or with a capital first.

    All in small letters, one word behind a title counts.
    """
    for pattern in (_TITLED, _TITLED_SMALL):
        for match in pattern.finditer(text):
            yield Part("title", *match.span())


def find_names(text: str, names: str) -> Iterator[Part]:
    """``name``: whole words of ``names`` (PatientName as DICOM writes it, several joined by a backslash) in the text.

    Capitals, accents, apostrophes, ``Mac`` or ``Mc``, and whether a double name is written in one make no difference;
    the family name counts with an initial glued to it too. Words of a single
    Latin letter and those that name nobody (``BABY``, ``VAN``) are not looked for.
    """
    known = name_words(names)
    words = [match.span() for match in _WORD.finditer(text)] if known else []
    taken = 0
    for place, (start, _) in enumerate(words):
        for last in reversed(range(place, min(place + 3, len(words)))):
            joined = all(_JOIN.fullmatch(text, words[i][1], words[i + 1][0]) for i in range(place, last))
            spelled = _closed(text[start : words[last][1]])
            if joined and start >= taken and spelled in known:
                taken = words[last][1]
                yield Part("name", start, taken)


@lru_cache(maxsize=4096)
def name_words(names: str) -> frozenset[str]:
    """What is looked for of a name, folded: each component, each word of one, and all of a group in one."""
    found = set()
    for group in re.split(r"[=\\]", names):
        components = [component.split() for component in group.split("^")]
        somebody = [words for words in components if not {_closed(word) for word in words} <= _NOBODY]
        words = [part for component in somebody for word in component for part in (word, *word.split("-"))]
        in_one = ["".join(component) for component in somebody]
        found |= {_closed(text) for text in [*words, *in_one, "".join(in_one)]}
        found |= {form for family in map(_closed, in_one[:1]) for form in _with_initials(family, in_one[1:])}
    return frozenset(word for word in found - _NOBODY if len(word) > 1 or word > LAST_LATIN)


def folded(text: str) -> str:
    """Small letters without accents: ``Núñez`` and ``NUNEZ`` are the same."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(_SPELLED_OUT.get(c, c) for c in plain if not unicodedata.combining(c))


def _with_initials(family: str, others: list[str]) -> Iterator[str]:
    """``KerrD`` and ``DKerr``; and the plural or genitive that lacks its apostrophe."""
    initials = {_closed(other)[:1] for other in others} - {""}
    for initial in initials:
        yield from (family + initial, initial + family)
    yield from (_closed(name) + "s" for name in [family, *others] if len(name) > 3)


def _closed(name: str) -> str:
    return re.sub("^mac(?=...)", "mc", "".join(_WORD.findall(folded(name))))
