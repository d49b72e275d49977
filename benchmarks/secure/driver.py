"""A driver with little memory, apart from its executors, and what it took of that."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import SparkSession

from secure.ground import REPOSITORY, Ground, jvm_of, peak


@dataclass(frozen=True)
class Driver:
    """MiB that a driver took at most: resident in JVM and Python, and of the JVM's heap what a collection left."""

    jvm: float
    python: float
    heap: float

    @property
    def resident(self) -> float:
        return self.jvm + self.python

    def __str__(self) -> str:
        return (
            f"JVM {self.jvm:,.0f} MiB, its heap {self.heap:,.0f} MiB after a collection, Python {self.python:,.0f} MiB"
        )


@contextmanager
def small_driver(
    ground: Ground, master: str, memory: str = "2g", partitions: int = 4
) -> Iterator[tuple[SparkSession, Callable[[], Driver]]]:
    """A session on a cluster whose driver has 1g of heap, and how to ask what it took so far.

    ``memory`` is that of an executor.
    """
    log = ground.place / f"collections-{master.rpartition(':')[2]}.log"
    settings = {
        "spark.master": master,
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": f"-Xlog:gc:file={log}",
        "spark.executor.memory": memory,
        "spark.executorEnv.PYTHONPATH": f"{REPOSITORY / 'benchmarks'}:{REPOSITORY}",
        "spark.sql.shuffle.partitions": str(partitions),
    }
    with ground.session(settings) as spark:

        def took() -> Driver:
            left = [int(size) for size in re.findall(r"\d+M->(\d+)M\(", log.read_text(encoding="utf-8"))]
            return Driver(peak(jvm_of(spark)), peak(), max(left, default=0))

        yield spark, took
