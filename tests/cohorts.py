"""Definitions for tests, and what many of them choose in one Spark job."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from smi_spark.analysis.definition import Definition, read_definition


def cohort(**fields: Any) -> Definition:
    return read_definition({"cohort": "c", "project": "p", "question": "Who?", **fields}, "test.yaml")


def local_rows(spark: SparkSession, schema: str, rows: Sequence[Sequence[Any]]) -> DataFrame:
    """Rows that stand in the plan itself, so that a plan of very many joins needs no job for each."""
    types = to_arrow_schema(StructType.fromDDL(schema))
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), types, strict=True)]
    return spark.createDataFrame(pa.table(columns, schema=types))


def chosen_of(selections: Mapping[str, DataFrame]) -> dict[str, list[str]]:
    """Name of a selection → its SOPInstanceUIDs, sorted; all of them in one job."""
    named = [rows.select(F.lit(name).alias("name"), "SOPInstanceUID") for name, rows in selections.items()]
    found: dict[str, list[str]] = {name: [] for name in selections}
    for row in in_one_job(named):
        found[row["name"]].append(row["SOPInstanceUID"])
    return {name: sorted(uids) for name, uids in found.items()}


def in_one_job(frames: Sequence[DataFrame]) -> list[Row]:
    """The rows of all of them, planned once: not again after each of a hundred small stages."""
    spark = frames[0].sparkSession
    before = spark.conf.get("spark.sql.adaptive.enabled")
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    try:
        return reduce(DataFrame.unionAll, frames).collect()
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", before)
