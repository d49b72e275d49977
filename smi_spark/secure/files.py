"""``secure/files``: what lies below the sources, listed by the executors, and what became of it since."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from smi_spark.dicom.sources import list_files, list_prefixes
from smi_spark.schema import load_schema
from smi_spark.secure.roots import Place

LISTED = ("source", "path", "size", "modified")

PRESENT, VANISHED = "present", "vanished"  # states of a file
NEW, CHANGED, RETURNED = "new", "changed", "returned"  # and what else a listing finds

_ROWS = 10_000  # files of one Arrow batch


def list_sources(spark: SparkSession, places: Sequence[Place]) -> DataFrame:
    """Every file below the roots, once: source and path as they are known, size, modified.

    Size and modified are null where a list names a file that is not there. The driver lists the first level of each
    root, of a PACS layout the months; executors walk what lies below, and read the lists.
    Raises SourceError for a root that cannot be listed.
    """
    parts = [(number, prefix) for number, place in enumerate(places) for prefix in list_prefixes(place.root)]
    tasks = min(len(parts), int(spark.conf.get("spark.sql.shuffle.partitions") or 1))
    prefixes = spark.createDataFrame(parts, "root int, prefix string").repartition(max(1, tasks))
    columns = load_schema("files").spark()

    def listed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return _list(batches, places)

    found = prefixes.mapInArrow(listed, StructType([columns[name] for name in LISTED]))
    return found.dropDuplicates(["source", "path"])  # roots may overlap


def compare(listed: DataFrame, known: DataFrame, whole: Column) -> DataFrame:
    """Where a listing (LISTED) and the files known (columns of ``schemas/files.yaml``) differ, one row a file.

    Columns: LISTED, ``what`` (new, changed in size or time, returned, vanished), first_seen and run_id as known.
    A file has vanished that is not listed though all of the ``whole`` (a condition on source and path) was, or that a
    list names and is not there.
    """
    before = known.select(
        "source",
        "path",
        "first_seen",
        "state",
        "run_id",
        *(F.col(n).alias(f"{n}_before") for n in ("size", "modified")),
    )
    found, present = F.col("size").isNotNull(), F.col("state") == PRESENT
    same = F.col("size").eqNullSafe(F.col("size_before")) & F.col("modified").eqNullSafe(F.col("modified_before"))
    missing = (F.col("is_listed") & F.col("size_before").isNotNull()) | (F.col("is_listed").isNull() & whole)
    what = (
        F.when(F.col("state").isNull(), NEW)
        .when(found & ~same, CHANGED)
        .when(found & ~present, RETURNED)
        .when(~found & present & missing, VANISHED)
    )
    joined = listed.withColumn("is_listed", F.lit(True)).join(before, ["source", "path"], "full")
    as_before = {name: F.coalesce(name, f"{name}_before") for name in ("size", "modified")}
    differing = joined.withColumn("what", what).where("what IS NOT NULL").withColumns(as_before)
    return differing.select(*LISTED, "what", "first_seen", "run_id")


def looked_for(listed: DataFrame, known: DataFrame, whole: Column) -> DataFrame:
    """The files known to be there that the listing found or would have found: source, path."""
    named = listed.select("source", "path", F.lit(True).alias("is_listed"))
    there = (F.col("state") == PRESENT) & F.col("size").isNotNull()
    present = known.where(there).select("source", "path").join(named, ["source", "path"], "left")
    return present.where(F.col("is_listed") | whole).select("source", "path")


def as_files(differences: DataFrame, run_id: str) -> DataFrame:
    """What ``compare`` found as rows of ``schemas/files.yaml``."""
    is_new, has_new_content = F.col("what") == NEW, F.col("what").isin(NEW, CHANGED)
    return differences.withColumns(
        {
            "first_seen": F.when(is_new, F.current_timestamp()).otherwise(F.col("first_seen")),
            "state": F.when(F.col("what") == VANISHED, VANISHED).otherwise(F.lit(PRESENT)),
            "run_id": F.when(has_new_content, F.lit(run_id)).otherwise(F.col("run_id")),
            "state_run_id": F.lit(run_id),
        }
    )


def unread_files(files: DataFrame, headers: DataFrame) -> DataFrame:
    """The files that no row of ``headers`` stands for as they were listed: source, path, listed_run_id."""
    key = ["source", "path", "listed_run_id"]
    present = files.where(F.col("state") == PRESENT).withColumnRenamed("run_id", "listed_run_id").select(*key)
    return present.join(headers.select(*key), key, "left_anti")


def _list(batches: Iterable[pa.RecordBatch], places: Sequence[Place]) -> Iterator[pa.RecordBatch]:
    types = load_schema("files").arrow()
    schema = pa.schema([types.field(name) for name in LISTED])
    for batch in batches:
        for part in batch.to_pylist():
            place = places[part["root"]]
            found = ((*place.known_as(path), *state) for path, *state in list_files(place.root, part["prefix"]))
            while rows := list(islice(found, _ROWS)):
                yield pa.RecordBatch.from_pylist([dict(zip(LISTED, row, strict=True)) for row in rows], schema)
