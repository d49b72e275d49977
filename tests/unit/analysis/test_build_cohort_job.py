"""The job's command line: a wrong definition ends it before Spark starts."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def build_cohort(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "jobs" / "build_cohort.py"), "--config", str(ROOT / "conf" / "local.yaml")]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_wrong_definition_is_the_users_input(tmp_path: Path) -> None:
    file = tmp_path / "lung.yaml"
    file.write_text("cohort: lung\nproject: demo\nquestion: Who?\nimages: {modalty: CT}\n")
    done = build_cohort("--cohort", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{file}: images.modalty is not a field. Fields here: modality, body_part, ")
    assert done.stderr.endswith("Did you mean modality?\n")


def test_no_definition_is_the_users_input() -> None:
    done = build_cohort("--dry-run")
    assert done.returncode == 1
    assert "one of the arguments --cohort --rebuild is required" in done.stderr


def test_a_cohort_that_its_project_may_not_have_is_the_users_input(tmp_path: Path) -> None:
    file = tmp_path / "brain.yaml"
    file.write_text("cohort: brain\nproject: demo\nquestion: Who?\nimages: {modality: NM}\n")
    done = build_cohort("--cohort", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{file}: images.modality: NM is not permitted. {ROOT}/conf/projects/demo.yaml: "
        "modalities permits CR, CT, DX, MG, MR, PT, US.\n"
    )
