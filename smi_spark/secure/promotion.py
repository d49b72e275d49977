"""Columns that ``schemas/images.yaml`` has and ``secure/images`` lacks: added, and filled from ``secure/headers``.

No file is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import InputError
from smi_spark.lease import lease
from smi_spark.progress import Progress
from smi_spark.run import new_run_id
from smi_spark.schema import load_schema
from smi_spark.secure.images import decode_columns
from smi_spark.secure.instances import FILE, rows_of
from smi_spark.secure.portions import Portion, partitions_left, portions

UNFINISHED = "smi_spark.promotion"  # property of the table: the run that began, and its columns

# Of one commit: some 50 MB of keys and values on each machine, and decoded within the five minutes that Spark waits for
# a broadcast.
_BROADCAST_ROWS = 250_000


@dataclass(frozen=True)
class Promoted:
    """What one run did: the columns, and the partitions and images that it filled."""

    columns: tuple[str, ...]
    partitions: int = 0
    images: int = 0

    def __str__(self) -> str:
        if not self.columns:
            return "secure/images lacks none of the columns: nothing to promote"
        return f"{', '.join(self.columns)}: {self.images:,} images filled in {self.partitions:,} partitions"


def promote_columns(spark: SparkSession, config: Config, names: Sequence[str] = ()) -> Promoted:
    """Add columns of ``schemas/images.yaml`` to ``secure/images`` and fill them from ``secure/headers``.

    names: columns to promote; default all that the table lacks. Those that it has already are left as they are.

    Partition by partition (modality, year), small ones together: each commit notes in the table's history which it
    filled; before the first, a property of the table says which columns are on their way, and after the last it is
    taken away. So a run that was killed is completed by the next, and a run with nothing to do writes nothing. Other
    columns and rows stay as they are; ``value_errors`` gains the values of the new columns that do not parse, as if
    they had been there from the start.
    Raises ConfigError for a column that the schema does not have, naming the nearest one, InputError for one that is
    not read from headers, TableError where there is no table, and BusyError while another run writes images.
    """
    run_id = new_run_id()
    with lease(config.zone("secure"), "images", run_id):
        return _promote(spark, config, names, run_id)


def _promote(spark: SparkSession, config: Config, names: Sequence[str], run_id: str) -> Promoted:
    target = tables.table(config, "secure/images")
    asked = set(map(promotable, names)) or set(target.schema.tags())
    present = tables.read(spark, target).columns
    run, begun = _unfinished(spark, target)
    columns = tuple(name for name in target.schema.tags() if name in asked.difference(present).union(begun))
    if not columns:
        return Promoted(())
    if set(columns) != set(begun):
        run = run_id
        tables.set_property(spark, target, UNFINISHED, f"{run} {' '.join(columns)}")
    for table in (target, tables.history_of(target)):  # rows that leave the one go to the other
        lacking = [name for name in columns if name not in tables.read_or_empty(spark, table).columns]
        if lacking:
            tables.add_columns(spark, table, lacking)
    partitions, images = partitions_left(spark, target, _of(run)), 0
    with Progress(target.name, sum(one.rows for one in partitions), "images") as progress:
        for portion in portions(partitions, _BROADCAST_ROWS):
            count = _fill(spark, config, portion, columns, run)
            progress.add(count)
            images += count
    tables.set_property(spark, target, UNFINISHED, None)
    return Promoted(columns, len(partitions), images)


def promotable(name: str) -> str:
    """The name of a column of images that is read from headers; ConfigError or InputError for any other name."""
    if load_schema("images").column(name).tag is None:
        raise InputError(
            f"schemas/images.yaml: {name} has no tag, so headers do not say what it holds. "
            "Give it the DICOM keyword or path that it is read from, or promote another column."
        )
    return name


def unfinished_columns(spark: SparkSession, target: tables.Table) -> list[str]:
    """The columns whose promotion was begun and not completed."""
    return _unfinished(spark, target)[1]


def _fill(spark: SparkSession, config: Config, portion: Portion, columns: Sequence[str], run: str) -> int:
    """One commit: the rows of a portion with these columns from their headers; gives how many there are."""
    target = tables.table(config, "secure/images")
    return tables.rewrite(
        filled(spark, config, portion, columns), target, where=portion.where, note=f"{_of(run)}{portion.where}"
    )


def filled(spark: SparkSession, config: Config, portion: Portion, columns: Sequence[str]) -> DataFrame:
    """The images of a portion with these columns from their headers, which lie in the partitions of the same names.

    Those that are filled from several files have theirs from the headers of these, wherever they lie.
    """
    images, headers = (
        tables.read(spark, tables.table(config, f"secure/{name}")).where(portion.where)
        for name in ("images", "headers")
    )
    tags = {name: tag for name, tag in load_schema("images").tags().items() if name in columns}
    decoded = decode_new(headers.where("SOPInstanceUID IS NOT NULL"), tags)
    small = portion.rows <= _BROADCAST_ROWS
    alone, several = images.where("filled_from IS NULL"), images.where("filled_from IS NOT NULL")
    rows = with_columns(alone, F.broadcast(decoded) if small else decoded, columns)
    if several.isEmpty():
        return rows
    files = files_of(several)
    decoded = decode_new(rows_of(spark, config, "headers", files, FILE), tags)
    return rows.unionByName(with_columns(several, joined_columns(files, decoded, columns), columns))


def files_of(images: DataFrame) -> DataFrame:
    """The files that images are filled from, the first one first: SOPInstanceUID, ``pos``, source, path."""
    files = F.concat(F.array(F.struct("source", "path")), "filled_from")
    return images.select("SOPInstanceUID", F.posexplode(files)).select("SOPInstanceUID", "pos", "col.*")


def joined_columns(files: DataFrame, decoded: DataFrame, columns: Sequence[str]) -> DataFrame:
    """For the first file of each image, each column's first value among its files; ``value_errors`` are its own."""
    rows = files.join(decoded, list(FILE))
    given = {name: F.when(F.col(name).isNotNull(), F.col("pos")) for name in columns}
    values = [F.min_by(name, order).alias(name) for name, order in given.items()]
    own = [F.min_by(name, "pos").alias(name) for name in (*FILE, "value_errors")]
    return rows.groupBy("SOPInstanceUID").agg(*values, *own).drop("SOPInstanceUID")


def decode_new(headers: DataFrame, tags: Mapping[str, str]) -> DataFrame:
    """Headers → source, path, the columns that ``tags`` names (name → keyword or path), and ``value_errors``."""
    return decode_columns(headers, FILE, [*FILE, *tags, "value_errors"], tags)


def with_columns(images: DataFrame, decoded: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Images with ``columns`` as ``decoded`` has them for their file, and its value errors added to theirs.

    The wide rows never move where ``decoded`` is broadcast: each machine gets the keys and new values of the portion.
    Where that is too much, rows and values meet in a shuffle of the partition; header bytes are in neither.
    """
    new = {name: f"new_{name}" for name in (*columns, "value_errors")}
    joined = images.join(decoded.withColumnsRenamed(new), list(FILE), "left")
    more = F.array_except(F.col(new["value_errors"]), F.col("value_errors"))
    errors = F.when(F.size(more) > 0, F.concat("value_errors", more)).otherwise(F.col("value_errors"))
    filled = {name: F.col(new[name]) for name in columns} | {"value_errors": errors}
    return joined.withColumns(filled).select(*images.columns)


def _unfinished(spark: SparkSession, target: tables.Table) -> tuple[str, list[str]]:
    """The run that began a promotion and did not end it, and its columns."""
    run, *columns = (tables.get_property(spark, target, UNFINISHED) or "").split(" ")
    return run, columns


def _of(run: str) -> str:
    return f"promotion {run} of "
