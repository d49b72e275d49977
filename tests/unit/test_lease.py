"""One run at a time, and a run that was killed in nobody's way."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smi_spark.errors import BusyError
from smi_spark.lease import lease

HOLD = """
import sys
from smi_spark.lease import lease
with lease(sys.argv[1], "images", "run-1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(zone: Path) -> "subprocess.Popen[str]":
    """Another process that holds the lease until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(zone)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_is_at_work(tmp_path: Path) -> None:
    with holding(tmp_path) as other:
        with pytest.raises(BusyError) as error, lease(str(tmp_path), "images", "run-2"):
            pass
        other.communicate()
    said = (
        rf"another run writes images in {tmp_path}: run run-1 on \S+, process {other.pid}, since \S+\. "
        r"Nothing was done: start again when it has ended\."
    )
    assert re.fullmatch(said, str(error.value))
    assert error.value.exit_code == 2


def test_a_run_that_ended_or_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    with holding(tmp_path) as ended:
        ended.communicate()
    with holding(tmp_path) as killed:
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
    with lease(str(tmp_path), "images", "run-3"):
        pass


def test_another_job_and_another_zone_are_free(tmp_path: Path) -> None:
    with (
        lease(str(tmp_path / "a"), "images", "run-1"),
        lease(str(tmp_path / "a"), "records-smr01", "run-2"),
        lease(f"file://{tmp_path}/b", "images", "run-3"),
        pytest.raises(BusyError),
        lease(str(tmp_path / "b"), "images", "run-4"),
    ):
        pass
