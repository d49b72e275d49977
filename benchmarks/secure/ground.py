"""Where a measure works: its folder and sizes, installations, sessions, processes apart, peaks of memory."""

import multiprocessing
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pyspark.sql import SparkSession

from secure.archive import write_archive
from smi_spark.config import Config, validate
from smi_spark.session import get_session

Result = TypeVar("Result")
REPOSITORY = Path(__file__).parents[2]

# A session that works for minutes: all is compiled as well as the JVM can. conf/local.yaml starts fast instead.
SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "6g",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
}


@dataclass(frozen=True)
class Ground:
    """A folder for everything that is written, and what share of the full sizes to work with."""

    place: Path
    scale: float

    def count(self, full: int, least: int = 600) -> int:
        """So many instead of ``full``."""
        return max(least, round(full * self.scale))

    def files(self, count: int) -> str:
        """A folder with so many small files, made where it is not there."""
        folder = self.place / f"files-{count}"
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            write_archive(partial, count)
            partial.rename(folder)
        return str(folder)

    def config(self, name: str, *, as_left: bool = False) -> Config:
        """An installation of that name, without tables at first, or as a process before left it."""
        root = self.place / "data" / name
        if not as_left:
            shutil.rmtree(root, ignore_errors=True)
        keys = {"archive": {"env": "NO_KEY"}, "projects": {"env": "NO_KEY"}}
        return validate(Config, {"root": str(root), "keys": keys}, "the benchmark")

    @contextmanager
    def session(self, settings: Mapping[str, str]) -> Iterator[SparkSession]:
        """A session with ``SETTINGS`` and those given."""
        places = {
            "spark.local.dir": str(self.place / "spark"),
            "spark.sql.warehouse.dir": str(self.place / "warehouse"),
        }
        spark = get_session(self.config("session").model_copy(update={"spark": SETTINGS | places | dict(settings)}))
        spark.sparkContext.setLogLevel("ERROR")
        try:
            yield spark
        finally:
            spark.stop()


def timed(run: Callable[[], Result]) -> tuple[float, Result]:
    """The seconds that it took, and what it gave."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def apart(work: Callable[..., Result], *given: Any) -> Result:
    """What ``work`` gives in a new process, so that neither caches nor peaks of memory are another's.

    Raises RuntimeError with what ``work`` raised, or when its process ended.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_told, work, given).result()


def _told(work: Callable[..., Result], given: tuple[Any, ...]) -> Result:
    try:
        return work(*given)
    except (Exception, pytest.fail.Exception) as error:  # of which Spark's cannot be sent to another process
        raise RuntimeError(f"{type(error).__name__}: {str(error)[:1000]}") from None


def peak(process: int | str = "self") -> float:
    """MiB of resident memory that a process had at most so far."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


def jvm_of(spark: SparkSession) -> int:
    """The process of the driver's JVM."""
    return int(spark.sparkContext._gateway.proc.pid)  # type: ignore[union-attr]  # a session of ours has one
