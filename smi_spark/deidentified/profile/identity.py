"""Who the patient is, said where nothing should say it: values that were to stay, looked at once more."""

import re
from dataclasses import dataclass

from pydicom.dataelem import DataElement

from smi_spark.deidentified.profile.values import TEXT_VRS, values
from smi_spark.deidentified.text.numbers import find_health_numbers
from smi_spark.secure.chi import ids_in

SHORTEST = 6  # shorter ids stand in other texts by chance

_TEXTS = TEXT_VRS | {"AE", "CS", "PN", "UR"}
_NUMBERS = {"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"}
_DIVIDERS = re.compile(r"[\s\x00:./^=_-]")


@dataclass(frozen=True)
class Identity:
    """The ids by which a data set names its patient, as ``patient_identity`` writes them."""

    ids: frozenset[str] = frozenset()

    def is_meant(self, text: str) -> bool:
        """Whether a patient id within the data set is the patient's; where the data set names none, any is."""
        return not self.ids or bool(ids_in(text) & self.ids)

    def is_said_by(self, element: DataElement) -> bool:
        """Whether a value is, or holds, one of the ids, whatever stands between its letters; a text also where it holds
        anybody's CHI or NHS number. Sequences and bytes are not looked at."""
        given = values(element)
        if element.VR in _NUMBERS:
            return any(float(value) == float(one) for value in given for one in self.ids if _is_long_number(one))
        if element.VR in ("SQ", "AT") or isinstance(element.value, bytes):
            return False
        texts = [str(value) for value in given]
        if element.VR in _TEXTS and any(next(find_health_numbers(text), None) for text in texts):
            return True
        return any(self._is_in(text) for text in texts)

    def _is_in(self, text: str) -> bool:
        closed = _closed(text)
        # A number that lost its leading zero is the same number.
        wanted = (_closed(one).lstrip("0") if _is_long_number(one) else _closed(one) for one in self.ids)
        return any(len(one) >= SHORTEST and one in closed for one in wanted)


def identity_of(patient_id: DataElement | None) -> Identity:
    """The ids in a data set's PatientID; none where it has none."""
    return Identity() if patient_id is None else Identity(ids_in(text_of(patient_id)))


def text_of(element: DataElement) -> str:
    """The values of an element as they stand in a file, backslashes between them."""
    return "\\".join(str(value) for value in values(element))


def _closed(text: str) -> str:
    return _DIVIDERS.sub("", text).casefold()


def _is_long_number(text: str) -> bool:
    return len(text) >= SHORTEST and text.isascii() and text.isdigit()
