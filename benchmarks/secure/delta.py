"""Files → Delta, beside Spark writing the same rows from memory, and beside the same job with pydicom."""

import json
import shutil
import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from measures import line
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from secure import contender
from secure.ground import SETTINGS, Ground, apart, timed
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.headers import read_files, spread
from smi_spark.secure.images import decode_images
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.runs import stamps

ROUNDS = {100_000: 3, 1_000_000: 2}  # by the number of files
BY_PYDICOM = 5_000
_NAMES = ("headers", "images")
_TASKS = int(SETTINGS["spark.sql.shuffle.partitions"])


@dataclass(frozen=True)
class Rates:
    """Files a second: from the commit of files to that of images, of the whole run, read alone, decoded alone; and rows
    a second that Spark writes.
    """

    steps: float
    whole: float
    read: float
    decoded: float
    written: float

    @property
    def bound(self) -> float:
        """What of ``written`` could be reached at best: reading, decoding and writing, and nothing between them."""
        return 1 / self.written / (1 / self.read + 1 / self.decoded + 1 / self.written)


def delta(ground: Ground) -> list[str]:
    """Each size in a session of its own, and the job with pydicom in one."""
    fewer = ground.count(BY_PYDICOM)
    pydicom, their_read = apart(_with_pydicom, ground, fewer)
    lines = ["", "files → Delta: local[2], driver 14g, headers with bytes, then images of all columns"]
    for size, rounds in ROUNDS.items():
        count = ground.count(size)
        rates = apart(_rates, ground, count, rounds)
        lines += [
            f"  {count:,} files: {rates.steps:,.0f} files/s from the commit of files to that of images; "
            f"{rates.whole:,.0f} files/s with listing and all; Spark writes the rows at {rates.written:,.0f} rows/s",
            line("files → Delta against Spark writing the same rows from memory", rates.steps / rates.written, 0.6),
            line("the same, with listing, secure/files, quarantine and runs", rates.whole / rates.written, None),
            line("files → Delta against mapInPandas with pydicom", rates.steps / pydicom, 6),
            f"  nothing written: reading {rates.read:,.0f} files/s → headers; decoding {rates.decoded:,.0f} "
            "headers/s → all columns of images",
            line("reading, decoding and writing alone, one after the other, against writing", rates.bound, None),
            line("reading alone against pydicom", rates.read / their_read, None),
        ]
    return [
        *lines,
        f"  mapInPandas with pydicom, {fewer:,} files → images, no headers kept: {pydicom:,.0f} files/s; reading alone "
        f"{their_read:,.0f} files/s",
    ]


def _rates(ground: Ground, count: int, rounds: int) -> Rates:
    """Rounds of the ingest and of Spark's writing take turns; the first does not count, the median does."""
    source = ground.files(count)
    with ground.session({"spark.driver.memory": "14g"}) as spark:
        kept = ground.config("kept")
        ingest_headers(spark, kept, [source])
        ours, floor = [], []
        with ExitStack() as held:
            rows = {name: held.enter_context(tables.held(_in_order(spark, kept, name, count))) for name in _NAMES}
            for frame in rows.values():
                frame.count()
            for number in range(rounds + 1):
                ours.append(_ingest(spark, ground.config(f"ours-{number}"), source))
                floor.append(_copy(rows, ground.config(f"copy-{number}")))
        reading = [timed(lambda: _drop(_read(spark, kept)))[0] for _ in range(rounds)]
        decoding = [timed(lambda: _drop(_decode(spark, kept)))[0] for _ in range(rounds)]
        shutil.rmtree(kept.root)
    steps, whole = (count / statistics.median(seconds) for seconds in zip(*ours[1:], strict=True))
    read, decoded, written = (count / statistics.median(seconds) for seconds in (reading, decoding, floor[1:]))
    return Rates(steps, whole, read, decoded, written)


def _with_pydicom(ground: Ground, count: int) -> tuple[float, float]:
    """Files a second of the whole job, and of reading alone; the best of two rounds behind a first."""
    source = ground.files(count)
    with ground.session({}) as spark:
        whole = [_by_pydicom(spark, ground.config(f"theirs-{number}"), source) for number in range(3)]
        reading = [timed(lambda: _drop(contender.images(_files(spark, source))))[0] for _ in range(2)]
    return count / min(whole[1:]), count / min(reading)


def _in_order(spark: SparkSession, config: Config, name: str, count: int) -> DataFrame:
    """A table as the job had it before it was written: in parts, by source and path."""
    rows = tables.read(spark, tables.table(config, f"secure/{name}"))
    return spread(rows, count, config.ingest, _TASKS)


def _ingest(spark: SparkSession, config: Config, source: str) -> tuple[float, float]:
    """Seconds between the commit of files and that of images, and seconds of the whole."""
    whole, _ = timed(lambda: ingest_headers(spark, config, [source]))
    listed, promoted = (_committed(tables.table(config, f"secure/{name}").uri) for name in ("files", "images"))
    shutil.rmtree(config.root)
    return promoted - listed, whole


def _committed(uri: str) -> float:
    """When the newest version of a table was committed."""
    newest = max(Path(uri, "_delta_log").glob("[0-9]*.json"))
    actions = map(json.loads, newest.read_text(encoding="utf-8").splitlines())
    return next(action["commitInfo"]["timestamp"] for action in actions if "commitInfo" in action) / 1000


def _copy(rows: dict[str, DataFrame], config: Config) -> float:
    seconds = sum(timed(lambda n=name: tables.append(rows[n], tables.table(config, f"secure/{n}")))[0] for name in rows)
    shutil.rmtree(config.root)
    return seconds


def _by_pydicom(spark: SparkSession, config: Config, source: str) -> float:
    """Seconds of the same job with pydicom; where the files come from is not counted."""
    files, images = _files(spark, source), tables.table(config, "secure/images")
    seconds, count = timed(lambda: tables.append(tables.completed(contender.images(files), images), images))
    if count != files.count():
        raise RuntimeError(f"the job with pydicom wrote {count} of {files.count()} images")
    return seconds


def _files(spark: SparkSession, source: str) -> DataFrame:
    """Source and path of each file, for two tasks."""
    paths = [(source, str(path.relative_to(source))) for path in sorted(Path(source).rglob("*.dcm"))]
    return spark.createDataFrame(paths, "source string, path string").repartition(2)


def _read(spark: SparkSession, config: Config) -> DataFrame:
    """The product's reading of files that it knows."""
    files = tables.read(spark, tables.table(config, "secure/files"))
    files = files.select("source", "path", F.col("run_id").alias("listed_run_id"))
    return read_files(spread(files, files.count(), config.ingest, _TASKS), config.ingest, "run")


def _decode(spark: SparkSession, config: Config) -> DataFrame:
    """The product's decoding of stored headers, all columns."""
    headers = tables.read(spark, tables.table(config, "secure/headers")).where("reason IS NULL")
    return decode_images(headers, stamps("run"))


def _drop(rows: DataFrame) -> None:
    rows.write.format("noop").mode("overwrite").save()
