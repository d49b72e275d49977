"""Files → Delta, beside Spark writing the same rows from memory, and beside the same job with pydicom."""

import json
import shutil
import statistics
from contextlib import ExitStack
from pathlib import Path

from measures import line
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from secure import contender
from secure.ground import Ground, timed
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.headers import read_files, spread
from smi_spark.secure.ingest import ingest_headers

FILES, BY_PYDICOM, ROUNDS = 100_000, 5_000, 3
_NAMES = ("headers", "images")


def delta(ground: Ground) -> list[str]:
    """All in one session; rounds take turns, the first does not count, the median does."""
    count, fewer = ground.count(FILES), ground.count(BY_PYDICOM)
    source, slow = ground.files(count), ground.files(fewer)
    with ground.session({"spark.driver.memory": "8g"}) as spark:
        kept = ground.config("kept")
        ingest_headers(spark, kept, [source])
        ours, floor = [], []
        with ExitStack() as held:
            rows = {name: held.enter_context(tables.held(_in_order(spark, kept, name))) for name in _NAMES}
            for frame in rows.values():
                frame.count()
            for number in range(ROUNDS + 1):
                ours.append(_ingest(spark, ground.config(f"ours-{number}"), source))
                floor.append(_copy(rows, ground.config(f"copy-{number}")))
        theirs = [_by_pydicom(spark, ground.config(f"theirs-{number}"), slow) for number in range(3)]
        reading = [timed(lambda: _drop(_read(spark, kept)))[0] for _ in range(ROUNDS)]
        their_reading = [timed(lambda: _drop(contender.images(_files(spark, slow))))[0] for _ in range(2)]
    steps, whole = (count / statistics.median(seconds) for seconds in zip(*ours[1:], strict=True))
    written, pydicom = count / statistics.median(floor[1:]), fewer / min(theirs[1:])
    read, their_read = count / statistics.median(reading), fewer / min(their_reading)
    return [
        "",
        f"files → Delta: {count:,} files on local[2], driver 8g, headers with bytes, then images of all columns",
        f"  {steps:,.0f} files/s from the commit of files to that of images; {whole:,.0f} files/s with listing and all",
        f"  Spark writes the same rows to the same two tables, from memory: {written:,.0f} rows/s",
        line("files → Delta against Spark writing the same rows from memory", steps / written, 0.6),
        line("the same, with listing, secure/files, quarantine and runs", whole / written, None),
        f"  mapInPandas with pydicom, {fewer:,} files → images, no headers kept: {pydicom:,.0f} files/s",
        line("files → Delta against mapInPandas with pydicom", steps / pydicom, 6),
        f"  reading alone, nothing written: {read:,.0f} files/s → headers; pydicom {their_read:,.0f} files/s → images",
        line("reading alone against pydicom", read / their_read, None),
    ]


def _in_order(spark: SparkSession, config: Config, name: str) -> DataFrame:
    """A table as the job had it before it was written: in parts, by source and path."""
    rows = tables.read(spark, tables.table(config, f"secure/{name}"))
    return rows.repartitionByRange(4, "source", "path").sortWithinPartitions("source", "path")


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
    return read_files(spread(files, files.count(), config.ingest, 4), config.ingest, "run")


def _drop(rows: DataFrame) -> None:
    rows.write.format("noop").mode("overwrite").save()
