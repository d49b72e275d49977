"""Why a file cannot be used, and where it says so."""

from typing import Any

import numpy as np
import pyarrow as pa

from smi_spark.dicom import layout as at
from smi_spark.dicom.arrays import Gathered
from smi_spark.dicom.arrow import sparse_texts
from smi_spark.dicom.columns import written
from smi_spark.dicom.files import Files
from smi_spark.dicom.plan import SERIES, SOP, STUDY
from smi_spark.dicom.walked import Walked
from smi_spark.reasons import Reason

_REASONS = {
    at.CUT: Reason.CUT_SHORT,
    at.PIXELS_CUT: Reason.CUT_SHORT,
    at.MALFORMED: Reason.MALFORMED,
    at.NOT_DICOM: Reason.NOT_DICOM,
    at.DIRECTORY: Reason.DICOM_DIRECTORY,
}
_WRONG = {
    at.W_NO_VR: "no value representation, and a length beyond its container",
    at.W_OVERRUN: "a length beyond its container",
    at.W_DEEP: f"nested deeper than {at.MAX_DEPTH // 2} sequences",
    at.W_NO_ITEM: "an element where a sequence must have an item",
    at.W_UNENDED: "a sequence or item that does not end where it must",
    at.W_STRAY: "a delimiter that ends nothing",
    at.W_UNDEFINED: "an undefined length with a value representation that has none",
}
_UIDS = (
    (STUDY, Reason.NO_STUDY_UID, "(0020,000D)"),
    (SERIES, Reason.NO_SERIES_UID, "(0020,000E)"),
    (SOP, Reason.NO_SOP_UID, "(0008,0018)"),
)


def explain(files: Files, batch: Walked, gathered: Gathered) -> tuple["pa.Array[Any]", "pa.Array[Any]"]:
    """``reason`` and ``detail`` of each source of the batch; null for a good one. Details hold no values."""
    found: dict[int, tuple[Reason, str]] = {}
    for slot, reason, tag in reversed(_UIDS):
        for row in np.flatnonzero(~gathered.present(slot) & (batch.state[:, at.STATUS] == at.DONE)):
            found[int(row)] = reason, f"{tag} is absent or empty"
    for status, reason in _REASONS.items():
        for row in batch.with_status(status):
            found[int(row)] = reason, _where(batch, int(row))
    for row in np.flatnonzero(files.sizes == 0):
        found[int(row)] = Reason.EMPTY_FILE, "0 bytes"
    found |= files.errors
    reasons = sparse_texts({row: reason.value for row, (reason, _) in found.items()}, batch.rows)
    return reasons, sparse_texts({row: detail for row, (_, detail) in found.items()}, batch.rows)


def _where(batch: Walked, row: int) -> str:
    state = batch.state[row]
    place = f"{written(int(state[at.TAG]))} at byte {state[at.FILE]}"
    size = int(state[at.SIZE])
    match int(state[at.STATUS]):
        case at.NOT_DICOM:
            return "no DICM at byte 128, and no data element at byte 0"
        case at.DIRECTORY:
            return "media storage SOP class is the media storage directory"
        case at.PIXELS_CUT:
            return f"pixel data {place} is {state[at.LENGTH]} bytes long; the file ends at byte {size}"
        case at.CUT:
            return f"the file ends at byte {size}, in the element at byte {state[at.FILE]}"
        case _:
            return f"{place}: {_WRONG[int(state[at.WHAT])]}"
