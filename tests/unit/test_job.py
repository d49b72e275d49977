import argparse
import subprocess
import sys
from pathlib import Path

import pytest
from py4j.protocol import Py4JError

from smi_spark import job
from smi_spark.config import Config
from smi_spark.errors import KeyFileError, QuarantineThresholdError, SmiError, SourceError
from smi_spark.job import arguments, explain

CONFIG = "keys:\n  archive: {env: A}\n  projects: {env: P}\n"


def run_job(monkeypatch: pytest.MonkeyPatch, run, *given: str) -> int:
    monkeypatch.setattr(sys, "argv", ["job.py", *given])
    with pytest.raises(SystemExit) as ended:
        job.main_without_spark(arguments("A job."), run)
    return int(ended.value.code or 0)


@pytest.fixture
def file(tmp_path: Path) -> str:
    place = tmp_path / "smi.yaml"
    place.write_text(CONFIG)
    return str(place)


def test_a_job_ends_with_its_line_of_counts(file: str, monkeypatch, capsys) -> None:
    def run(config: Config, options: argparse.Namespace) -> str:
        return f"3 images in {config.root}"

    assert run_job(monkeypatch, run, "--config", file, "--set", "root=/mnt/smi") == 0
    assert capsys.readouterr().out == "3 images in /mnt/smi\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SourceError("s3://archive cannot be listed."), 1),
        (KeyFileError("no key"), 2),
        (QuarantineThresholdError("too many"), 3),
    ],
)
def test_an_error_is_a_line_and_an_exit_code(file: str, monkeypatch, capsys, error: SmiError, code: int) -> None:
    def run(config: Config, options: argparse.Namespace) -> str:
        raise error

    assert run_job(monkeypatch, run, "--config", file) == code
    assert capsys.readouterr().err == f"{error}\n"


def test_how_far_a_job_is_goes_to_stderr_and_leaves_its_line_of_counts_alone(file: str) -> None:
    program = (
        "from smi_spark.job import arguments, main_without_spark\n"
        "from smi_spark.progress import Progress\n"
        "def run(config, options):\n"
        "    clock = iter((0.0, 60.0)).__next__\n"
        "    with Progress('secure/headers', 9, clock=clock) as progress:\n"
        "        progress.add(9)\n"
        "    return '9 files read'\n"
        "main_without_spark(arguments('A job.'), run)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, "--config", file], capture_output=True, text=True, check=True)

    assert done.stdout == "9 files read\n"
    assert done.stderr.endswith(" secure/headers: 9 of 9 files (100%), 0.1 a second, in 60 s\n")


def test_wrong_arguments_are_the_users_input(monkeypatch, capsys) -> None:
    assert run_job(monkeypatch, None) == 1
    assert capsys.readouterr().err == (
        "job.py: the following arguments are required: --config. See job.py --help.\n"
    )  # fmt: skip


def test_a_wrong_setting_ends_the_job_before_it_runs(file: str, monkeypatch, capsys) -> None:
    assert run_job(monkeypatch, None, "--config", file, "--set", "rooot=/mnt") == 1
    assert "rooot is not a field" in capsys.readouterr().err


def test_an_error_that_a_worker_raised_is_told_without_its_trace() -> None:
    trace = (
        "Job aborted due to stage failure\n\tat org.apache.spark.Task\n"
        "smi_spark.errors.KeyFileError: key file /k can be read by others. Run: chmod 600 /k\n\tat more"
    )
    assert explain(RuntimeError(trace)) == ("key file /k can be read by others. Run: chmod 600 /k", 2)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Lost task: [CAST_INVALID_INPUT] The value 'Quernlock^Ann' of the type \"STRING\" cannot be cast to \"INT\"",
         "Lost task: [CAST_INVALID_INPUT] The value '…' of the type \"STRING\" cannot be cast to \"INT\""),
        ('java.lang.NumberFormatException: For input string: "0101031234"',
         "java.lang.NumberFormatException: For input string: '…'"),
        ("Delta doesn't know `chi`, and can't go on", "Delta doesn't know `chi`, and can't go on"),
    ],
)  # fmt: skip
def test_of_sparks_message_no_value_is_told(message: str, told: str) -> None:
    assert explain(RuntimeError(f"{message}\n\tat org.apache.spark")) == (f"Spark failed: {told}", 2)


def test_an_error_of_sparks_own_is_its_first_line() -> None:
    assert explain(RuntimeError("No space left on device\n\tat java.io")) == (
        "Spark failed: No space left on device", 2,
    )  # fmt: skip


def test_what_java_says_through_python_is_one_line_too(file: str, monkeypatch, capsys) -> None:
    def run(config: Config, options: argparse.Namespace) -> str:
        raise Py4JError(
            "An error occurred while calling z:io.delta.tables.DeltaTable.isDeltaTable.\n"
            ": org.apache.hadoop.fs.s3a.AWSClientIOException: s3a://smi: Unable to load region\n\tat org.apache.hadoop"
        )

    assert run_job(monkeypatch, run, "--config", file) == 2
    told = "Spark failed: org.apache.hadoop.fs.s3a.AWSClientIOException: s3a://smi: Unable to load region\n"
    assert capsys.readouterr().err == told


def test_a_place_that_cannot_be_written_is_the_environments_fault(file: str, monkeypatch, capsys) -> None:
    def run(config: Config, options: argparse.Namespace) -> str:
        Path(config.root, "smi").mkdir()
        return "made"

    assert run_job(monkeypatch, run, "--config", file, "--set", "root=/proc/nowhere") == 2
    assert capsys.readouterr().err == (
        "[Errno 2] No such file or directory: '/proc/nowhere/smi'. "
        "See jobs/check.py: it looks at places, rights and keys.\n"
    )
