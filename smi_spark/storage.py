"""How Delta tables lie in storage: the files of each partition, their compaction, what old versions left, the log."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteReadException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)
from delta.tables import DeltaTable
from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import Row

from smi_spark import tables
from smi_spark.errors import TableError
from smi_spark.objectstore import open_files
from smi_spark.spread import Values, brought_together
from smi_spark.tables import NOTED, SAME_ROWS, Table, settings

# Another run committed to the table, or made it, meanwhile; nothing was of this commit.
CONFLICTS = (
    ConcurrentAppendException, ConcurrentDeleteReadException, ConcurrentWriteException, MetadataChangedException,
    ProtocolChangedException,
)  # fmt: skip
CHECKPOINT_EVERY = 10  # commits; Delta's own default
DRY_RUN_LISTS = 1000  # paths at most

_LOG_DAYS = 30  # Delta's own default
# Statistics of texts cut at 32 characters, as is the default, make the UIDs of one scanner look alike; none is over 64.
_WHOLE_UIDS = {"spark.databricks.io.skipping.stringPrefixLength": "64"}


@dataclass(frozen=True)
class Extent:
    """Data files: how many, and their bytes."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: "Extent") -> "Extent":
        return Extent(self.files + other.files, self.bytes + other.bytes)

    def needed(self, file_bytes: int) -> int:
        """How many files of that size hold these."""
        return max(1, -(-self.bytes // file_bytes))


NO_FILES = Extent()


class Written(NamedTuple):
    """A version of a table that was written, and its rows."""

    version: int
    rows: int


@dataclass(frozen=True)
class Partition:
    """A partition of a table: the condition that names it, and its files. A table without has one, under ``true``."""

    where: str
    extent: Extent


def extent(spark: SparkSession, source: Table) -> Extent:
    """The files of the newest version."""
    detail = _detail(spark, source)
    return Extent(detail["numFiles"], detail["sizeInBytes"])


def partitions(spark: SparkSession, source: Table) -> list[Partition]:
    """The partitions of the newest version. Where there are several, the end of each data file is read for it."""
    keys = source.schema.partition_by
    if not keys:
        return [Partition("true", extent(spark, source))]
    rows = tables.read(spark, source).select(*keys, "_metadata.file_path", "_metadata.file_size")
    size = [F.count("*").alias("files"), F.sum("file_size").alias("bytes")]
    counted = rows.distinct().groupBy(*keys).agg(*size).orderBy(*keys)
    return [Partition(_condition(row, keys), Extent(row["files"], row["bytes"])) for row in counted.collect()]


def write_version(
    df: DataFrame, target: Table, order: Sequence[str], files: Mapping[Values, int] | None = None
) -> Written:
    """Put ``df`` in place of the table's rows; every version of the table can be read for 100 years.

    Rows are brought together before they are written: each partition is one file, or as many as ``files`` says of it,
    each of them sorted by ``order``, and of several in one partition each with a range of the first column of it.
    """
    spark, partitioned = df.sparkSession, target.schema.partition_by
    new = {} if tables.exists(spark, target) else tables.made_with(target, keep_versions=True)
    if not new:
        tables.create(spark, target, keep_versions=True)
    fields = target.schema.spark(target.zone)
    together = brought_together(tables.conformed(df, target), partitioned, order[0], files)
    described = together.select(*(F.col(field.name).alias(field.name, metadata=field.metadata) for field in fields))
    # By the partition's columns first, or the writer would sort by them again and lose the order.
    ordered = described.sortWithinPartitions(*partitioned, *order)
    with settings(spark, _WHOLE_UIDS):
        writer = ordered.write.format("delta").mode("overwrite").options(**new)
        writer.partitionBy(*partitioned).save(target.uri)
    newest = _newest(spark, target)
    return Written(int(newest["version"]), int(newest["operationMetrics"].get("numOutputRows", 0)))


def bytes_a_row(spark: SparkSession, source: Table, kinds: Collection[Values]) -> dict[Values, float]:
    """Bytes of data files for a row, over all partitions of a kind: of the same value in the first partition column.

    Of a table without partitions ``()`` is the only kind. A job counts the rows of each file and reads no column. Of a
    table that is not there nothing is known.
    """
    if not tables.exists(spark, source):
        return {}
    by = source.schema.partition_by[:1]
    rows = tables.read(spark, source)
    rows = rows.where(F.col(by[0]).isin([kind[0] for kind in kinds])) if by else rows
    size = F.col("_metadata.file_size").alias("size")
    files = rows.groupBy(*by, "_metadata.file_path", size).agg(F.count("*").alias("rows"))
    found = files.groupBy(*by).agg((F.sum("size") / F.sum("rows")).alias("bytes")).collect()  # as many as modalities
    return {tuple(row[name] for name in by): row["bytes"] for row in found if row["bytes"] is not None}


def rewrite_sorted(spark: SparkSession, target: Table, where: str, files: int, order: Sequence[str]) -> None:
    """One commit: the rows of a partition in ``files`` files, in order over all of them. No row changes.

    Nobody else may write the table meanwhile. Raises TableError when somebody did, and rows were lost by it.
    """
    rows = tables.read(spark, target).where(where)
    spread = rows.coalesce(1) if files == 1 else rows.repartitionByRange(files, *order)
    # By the partition's columns first, or the writer would sort by them again and lose the order.
    ordered = spread.sortWithinPartitions(*target.schema.partition_by, *order)
    with settings(spark, _WHOLE_UIDS):
        writer = ordered.write.format("delta").mode("overwrite").option("userMetadata", SAME_ROWS)
        writer.option("dataChange", "false").option("replaceWhere", where).save(target.uri)
    _check_same_rows(target, where, _newest(spark, target))


def pack(spark: SparkSession, target: Table, file_bytes: int) -> None:
    """One commit: small files of a table brought together to ``file_bytes``; the others stay. No row changes."""
    size = {f"spark.databricks.delta.optimize.{name}FileSize": str(file_bytes) for name in ("min", "max")}
    with settings(spark, NOTED | _WHOLE_UIDS | size):
        DeltaTable.forPath(spark, target.uri).optimize().executeCompaction()


def keep_for(spark: SparkSession, target: Table, days: int) -> bool:
    """Let old versions be read for so many days, and the log go back as far; a commit where that is new to the table.

    Delta's safety check of a vacuum looks at the same property, and is never turned off. Gives whether it was new.
    """
    lacking = lacking_properties(spark, target, days)
    if lacking:
        set_properties(spark, target, lacking)
    return bool(lacking)


def set_properties(spark: SparkSession, target: Table, given: Mapping[str, str]) -> None:
    """Set properties of the table, all in one commit that changes no row."""
    new = ", ".join(f"'{name}' = '{value}'" for name, value in given.items())
    with settings(spark, NOTED):
        spark.sql(f"ALTER TABLE delta.`{target.uri}` SET TBLPROPERTIES ({new})")


def lacking_properties(spark: SparkSession, source: Table, days: int) -> dict[str, str]:
    """The properties that ``keep_for`` would set."""
    wanted = {
        "delta.deletedFileRetentionDuration": f"interval {days} days",
        "delta.logRetentionDuration": f"interval {max(days, _LOG_DAYS)} days",
        "delta.checkpointInterval": str(CHECKPOINT_EVERY),
    }
    properties = _detail(spark, source)["properties"]
    return {name: value for name, value in wanted.items() if properties.get(name) != value}


def unneeded_files(spark: SparkSession, source: Table, days: int) -> int:
    """How many files a vacuum would remove: those of no version of these days. Counts up to ``DRY_RUN_LISTS``."""
    unchecked = {"spark.databricks.delta.retentionDurationCheck.enabled": "false"}  # nothing is removed
    with settings(spark, _listing(spark) | unchecked):
        return spark.sql(f"VACUUM delta.`{source.uri}` RETAIN {24 * days} HOURS DRY RUN").count()


def vacuum(spark: SparkSession, target: Table, days: int) -> Extent:
    """Remove the files of no version of these days: those of older ones, and what killed runs left; gives them."""
    if not unneeded_files(spark, target, days):
        return NO_FILES
    counted = {"spark.databricks.delta.vacuum.logging.enabled": "true"}
    with settings(spark, NOTED | _listing(spark) | counted):
        DeltaTable.forPath(spark, target.uri).vacuum(24 * days)
    history = DeltaTable.forPath(spark, target.uri).history(2)  # its start and its end
    found = {row["operation"]: row["operationMetrics"] for row in history.collect()}
    return Extent(
        int(found["VACUUM END"].get("numDeletedFiles", 0)), int(found["VACUUM START"].get("sizeOfDataToDelete", 0))
    )


def commits_since_checkpoint(source: Table) -> int:
    """Commits that a reader has to go through behind the newest checkpoint of the log."""
    system, path = open_files(f"{source.uri}/_delta_log")
    names = [info.base_name for info in system.get_file_info(fs.FileSelector(path))]
    commits = [int(name[:20]) for name in names if re.fullmatch(r"\d{20}\.json", name)]
    checkpoints = [int(name[:20]) for name in names if re.match(r"\d{20}\.checkpoint\.", name)]
    return max(commits) - max(checkpoints, default=-1)


def checkpoint(spark: SparkSession, target: Table) -> None:
    """Make a checkpoint of the log now: SQL has no word for it, but a commit that sets the interval to 1 makes one."""
    tables.set_property(spark, target, "delta.checkpointInterval", "1")
    tables.set_property(spark, target, "delta.checkpointInterval", str(CHECKPOINT_EVERY))


def notes(spark: SparkSession, source: Table) -> set[str]:
    """What ``tables.rewrite`` noted beside the table's commits, as far back as its log is kept."""
    noted = DeltaTable.forPath(spark, source.uri).history().where("userMetadata is not null")
    return {row["userMetadata"] for row in noted.select("userMetadata").collect()}  # one a partition at most


def commit_times(spark: SparkSession, source: Table) -> DataFrame:
    """version, committed (microseconds since 1970, UTC), as far back as the log goes."""
    history = DeltaTable.forPath(spark, source.uri).history()
    return history.select("version", F.unix_micros("timestamp").alias("committed"))


def _detail(spark: SparkSession, source: Table) -> Row:
    return DeltaTable.forPath(spark, source.uri).detail().collect()[0]


def _newest(spark: SparkSession, source: Table) -> Row:
    return DeltaTable.forPath(spark, source.uri).history(1).collect()[0]


def _listing(spark: SparkSession) -> dict[str, str]:
    """A vacuum lists folders in as many tasks, 10,000 by default, however few they are."""
    tasks = spark.conf.get("spark.sql.shuffle.partitions") or "200"
    return {"spark.sql.sources.parallelPartitionDiscovery.parallelism": tasks}


def _check_same_rows(target: Table, where: str, commit: Row) -> None:
    """Delta counts the rows that it took out and those that it put in."""
    metrics, version = commit["operationMetrics"], commit["version"]
    before, after = metrics.get("numDeletedRows"), metrics.get("numOutputRows")
    if before is not None and before != after:
        raise TableError(
            f"{target.name}: {where} had {before} rows and has {after} since version {version}: somebody else wrote it "
            f"meanwhile. Run: RESTORE TABLE delta.`{target.uri}` TO VERSION AS OF {version - 1}, then maintain again."
        )


def _condition(row: Row, keys: Sequence[str]) -> str:
    """The partition of a row as SQL, for ``replaceWhere``, which takes nothing else."""
    return " AND ".join(f"{key} IS NULL" if row[key] is None else f"{key} = {_literal(row[key])}" for key in keys)


def _literal(value: object) -> str:
    """A value of a partition column as SQL writes it."""
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
