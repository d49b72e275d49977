"""Jobs as spark-submit runs them, on a standalone master with a worker, and the exit codes of jobs as programs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom.data
import pyspark
import pytest
import yaml
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import load_config
from tests.cluster.loopback import answers, free_port, running

pytestmark = pytest.mark.cluster

FILES = Path(pydicom.data.__file__).parent / "test_files"
SPARK_HOME = Path(pyspark.__file__).parent
SETTINGS = {
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # short queries: compiling well does not pay
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
ENVIRONMENT = {
    **os.environ,
    "PYSPARK_PYTHON": sys.executable,
    "SPARK_HOME": str(SPARK_HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
}


@dataclass(frozen=True)
class Installation:
    """A configuration file below a folder of its own, with three good files and one that is not DICOM to ingest."""

    config: Path
    source: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, "--config", str(self.config)], env=ENVIRONMENT, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    place = tmp_path_factory.mktemp("installation")
    settings = {
        "root": str(place / "data"),
        "keys": {name: {"file": str(place / f"{name}.key")} for name in ("archive", "projects")},
        "spark": {"spark.master": "local[2]", **SETTINGS},
    }
    config = place / "smi.yaml"
    config.write_text(yaml.safe_dump(settings))
    (place / "source").mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "README.txt"):
        shutil.copy(FILES / name, place / "source")
    made = Installation(config, place / "source")
    assert made.run(sys.executable, "jobs/create_key.py").returncode == 0
    return made


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a standalone master that has one worker with two cores."""
    place = tmp_path_factory.mktemp("standalone")
    port, master_page, worker_page = free_port(), free_port(), free_port()
    url = f"spark://127.0.0.1:{port}"
    start = [str(SPARK_HOME / "bin" / "spark-class"), "org.apache.spark.deploy"]
    environment = {**ENVIRONMENT, "SPARK_DAEMON_MEMORY": "256m", "SPARK_WORKER_DIR": str(place)}
    head = [start[0], f"{start[1]}.master.Master", "--host", "127.0.0.1", "--port", str(port),
            "--webui-port", str(master_page)]  # fmt: skip
    hand = [start[0], f"{start[1]}.worker.Worker", "--host", "127.0.0.1", "--cores", "2", "--memory", "2g",
            "--webui-port", str(worker_page), url]  # fmt: skip
    with (
        running(head, place / "master.log", lambda: answers(port), env=environment),
        running(hand, place / "worker.log", lambda: answers(worker_page), env=environment),
    ):
        yield url


def submit(installed: Installation, master: str, job: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = [part for name, value in SETTINGS.items() for part in ("--conf", f"{name}={value}")]
    submitted = str(SPARK_HOME / "bin" / "spark-submit")
    return installed.run(submitted, "--master", master, *settings, f"jobs/{job}.py", *arguments)


def test_check_and_ingest_run_on_a_cluster(installed: Installation, master: str, spark: SparkSession) -> None:
    checked = submit(installed, master, "check")
    assert (checked.returncode, checked.stderr.count("Traceback")) == (0, 0), checked.stdout + checked.stderr
    assert f"master {master}" in checked.stdout
    assert "checks passed" in checked.stdout

    ingested = submit(installed, master, "ingest_headers", "--source", str(installed.source))
    assert ingested.returncode == 0, ingested.stderr
    assert "3 images added" in ingested.stdout

    config = load_config(installed.config)
    images = tables.read(spark, tables.table(config, "secure/images")).select("path", "modality").collect()
    assert sorted(map(tuple, images)) == [
        ("CT_small.dcm", "CT"), ("MR_small.dcm", "MR"), ("rtplan.dcm", "OTHER"),
    ]  # fmt: skip
    bad = tables.read(spark, tables.table(config, "secure/quarantine")).select("path", "reason").collect()
    assert list(map(tuple, bad)) == [("README.txt", "not_dicom")]


@pytest.mark.parametrize(
    ("job", "arguments", "code", "told"),
    [
        ("pseudonymise", ["--set", "rooot=/mnt"], 1, "rooot is not a field"),
        ("ingest_headers", ["--source"], 1, "expected at least one argument"),
        ("check", ["--set", "keys.archive.file=/nowhere/archive.key"], 2, "key file /nowhere/archive.key does not"),
    ],
)
def test_a_job_ends_with_the_code_of_who_can_mend_it(
    installed: Installation, job: str, arguments: list[str], code: int, told: str
) -> None:
    ended = installed.run(sys.executable, f"jobs/{job}.py", *arguments)

    assert ended.returncode == code, ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "\tat " not in ended.stderr


def test_more_bad_files_than_allowed_end_an_ingest_with_3(installed: Installation, tmp_path: Path) -> None:
    shutil.copy(FILES / "README.txt", tmp_path)
    ended = installed.run(
        sys.executable, "jobs/ingest_headers.py", "--source", str(tmp_path), "--set", f"root={tmp_path / 'data'}"
    )
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
