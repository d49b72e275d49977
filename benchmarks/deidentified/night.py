"""A night's new images where a million are known, ten, or a hundred million: what one of them costs, and files read."""

import statistics
import time
from dataclasses import dataclass

from measures import line
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from secure.ground import Ground
from secure.known import BEFORE, data_files, end, filled
from secure.opened import BYTES, FILES, opened, settings

from deidentified.ground import installation
from deidentified.rows import SERIES, SLICES, Days, append_images
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.cpu import cpu_seconds, cpu_times
from smi_spark.deidentified.keyed import KEY_ID
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.pseudonymise import run
from smi_spark.deidentified.reached import OF_IMAGES, TAKEN_UP_TO, note_reached
from smi_spark.secure.instances import as_index

SIZES, NEW, ROUNDS = (1_000_000, 10_000_000, 100_000_000), 100_000, 3
_A_STUDY = SLICES * SERIES
_LATE = _A_STUDY // 10  # of a study's images, those that come a night later
_YEAR = Days("2024-01-01", 365)
_ROLLED_UP = ("deidentified/series", "deidentified/studies")
_TABLES = ("secure/images", "secure/instances", "secure/links", "deidentified/images", *_ROLLED_UP)


@dataclass(frozen=True)
class Night:
    """One run: when it began and ended, in seconds since 1970, and its CPU seconds."""

    begin: float
    end: float
    cpu: float


def night(ground: Ground) -> list[str]:
    """All sizes in one session, by turns; the first two rounds do not count, the median does.

    New are studies of one year, and the last tenth of the images of the studies that were new the night before.
    Known are ten years of five modalities, ids alone.
    """
    new, events = ground.count(NEW, 2 * _A_STUDY) // _A_STUDY * _A_STUDY, ground.place / "events"
    sizes = [ground.count(size) for size in SIZES]
    nights: dict[int, list[Night]] = {size: [] for size in sizes}
    with ground.session(settings(events)) as spark:
        configs = {size: _known(spark, installation(ground, f"night-{size}"), size) for size in sizes}
        for number in range(ROUNDS + 2):
            for size, config in configs.items():
                nights[size].append(_run(spark, config, number, new))
        there = {size: data_files(spark, config, _TABLES) for size, config in configs.items()}
    lines = ["", f"a night's {new:,} new images of one year, local[2], driver 6g; by how many are known"]
    cpu = {size: statistics.median(night.cpu for night in nights[size][2:]) / new * 1e6 for size in sizes}
    wall = {size: statistics.median(n.end - n.begin for n in nights[size][2:]) / new * 1e6 for size in sizes}
    files = {}
    for size in sizes:
        last = nights[size][-1]
        found, read = (opened(events, last.begin, last.end, metric) for metric in (FILES, BYTES))
        files[size] = sum(found[name] for name in _TABLES)
        told = ", ".join(f"{name} {found[name]} of {read[name] / 1e6:,.0f} MB" for name in _TABLES)
        lines += [
            f"  {size:11,} known: {wall[size]:.1f} µs a new image, of CPU {cpu[size]:.1f}",
            f"  {'':11} data files opened, some several times: {told}",
            f"  {'':11} data files there: {', '.join(f'{name} {count}' for name, count in there[size].items())}",
        ]
    first, *others = sizes
    return [
        *lines,
        *(
            line(f"CPU a new image, {size:,} known against {first:,}", cpu[size] / cpu[first], 1.3, at_most=True)
            for size in others
        ),
        *(
            line(f"data files opened, {size:,} known against {first:,}", files[size] / files[first], 2, at_most=True)
            for size in others
        ),
    ]


def _run(spark: SparkSession, config: Config, number: int, new: int) -> Night:
    """New images come to zone 1, then to zone 2."""
    name = f"20260101T{number:06}.000000Z-0000"
    late = f"id % {_A_STUDY} >= {_A_STUDY - _LATE}"
    append_images(spark, config, number * new, new, name, _YEAR, f"NOT {late}")
    if number:
        append_images(spark, config, (number - 1) * new, new, name, _YEAR, late)
    images = tables.read(spark, tables.table(config, "secure/images")).where(F.col("run_id") == name)
    tables.append(as_index(images), tables.table(config, "secure/instances"))
    end(spark, config, name)
    begin, before = time.time(), cpu_times(spark)
    run(spark, config)
    return Night(begin, time.time(), cpu_seconds(before, cpu_times(spark)) or 0.0)


def _known(spark: SparkSession, config: Config, rows: int) -> Config:
    """An installation in which so many images were pseudonymised."""
    images = tables.table(config, "deidentified/images")
    tables.create(spark, images, properties={KEY_ID: key_id(load_key(config.keys.archive))})
    filled(spark, config, rows, _TABLES)
    note_reached(spark, images, {TAKEN_UP_TO: BEFORE})
    for name in _ROLLED_UP:
        of = str(tables.content_version(spark, images))
        note_reached(spark, tables.table(config, name), {OF_IMAGES: of})
    return config
