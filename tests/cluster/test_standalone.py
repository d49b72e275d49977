"""Jobs as spark-submit runs them, on a standalone master with two workers, and the exit codes of jobs as programs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pydicom.data
import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import load_config
from tests.cluster.standalone import SETTINGS, SUBMIT, Installation, flags

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
FILES = Path(pydicom.data.__file__).parent / "test_files"


def submit(installed: Installation, master: str, job: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = SETTINGS | {"spark.executorEnv.PYTHONPATH": str(ROOT)}
    return installed.run(SUBMIT, "--master", master, *flags(settings), f"jobs/{job}.py", *arguments)


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
    (run,) = tables.read(spark, tables.table(config, "secure/runs")).select("cpu_seconds", "energy_wh").collect()
    assert 0 < run.energy_wh < run.cpu_seconds
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


@pytest.mark.long
def test_more_bad_files_than_allowed_end_an_ingest_with_3(installed: Installation, tmp_path: Path) -> None:
    shutil.copy(FILES / "README.txt", tmp_path)
    ended = installed.run(
        sys.executable, "jobs/ingest_headers.py", "--source", str(tmp_path), "--set", f"root={tmp_path / 'data'}"
    )
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
