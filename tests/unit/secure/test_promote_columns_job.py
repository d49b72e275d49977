"""The job's command line: a wrong column ends it before Spark starts."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("EchoTme", "schemas/images.yaml: EchoTme is not a column. Columns here: modality, year, "),
        ("run_id", "schemas/images.yaml: run_id has no tag, so headers do not say what it holds. "),
    ],
)
def test_a_wrong_column_is_the_users_input(column: str, message: str) -> None:
    command = [sys.executable, str(ROOT / "jobs" / "promote_columns.py"), "--config", str(ROOT / "conf" / "local.yaml")]
    done = subprocess.run([*command, "--column", column], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(message)
