"""A stand-in for the engine: the same results through pydicom, a file at a time."""

import os
import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pydicom

from smi_spark.dicom.columns import HeaderColumn, batch_schema, plan_columns, value_errors_field, written
from smi_spark.reasons import Reason

PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)


def read_headers(sources: Sequence[str | os.PathLike[str]], columns: Mapping[str, str] | None = None, *,
                 readers: int = 16, first_read: int = 16384, keep_binary: int = 4096, keep_text: int = 65536,
                 with_header: bool = False) -> pa.RecordBatch:
    plan = plan_columns(columns)
    schema = batch_schema(columns, with_header=with_header)
    rows = [{k: v for k, v in _row(os.fspath(s), plan).items() if k in schema.names} for s in sources]
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def decode_headers(headers: Any, left_out: Any = None, columns: Mapping[str, str] | None = None) -> pa.RecordBatch:
    plan = plan_columns(columns)
    schema = pa.schema([*(pa.field(c.name, c.type) for c in plan), value_errors_field()])
    rows = []
    for header in headers:
        values, errors = _values(_parse(header.as_py() or b""), plan)
        rows.append({**values, "value_errors": errors})
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def _parse(data: bytes) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(BytesIO(data), force=True, stop_before_pixels=True)
        except Exception:
            return pydicom.Dataset()


def _row(source: str, plan: Sequence[HeaderColumn]) -> dict[str, Any]:
    row: dict[str, Any] = {"source": source, "value_errors": [], "reason": None, "detail": None}
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        return {**row, "reason": Reason.UNREADABLE, "detail": error.strerror}
    row |= {"size": len(data), "bytes_read": len(data), "requests": 1, "left_out": []}
    if not data:
        return {**row, "reason": Reason.EMPTY_FILE, "detail": "0 bytes"}
    if data[128:132] != b"DICM":
        return {**row, "reason": Reason.NOT_DICOM, "detail": "no DICM at byte 128"}
    ds = _parse(data)
    row["header"] = data[: data.find(b"\xe0\x7f\x10\x00") if b"\xe0\x7f\x10\x00" in data else len(data)]
    values, errors = _values(ds, plan)
    row |= values | {"value_errors": errors}
    length = int(ds.get("Rows", 0)) * int(ds.get("Columns", 0))
    for key, reason in (("StudyInstanceUID", Reason.NO_STUDY_UID), ("SeriesInstanceUID", Reason.NO_SERIES_UID),
                        ("SOPInstanceUID", Reason.NO_SOP_UID)):
        if not ds.get(key):
            return {**row, "reason": reason, "detail": "absent"}
    if length and len(data) < len(row["header"]) + length * int(ds.get("BitsAllocated", 8)) // 8 and not (
        ds.file_meta.TransferSyntaxUID.is_compressed):
        return {**row, "reason": Reason.CUT_SHORT, "detail": "pixel data"}
    return row


def _values(ds: pydicom.Dataset, plan: Sequence[HeaderColumn]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    values, errors = {}, []
    for column in plan:
        try:
            found = [v for v in _find(ds, column.path) if v is not None and str(v) != ""]
            cast = [_cast(v, column.item_type) for v in found]
            values[column.name] = (cast or None) if column.is_list else (cast[0] if cast else None)
        except Exception as error:
            values[column.name] = None
            errors.append({"tag": written(column.path[-1]), "raw": "", "reason": type(error).__name__})
    return values, errors


def _find(ds: pydicom.Dataset, path: tuple[int, ...]) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        element = (ds.file_meta if path[0] >> 16 == 2 and "file_meta" in ds.__dict__ else ds).get(path[0])
        if element is None:
            return []
        if len(path) > 1:
            return [v for item in element.value for v in _find(item, path[1:])]
        value = element.value
    return list(value) if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]


def _cast(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_date(kind):
        text = str(value).replace(".", "")
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    if pa.types.is_int64(kind):
        return int(value)
    return float(value) if pa.types.is_floating(kind) else str(value).strip()
