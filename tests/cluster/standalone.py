"""A standalone cluster as pip's pyspark brings it, and jobs as spark-submit sends them there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyspark
import yaml

from tests.cluster.loopback import answers, free_port, program, running

SPARK_HOME = Path(pyspark.__file__).parent
SUBMIT = str(SPARK_HOME / "bin" / "spark-submit")
SETTINGS = {
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    # Short queries: compiling well does not pay; the quick code of so many fills more than the 48 MB that it gets.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m",
    "spark.sql.codegen.wholeStage": "false",  # few rows: compiling a plan takes longer than running it
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
SPARKS_OWN = {"SPARK_HOME": str(SPARK_HOME), "SPARK_LOCAL_IP": "127.0.0.1"}
ENVIRONMENT = {**os.environ, **SPARKS_OWN, "PYSPARK_PYTHON": sys.executable}


@dataclass(frozen=True)
class Installation:
    """A configuration file below a folder of its own, with three good files and one that is not DICOM to ingest."""

    config: Path
    source: Path

    def run(self, *command: str, environment: Mapping[str, str] = ENVIRONMENT) -> subprocess.CompletedProcess[str]:
        """A job as a program, with the configuration."""
        given = [*command, "--config", str(self.config)]
        return subprocess.run(given, env=environment, capture_output=True, text=True, check=False)


def install(place: Path, files: list[Path]) -> Installation:
    """An installation with its keys, and the files to ingest beside it."""
    settings = {
        "root": str(place / "data"),
        "keys": {name: {"file": str(place / f"{name}.key")} for name in ("archive", "projects")},
        "spark": {"spark.master": "local[2]", **SETTINGS},
    }
    config = place / "smi.yaml"
    config.write_text(yaml.safe_dump(settings))
    (place / "source").mkdir()
    for file in files:
        shutil.copy(file, place / "source")
    made = Installation(config, place / "source")
    assert made.run(sys.executable, "jobs/create_key.py").returncode == 0
    return made


def bare_environment() -> dict[str, str]:
    """What a node has of its own: Java, the system's programs, and no Python of ours."""
    java = Path(program("java", how="apt install openjdk-17-jre-headless")).parent
    home = {"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}
    return {"PATH": f"{java}:/usr/bin:/bin", **home, **SPARKS_OWN}


@contextmanager
def standalone(place: Path, workers: int, memory: str = "1g", *, pinned: bool = False) -> Iterator[str]:
    """The URL of a master with workers of one core each, for as long as the block lasts.

    pinned: each worker, and all that it starts, runs on a core of this machine that no other worker has.
    """
    port, page = free_port(), free_port()
    url = f"spark://127.0.0.1:{port}"
    environment = bare_environment() | {"SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_DIRS": str(place)}
    start = [str(SPARK_HOME / "bin" / "spark-class"), "org.apache.spark.deploy"]
    head = [start[0], f"{start[1]}.master.Master", "--host", "127.0.0.1", "--port", str(port),
            "--webui-port", str(page)]  # fmt: skip
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as cluster:
        cluster.enter_context(running(head, place / "master.log", lambda: answers(port), env=environment))
        for number in range(workers):
            options = {"preexec_fn": partial(os.sched_setaffinity, 0, {cores[number]})} if pinned else {}
            cluster.enter_context(_worker(place / f"worker-{number}", url, memory, env=environment, **options))
        yield url


@contextmanager
def _worker(place: Path, master: str, memory: str, **options: Any) -> Iterator[None]:
    place.mkdir()
    page = free_port()
    command = [str(SPARK_HOME / "bin" / "spark-class"), "org.apache.spark.deploy.worker.Worker",
               "--host", "127.0.0.1", "--cores", "1", "--memory", memory, "--webui-port", str(page),
               "--work-dir", str(place), master]  # fmt: skip
    with running(command, place / "log", lambda: answers(page), **options):
        yield


def flags(settings: Mapping[str, str]) -> list[str]:
    """Spark settings as spark-submit takes them."""
    return [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
