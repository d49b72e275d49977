"""``secure/quarantine``: what could not be used, with the reason, the place it came from and the way back."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import load_schema


def quarantine(config: Config) -> tables.Table:
    """The table itself."""
    return tables.table(config, "secure/quarantine")


def record_bad(config: Config, bad: DataFrame, table: str, run_id: str) -> int:
    """Add rows to quarantine that are not in it, and give their number.

    ``bad`` has source, path and reason, and any other column of the table; ``table`` is what the rows were meant for.
    """
    schema = load_schema("quarantine")
    given = {
        "table": F.lit(table),
        "quarantined_at": F.current_timestamp(),
        "run_id": F.lit(run_id),
        **{name: F.col(name) for name in bad.columns},
    }
    columns = [given.get(c.name, F.lit(None)).cast(c.type).alias(c.name) for c in schema.columns]
    return tables.append_missing(bad.select(*columns), quarantine(config), on=schema.key)


def count_reasons(spark: SparkSession, config: Config, run_id: str | None = None) -> dict[str, int]:
    """Rows in quarantine by reason, the most frequent first; of one run, or of all."""
    rows = tables.read_or_empty(spark, quarantine(config))
    if run_id is not None:
        rows = rows.where(F.col("run_id") == run_id)
    counts = rows.groupBy("reason").count().orderBy(F.desc("count"), "reason")
    return {row["reason"]: row["count"] for row in counts.collect()}  # one row a reason of the closed list
