"""Where measures of zone 3 work: archives of tables that are made once, sessions, one piece of work by turns."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deidentified.ground import Cost
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from secure.ground import Ground

from smi_spark import tables
from smi_spark.analysis.definition import Definition, load_definition
from smi_spark.config import Config
from smi_spark.cpu import cpu_seconds, cpu_times
from smi_spark.resources import folder
from smi_spark.schema import record_tables

NO_KEYS = {"archive": {"env": "NO_KEY"}, "projects": {"env": "NO_KEY"}}
DONE = "made"  # the file beside the tables of an archive that is whole


@dataclass(frozen=True)
class Place:
    """A ground, and the folder of archives that stay."""

    ground: Ground
    archives: Path

    def archive(self, full: int) -> Config:
        """The tables-only archive of so many images (at scale 1), made where it is not there."""
        images = self.ground.count(full, 1_000)
        root = self.archives / f"images-{images}"
        if not (root / DONE).exists():
            command = [sys.executable, "-m", "smi_spark.synthetic", "--tables-only", "--seed", "1"]
            subprocess.run([*command, "--images", str(images), "--out", str(root)], check=True)  # noqa: S603
            (root / DONE).touch()
        return Config.model_validate({"root": str(root), "keys": NO_KEYS})


@dataclass(frozen=True)
class Turn:
    """One run: when it began and ended, in seconds since 1970, and its CPU seconds."""

    begin: float
    end: float
    cpu: float


def by_turns(spark: SparkSession, works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[Turn]]:
    """Each piece of work once a round; the first round is not counted."""
    turns: dict[str, list[Turn]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            begin, before = time.time(), cpu_times(spark)
            work()
            turns[name].append(Turn(begin, time.time(), cpu_seconds(before, cpu_times(spark)) or 0.0))
    return {name: several[1:] for name, several in turns.items()}


def median(turns: list[Turn]) -> Cost:
    """Of seconds and of CPU seconds."""
    return Cost(statistics.median(one.end - one.begin for one in turns), statistics.median(one.cpu for one in turns))


def zone_2(spark: SparkSession, config: Config) -> tuple[DataFrame, dict[str, DataFrame]]:
    """Images and all tables of records; those that the archive has not, without rows."""
    images = tables.read(spark, tables.table(config, "deidentified/images"))
    read = {
        name: tables.read_or_empty(spark, tables.table(config, f"deidentified/records/{name}"))
        for name in record_tables()
    }
    return images, read


def worked_definitions() -> Iterator[Definition]:
    """Those of ``conf/cohorts``, by name."""
    for path in sorted((folder("conf") / "cohorts").glob("*.yaml")):
        yield load_definition(path)


def sink(rows: DataFrame) -> int:
    """All rows in all columns to nowhere; gives how many they are."""
    seen = Observation()
    rows.observe(seen, F.count(F.lit(1)).alias("rows")).write.format("noop").mode("overwrite").save()
    return int(seen.get["rows"])
