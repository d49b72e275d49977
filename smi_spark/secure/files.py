"""``secure/files``: what lies below the sources, listed by the executors, and what became of it since."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from smi_spark.dicom.sources import list_files, list_prefixes, open_root
from smi_spark.schema import load_schema

LISTED = ("source", "path", "size", "modified")

PRESENT, VANISHED = "present", "vanished"  # states of a file
NEW, CHANGED, RETURNED = "new", "changed", "returned"  # and what else a listing finds

_ROWS = 10_000  # files of one Arrow batch


def list_sources(spark: SparkSession, sources: Sequence[str]) -> DataFrame:
    """Every file below the sources, once: source (the folder that paths are relative to), path, size, modified.

    The driver lists the first level of each source; executors walk what lies below.
    Raises SourceError for a source that is not there.
    """
    parts = [(open_root(root).folder, root, prefix) for root in sources for prefix in list_prefixes(root)]
    tasks = min(len(parts), int(spark.conf.get("spark.sql.shuffle.partitions") or 1))
    prefixes = spark.createDataFrame(parts, "source string, root string, prefix string").repartition(max(1, tasks))
    columns = load_schema("files").spark()
    listed = prefixes.mapInArrow(_list, StructType([columns[name] for name in LISTED]))
    return listed.dropDuplicates(["source", "path"])  # sources may overlap


def compare(listed: DataFrame, known: DataFrame, whole: Sequence[str]) -> DataFrame:
    """Where a listing (LISTED) and the files known (columns of ``schemas/files.yaml``) differ, one row a file.

    Columns: LISTED, ``what`` (new, changed in size or time, returned, vanished), first_seen and run_id as known.
    Only in a source that was listed as a ``whole`` can a file have vanished.
    """
    before = known.select(
        "source",
        "path",
        "first_seen",
        "state",
        "run_id",
        *(F.col(n).alias(f"{n}_before") for n in ("size", "modified")),
    )
    found = F.col("size").isNotNull()
    same = F.col("size").eqNullSafe(F.col("size_before")) & F.col("modified").eqNullSafe(F.col("modified_before"))
    what = (
        F.when(F.col("state").isNull(), NEW)
        .when(found & ~same, CHANGED)
        .when(found & (F.col("state") == VANISHED), RETURNED)
        .when(~found & (F.col("state") == PRESENT) & F.col("source").isin(*whole), VANISHED)
    )
    joined = listed.join(before, ["source", "path"], "full").withColumn("what", what).where("what IS NOT NULL")
    as_before = {name: F.coalesce(name, f"{name}_before") for name in ("size", "modified")}
    return joined.withColumns(as_before).select(*LISTED, "what", "first_seen", "run_id")


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


def _list(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    types = load_schema("files").arrow()
    schema = pa.schema([types.field(name) for name in LISTED])
    for batch in batches:
        for part in batch.to_pylist():
            found = ((part["source"], *file) for file in list_files(part["root"], part["prefix"]))
            while rows := list(islice(found, _ROWS)):
                yield pa.RecordBatch.from_pylist([dict(zip(LISTED, row, strict=True)) for row in rows], schema)
