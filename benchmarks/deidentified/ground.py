"""What measures of zone 2 share: an installation with a key, and seconds and CPU seconds of a piece of work."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import SparkSession
from secure.ground import Ground

from smi_spark.config import Config
from smi_spark.cpu import cpu_seconds, cpu_times
from smi_spark.deidentified.keys import create_key


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and CPU seconds of the JVM and of the Python below it."""

    wall: float
    cpu: float

    def of(self, rows: int) -> str:
        """By the row."""
        return f"{self.wall / rows * 1e6:.1f} µs a row, of CPU {self.cpu / rows * 1e6:.1f}"


def installation(ground: Ground, name: str) -> Config:
    """Without tables, with a key."""
    file = ground.place / "archive.key"
    if not file.exists():
        create_key(file)
    config = ground.config(name)
    key = {"file": str(file)}
    return config.model_copy(update={"keys": config.keys.model_validate({"archive": key, "projects": key})})


def cost(spark: SparkSession, work: Callable[[], object]) -> Cost:
    """What one call costs."""
    before, start = cpu_times(spark), time.perf_counter()
    work()
    return Cost(time.perf_counter() - start, cpu_seconds(before, cpu_times(spark)) or 0.0)
