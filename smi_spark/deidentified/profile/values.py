"""Values of single elements: dummies, other dates, and whether what stands there is what its VR says."""

import copy
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from smi_spark.deidentified.dates import AGE_CAP

Move = Callable[[date], date | None]

DUMMY_TEXT = "ANONYMISED"
DATE_VRS = frozenset({"DA", "DT", "TM"})
TEXT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})

_ALIKE = (  # VRs that stand for each other in files that were not written with care
    TEXT_VRS,
    frozenset({"AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"}),
    frozenset({"OB", "OD", "OF", "OL", "OV", "OW"}),
)
_DUMMIES: dict[str, Any] = {
    **dict.fromkeys([*TEXT_VRS, "AE", "CS", "PN"], DUMMY_TEXT),
    **dict.fromkeys(["FD", "FL", "SL", "SS", "SV", "UL", "US", "UV", "US or SS"], 0),
    **dict.fromkeys(["OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW", "US or OW", "US or SS or OW"], bytes(8)),
    "AS": "000D",
    "AT": 0,
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "TM": "000000",
    "UR": "about:blank",
}
_SECONDS = r"([01]\d|2[0-3])(:?[0-5]\d(:?([0-5]\d|60)(\.\d{1,6})?)?)?"
_ZONE = r"[+-](0\d|1[0-4])[0-5]\d"
_DAY = re.compile(r"(\d{4})(\.?)(\d\d)\2(\d\d)")
_MOMENT = re.compile(rf"(?P<day>\d{{8}})(?P<rest>({_SECONDS})?({_ZONE})?)")
_PARTIAL = re.compile(rf"\d{{4}}(0[1-9]|1[0-2])?({_ZONE})?")
_FORMS = {
    "AS": re.compile(r"\d{3}[DWMY]"),
    "DS": re.compile(r"[+-]?(\d{1,32}\.?\d{0,32}|\.\d{1,32})([eE][+-]?\d{1,3})?"),
    "IS": re.compile(r"[+-]?\d{1,12}"),
    "TM": re.compile(_SECONDS),
    "UI": re.compile(r"[0-9.]{1,64}"),
}


def as_defined(element: DataElement) -> DataElement:
    """The element, or an empty one of its own VR where the file gives it another kind: a name hides in no number.

    Source: DICOM PS3.6 (the VR of each attribute).
    """
    if not dictionary_has_tag(element.tag):
        return element
    defined = dictionary_VR(element.tag)
    if defined == element.VR or any(_alike(element.VR, vr) for vr in defined.split(" or ")):
        return element
    return without_value(element.tag)


def values(element: DataElement) -> list[Any]:
    """The values of an element, none where it is empty."""
    if element.is_empty:
        return []
    return list(element.value) if isinstance(element.value, MultiValue) else [element.value]


def with_value(element: DataElement, value: Any) -> DataElement:
    """A new element of the same tag and VR."""
    other = DataElement(element.tag, element.VR, value)
    other.is_undefined_length = element.is_undefined_length
    return other


def with_values(element: DataElement, given: list[Any]) -> DataElement:
    """A new element of the same tag and VR with as many values as are given."""
    if not given:
        return emptied(element)
    return with_value(element, given if len(given) > 1 else given[0])


def emptied(element: DataElement) -> DataElement:
    """A new element of the same tag and VR without a value."""
    return DataElement(element.tag, element.VR, Sequence() if element.VR == "SQ" else None)


def without_value(tag: BaseTag) -> DataElement:
    """A new element of a tag of the dictionary, of its VR there, without a value."""
    return emptied(DataElement(tag, dictionary_VR(tag).split(" or ")[0], None))


def dummy(element: DataElement) -> DataElement:
    """A new element with a value that the VR allows and that says nothing; an empty one stays empty.

    Source: DICOM PS3.5 section 6.2 (VRs).
    """
    return emptied(element) if element.is_empty else DataElement(element.tag, element.VR, _DUMMIES[element.VR])


def copied(element: DataElement) -> DataElement | None:
    """The element as it is, or without a value where that is not what its VR says; None for UN, sequences, and what
    ``dated`` is for.

    So nothing hides in a number. Ages over 90 are 90.
    """
    if element.VR in ("SQ", "UN") or element.VR in DATE_VRS:
        return None
    form = _FORMS.get(element.VR)
    if form and not all(form.fullmatch(str(value).strip(" \0")) for value in values(element)):
        return emptied(element)
    if element.VR == "AS":
        return with_values(element, [_capped(str(value).strip()) for value in values(element)])
    if element.VR == "PN":  # holds the bytes it was read from
        return with_values(element, [str(value) for value in values(element)])
    return with_value(element, copy.deepcopy(element.value))


def dated(element: DataElement, move: Move, partial: bool) -> DataElement | None:
    """The element (DA, DT, TM) with its days moved, times of day as they are; None where a value is no date or time,
    where ``move`` gives nothing for it, and for one of a month or year alone unless ``partial``.

    A day has no zone: what stands behind it stays. Source: DICOM PS3.15 section E.3.6; PS3.5 section 6.2 (DA, DT, TM).
    """
    given = [str(value).strip(" \0") for value in values(element)]
    moved = [_moved(value, element.VR, move, partial) for value in given]
    return None if None in moved else with_values(element, moved)


def _alike(given: str, defined: str) -> bool:
    return given == defined or any(given in kind and defined in kind for kind in _ALIKE)


def _moved(value: str, vr: str, move: Move, partial: bool) -> str | None:
    if value == "" or (vr == "TM" and _FORMS["TM"].fullmatch(value)):
        return value
    if vr == "DT":
        if partial and _PARTIAL.fullmatch(value):
            return value
        moment = _MOMENT.fullmatch(value)
        digits = None if moment is None else _moved(moment["day"], "DA", move, partial)
        return None if moment is None or digits is None else digits + moment["rest"]
    parts = _DAY.fullmatch(value) if vr == "DA" else None
    try:
        day = None if parts is None else move(date(int(parts[1]), int(parts[3]), int(parts[4])))
    except (ValueError, OverflowError):
        return None
    return None if day is None else day.isoformat().replace("-", "")


def _capped(age: str) -> str:
    return f"{AGE_CAP:03}Y" if age.endswith("Y") and int(age[:3]) > AGE_CAP else age
