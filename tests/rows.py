"""Rows for tests: only the columns that matter are written out, the others of the schema are null."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import load_schema


def frame(spark: SparkSession, schema: str, rows: Sequence[Mapping[str, object]], zone: str = "secure") -> DataFrame:
    """``rows`` with every column that ``schemas/<schema>.yaml`` gives the table in ``zone``."""
    columns = load_schema(schema).spark(zone)
    unknown = {name for row in rows for name in row} - set(columns.names)
    assert not unknown, f"{unknown} are not columns of {schema}"
    return spark.createDataFrame([tuple(row.get(name) for name in columns.names) for row in rows], columns)


def fill(spark: SparkSession, config: Config, schema: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Add ``rows`` to the table of zone 1 that ``schemas/<schema>.yaml`` describes."""
    tables.append(frame(spark, schema, rows), tables.table(config, f"secure/{schema}"))
