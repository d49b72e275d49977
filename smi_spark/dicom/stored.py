"""Stored headers on their way to the tokeniser, and which of them lack values that were left out."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smi_spark.config import Ingest
from smi_spark.dicom import layout as at
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.plan import Numbers, Plan, make_plan
from smi_spark.dicom.walked import Walked

_SHORT = 4096  # sequences up to this length in which nothing is wanted are stored without going down into them


def keep_limits(keep_binary: int, keep_text: int) -> Numbers:
    """The limits of the tokeniser where headers are stored: of binary values, of others, and of short sequences."""
    return np.array([keep_binary, keep_text, min(keep_binary, keep_text, _SHORT)], np.int64)


def unwalked(headers: Any, plan: Plan, limits: Numbers) -> Walked:
    """Stored headers (a binary array in one piece) as a batch before the first step, without a copy."""
    content, offsets = _binary_parts(headers)
    batch = Walked(plan, len(headers), Arena(content), limits)
    batch.state[:, at.POS] = batch.state[:, at.PIECE] = offsets[:-1]
    batch.state[:, at.END] = offsets[1:]
    return batch


def walked_again(headers: Any, left_out: Any = None) -> Walked:
    """Stored headers under the walk that stored them, with the keep limits that ``ingest`` has by default."""
    defaults = Ingest()
    batch = unwalked(headers, make_plan({}), keep_limits(defaults.keep_binary, defaults.keep_text))
    batch.state[:, at.LEAVE] = 1
    if left_out is not None:
        batch.gaps_known(left_out)
    batch.walk(np.arange(len(headers)))
    return batch


def lacking(headers: "pa.Array[Any]") -> npt.NDArray[np.bool_]:
    """Which stored headers lack values: those that cannot be decoded without ``left_out``.

    A header is stored up to where an element begins, and holds no value over the keep limits. Walked again, it lacks
    some where a value is longer than they allow: its bytes are not there, and those that follow are not its own. Also
    where the walk does not end with the header's last byte, which shows that values were left out after lower limits
    than the default ones; chance can hide that where more header follows a gap than was left out.
    """
    batch = walked_again(headers)
    status, state = batch.state[:, at.STATUS], batch.state
    ended = (status == at.MORE) & (state[:, at.POS] == state[:, at.END])
    found: npt.NDArray[np.bool_] = ~(ended | np.isin(status, (at.DONE, at.DEFLATED, at.DIRECTORY, at.NOT_DICOM)))
    found[batch.rows_with_gaps()] = True
    return found


def _binary_parts(headers: Any) -> tuple[Any, Numbers]:
    """The buffer of a binary array, and where each value begins and ends in it, without a copy."""
    if not pa.types.is_binary(headers.type) and not pa.types.is_large_binary(headers.type):
        headers = headers.cast(pa.large_binary())
    width: Any = np.int32 if pa.types.is_binary(headers.type) else np.int64
    _, offsets, content = headers.buffers()
    if offsets is None or content is None:
        return np.zeros(0, np.uint8), np.zeros(len(headers) + 1, np.int64)
    ends = np.frombuffer(offsets, width)[headers.offset : headers.offset + len(headers) + 1]
    return np.frombuffer(content, np.uint8), ends.astype(np.int64)
