"""Opening a snapshot and reading it, against Delta reading the same version of the same table."""

import statistics
import time
from pathlib import Path

import yaml
from deidentified.ground import installation
from measures import line
from pyspark.sql import SparkSession
from secure.ground import apart

from analysis.ground import Place, by_turns, median, sink
from analysis.growing import DEFINITION, own_archive
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.cohort import open_cohort
from smi_spark.config import Config

ROUNDS = 5
PROJECT = {
    "project": "demo", "title": "To be opened", "people": ["nobody"], "from": "2020-01-01", "until": "2099-12-31",
    "approval": {"number": "none", "reference": "Nobody had to approve: people, images and records are invented."},
    "records": ["prescribing", "smr01"], "modalities": list(DEFINITION.images.modality or ()),
}  # fmt: skip


def opening(place: Place) -> list[str]:
    """The images of the cohort of half a million, in all columns to nowhere: in one session by turns, and as the first
    that a session does.
    """
    with place.ground.session({}) as spark:
        config = _installation(spark, place)
        began = time.perf_counter()
        build_cohort(spark, config, DEFINITION)
        built = time.perf_counter() - began
        rows = open_cohort(spark, config, "demo", DEFINITION.cohort).images.count()
        works = {"bare": lambda: _bare(spark, config), "opened": lambda: _opened(spark, config)}
        turns = {name: median(several) for name, several in by_turns(spark, works, ROUNDS).items()}
    firsts = [{name: apart(_first, place, config, name) for name in works} for _ in range(ROUNDS)]
    first = {name: statistics.median(turn[name] for turn in firsts) for name in works}
    return [
        "",
        f"a snapshot of {rows:,} images, built in {built:.0f} s, opened and read, against Delta alone; local[2]",
        f"  in one session, median of {ROUNDS}: {turns['opened'].wall:.2f} s against {turns['bare'].wall:.2f}; "
        f"of CPU {turns['opened'].cpu:.2f} against {turns['bare'].cpu:.2f}",
        f"  the first that a session does, median of {ROUNDS}, by turns: {first['opened']:.2f} s against "
        f"{first['bare']:.2f}; " + ", ".join(f"{one['opened']:.2f} ({one['bare']:.2f})" for one in firsts),
        line("seconds more, in one session", turns["opened"].wall - turns["bare"].wall, 2, "s", at_most=True),
        line("seconds more, as the first that a session does", first["opened"] - first["bare"], 2, "s", at_most=True),
    ]


def _installation(spark: SparkSession, place: Place) -> Config:
    """Zone 2 of the cohort's archive, zone 3 of its own."""
    config = installation(place.ground, "opened")
    projects = place.ground.place / "projects"
    projects.mkdir(exist_ok=True)
    (projects / "demo.yaml").write_text(yaml.safe_dump(PROJECT), encoding="utf-8")
    zone_2 = own_archive(spark, place).zone("deidentified")
    return config.model_copy(update={"deidentified": zone_2, "projects": str(projects)})


def _first(place: Place, config: Config, name: str) -> float:
    with place.ground.session({}) as spark:
        start = time.perf_counter()
        {"bare": _bare, "opened": _opened}[name](spark, config)
        return time.perf_counter() - start


def _bare(spark: SparkSession, config: Config) -> None:
    uri = str(Path(config.zone("analysis"), "demo", DEFINITION.cohort, "images"))
    sink(spark.read.format("delta").load(uri))


def _opened(spark: SparkSession, config: Config) -> None:
    sink(open_cohort(spark, config, "demo", DEFINITION.cohort).images)
