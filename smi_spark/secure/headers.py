"""``secure/headers``: every file read once, its header bytes kept."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from smi_spark.config import Ingest
from smi_spark.dicom import read_headers
from smi_spark.dicom.sources import addresses, open_root
from smi_spark.schema import Column, load_schema
from smi_spark.secure.partitions import PLACING, UNREAD, placed
from smi_spark.secure.runs import LINEAGE, as_columns, stamps

_FILES_A_TASK = 50_000
_FIRST_FILES = 256  # before it is known how long the headers are
_BATCH_BYTES = 128 << 20  # of headers held at once; Arrow's offsets end at 2 GiB


def spread(files: DataFrame, count: int, settings: Ingest, tasks: int) -> DataFrame:
    """The ``count`` files in order of source and path, so that neighbours are read and stored together.

    As many parts as there are batches up to ``tasks``, and more where a part would be longer than 50,000 files.
    """
    parts = max(min(-(-count // settings.batch_files), tasks), -(-count // _FILES_A_TASK))
    parted = files.coalesce(1) if parts == 1 else files.repartitionByRange(parts, "source", "path")
    return parted.sortWithinPartitions("source", "path")


def read_files(files: DataFrame, settings: Ingest, run_id: str) -> DataFrame:
    """Read files (source, path, listed_run_id) into the columns of ``schemas/headers.yaml``, one row a file, good or
    bad.

    ``modality`` and ``year`` are worked out as for images; a file of which nothing could be read is UNREAD.
    """
    columns = _read_columns()
    schema = pa.schema([pa.field(c.name, c.arrow_type) for c in columns])
    tags = {c.name: c.tag for c in columns if c.tag is not None}

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for source, files in groupby(batch.to_pylist(), key=itemgetter("source")):
                yield from _read(source, list(files), tags, settings, schema)

    rows = placed(files.mapInArrow(read, from_arrow_schema(schema)))
    modality = F.when(F.col("header").isNull(), UNREAD).otherwise(F.col("modality"))
    return rows.withColumns({"modality": modality, **as_columns(stamps(run_id))}).drop(*PLACING)


def files_within(limit: int, files: int, size: int, most: int) -> int:
    """How many files to read next, 1 to ``most``, so that headers stay within ``limit`` bytes like those of ``files``.

    >>> files_within(limit=1_000_000, files=10, size=2_000_000, most=100)
    5
    """
    return max(1, min(most, limit * files // max(1, size)))


def _read(
    source: str, files: list[dict[str, str]], tags: dict[str, str], settings: Ingest, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The headers in batches of so many files that their bytes stay within bounds, judged by those just read."""
    limits = settings.model_dump(include={"readers", "first_read", "keep_binary", "keep_text"})
    root = open_root(source)
    start, count = 0, min(_FIRST_FILES, settings.batch_files)
    while start < len(files):
        part = files[start : start + count]
        paths = addresses(root, [f["path"] for f in part])
        found = read_headers(paths, tags, with_header=True, within=root.place, **limits)
        given = {name: [file[name] for file in part] for name in ("source", "path", "listed_run_id")}
        columns = [pa.array(given[name]) if name in given else found.column(name) for name in schema.names]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
        start += count
        count = files_within(_BATCH_BYTES, len(part), found.column("header").nbytes, settings.batch_files)


def _read_columns() -> list[Column]:
    """The columns of headers that reading gives, and those of images that say the partition."""
    headers, images = load_schema("headers"), load_schema("images")
    ours = [c for c in headers.columns if c.name not in (*headers.partition_by, *LINEAGE)]
    return [*ours, *(images.column(name) for name in PLACING)]
