"""pydicom's reading of the same columns: what the engine is held against."""

import re
import warnings
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pydicom
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

from smi_spark.dicom.columns import HeaderColumn, plan_columns

TIME = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d(:?([0-5]\d|60)(\.\d*)?)?)?")


def read(path: Path, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Column → value for one file; a column whose value does not parse is None.

    The one normalisation: padding (spaces, zeros) is cut off each value where its VR gives it no meaning, what is then
    empty is None, several texts in a column for one stand joined by backslashes, dates are dates; bytes of no
    known VR are text.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        return {column.name: _column(ds, column) for column in plan_columns(columns)}


def _column(ds: pydicom.Dataset, column: HeaderColumn) -> Any:
    try:
        elements = list(_elements(ds, column.path))
        if not column.is_list:
            return _one(elements[0], column.type) if elements else None
        values = [value for element in elements for value in _several(element, column.item_type)]
        return values or None
    except (ValueError, TypeError, OverflowError):
        return None


def _elements(ds: pydicom.Dataset, path: tuple[int, ...]) -> Iterator[DataElement]:
    if path[0] >> 16 == 2:
        ds = getattr(ds, "file_meta", ds)
    if path[0] not in ds:
        return
    element = ds[path[0]]
    if len(path) == 1:
        yield element
    else:
        for item in element.value if element.VR == "SQ" else ():
            yield from _elements(item, path[1:])


def _one(element: DataElement, kind: pa.DataType) -> Any:
    value = element.value
    if isinstance(value, MultiValue | list):
        if not pa.types.is_string(kind):
            raise ValueError("several")
        value = "\\".join(map(str, value))
    return _cast(value, element.VR, kind)


def _several(element: DataElement, kind: pa.DataType) -> list[Any]:
    values = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    found = [_cast(value, element.VR, kind) for value in values]
    return [] if found == [None] else found


def _cast(value: Any, vr: str, kind: pa.DataType) -> Any:
    text = value.decode("latin-1") if isinstance(value, bytes) else "" if value is None else str(value)
    text = text.rstrip(" \0") if vr in ("LT", "ST", "UT", "UR", "UC") else text.strip(" \0")
    if text == "":
        return None
    if pa.types.is_string(kind):
        if vr == "TM" and not TIME.fullmatch(text):
            raise ValueError("time")
        return text
    if pa.types.is_date(kind):
        match = re.fullmatch(r"(\d{4})(\.?)(\d\d)\2(\d\d)", text)
        if match is None:
            raise ValueError("date")
        return date(int(match[1]), int(match[3]), int(match[4]))
    if pa.types.is_integer(kind):
        if float(value) != int(value):
            raise ValueError("fraction")
        return int(value)
    return float(value)
