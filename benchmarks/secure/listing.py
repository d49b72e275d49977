"""Listings of a hundred million files that are not there: the driver's memory while they become ``secure/files``."""

import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from measures import line
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from secure.driver import Driver, small_driver
from secure.ground import Ground, apart, timed
from secure.growth import FLAT
from smi_spark.run import new_run_id
from smi_spark.schema import load_schema
from smi_spark.secure import ingest
from smi_spark.secure.files import LISTED
from smi_spark.secure.runs import Run
from tests.cluster.standalone import standalone

SIZES = (1_000_000, 10_000_000, 100_000_000)
LIMIT = 1_500.0  # seconds that the largest may take, judged by the one before: else it is as large as fits
_ROWS = 10_000  # files of one Arrow batch, as in the product
_DISK = 250  # bytes of disk that a row takes while it is compared
_SOURCE = "/archive"


def listing(ground: Ground) -> list[str]:
    """Executors make the rows in place of the file system's listing; from there it is the product's own way."""
    lines = ["", "listing simulated: executors make the rows, which are compared with the files known and appended"]
    seen: list[tuple[int, float, Driver]] = []
    for size in map(ground.count, SIZES):
        count = size
        if seen:
            before, seconds, _ = seen[-1]
            count = min(size, int(before * LIMIT / seconds), shutil.disk_usage(ground.place).free // _DISK)
        if seen and count <= seen[-1][0]:
            break
        if count < size:
            lines.append(f"  {size:,} rows would take over {LIMIT:.0f} s or the disk: {count:,} in their place")
        seconds, driver = apart(_list, ground, count)
        seen.append((count, seconds, driver))
        lines.append(f"  {count:11,} rows: {seconds:6.1f} s, {count / seconds:,.0f} rows/s; driver: {driver}")
    (small, _, least), (large, _, most) = seen[0], seen[-1]
    what = f"driver's memory at {large:,} rows against {small:,}"
    return [*lines, line(what, most.resident / least.resident, FLAT, at_most=True)]


def _list(ground: Ground, count: int) -> tuple[float, Driver]:
    cluster = ground.place / f"listing-{count}"
    cluster.mkdir()
    config = ground.config(f"listed-{count}")
    partitions = max(4, count // 1_000_000)
    with (
        standalone(cluster, workers=2, memory="4g") as url,
        small_driver(ground, url, "3g", partitions) as (spark, took),
    ):
        # In place of the file system's listing; a function's name is not for assigning to, as mypy sees it.
        ingest.list_sources = lambda spark, places: _made(spark, count, partitions)  # type: ignore[assignment]  # noqa: ARG005
        run = Run(new_run_id(), "", datetime.now(UTC))
        seconds, found = timed(lambda: ingest.list_new(spark, config, ["/"], run))
        if found["new"] != count:
            raise RuntimeError(f"{found} of {count} rows")
        driver = took()
    shutil.rmtree(config.root)
    shutil.rmtree(cluster)
    return seconds, driver


def _made(spark: SparkSession, count: int, partitions: int) -> DataFrame:
    """What ``list_sources`` gives, for files that are not there."""
    columns = load_schema("files").spark()
    numbers = spark.range(0, count, 1, partitions)
    return numbers.mapInArrow(_rows, StructType([columns[name] for name in LISTED])).dropDuplicates(["source", "path"])


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    types = load_schema("files").arrow()
    schema = pa.schema([types.field(name) for name in LISTED])
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            numbers = np.asarray(batch.column(0).slice(start, _ROWS))
            parts = [pc.cast(pa.array(part), pa.string()) for part in (numbers // 3_000_000, numbers // 300, numbers)]
            path = pc.binary_join_element_wise(*parts, "/")
            modified = pa.array(1_600_000_000_000_000 + numbers * 1_000, schema.field("modified").type)
            source, size = pa.repeat(pa.scalar(_SOURCE), len(numbers)), pa.array(numbers % 500_000 + 500_000)
            yield pa.RecordBatch.from_arrays([source, path, size, modified], schema=schema)
