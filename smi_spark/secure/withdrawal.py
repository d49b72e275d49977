"""What came of files that changed or vanished leaves headers, images and quarantine for their histories."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.changes import IMAGES, WITHDRAWN, record_changes
from smi_spark.secure.quarantine import quarantine
from smi_spark.secure.runs import Run

_FILE = ("source", "path")


def withdraw(spark: SparkSession, config: Config, files: DataFrame, run_id: str) -> int:
    """Take out what older runs made of ``files`` (columns of ``changed_files``); gives how many images left.

    Images of files that changed or vanished, each a row of ``secure/changes`` first; headers and quarantine of files
    that changed. Rows that a run wrote after it found the change stay, so that the next run completes one that was
    killed anywhere between. Vanished files keep their header: should one come back unchanged, it is not read again.
    """
    images = _older(spark, tables.table(config, "secure/images"), files, "gone_by", "run_id")
    left = images.select(*_FILE, "SOPInstanceUID", "StudyInstanceUID", F.lit(WITHDRAWN).alias("action"))
    withdrawn = 0 if left.isEmpty() else record_changes(left, config, IMAGES, run_id)
    if withdrawn:
        _retire(images, tables.table(config, "secure/images"), [*_FILE, "SOPInstanceUID"], run_id)
    headers = tables.table(config, "secure/headers")
    _retire(_older(spark, headers, files, "changed_by", "listed_run_id"), headers, _FILE, run_id)
    bad = _older(spark, quarantine(config), files, "changed_by", "run_id").where(F.col("table") == IMAGES)
    _retire(bad, quarantine(config), quarantine(config).schema.key, run_id)
    return withdrawn


def release(spark: SparkSession, config: Config, run: Run) -> None:
    """Take the files that became images, since the last run that ended, out of quarantine."""
    images = tables.read(spark, tables.table(config, "secure/images")).where(F.col("run_id") > run.since)
    rows = tables.read_or_empty(spark, quarantine(config)).where(F.col("table") == IMAGES)
    now_used = rows.join(images.select(*_FILE), list(_FILE), "left_semi")
    _retire(now_used, quarantine(config), quarantine(config).schema.key, run.id)


def _older(spark: SparkSession, table: tables.Table, files: DataFrame, by: str, run: str) -> DataFrame:
    """The table's rows of these files that were written (``run``) before the run that found the change (``by``)."""
    rows = tables.read_or_empty(spark, table)
    changed = F.broadcast(files.where(F.col(by).isNotNull()).select(*_FILE, by))
    return rows.join(changed, list(_FILE)).where(F.col(run) < F.col(by)).select(*rows.columns)


def _retire(rows: DataFrame, table: tables.Table, key: Sequence[str], run_id: str) -> None:
    """Move rows of a table to its history. Once more after a kill between, nothing stands there twice."""
    if rows.isEmpty():
        return
    stamps = {"replaced_at": F.current_timestamp(), "replaced_by": F.lit(run_id)}
    tables.append_missing(rows.withColumns(stamps), tables.history_of(table), [*key, "run_id"])
    tables.delete(rows.select(*dict.fromkeys([*key, *table.schema.partition_by])), table, key)
