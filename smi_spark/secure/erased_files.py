"""What zone 1 holds of files of people who are erased, table by table, by ``secure/erasing``."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.reasons import Reason
from smi_spark.secure.changes import IMAGES
from smi_spark.secure.erasing import ROW
from smi_spark.secure.instances import FILE, rows_of, within
from smi_spark.secure.quarantine import quarantine, record_bad
from smi_spark.secure.rollups import roll_up
from smi_spark.secure.share import Share
from smi_spark.tables import Table

_SAID = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "detail", "header", "left_out")  # by the file
_INDEXED = ("file", "run_id", "instance", "study")
_LINKED = {"original_sop_instance_uid": "SOPInstanceUID", "image_run_id": "run_id"}


def shares_of_files(config: Config, rows: DataFrame) -> list[Share]:
    """What is theirs of the tables of zone 1 with rows about files, in the order in which it leaves.

    rows: ``secure/erasing``. Of a file that is there its row of headers stays, with what says that it was read and
    nothing that it said.
    """
    images, headers = (tables.table(config, f"secure/{name}") for name in ("images", "headers"))
    return [
        _links(config, rows),
        _read(headers, rows, FILE, _as_read),
        _read(tables.history_of(headers), rows, ROW),
        _of_rows(images, rows, ("SOPInstanceUID", "run_id")),
        _of_rows(tables.history_of(images), rows, (*ROW, "SOPInstanceUID")),
        *_quarantined(config, rows),
        _instances(config, rows),
        _changes(config, rows),
        _runs(config, rows),
    ]


def record_erased(config: Config, rows: DataFrame, run_id: str) -> int:
    """Let ``secure/quarantine`` say of each file that is there that it was erased: one row a file, without a UID."""
    return record_bad(config, _present(rows).withColumn("reason", F.lit(str(Reason.ERASED))), IMAGES, run_id)


def index_erased(spark: SparkSession, config: Config, rows: DataFrame) -> None:
    """Add to the index where the rows of headers are that stay: should a file change, its row is to be found."""
    index = tables.table(config, "secure/instances")
    if tables.exists(spark, index):
        staying = rows.where(F.col("table") == "headers").select(_hash(), "modality", "year", "run_id")
        tables.append_missing(tables.completed(staying, index), index, _INDEXED)


def roll_up_left(spark: SparkSession, config: Config, rows: DataFrame) -> None:
    """Series and studies of their images as the images are that are left, those of studies without any out."""
    shares = roll_ups(config, rows)
    if all(share.theirs(tables.read_or_empty(spark, share.table)).isEmpty() for share in shares):
        return
    known = rows.where("StudyInstanceUID IS NOT NULL")
    touched = tables.worked_out(known.select("StudyInstanceUID", "modality", "year").distinct())
    roll_up(config, touched, rows_of(spark, config, "images", touched, ["StudyInstanceUID"]))


def roll_ups(config: Config, rows: DataFrame) -> list[Share]:
    """Rows of series and studies that tell of their images, those that are made of others' too."""
    studies = F.broadcast(rows.select("StudyInstanceUID").where("StudyInstanceUID IS NOT NULL").distinct())

    def theirs(told: DataFrame) -> DataFrame:
        return told.join(studies, "StudyInstanceUID", "left_semi")

    of_both = (tables.table(config, f"secure/{name}") for name in ("series", "studies"))
    return [Share(one, ("StudyInstanceUID",), theirs, one.schema.key) for one in of_both]


def _of_rows(table: Table, rows: DataFrame, on: tuple[str, ...]) -> Share:
    keys = F.broadcast(rows.select(*ROW).distinct())
    return Share(table, ROW, lambda read: read.join(keys, list(ROW), "left_semi"), on, within(rows))


def _read(
    table: Table, rows: DataFrame, on: tuple[str, ...], left: Callable[[DataFrame], DataFrame] | None = None
) -> Share:
    """Of headers: but for rows that are erased already."""
    share = _of_rows(table, rows, on)
    return replace(
        share, columns=(*ROW, "reason"), theirs=lambda read: share.theirs(read.where(_is_not_erased())), left=left
    )


def _as_read(headers: DataFrame) -> DataFrame:
    """Rows of headers as they stay."""
    nothing = {name: F.lit(None).cast(headers.schema[name].dataType) for name in _SAID}
    return headers.withColumns({**nothing, "reason": F.lit(str(Reason.ERASED)), "valid_from": F.current_timestamp()})


def _links(config: Config, rows: DataFrame) -> Share:
    names = [F.col(of_image).alias(name) for name, of_image in _LINKED.items()]
    keys = F.broadcast(rows.where(F.col("table").startswith(IMAGES)).select(*names).distinct())
    links = tables.table(config, "secure/links")
    return Share(links, tuple(_LINKED), lambda read: read.join(keys, list(_LINKED), "left_semi"), links.schema.key)


def _quarantined(config: Config, rows: DataFrame) -> Iterator[Share]:
    """Of files that are there all rows but the one that says so; in the history those that have a UID of theirs."""
    table = quarantine(config)
    of_images = F.col("table").endswith(IMAGES) & _is_not_erased()  # those that zone 2 could not take too
    there = F.broadcast(_present(rows))

    def theirs(read: DataFrame) -> DataFrame:
        return read.where(of_images).join(there, list(FILE), "left_semi")

    uids = F.explode(F.array_compact(F.array("SOPInstanceUID", "StudyInstanceUID"))).alias("uid")
    told = F.broadcast(rows.select(*FILE, uids).distinct())

    def told_of(read: DataFrame) -> DataFrame:
        is_told = (F.col("uid") == read["SOPInstanceUID"]) | (F.col("uid") == read["StudyInstanceUID"])
        same_file = [told[name] == read[name] for name in FILE]
        return read.where(of_images).join(told, reduce(and_, [*same_file, is_told]), "left_semi")

    columns = ("table", "reason", *FILE)
    yield Share(table, columns, theirs, table.schema.key)
    history = (*columns, "SOPInstanceUID", "StudyInstanceUID")
    yield Share(tables.history_of(table), history, told_of, (*table.schema.key, "run_id"))


def _instances(config: Config, rows: DataFrame) -> Share:
    index, keys = tables.table(config, "secure/instances"), F.broadcast(rows.select(_hash(), "run_id").distinct())

    def theirs(read: DataFrame) -> DataFrame:
        return read.where("instance IS NOT NULL OR study IS NOT NULL").join(keys, ["file", "run_id"], "left_semi")

    return Share(index, _INDEXED, theirs, _INDEXED)


def _changes(config: Config, rows: DataFrame) -> Share:
    changes, by = tables.table(config, "secure/changes"), [*FILE, "SOPInstanceUID"]
    keys = F.broadcast(rows.select(*by).distinct())

    def theirs(read: DataFrame) -> DataFrame:
        return read.where(F.col("table") == IMAGES).join(keys, by, "left_semi")

    return Share(changes, ("table", *by), theirs, changes.schema.key)


def _runs(config: Config, rows: DataFrame) -> Share:
    """Runs that a person gave a study by its UID: what is said of the study."""
    runs = tables.table(config, "secure/runs")
    studies = F.broadcast(rows.select(F.col("StudyInstanceUID").alias("word")).where("word IS NOT NULL").distinct())
    words = F.flatten(F.transform("inputs", lambda given: F.split(given, ", ")))

    def told(read: DataFrame) -> DataFrame:
        return read.withColumn("word", F.explode(words)).join(studies, "word", "left_semi")

    def left(read: DataFrame) -> DataFrame:
        gone = told(read.select("run_id", "inputs")).groupBy("run_id").agg(F.collect_set("word").alias("gone"))
        said = F.filter(words, lambda word: ~F.array_contains("gone", word))
        whole = F.concat(said, F.array(F.lit(str(Reason.ERASED))))
        return read.join(gone, "run_id").withColumn("inputs", whole).select(*runs.columns)

    def theirs(read: DataFrame) -> DataFrame:
        return told(read).select(*read.columns).distinct()

    return Share(runs, ("run_id", "inputs"), theirs, ("run_id",), left=left)


def _present(rows: DataFrame) -> DataFrame:
    """source, path: the files that are there as they were read, each once."""
    return rows.where(F.col("table").isin("headers", IMAGES)).select(*FILE).distinct()


def _is_not_erased() -> Column:
    return ~F.col("reason").eqNullSafe(str(Reason.ERASED))


def _hash() -> Column:
    return F.xxhash64(*FILE).alias("file")
