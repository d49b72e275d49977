"""``secure/quarantine``: what could not be used, with the reason, the place it came from and the way back."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config


def quarantine(config: Config) -> tables.Table:
    """The table itself."""
    return tables.table(config, "secure/quarantine")


def record_bad(config: Config, bad: DataFrame, table: str, run_id: str, among: Column | None = None) -> int:
    """Add rows to quarantine that are not in it, and give their number.

    ``bad`` has source, path and reason, and any other column of the table; ``table`` is what the rows were meant for.
    ``among``: which rows of quarantine can be the same (default: any).
    """
    target = quarantine(config)
    stamps = {"table": F.lit(table), "quarantined_at": F.current_timestamp(), "run_id": F.lit(run_id)}
    return tables.append_missing(tables.completed(bad, target, **stamps), target, target.schema.key, among)


def count_reasons(spark: SparkSession, config: Config, run_id: str | None = None) -> dict[str, int]:
    """Rows in quarantine by reason, the most frequent first; of one run, or of all."""
    rows = tables.read_or_empty(spark, quarantine(config))
    if run_id is not None:
        rows = rows.where(F.col("run_id") == run_id)
    counts = rows.groupBy("reason").count().orderBy(F.desc("count"), "reason")
    return {row["reason"]: row["count"] for row in counts.collect()}  # one row a reason of the closed list
