"""What happened to people, one row a code: all coded columns of the record tables of zone 2 under one another."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import TableSchema, record_tables

VIEW = "events"
_FEW = 16  # beginnings of codes that are compared one by one, by which files can be skipped
EMPTY = ", ".join(
    f"{name} {'date' if name == 'event_date' else 'string'}"
    for name in ("patient_id", "event_date", "record_table", "column", "code", "code_system", "text")
)


def register_events(spark: SparkSession, config: Config) -> DataFrame:
    """Make ``events`` known to SQL, over the record tables that zone 2 has; gives its rows.

    Columns: patient_id, event_date, record_table (``smr01``), column (``MAIN_CONDITION``), code as the record has it,
    code_system (``ICD-10``), text (what the record calls it, where it does). The name lasts as long as the session.
    """
    rows = spark.createDataFrame([], EMPTY).where(F.lit(False))
    for name in record_tables():
        source = tables.table(config, f"deidentified/records/{name}")
        if tables.exists(spark, source):
            rows = rows.union(events_of(tables.read(spark, source), source.schema))
    rows.createOrReplaceTempView(VIEW)
    return rows


def events_of(records: DataFrame, schema: TableSchema) -> DataFrame:
    """The codes of one record table, rows of its columns in zone 2: one row a code that is there."""
    coded = [column for column in schema.in_zone("deidentified") if column.codes and column.name in records.columns]
    texts = {c.describes: c.name for c in schema.columns if c.describes and c.name in records.columns}
    entries = [
        F.struct(
            F.lit(column.name).alias("column"), F.col(column.name).alias("code"),
            F.lit(column.codes).alias("code_system"),
            (F.col(texts[column.name]) if column.name in texts else F.lit(None).cast("string")).alias("text"),
        )
        for column in coded
    ]  # fmt: skip
    if not entries:
        return records.sparkSession.createDataFrame([], EMPTY)
    rows = records.select(
        "patient_id", F.col(str(schema.event_date)).alias("event_date"),
        F.lit(schema.table.removeprefix("records/")).alias("record_table"), F.explode(F.array(*entries)).alias("entry"),
    )  # fmt: skip
    return rows.where("entry.code is not null").select("patient_id", "event_date", "record_table", "entry.*")


def with_codes(events: DataFrame, codes: Mapping[str, Sequence[str]]) -> DataFrame:
    """The events whose code begins with one of those listed for its system: ``{"ICD-10": ["C34"], "BNF": ["02"]}``."""
    listed = ((F.col("code_system") == system) & begins_with(F.col("code"), of) for system, of in codes.items())
    return events.where(reduce(or_, listed, F.lit(False)))


def begins_with(code: Column, starts: Sequence[str]) -> Column:
    """Whether a code begins with one of ``starts``: how code lists mean it.

    Of a long list the beginnings of each length are looked up together: as many conditions side by side would make a
    plan that is too deep.
    """
    if not starts:
        return F.lit(False)
    if len(starts) <= _FEW:
        return reduce(or_, map(code.startswith, starts))
    by_length = {
        length: [start for start in starts if len(start) == length] for length in sorted(set(map(len, starts)))
    }
    return reduce(or_, (F.substring(code, 1, length).isin(*of) for length, of in by_length.items()))
