"""The demonstration: a synthetic archive and pydicom's own DICOM files through every job, in one Spark session."""

import io
import runpy
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pydicom.data
from pyspark.sql import SparkSession

from smi_spark import demo_report, synthetic, tables
from smi_spark.config import Config
from smi_spark.errors import InputError
from smi_spark.resources import folder
from smi_spark.schema import record_tables

PATIENTS = 60
SEED = 2026
BUILT = (demo_report.COHORT, "mammogram_then_breast_cancer")  # of definitions that all find somebody
REAL_FILES = Path(pydicom.data.__file__).parent / "test_files"


@dataclass(frozen=True)
class Step:
    """One job as a user would start it."""

    job: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([f"jobs/{self.job}.py", *map(_short, self.arguments)])


def run_demo(spark: SparkSession, config: Config, jobs: Path, given: Sequence[str]) -> str:
    """Run every job of the folder ``jobs`` in turn with the arguments ``given``, and tell what came of it.

    The archive is made in ``<root>/demo`` when it is not there. Raises InputError for a root that is not a folder;
    a job that fails ends the demonstration with its own exit code.
    """
    if "://" in config.root:
        raise InputError(f"The demonstration needs a folder as root, not {config.root}. Give --set root=data.")
    started, root = time.monotonic(), Path(config.root)
    before = tables.versions_below(root)
    archive = _make_archive(root / "demo")
    steps = list(_steps(archive))
    said = {step: _run_step(f"[{n}/{len(steps)}]", step, jobs, given) for n, step in enumerate(steps, 1)}
    cohorts = [text for step, text in said.items() if step.job == "build_cohort"]
    (linkage,) = (text for step, text in said.items() if step.job == "report_linkage")
    seconds = f"{time.monotonic() - started:.0f} s after Spark's start"
    return demo_report.report(spark, config, linkage, cohorts, before, given, seconds)


def _make_archive(place: Path) -> Path:
    if not (place / "archive.json").exists():
        people = f"{PATIENTS} patients, and of people who answer the worked definitions,"
        print(f"making a synthetic archive of {people} in {_short(str(place))} …", flush=True)
        synthetic.write_archive(place, patients=PATIENTS, seed=SEED, worked=True)
    return place


def _steps(archive: Path) -> Iterator[Step]:
    yield Step("create_key")
    yield Step("check")
    yield Step("ingest_headers", ("--source", str(archive / "dicom"), str(REAL_FILES)))
    for name, extract in _extracts(archive / "records"):
        yield Step("load_records", ("--table", name, "--source", str(extract)))
    yield Step("report_linkage")
    yield Step("pseudonymise")
    for name in BUILT:
        yield Step("build_cohort", ("--cohort", str(folder("conf") / "cohorts" / f"{name}.yaml")))


def _extracts(place: Path) -> Iterator[tuple[str, Path]]:
    """Tables and extracts: first whose numbers are whose, and corrections behind what they correct."""
    for name in sorted(record_tables(), key=lambda name: (name != "demography", name)):
        for extract in (place / name, place / f"{name}_late"):
            if extract.exists():
                yield name, extract


def _run_step(number: str, step: Step, jobs: Path, given: Sequence[str]) -> str:
    """Start the job in this process, where it finds the session that is running; gives what it printed."""
    print(f"{number} {step}", flush=True)
    started = time.monotonic()
    printed = io.StringIO()
    sys.argv = [f"{step.job}.py", *given, *step.arguments]
    try:
        with redirect_stdout(printed):
            runpy.run_path(str(jobs / f"{step.job}.py"), run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
    text = printed.getvalue().strip()
    print(f"      {text.splitlines()[-1]} ({time.monotonic() - started:.1f} s)", flush=True)
    return text


def _short(argument: str) -> str:
    """A path as it looks from here."""
    path = Path(argument)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else argument
