"""Delta tables: the one place that creates, reads, appends to and merges them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import and_
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException, IllegalArgumentException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField

from smi_spark.config import Config, Zone
from smi_spark.errors import TableError
from smi_spark.key_range import in_range
from smi_spark.schema import ZONES, TableSchema, load_schema, table_names
from smi_spark.schema import Column as SchemaColumn

HUNDRED_YEARS = "interval 36500 days"
_LATEST = 10  # commits
SAME_ROWS = "same rows"  # noted with commits that change files or properties, and no row
NOTED = {"spark.databricks.delta.commitInfo.userMetadata": SAME_ROWS}


@dataclass(frozen=True)
class Table:
    """A Delta table: its name as users write it (``secure/images``), its place, its columns in that zone."""

    name: str
    uri: str
    zone: Zone
    schema: TableSchema

    @property
    def columns(self) -> list[str]:
        """Names of the columns in this zone, in order."""
        return [column.name for column in self.schema.in_zone(self.zone)]


def table(config: Config, name: str, schema: str | None = None) -> Table:
    """The table called ``<zone>/<path>``, with the columns of ``schemas/<schema>.yaml`` (default ``<path>``).

    >>> table(config, "analysis/lung/head_ct/images", schema="images").uri      # doctest: +SKIP
    '/data/analysis/lung/head_ct/images'
    """
    zone, _, path = name.partition("/")
    if zone not in ZONES or not path:
        raise TableError(f"{name} is not a table name. Write <zone>/<table>, the zone one of {', '.join(ZONES)}.")
    return Table(name, f"{config.zone(zone)}/{path}", zone, load_schema(schema or path))


def archive_tables(config: Config) -> list[Table]:
    """Every table of the archive that may be there, and the registry of snapshots."""
    return [table(config, f"{zone}/{name}") for name in table_names() for zone in load_schema(name).zones]


def exists(spark: SparkSession, target: Table) -> bool:
    """Whether there is a Delta table at the table's place."""
    return DeltaTable.isDeltaTable(spark, target.uri)


def create(
    spark: SparkSession, target: Table, *, keep_versions: bool = False, properties: Mapping[str, str] = {}
) -> None:
    """Make the table, empty, when it is not there; ``keep_versions``: for 100 years, anew where columns differ."""
    there = exists(spark, target)
    if there and not (keep_versions and read(spark, target).columns != target.columns):
        return
    builder = (
        (DeltaTable.replace if there else DeltaTable.createIfNotExists)(spark)
        .location(target.uri)
        .addColumns(target.schema.spark(target.zone))
    )
    if target.schema.partition_by:
        builder = builder.partitionedBy(*target.schema.partition_by)
    for name, value in {**made_with(target, keep_versions), **properties}.items():
        builder = builder.property(name, value)
    builder.execute()


def made_with(target: Table, keep_versions: bool) -> dict[str, str]:
    """The properties that the table is made with; ``keep_versions``: every version can be read for 100 years."""
    kept = ("delta.deletedFileRetentionDuration", "delta.logRetentionDuration") if keep_versions else ()
    columns = {"delta.dataSkippingStatsColumns": ",".join(_statistics_columns(target))}
    return {"delta.enableDeletionVectors": "false", **columns, **dict.fromkeys(kept, HUNDRED_YEARS)}


def read(spark: SparkSession, source: Table, version: int | None = None) -> DataFrame:
    """The table as it is, or as it was at ``version``.

    Raises TableError when the table or the version is not there, naming what is.
    """
    _check_exists(spark, source)
    reader = spark.read.format("delta")
    if version is None:
        return reader.load(source.uri)
    try:
        return reader.option("versionAsOf", version).load(source.uri)
    except (AnalysisException, IllegalArgumentException):
        raise TableError(_no_version(source, version, latest_version(spark, source))) from None


def read_or_empty(spark: SparkSession, source: Table) -> DataFrame:
    """The table, or a DataFrame of its columns without rows when it is not there yet."""
    if exists(spark, source):
        return spark.read.format("delta").load(source.uri)
    # Said to be empty, so that Spark plans nothing for it.
    return spark.createDataFrame([], source.schema.spark(source.zone)).where(F.lit(False))


def completed(df: DataFrame, target: Table, **stamps: Column) -> DataFrame:
    """Rows that have some of the table's columns, in all of them: ``stamps`` where the rows lack one, else null."""
    given = stamps | {name: F.col(name) for name in df.columns}
    fields = target.schema.spark(target.zone)
    return df.select(*(given.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in fields))


def append(df: DataFrame, target: Table) -> int:
    """Add rows (in the table's columns, by name); gives the number of rows written.

    The table is made when it is not there. Raises TableError when a column is missing or of another type.
    """
    create(df.sparkSession, target)
    conformed(df, target).write.format("delta").mode("append").save(target.uri)
    return int(_metrics(df.sparkSession, target).get("numOutputRows", 0))


def append_any(df: DataFrame, target: Table) -> int:
    """As ``append``; where there are no rows no new version is written."""
    if df.isEmpty():
        create(df.sparkSession, target)
        return 0
    return append(df, target)


def append_missing(df: DataFrame, target: Table, on: Sequence[str], among: Column | None = None) -> int:
    """Add the rows whose key ``on`` the table does not have yet; no new version when there are none.

    Nulls in a key are equal to each other. ``among``: which rows of the table can have such a key (default: any).
    """
    rows = read_or_empty(df.sparkSession, target)
    rows = rows if among is None else rows.where(among)
    present = rows.select(*(F.col(name).alias(f"present_{name}") for name in on))
    same = reduce(and_, (F.col(name).eqNullSafe(F.col(f"present_{name}")) for name in on))
    return append_any(df.join(present, same, how="left_anti"), target)


def replace(df: DataFrame, target: Table, *, where: str | None = None) -> int:
    """Put ``df`` in place of the table's rows, or of those that ``where`` (partition columns) names."""
    create(df.sparkSession, target)
    writer = conformed(df, target).write.format("delta").mode("overwrite")
    if where is not None:
        writer = writer.option("replaceWhere", where)
    writer.save(target.uri)
    return int(_metrics(df.sparkSession, target).get("numOutputRows", 0))


def merge(
    df: DataFrame, target: Table, on: Sequence[str], *, among: DataFrame | None = None, only_changed: bool = False,
    insert: bool = True, update: bool = True,
) -> int:  # fmt: skip
    """Put rows in place of those with the same key ``on``, and add those whose key the table lacks; gives their number.

    With ``only_changed`` a row that the table has as it is stays, and does not count. Without ``insert`` none is added,
    without ``update`` none takes another's place.

    A key stands once in ``df``, without nulls. The table is made when it is not there. ``among``: all rows of the table
    that can have such a key; where they have the partition columns, no other partition than theirs is read. Without it
    data files are read whose statistics say that they may hold such a key: see ``key_range``.
    """
    create(df.sparkSession, target)
    given, same = conformed(df, target).alias("given"), [_equal(name) for name in on]
    condition = reduce(
        and_, [*same, *(in_range(df, on, target.schema, target.zone) if among is None else _within(among, target))]
    )
    delta = DeltaTable.forPath(df.sparkSession, target.uri).alias("present")
    differs = ~reduce(and_, map(_equal, target.columns)) if only_changed else None
    merging = delta.merge(given, condition)
    merging = merging.whenMatchedUpdateAll(differs) if update else merging
    (merging.whenNotMatchedInsertAll() if insert else merging).execute()
    metrics = _metrics(df.sparkSession, target)
    return int(metrics.get("numTargetRowsInserted", 0)) + int(metrics.get("numTargetRowsUpdated", 0))


def delete(keys: DataFrame, target: Table, on: Sequence[str], *, among: DataFrame | None = None) -> None:
    """Take out the rows whose key ``on`` is among ``keys``, each of which stands there once.

    Where ``keys``, or ``among`` (all rows of the table that can have such a key), have the partition columns too, no
    other partition than theirs is read.
    """
    places = keys if among is None else among
    condition = reduce(and_, [*(_equal(name) for name in on), *_within(places, target)])
    delta = DeltaTable.forPath(keys.sparkSession, target.uri).alias("present")
    delta.merge(keys.alias("given"), condition).whenMatchedDelete().execute()


def history_of(source: Table) -> Table:
    """The table beside ``source`` of the rows that were taken out of it: its columns, when, and by which run."""
    replaced = (
        SchemaColumn(name="replaced_at", type="timestamp", meaning="When the row was taken out, UTC"),
        SchemaColumn(name="replaced_by", type="string", meaning="Run that took it out"),
    )
    name = f"{source.schema.table}_history"
    schema = source.schema.model_copy(update={"table": name, "columns": (*source.schema.columns, *replaced)})
    return Table(f"{source.name}_history", f"{source.uri}_history", source.zone, schema)


@contextmanager
def held(rows: DataFrame) -> Iterator[DataFrame]:
    """Rows that are worked out once though they are used several times."""
    kept = rows.persist()
    try:
        yield kept
    finally:
        kept.unpersist()


def worked_out(rows: DataFrame) -> DataFrame:
    """Rows that are worked out now, once, and whose plan is forgotten: for small sets that many plans are built on.

    Spark looks through the whole plan at each step, so that plans of plans take minutes before they run. The rows lie
    on the executors until nobody refers to them; with an executor that is lost the run ends, and the next completes it.
    """
    return rows.localCheckpoint()


def rewrite(df: DataFrame, target: Table, *, where: str, note: str) -> int:
    """Put ``df``, in the columns that the table has, in place of the rows that ``where`` (partition columns) names.

    ``note`` stands beside the commit in the table's history: see ``storage.notes``.
    """
    columns = read(df.sparkSession, target).columns
    writer = df.select(*columns).write.format("delta").mode("overwrite")
    writer.option("replaceWhere", where).option("userMetadata", note).save(target.uri)
    return int(_metrics(df.sparkSession, target).get("numOutputRows", 0))


def add_columns(spark: SparkSession, target: Table, names: Sequence[str]) -> None:
    """Add columns of the schema behind those that the table has; null in its rows, of which none changes."""
    fields = [field for field in target.schema.spark(target.zone) if field.name in names]
    with settings(spark, NOTED):
        spark.sql(f"ALTER TABLE delta.`{target.uri}` ADD COLUMNS ({', '.join(map(_definition, fields))})")


def with_all_columns(spark: SparkSession, target: Table) -> Table:
    """The table, with the columns added that its schema gained since it was made; null in the rows it has."""
    if exists(spark, target):
        have = {name.lower() for name in read(spark, target).columns}
        lacking = [name for name in target.columns if name.lower() not in have]
        if lacking:
            add_columns(spark, target, lacking)
    return target


def properties(spark: SparkSession, source: Table) -> Mapping[str, str]:
    """The properties of the table."""
    return {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES delta.`{source.uri}`").collect()}


def get_property(spark: SparkSession, source: Table, name: str) -> str | None:
    """A property of the table, or none."""
    return properties(spark, source).get(name)


def set_property(spark: SparkSession, target: Table, name: str, value: str | None) -> None:
    """Set a property of the table, in a commit that changes no row; none takes it away."""
    change = f"UNSET TBLPROPERTIES ('{name}')" if value is None else f"SET TBLPROPERTIES ('{name}' = '{value}')"
    with settings(spark, NOTED):
        spark.sql(f"ALTER TABLE delta.`{target.uri}` {change}")


@contextmanager
def settings(spark: SparkSession, given: Mapping[str, str]) -> Iterator[None]:
    """Settings of the session while the body runs."""
    before = {name: spark.conf.get(name, None) for name in given}
    try:
        for name, value in given.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, old in before.items():
            if old is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, old)


def latest_version(spark: SparkSession, source: Table) -> int:
    """The newest version number of the table; TableError when the table is not there."""
    _check_exists(spark, source)
    row = DeltaTable.forPath(spark, source.uri).history(1).select("version").first()
    if row is None:
        raise TableError(f"{source.name} in {source.uri} has no version.")
    return int(row["version"])


def content_version(spark: SparkSession, source: Table) -> int:
    """The newest version that changed rows. Those behind it have the same rows, in other files.

    Where the log does not go back to it, the oldest version that it has.
    """
    delta = DeltaTable.forPath(spark, source.uri)
    changes_rows = ~F.col("userMetadata").eqNullSafe(SAME_ROWS)
    version = F.col("version")  # the newest that changes rows, else the oldest
    latest = delta.history(_LATEST).where(changes_rows).orderBy(-version)  # mostly: no need to read the whole log
    whole = delta.history().orderBy(changes_rows.desc(), F.when(changes_rows, -version).otherwise(version))
    found = latest.first() or whole.first()
    if found is None:
        raise TableError(f"{source.name} in {source.uri} has no version.")
    return int(found["version"])


def versions_below(folder: Path) -> dict[str, int]:
    """Every Delta table below a local folder (its path there) and its newest version, read off the names in its log."""
    return {
        log.parent.relative_to(folder).as_posix(): max(int(entry.stem) for entry in log.glob("[0-9]*.json"))
        for log in sorted(folder.rglob("_delta_log"))
    }


def _equal(name: str) -> Column:
    return F.col(f"present.{name}").eqNullSafe(F.col(f"given.{name}"))


def _within(keys: DataFrame, target: Table) -> Iterator[Column]:
    """The partitions of ``keys``, value by value: no column of theirs would keep a merge from reading the others."""
    for name in target.schema.partition_by:
        if name in keys.columns:
            values = [row[0] for row in keys.select(name).distinct().collect()]  # as many as modalities, or years
            yield F.col(f"present.{name}").isin(values)


def _check_exists(spark: SparkSession, source: Table) -> None:
    if not exists(spark, source):
        raise TableError(f"{source.name} does not exist in {source.uri}. Run the job that fills it first.")


def _no_version(source: Table, version: int, newest: int) -> str:
    if 0 <= version <= newest:
        return f"{source.name} has lost version {version}: its files are no longer kept."
    return (
        f"{source.name} has no version {version}; it has 0–{newest}. "
        "Open one of these, or leave version out for the newest."
    )


def _statistics_columns(target: Table) -> list[str]:
    """What rows are looked up by. Of other columns the least and greatest value hardly ever tell one file from another,
    and finding them costs a tenth of what images cost to write."""
    schema = target.schema
    if schema.found_by:
        wanted = (*schema.key_in(target.zone), *schema.found_by)
    elif schema.event_date is None:
        counted = {"string", "int", "long", "double", "date", "timestamp"}
        others = (column.name for column in schema.in_zone(target.zone) if column.type in counted)
        wanted = (*schema.key_in(target.zone), *others)
    else:
        ids = ("patient_id", "StudyInstanceUID", "SeriesInstanceUID")
        wanted = (*schema.key_in(target.zone), str(schema.patient), *ids, schema.event_date, "run_id")
    there = set(target.columns) - set(schema.partition_by)
    return [name for name in dict.fromkeys(wanted) if name in there][:32]


def _definition(field: StructField) -> str:
    """A column as SQL defines it."""
    meaning = field.metadata["comment"].replace("\\", "\\\\").replace("'", "\\'")
    return f"`{field.name}` {field.dataType.simpleString()} COMMENT '{meaning}'"


def conformed(df: DataFrame, target: Table) -> DataFrame:
    """``df`` in the table's columns; TableError where it lacks one, or has one of another type."""
    missing = [name for name in target.columns if name not in df.columns]
    if missing:
        raise TableError(f"{target.name}: the rows lack {', '.join(missing)}, which schemas/ gives the table.")
    wanted = target.schema.spark(target.zone)
    wrong = [
        f"{field.name} is {df.schema[field.name].dataType.simpleString()}, not {field.dataType.simpleString()}"
        for field in wanted
        if df.schema[field.name].dataType.simpleString() != field.dataType.simpleString()
    ]
    if wrong:
        raise TableError(f"{target.name}: {'; '.join(wrong)}. Cast them before writing.")
    return df.select(*(F.col(name) for name in target.columns))


def _metrics(spark: SparkSession, target: Table) -> dict[str, str]:
    """What Delta counted at the newest commit."""
    row = DeltaTable.forPath(spark, target.uri).history(1).select("operationMetrics").first()
    return dict(row["operationMetrics"]) if row is not None else {}
