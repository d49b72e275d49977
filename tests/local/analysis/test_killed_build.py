"""A build that is killed, between two commits or whenever, is whole or not there; the next one completes it."""

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession

from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.cohort import Cohort, open_cohort
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.registry import registered
from smi_spark.analysis.snapshot import content_checksum
from smi_spark.config import Config
from tests.conftest import SPARK, make_config
from tests.killed import killed_behind
from tests.notebook import DEFINITION, fill_zone_2

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
NAME = str(DEFINITION["cohort"])
WRITTEN = [f"write_version {name}" for name in ("images", "series", "studies", "patients", "records/smr01")]
COMMITS = [*WRITTEN, "append cohorts"]


@dataclass(frozen=True)
class Story:
    """An installation whose cohort is not built, one whose cohort is, and the checksum of that."""

    before: Config
    after: Config
    checksum: str


@pytest.fixture(scope="module")
def story(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Story:
    before, after = (make_config(tmp_path_factory.mktemp(name)) for name in ("before", "after"))
    fill_zone_2(spark, before)
    shutil.copytree(before.root, after.root)
    built = build_cohort(spark, after, read_definition(DEFINITION, "test.yaml"))
    assert built.entry is not None
    return Story(before, after, built.entry.content_checksum)


def copied(config: Config, place: Path) -> Config:
    shutil.copytree(config.root, place / "data")
    return make_config(place)


def checksum(cohort: Cohort) -> str:
    return content_checksum({table.name: cohort.table(table.name) for table in cohort.entry.tables})


@pytest.mark.parametrize("commits", range(1, len(COMMITS) + 1))
def test_a_build_killed_behind_a_commit_is_whole_or_not_there(
    spark: SparkSession, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    config, definition = copied(story.before, tmp_path), read_definition(DEFINITION, "test.yaml")
    with killed_behind(monkeypatch, commits, ["write_version", "append"]) as done:
        build_cohort(spark, config, definition)
    assert done == COMMITS[:commits]
    there = registered(spark, config, "demo", NAME)
    assert len(there) == (1 if commits == len(COMMITS) else 0)

    again = build_cohort(spark, config, definition)

    assert again.is_new == (commits < len(COMMITS))
    cohort = open_cohort(spark, config, "demo", NAME)
    assert (cohort.version, checksum(cohort), cohort.entry.content_checksum) == (1, story.checksum, story.checksum)
    assert (Path(config.zone("analysis")) / "demo" / NAME / "manifest-v1.json").is_file()
    assert not build_cohort(spark, config, definition).is_new


def started(config: Config, place: Path) -> subprocess.Popen[bytes]:
    settings = config.model_dump(exclude_none=True) | {"spark": SPARK | {"spark.driver.memory": "1g"}}
    (place / "smi.yaml").write_text(yaml.safe_dump(settings))
    (place / "cohort.yaml").write_text(yaml.safe_dump(DEFINITION))
    job = [sys.executable, ROOT / "jobs" / "build_cohort.py", "--config", place / "smi.yaml"]
    with (place / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [*job, "--cohort", place / "cohort.yaml"], stdout=said, stderr=said, start_new_session=True
        )


def test_a_build_killed_at_a_random_moment_is_whole_or_not_there(
    spark: SparkSession, story: Story, tmp_path: Path
) -> None:
    """Driver and JVM at once, six times from Spark's start to the end; each next run finds what the last left."""
    config = copied(story.before, tmp_path)
    begun = time.monotonic()
    undisturbed = started(copied(story.before, tmp_path / "undisturbed"), tmp_path)
    assert undisturbed.wait() == 0, (tmp_path / "said.txt").read_text()
    length = time.monotonic() - begun
    chance = random.Random(2026)
    for share in sorted(chance.uniform(0.3, 1) for _ in range(6)):
        job = started(config, tmp_path)
        try:
            job.wait(timeout=share * length)
        except subprocess.TimeoutExpired:
            subprocess.run(["kill", f"-{signal.SIGKILL}", "--", f"-{job.pid}"], check=True)
            job.wait()
        for entry in registered(spark, config, "demo", NAME):
            assert (entry.version, entry.content_checksum) == (1, story.checksum)
            assert checksum(open_cohort(spark, config, "demo", NAME)) == story.checksum
    build_cohort(spark, config, read_definition(DEFINITION, "test.yaml"))
    assert checksum(open_cohort(spark, config, "demo", NAME)) == story.checksum
    assert [entry.version for entry in registered(spark, config, "demo", NAME)] == [1]
