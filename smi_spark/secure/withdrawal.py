"""What came of files that changed or vanished leaves headers, images and quarantine for their histories."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.reasons import BAD_FILES, Reason
from smi_spark.secure.changes import IMAGES, WITHDRAWN, record_changes
from smi_spark.secure.instances import FILE, partitions_of
from smi_spark.secure.quarantine import quarantine


def withdraw(spark: SparkSession, config: Config, files: DataFrame, run_id: str) -> int:
    """Take out what older runs made of ``files`` (columns of ``changed_files``); gives how many images left.

    Images of files that changed or vanished, each a row of ``secure/changes`` first; headers and quarantine of files
    that changed; quarantine of good files that vanished, which is for what other files hold, but not of erased ones.
    Rows that a run wrote after it found the change stay, so that the next run completes one that was killed anywhere
    between. Vanished files keep their header: should one come back unchanged, it is not read again.
    """
    where = partitions_of(spark, config, files, FILE)
    images = tables.read_or_empty(spark, tables.table(config, "secure/images")).where(where)
    withdrawn = withdraw_images(made_of(images, _those(files, "gone_by"), "gone_by"), config, run_id)
    headers = tables.table(config, "secure/headers")
    read = tables.read_or_empty(spark, headers).where(where)
    retire(_older(read, files, "changed_by", "listed_run_id"), headers, FILE, run_id)
    rows = tables.read_or_empty(spark, quarantine(config)).where(F.col("table") == IMAGES)
    changed = _older(rows, files, "changed_by", "run_id")
    for_others = _older(rows.where(~F.col("reason").isin(*BAD_FILES, Reason.ERASED)), files, "gone_by", "run_id")
    bad = changed.union(for_others).distinct()
    retire(bad, quarantine(config), quarantine(config).schema.key, run_id)
    return withdrawn


def withdraw_images(images: DataFrame, config: Config, run_id: str) -> int:
    """Move images to their history, each a row of ``secure/changes`` first; gives their number."""
    leaving = tables.worked_out(images)
    if leaving.isEmpty():
        return 0
    left = leaving.select(*FILE, "SOPInstanceUID", "StudyInstanceUID", F.lit(WITHDRAWN).alias("action"))
    count = record_changes(left, config, IMAGES, run_id)
    retire(leaving, tables.table(config, "secure/images"), [*FILE, "SOPInstanceUID"], run_id)
    return count


def made_of(images: DataFrame, files: DataFrame, by: str) -> DataFrame:
    """The images that older runs than the file's ``by`` made of one of ``files``, alone or among others."""
    own = F.array(F.struct("source", "path"))
    parts = F.explode(F.when(F.col("filled_from").isNull(), own).otherwise(F.concat(own, "filled_from")))
    of = images.select("SOPInstanceUID", "run_id", parts.alias("file")).select("SOPInstanceUID", "run_id", "file.*")
    found = of.join(F.broadcast(files), list(FILE)).where(F.col("run_id") < F.col(by))
    return images.join(F.broadcast(found.select("SOPInstanceUID").distinct()), "SOPInstanceUID", "left_semi")


def retire(rows: DataFrame, table: tables.Table, key: Sequence[str], run_id: str) -> None:
    """Move rows of a table to its history. Once more after a kill between, nothing stands there twice."""
    if rows.isEmpty():
        return
    tables.append_missing(as_replaced(rows, run_id), tables.history_of(table), [*key, "run_id"])
    tables.delete(rows.select(*dict.fromkeys([*key, *table.schema.partition_by])), table, key)


def as_replaced(rows: DataFrame, run_id: str) -> DataFrame:
    """Rows of a table as its history has them, taken out by that run now."""
    return rows.withColumns({"replaced_at": F.current_timestamp(), "replaced_by": F.lit(run_id)})


def _older(rows: DataFrame, files: DataFrame, by: str, run: str) -> DataFrame:
    """The rows of these files that were written (``run``) before the run that found the change (``by``)."""
    changed = F.broadcast(_those(files, by))
    return rows.join(changed, list(FILE)).where(F.col(run) < F.col(by)).select(*rows.columns)


def _those(files: DataFrame, by: str) -> DataFrame:
    return files.where(F.col(by).isNotNull()).select(*FILE, by)
