"""Several files of one SOP instance: the same once more, complementary, or in contradiction."""

from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from smi_spark.schema import load_schema

# Of the file, not of the SOP instance: a lossless copy in another syntax is the same instance (PS3.4 B.2.2, PS3.5 10).
_OF_THE_FILE = ("TransferSyntaxUID", "value_errors")


def content() -> Column:
    """What makes two files of headers identical: the header bytes, the values left out of them, and the size."""
    return F.struct(F.sha2("header", 256).alias("header"), "size", "left_out")


def marked(files: DataFrame) -> DataFrame:
    """Adds ``is_copy`` (another file has the same content) and ``is_set_aside`` (another one was released).

    files: source, path, SOPInstanceUID, content, ``is_image`` (an image was made of it), ``is_refused`` (with its
    folder), ``released_by`` (the run in which a person released it, if any). Of identical ones the first is no copy:
    released, not refused, image, by source and path.
    """
    instance = Window.partitionBy("SOPInstanceUID")
    same = Window.partitionBy("SOPInstanceUID", "content").orderBy(
        F.desc_nulls_last("released_by"), "is_refused", F.desc("is_image"), "source", "path"
    )
    is_copy = F.row_number().over(same) > 1
    winning = F.max("released_by").over(instance)
    return files.withColumns(
        {"is_copy": is_copy, "is_set_aside": ~is_copy & winning.isNotNull() & ~F.col("released_by").eqNullSafe(winning)}
    )


def merged(files: DataFrame) -> DataFrame:
    """One row a SOP instance: the columns of its files, ``filled_from`` and ``contradicted``.

    files: what images hold of a file (``decode_files``) and ``is_image``. source, path and what belongs to the file are
    those of the first (that of the image, else by source and path), ``filled_from`` are the others, which fill its
    nulls. ``contradicted``: the columns in which they have different values; null where there are none.
    """
    count = F.count(F.lit(1)).over(Window.partitionBy("SOPInstanceUID"))
    counted = files.withColumn("count", count)
    file = StructType([StructField(name, StringType()) for name in ("source", "path")])
    added = [StructField("filled_from", ArrayType(file)), StructField("contradicted", ArrayType(StringType()))]
    schema = StructType([field for field in files.schema if field.name != "is_image"] + added)
    alone = counted.where("count = 1").select(
        *(F.col(f.name) if f.name in files.columns else F.lit(None).cast(f.dataType).alias(f.name) for f in schema)
    )
    # In Python, as an aggregate of all columns is a plan that takes longer to compile than such groups are many.
    several = counted.where("count > 1").drop("count").groupBy("SOPInstanceUID").applyInArrow(merge_files, schema)
    return alone.unionByName(several)


def merge_files(files: pa.Table) -> pa.Table:
    """The files of one SOP instance → one row, as ``merged`` says."""
    first, *others = sorted(files.to_pylist(), key=lambda row: (not row["is_image"], row["source"], row["path"]))
    row, contradicted = dict(first), []
    for name in compared_columns():
        values = [file[name] for file in (first, *others) if file[name] is not None]
        row[name] = values[0] if values else None
        if any(repr(value) != repr(values[0]) for value in values[1:]):  # a number that is none is itself only so
            contradicted.append(name)
    row["filled_from"] = [{"source": file["source"], "path": file["path"]} for file in others]
    row["contradicted"] = contradicted or None
    return pa.Table.from_pylist([row], _merged_schema(files.schema))


def compared_columns() -> list[str]:
    """The columns of images in which files of one SOP instance must not differ: all that are read from its data set."""
    return [name for name in load_schema("images").tags() if name not in _OF_THE_FILE]


def _merged_schema(given: pa.Schema) -> pa.Schema:
    file: Any = pa.struct([("source", pa.string()), ("path", pa.string())])
    kept = [field for field in given if field.name != "is_image"]
    return pa.schema([*kept, pa.field("filled_from", pa.list_(file)), pa.field("contradicted", pa.list_(pa.string()))])
