"""``secure/changes``: what is no longer so, for zone 1 itself and for the zones behind it."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.files import CHANGED, RETURNED, VANISHED

RETRIED, RELEASED = "retried", "released"  # what a person did with a file in quarantine
OF_FILES = (CHANGED, VANISHED, RETURNED, RETRIED, RELEASED)
WITHDRAWN = "withdrawn"  # of an image
REKEYED = "rekeyed"  # of a CHI number
FILES, IMAGES, PEOPLE = "files", "images", "people"


def record_changes(rows: DataFrame, config: Config, table: str, run_id: str) -> int:
    """Add changes: ``rows`` have source, path and action, images the UIDs, people the CHI. Gives their number."""
    stamps = {"table": F.lit(table), "changed_at": F.current_timestamp(), "run_id": F.lit(run_id)}
    target = tables.with_all_columns(rows.sparkSession, _changes(config))
    return tables.append(tables.completed(rows, target, **stamps), target)


def changes_since(spark: SparkSession, config: Config, since: str = "") -> DataFrame:
    """Changes that runs after ``since`` found; the columns of ``schemas/changes.yaml``."""
    return tables.read_or_empty(spark, _changes(config)).where(F.col("run_id") > since)


def changed_files(changes: DataFrame, files: DataFrame) -> DataFrame:
    """One row a file: source, path, and the newest run that found it changed or was to try it again (``changed_by``),
    changed or vanished (``gone_by``), back (``returned_by``), or released it (``released_by``); null for none, and
    where ``files`` does not say so: that run was killed.
    """
    newest = {action: F.max(F.when(F.col("action") == action, F.col("run_id"))).alias(action) for action in OF_FILES}
    found = changes.where(F.col("table") == FILES).groupBy("source", "path").agg(*newest.values())
    known = files.select("source", "path", "run_id", "state_run_id").join(F.broadcast(found), ["source", "path"])
    new_content = F.greatest(CHANGED, RETRIED)
    changed = F.when(F.col("run_id") >= new_content, new_content)
    vanished, returned, released = (
        F.when(F.col("state_run_id") >= F.col(action), F.col(action)) for action in (VANISHED, RETURNED, RELEASED)
    )
    return known.select(
        "source",
        "path",
        changed.alias("changed_by"),
        F.greatest(changed, vanished).alias("gone_by"),
        returned.alias("returned_by"),
        released.alias("released_by"),
    )


def released_files(spark: SparkSession, config: Config) -> DataFrame:
    """Files that a person released, one row each: source, path, and the newest run that did it, ``released_by``."""
    changes = changes_since(spark, config).where((F.col("table") == FILES) & (F.col("action") == RELEASED))
    return changes.groupBy("source", "path").agg(F.max("run_id").alias("released_by"))


def withdrawn_images(changes: DataFrame) -> DataFrame:
    """SOPInstanceUID of the images that left zone 1, each once."""
    return _withdrawn(changes).select("SOPInstanceUID").distinct()


def withdrawn_studies(changes: DataFrame) -> DataFrame:
    """StudyInstanceUID of the images that left zone 1, each once."""
    return _withdrawn(changes).select("StudyInstanceUID").distinct()


def _withdrawn(changes: DataFrame) -> DataFrame:
    return changes.where((F.col("table") == IMAGES) & (F.col("action") == WITHDRAWN))


def rekeyed_numbers(changes: DataFrame) -> DataFrame:
    """chi: the CHI numbers that are another person's, each once."""
    return changes.where((F.col("table") == PEOPLE) & (F.col("action") == REKEYED)).select("chi").distinct()


def _changes(config: Config) -> tables.Table:
    return tables.table(config, "secure/changes")
