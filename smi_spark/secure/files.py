"""``secure/files``: what lies below the sources, listed by the executors."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from smi_spark.dicom.sources import list_files, list_prefixes, open_root
from smi_spark.schema import load_schema

LISTED = ("source", "path", "size", "modified")

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


def unread_files(files: DataFrame, headers: DataFrame) -> DataFrame:
    """Source and path of the files that no row of ``headers`` stands for."""
    return files.select("source", "path").join(headers.select("source", "path"), ["source", "path"], "left_anti")


def _list(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    types = load_schema("files").arrow()
    schema = pa.schema([types.field(name) for name in LISTED])
    for batch in batches:
        for part in batch.to_pylist():
            found = ((part["source"], *file) for file in list_files(part["root"], part["prefix"]))
            while rows := list(islice(found, _ROWS)):
                yield pa.RecordBatch.from_pylist([dict(zip(LISTED, row, strict=True)) for row in rows], schema)
