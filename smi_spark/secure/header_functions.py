"""Functions of the ``header`` column of ``secure/headers``: one element as text, all of it as JSON or VARIANT.

Both for DataFrames, and in SQL after ``smi_spark.register(spark)``. A stored header lacks the bytes of values over the
keep limits; the column ``left_out`` beside it says which. Without it as last argument a header that has such gaps
cannot be decoded, and the query ends with an InputError that asks for it.
"""

from functools import reduce
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf
from pyspark.sql.types import StringType

from smi_spark.dicom import decode_headers
from smi_spark.dicom.columns import plan_columns
from smi_spark.dicom.jsonmodel import json_headers
from smi_spark.dicom.stored import lacking
from smi_spark.errors import InputError
from smi_spark.schema import load_schema

_LEFT_OUT = load_schema("headers").column("left_out").type.replace("long", "bigint")
_VARIANT = f"""
CREATE OR REPLACE TEMPORARY FUNCTION dicom_variant(header BINARY, left_out {_LEFT_OUT} DEFAULT NULL)
RETURNS VARIANT RETURN try_parse_json(dicom_json(header, left_out))
"""


def dicom_tag(header: Column | str, keyword: str, left_out: Column | str | None = None) -> Column:
    """The value of one element as text, null where the header has no such element or its value was left out.

    In SQL: ``dicom_tag(header, 'EchoTime')``, ``dicom_tag(header, 'EchoTime', left_out)``.

    keyword: DICOM keyword, path of keywords joined by dots, or ``(gggg,eeee)``. The text is as it stands in the file
    (dates as YYYYMMDD, numbers as they were written), without padding, in UTF-8; binary numbers as Python writes them,
    tags as ``(gggg,eeee)``. Several values, or those of several items, are joined by backslashes.
    Decoded by the header engine, a batch at a time.
    Raises InputError for a keyword that is not in the dictionary, naming the nearest one.
    """
    _check(keyword)
    text: Column = _TAG(header, F.lit(keyword), _given(left_out))
    return text


def dicom_json(header: Column | str, left_out: Column | str | None = None) -> Column:
    """The header in the DICOM JSON model (PS3.18 annex F) as pydicom gives it, without file meta and pixel data.

    In SQL: ``dicom_json(header)``, ``dicom_json(header, left_out)``.

    Values that were left out have their vr and no value. Null where there is no header, or one that pydicom cannot
    read. This is the slow way, one Python object an element: 300 to 650 headers a second and core, of 2 to 4 kB each,
    where ``dicom_tag`` takes 300,000 and more.
    """
    text: Column = _JSON(header, _given(left_out))
    return text


def dicom_variant(header: Column | str, left_out: Column | str | None = None) -> Column:
    """``dicom_json`` as VARIANT: ``variant_get(dicom_variant(header, left_out), '$.00180081.Value[0]', 'double')``."""
    return F.try_parse_json(dicom_json(header, left_out))


def register_functions(spark: SparkSession) -> None:
    """Make the three functions known to the SQL of a session, their last argument optional."""
    spark.udf.register("dicom_tag", _TAG)
    spark.udf.register("dicom_json", _JSON)
    spark.sql(_VARIANT)


def _given(left_out: Column | str | None) -> Column:
    """The column, or null, which says that nobody knows."""
    if left_out is None:
        return F.lit(None).cast(_LEFT_OUT)
    return F.col(left_out) if isinstance(left_out, str) else left_out


def _check(keyword: str) -> None:
    plan_columns({"dicom_tag": keyword}, as_text=True)


def _tag(header: pa.Array, keyword: pa.Array, left_out: pa.Array = None) -> pa.Array:  # type: ignore[type-arg, assignment]
    """One batch of ``dicom_tag``; its keywords are nearly always one and the same."""
    _refuse_gaps(header, left_out, "dicom_tag(header, keyword, left_out)")
    paths = [path for path in keyword.unique().to_pylist() if path is not None]
    for path in paths:
        _check(path)
    found = decode_headers(header, left_out, {path: path for path in paths}, as_text=True)
    texts = [_joined(found[path]) for path in paths]
    return reduce(
        lambda other, one: pc.if_else(pc.equal(keyword, one[0]), one[1], other),
        zip(paths, texts, strict=True),
        pa.nulls(len(header), pa.string()),
    )


def _json(header: pa.Array, left_out: pa.Array = None) -> pa.Array:  # type: ignore[type-arg, assignment]
    """One batch of ``dicom_json``."""
    _refuse_gaps(header, left_out, "dicom_json(header, left_out)")
    return json_headers(header, left_out)


# Their type hints tell Spark how they are called.
_TAG = cast(Any, arrow_udf)(_tag, StringType())
_JSON = cast(Any, arrow_udf)(_json, StringType())


def _refuse_gaps(header: Any, left_out: Any, whole: str) -> None:
    unknown = header if left_out is None else header.filter(left_out.is_null())
    count = int(lacking(unknown).sum()) if len(unknown) else 0
    if count:
        raise InputError(
            f"{count:,} of {len(header):,} headers lack values that were left out when they were stored, and it was "
            f"not said which, so they cannot be decoded. Give the column left_out as the last argument: {whole}."
        )


def _joined(column: Any) -> Any:
    """The texts of each row in one."""
    if not pa.types.is_list(column.type):
        return column
    texts = pa.ListArray.from_arrays(column.offsets, pc.fill_null(column.values, ""))
    return pc.if_else(column.is_valid(), pc.binary_join(texts, "\\"), pa.scalar(None, pa.string()))
