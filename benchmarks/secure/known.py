"""A night's thousand new files where ten million are known, against the same where one million are."""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from measures import line
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from secure.archive import SLICES, Kind, write_archive
from secure.ground import Ground
from secure.opened import BYTES, FILES, opened, settings
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.ingest import ingest_headers

SMALL, LARGE, NEW, ROUNDS = 1_000_000, 10_000_000, 1_000, 5
_TABLES = tuple(f"secure/{name}" for name in ("files", "headers", "images", "instances", "series", "studies"))
_KINDS = ("CT", "MR", "CR", "US", "MG")
_YEARS = 10
BEFORE = "20200101T000000.000000Z-0000"  # the run that ended, and wrote all that is known
_A_FILE = 2_000_000  # rows of a data file of a table without partitions


@dataclass(frozen=True)
class Night:
    """One ingest: when it began and ended, in seconds since 1970."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


def known(ground: Ground) -> list[str]:
    """Both in one session, by turns; the first round does not count, the median does."""
    new, events = ground.count(NEW), ground.place / "events"
    sizes = [ground.count(size) for size in (SMALL, LARGE)]
    nights: dict[int, list[Night]] = {size: [] for size in sizes}
    with ground.session(settings(events)) as spark:
        configs = {size: filled(spark, ground.config(f"known-{size}"), size, _TABLES) for size in sizes}
        for number in range(ROUNDS + 1):
            source = ground.place / f"new-{number}"
            write_archive(source, new, first=number * 10, kinds=[Kind("CT", 2024), Kind("MR", 2024)])
            os.sync()
            for size, config in configs.items():
                nights[size].append(_ingest(spark, config, str(source), new))
        data = {size: data_files(spark, config, _TABLES) for size, config in configs.items()}
    lines = ["", f"{new:,} new files of one year; known: {_YEARS} years of {len(_KINDS)} modalities, tables alone"]
    seconds, files = [], []
    for size in sizes:
        last = nights[size][-1]
        found, read = (opened(events, last.begin, last.end, metric) for metric in (FILES, BYTES))
        seconds.append(statistics.median(night.seconds for night in nights[size][1:]))
        files.append(sum(found[name] for name in data[size]))
        told = ", ".join(f"{name} {found[name]} of {read[name] / 1e6:,.0f} MB" for name in data[size])
        lines.append(f"  {size:10,} known: {seconds[-1]:.2f} s, data files opened, some several times: {told}")
        lines.append(f"  {'':18}data files there: {', '.join(f'{name} {count}' for name, count in data[size].items())}")
    what = f"seconds with {sizes[1]:,} known against {sizes[0]:,}"
    return [
        *lines,
        line(what, seconds[1] / seconds[0], 1.3, at_most=True),
        line(
            "data files opened, likewise; ten times would be in proportion",
            files[1] / max(1, files[0]),
            2,
            at_most=True,
        ),
    ]


def _ingest(spark: SparkSession, config: Config, source: str, new: int) -> Night:
    begin = time.time()
    counts = ingest_headers(spark, config, [source])
    if counts.images != new:
        raise RuntimeError(f"{counts.images} of {new} new files became images")
    return Night(begin, time.time())


def data_files(spark: SparkSession, config: Config, names: Sequence[str]) -> dict[str, int]:
    """Name of each table → how many data files it has."""
    return {name: len(tables.read(spark, tables.table(config, name)).inputFiles()) for name in names}


def filled(spark: SparkSession, config: Config, rows: int, names: Sequence[str]) -> Config:
    """Tables of so many images as maintenance leaves them: a data file a partition, or two million rows, in order."""
    kinds, kind = F.array(*map(F.lit, _KINDS)), F.expr(f"cast(id div {SLICES} % {_YEARS * len(_KINDS)} AS int)")
    numbers = spark.range(rows).select(
        "id",
        F.expr(f"id div {SLICES}").alias("number"),
        F.get(kinds, kind % len(_KINDS)).alias("modality"),
        (F.lit(2015) + F.floor(kind / len(_KINDS))).cast("int").alias("year"),
    )
    for name in names:
        target = tables.table(config, name)
        rolled_up = name.endswith(("series", "studies"))
        one_each = numbers.where(f"id % {SLICES} = 0") if rolled_up else numbers
        if target.schema.partition_by:
            parted = one_each.repartition(*target.schema.partition_by).sortWithinPartitions("modality", "year", "id")
        else:
            parted = numbers.repartitionByRange(max(1, rows // _A_FILE), "id").sortWithinPartitions("id")
        tables.create(spark, target)
        _as_rows(parted, target).write.format("delta").mode("append").save(
            target.uri
        )  # wider rows, not sorted any more
    end(spark, config, BEFORE)
    return config


def end(spark: SparkSession, config: Config, run_id: str) -> None:
    """Say that an ingest of that name has ended."""
    ended, runs = {"run_id": F.lit(run_id), "job": F.lit("ingest_headers")}, tables.table(config, "secure/runs")
    tables.append(tables.completed(spark.range(1), runs, **ended), runs)


def _as_rows(numbers: DataFrame, target: tables.Table) -> DataFrame:
    """A file a number: keys, and nothing else."""
    of_study, of_image = (F.lpad(F.col(name).cast("string"), 10, "0") for name in ("number", "id"))
    study = F.concat(F.lit("1.2.840.113619.2.55.3."), of_study)
    instance = F.concat(study, F.lit(".1."), of_image)
    source, path = F.lit("/archive"), F.concat(of_study, F.lit("/"), of_image, F.lit(".dcm"))
    given = {
        "modality": F.col("modality"),
        "year": F.col("year"),
        "source": source,
        "path": path,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": F.concat(study, F.lit(".1")),
        "SOPInstanceUID": instance,
        "original_sop_instance_uid": instance,
        "image_run_id": F.lit(BEFORE),
        "instance": F.xxhash64(instance),
        "study": F.xxhash64(study),
        "file": F.xxhash64(source, path),
        "size": F.lit(500_000),
        "modified": F.timestamp_seconds(F.lit(1_577_836_800)),
        "first_seen": F.timestamp_seconds(F.lit(1_577_836_800)),
        "state": F.lit("present"),
        **{name: F.lit(BEFORE) for name in ("run_id", "state_run_id", "listed_run_id")},
        "bytes_read": F.lit(16_384),
        "requests": F.lit(1),
        "header": F.encode(instance, "UTF-8"),
    }
    fields = [field for field in target.schema.spark(target.zone) if field.name in given]
    return numbers.select(*(given[field.name].cast(field.dataType).alias(field.name) for field in fields))
