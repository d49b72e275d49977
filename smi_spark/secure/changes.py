"""``secure/changes``: what is no longer so, for zone 1 itself and for the zones behind it."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import load_schema
from smi_spark.secure.files import CHANGED, RETURNED, VANISHED

WITHDRAWN = "withdrawn"  # of an image
FILES, IMAGES = "files", "images"


def record_changes(rows: DataFrame, config: Config, table: str, run_id: str) -> int:
    """Add changes: ``rows`` have source, path and action, for images the UIDs too. Gives their number."""
    stamps = {"table": F.lit(table), "changed_at": F.current_timestamp(), "run_id": F.lit(run_id)}
    given = stamps | {name: F.col(name) for name in rows.columns}
    columns = [given.get(c.name, F.lit(None)).cast(c.type).alias(c.name) for c in load_schema("changes").columns]
    return tables.append(rows.select(*columns), _changes(config))


def changes_since(spark: SparkSession, config: Config, since: str = "") -> DataFrame:
    """Changes that runs after ``since`` found; the columns of ``schemas/changes.yaml``."""
    return tables.read_or_empty(spark, _changes(config)).where(F.col("run_id") > since)


def changed_files(changes: DataFrame, files: DataFrame) -> DataFrame:
    """One row a file: source, path, and the newest run that found it changed (``changed_by``), changed or vanished
    (``gone_by``), or back (``returned_by``); null for none, and where ``files`` does not say so: that run was killed.
    """
    actions = {"changed": CHANGED, "vanished": VANISHED, "returned": RETURNED}
    newest = [F.max(F.when(F.col("action") == action, F.col("run_id"))).alias(name) for name, action in actions.items()]
    found = changes.where(F.col("table") == FILES).groupBy("source", "path").agg(*newest)
    known = files.select("source", "path", "run_id", "state_run_id").join(F.broadcast(found), ["source", "path"])
    changed = F.when(F.col("run_id") >= F.col("changed"), F.col("changed"))
    vanished, returned = (F.when(F.col("state_run_id") >= F.col(n), F.col(n)) for n in ("vanished", "returned"))
    return known.select(
        "source",
        "path",
        changed.alias("changed_by"),
        F.greatest(changed, vanished).alias("gone_by"),
        returned.alias("returned_by"),
    )


def withdrawn_images(changes: DataFrame) -> DataFrame:
    """SOPInstanceUID of the images that left zone 1, each once."""
    return (
        changes.where((F.col("table") == IMAGES) & (F.col("action") == WITHDRAWN)).select("SOPInstanceUID").distinct()
    )


def _changes(config: Config) -> tables.Table:
    return tables.table(config, "secure/changes")
