"""Stored headers in the DICOM JSON model, one object at a time by pydicom: the slow way, for all elements at once.

Source: DICOM PS3.18 annex F (DICOM JSON model).
"""

import json
import math
import warnings
import zlib
from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from smi_spark.dicom import layout as at
from smi_spark.dicom.arrow import sparse_texts
from smi_spark.dicom.stored import walked_again
from smi_spark.dicom.storedfile import StoredFile

_MOST = 64 << 20  # bytes to which a header inflates at most

Gaps = Mapping[int, int]  # offset in the file → length of a value that was left out


def json_headers(headers: "pa.Array[Any]", left_out: "pa.Array[Any] | None" = None) -> "pa.Array[Any]":
    """The data sets of stored headers as JSON, one text a header; null where pydicom finds none.

    As ``pydicom.Dataset.to_json_dict`` gives them, elements in order of their tags, without the group lengths that the
    standard forbids. A value that was left out has its vr and no value. One that pydicom cannot convert is there as its
    bytes, with vr UN; numbers that JSON does not have are texts (``"nan"``, ``"inf"``). Of a header that is a part of
    one there is what the part holds.
    """
    batch = walked_again(headers, left_out)
    deflated = {row: int(batch.state[row, at.FILE]) for row in batch.with_status(at.DEFLATED).tolist()}
    texts: dict[int, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in np.flatnonzero(batch.state[:, at.STATUS] != at.NOT_DICOM).tolist():
            gaps = {} if left_out is None else {gap["offset"]: gap["length"] for gap in left_out[row].as_py() or ()}
            text = _json(StoredFile(headers[row].as_py(), gaps), gaps, deflated.get(row))
            if text is not None:
                texts[row] = text
    return sparse_texts(texts, len(headers))


def _json(file: StoredFile, gaps: Gaps, deflated: int | None) -> str | None:
    """``deflated``: the place where a deflated data set begins."""
    try:
        ds = _read(file) if deflated is None else _inflate(file, deflated)
        return json.dumps(_model(ds, gaps), ensure_ascii=False, separators=(",", ":"))
    except Exception:  # whatever pydicom raises at what it cannot read
        return None


def _read(file: Any) -> Dataset:
    return dcmread(file, force=True, stop_before_pixels=True)


def _inflate(file: StoredFile, place: int) -> Dataset:
    """The data set as far as its bytes go: those of a stored header may end before their stream does."""
    file.seek(place)
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), _MOST)
    return read_dataset(BytesIO(inflated), is_implicit_VR=False, is_little_endian=True, stop_when=_at_pixels)


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
    return int(tag) >= 0x7FE00008


def _model(ds: Dataset, gaps: Gaps, begin: int = 0) -> dict[str, Any]:
    """``begin``: where in the file those bytes begin in which pydicom counts the places of elements."""
    return {f"{tag:08X}": _element(ds, tag, gaps, begin) for tag in sorted(ds.keys()) if tag & 0xFFFF}


def _element(ds: Dataset, tag: BaseTag, gaps: Gaps, begin: int) -> dict[str, Any]:
    found = ds.get_item(tag)
    raw = found if isinstance(found, RawDataElement) else None
    if raw and _is_left_out(raw, gaps, begin):
        ds[tag] = raw._replace(length=0, value=b"")
        return {"vr": ds[tag].VR}
    try:
        element = ds[tag]
        if element.VR == "SQ":
            inner = begin + raw.value_tell if raw else begin
            return {"vr": "SQ", "Value": [_model(item, gaps, inner) for item in element.value]}
        return _finite(element.to_json_dict(None, 0))
    except Exception:
        if raw is None:
            raise
        return {"vr": "UN", "InlineBinary": b64encode(raw.value or b"").decode()}


def _is_left_out(raw: RawDataElement, gaps: Gaps, begin: int) -> bool:
    """Whether the value, or a fragment of it, was left out."""
    place = begin + raw.value_tell
    if raw.length != at.UNDEFINED:
        return place in gaps
    return any(place <= offset < place + len(raw.value or b"") for offset in gaps)


def _finite(element: dict[str, Any]) -> dict[str, Any]:
    values = element.get("Value", ())
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        element["Value"] = [v if not isinstance(v, float) or math.isfinite(v) else str(v) for v in values]
    return element
