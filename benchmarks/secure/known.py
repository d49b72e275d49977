"""A night's thousand new files where ten million are known, against the same where one million are."""

import os
import statistics
import time
from collections import Counter

from measures import line
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from secure.archive import Kind, write_archive
from secure.ground import Ground
from secure.opened import opened, settings
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import table_names
from smi_spark.secure.ingest import ingest_headers

SMALL, LARGE, NEW, ROUNDS = 1_000_000, 10_000_000, 1_000, 5
_TABLES = tuple(name for name in ("files", "headers", "images", "instances") if name in table_names())
_KINDS = ("CT", "MR", "CR", "US", "MG")
_YEARS = 10
_BEFORE = "20200101T000000.000000Z-0000"  # the run that ended, and wrote all that is known
_A_FILE = 2_000_000  # rows of a data file of a table without partitions


def known(ground: Ground) -> list[str]:
    """Both in one session, by turns; the first round does not count."""
    new, events = ground.count(NEW), ground.place / "events"
    sizes = [ground.count(size) for size in (SMALL, LARGE)]
    took: dict[int, list[float]] = {size: [] for size in sizes}
    times: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    with ground.session(settings(events)) as spark:
        configs = {size: _filled(spark, ground.config(f"known-{size}"), size) for size in sizes}
        for number in range(ROUNDS + 1):
            source = ground.place / f"new-{number}"
            write_archive(source, new, first=number * 10, kinds=[Kind("CT", 2024), Kind("MR", 2024)])
            os.sync()
            for size, config in configs.items():
                begin = time.time()
                counts = ingest_headers(spark, config, [str(source)])
                times[size].append((begin, time.time()))
                took[size].append(times[size][-1][1] - begin)
                if counts.images != new:
                    raise RuntimeError(f"{counts.images} of {new} new files became images")
        data = {size: _data_files(spark, config) for size, config in configs.items()}
    files = {size: opened(events, *times[size][-1]) for size in sizes}
    seconds = {size: statistics.median(took[size][1:]) for size in sizes}
    small, large = sizes
    total = {size: sum(count for name, count in files[size].items() if "(log)" not in name) for size in sizes}
    return [
        "",
        f"{new:,} new files of two studies' kinds and one year; known: {_YEARS} years of {len(_KINDS)} modalities",
        *(
            f"  {size:10,} known: {seconds[size]:.2f} s, data files opened: {_told(files[size], data[size])}"
            for size in sizes
        ),
        line(f"seconds with {large:,} known against {small:,}", seconds[large] / seconds[small], 1.3, at_most=True),
        line(
            "data files opened, likewise (known rows: ten times as many)",
            total[large] / max(1, total[small]),
            2,
            at_most=True,
        ),
    ]


def _told(files: Counter[str], data: dict[str, int]) -> str:
    return ", ".join(f"{name} {files[name]} (has {data.get(name, 0)})" for name in sorted(data))


def _data_files(spark: SparkSession, config: Config) -> dict[str, int]:
    return {name: len(tables.read(spark, tables.table(config, f"secure/{name}")).inputFiles()) for name in _TABLES}


def _filled(spark: SparkSession, config: Config, rows: int) -> Config:
    """Tables as maintenance leaves them: of a partition, or of two million rows, one data file, in order."""
    numbers = spark.range(rows).selectExpr("id", "id div 300 AS number").withColumn("kind", F.expr("number % 50"))
    for name in _TABLES:
        target = tables.table(config, f"secure/{name}")
        if target.schema.partition_by:
            parted = numbers.repartition(_YEARS * len(_KINDS), "kind")
        else:
            parted = numbers.repartitionByRange(max(1, rows // _A_FILE), "id")
        tables.append(_as_rows(parted.sortWithinPartitions("kind", "id"), target), target)
    ended = {"run_id": F.lit(_BEFORE), "job": F.lit("ingest_headers")}
    runs = tables.table(config, "secure/runs")
    tables.append(_completed(spark.range(1), ended, runs), runs)
    return config


def _as_rows(numbers: DataFrame, target: tables.Table) -> DataFrame:
    """A file a number: keys, and nulls for all else."""
    study = F.format_string("1.2.840.113619.2.55.3.%010d", F.col("number"))
    instance = F.format_string("1.2.840.113619.2.55.3.%010d.1.%010d", F.col("number"), F.col("id"))
    kinds, runs = F.array(*map(F.lit, _KINDS)), F.lit(_BEFORE)
    source, path = F.lit("/archive"), F.format_string("%07d/%010d.dcm", F.col("number"), F.col("id"))
    given = {
        "modality": F.get(kinds, (F.col("kind") % len(_KINDS)).cast("int")),
        "year": (F.lit(2015) + F.floor(F.col("kind") / len(_KINDS))).cast("int"),
        "source": source,
        "path": path,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": F.concat(study, F.lit(".1")),
        "SOPInstanceUID": instance,
        "instance": F.xxhash64(instance),
        "study": F.xxhash64(study),
        "file": F.xxhash64(source, path),
        "size": F.lit(500_000),
        "modified": F.timestamp_seconds(F.lit(1_577_836_800)),
        "first_seen": F.timestamp_seconds(F.lit(1_577_836_800)),
        "state": F.lit("present"),
        "run_id": runs,
        "state_run_id": runs,
        "listed_run_id": runs,
        "bytes_read": F.lit(16_384),
        "requests": F.lit(1),
        "header": F.encode(instance, "UTF-8"),
    }
    return _completed(numbers, given, target)


def _completed(rows: DataFrame, given: dict[str, Column], target: tables.Table) -> DataFrame:
    fields = target.schema.spark("secure")
    return rows.select(*(given.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in fields))
