"""What stands for identity in a data set that leaves the archive: given by who holds the key."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pydicom.dataelem import DataElement

from smi_spark.deidentified.dates import DatePolicy, mover
from smi_spark.deidentified.profile.values import Move
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid


def _no_text(_keyword: str, _text: str) -> str | None:
    return None


def _no_graphic(_element: DataElement) -> bool:
    return False


def _nobody(_keyword: str) -> None:
    pass


@dataclass(frozen=True)
class Replacements:
    """The values that a profile puts in place of others, for the data sets of one patient.

    patient_id: the patient's pseudonym; patient_name the same where none is given. uid: UID → pseudonymous UID, one
    to one (``pseudonymous_uid`` with the project's key). date: what becomes of a day, None where it cannot stay: the
    ``mover`` of the project's policy. Where it is given, no date stays as it is. partial_dates: whether a month or a
    year alone may stay, which a shift does not reach.
    text: (keyword, text) → the text that may stay, or None. graphic: whether an element of overlays, curves or
    annotations may stay as it is. Without these two nothing of the kind stays. report: told the keyword of each element
    whose date or time could not be read or moved, and was taken away.
    """

    patient_id: str
    uid: Callable[[str], str]
    patient_name: str = ""
    date: Move | None = None
    partial_dates: bool = False
    text: Callable[[str, str], str | None] = _no_text
    graphic: Callable[[DataElement], bool] = _no_graphic
    report: Callable[[str], None] = _nobody


def for_patient(key: bytes, patient_id: str, policy: DatePolicy) -> Replacements:
    """What a project with this key and date policy calls a patient of zone 2, the same as in its tables.

    Neither texts nor graphics stay: give judges of them with ``dataclasses.replace``.
    """
    return Replacements(
        pseudonym(key, "patient", patient_id),
        partial(pseudonymous_uid, key),
        date=None if policy == "keep" else mover(policy, key, patient_id),
        partial_dates=policy != "shift",
    )
