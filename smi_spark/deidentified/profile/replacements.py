"""What stands for identity in a data set that leaves the archive: given by who holds the key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from pydicom.dataelem import DataElement


def _no_text(_keyword: str, _text: str) -> str | None:
    return None


def _no_graphic(_element: DataElement) -> bool:
    return False


@dataclass(frozen=True)
class Replacements:
    """The values that a profile puts in place of others, for the data sets of one patient.

    patient_id: the patient's pseudonym; patient_name the same where none is given. uid: UID → pseudonymous UID, one
    to one (``pseudonymous_uid`` with the project's key). date: the patient's shift, where dates are modified.
    text: (keyword, text) → the text that may stay, or None. graphic: whether an element of overlays, curves or
    annotations may stay as it is. Without the last two nothing of the kind stays.
    """

    patient_id: str
    uid: Callable[[str], str]
    patient_name: str = ""
    date: Callable[[date], date] | None = None
    text: Callable[[str, str], str | None] = _no_text
    graphic: Callable[[DataElement], bool] = _no_graphic
