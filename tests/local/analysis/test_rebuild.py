"""An old version built again: the same, but for people who said no since; and inputs that are gone."""

import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from smi_spark import tables
from smi_spark.analysis import open_cohort
from smi_spark.analysis.build import Built, build_cohort
from smi_spark.analysis.rebuild import Rebuilt, rebuild_cohort
from smi_spark.config import Config
from smi_spark.deidentified.pseudonymise import run as pseudonymise
from smi_spark.errors import TableError
from smi_spark.maintenance import maintain_tables
from tests.rows import fill
from tests.said_no import ANN, cohort, fill_zone_one, lenient, load, project_patient
from tests.zone_one import CT, RUN

pytestmark = pytest.mark.long

LATER = "0404040098"


@dataclass(frozen=True)
class Story:
    """Version 1 of three people; version 2, when there was a fourth; version 1 again when Ann had said no, twice; and
    what the same definition gives behind it."""

    config: Config
    dry: Rebuilt
    rebuilt: Rebuilt
    again: Rebuilt
    next: Built
    after: dict[str, int]
    unmoved: dict[str, int]


@pytest.fixture(scope="module")
def story(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Story:
    place = tmp_path_factory.mktemp("rebuild")
    config = lenient(place)
    fill_zone_one(spark, config)
    pseudonymise(spark, config)
    build_cohort(spark, config, cohort())
    more = CT | {"PatientID": LATER, "StudyInstanceUID": "1.2.9", "SeriesInstanceUID": "1.2.9.1", "run_id": RUN + "x"}
    fill(spark, config, "images", [more | {"SOPInstanceUID": "1.2.9.1.1", "path": "later"}])
    pseudonymise(spark, config)
    build_cohort(spark, config, cohort())
    assert str(rebuild_cohort(spark, config, "demo/scans/1")).endswith("identical. Nothing was written")
    load(spark, config, place / "list.csv", f"{ANN},2020-01-01,stop,")
    pseudonymise(spark, config)
    dry = rebuild_cohort(spark, config, "demo/scans/1", dry_run=True)
    rebuilt = rebuild_cohort(spark, config, "demo/scans/1")
    before = tables.versions_below(Path(config.root))
    again = rebuild_cohort(spark, config, "demo/scans/1")
    after = tables.versions_below(Path(config.root))
    return Story(config, dry, rebuilt, again, build_cohort(spark, config, cohort()), after, before)


def rows(spark: SparkSession, config: Config, version: int, name: str) -> list[Row]:
    return sorted(open_cohort(spark, config, "demo", "scans", version).table(name).collect(), key=str)


def test_it_is_told_how_many_are_gone_and_hidden_when_they_are_few(story: Story) -> None:
    told = "demo/scans version 1 built again from its inputs; people of it who said no since: fewer than 10; identical "
    assert str(story.dry) == told + "but for them. Nothing was written"
    assert str(story.rebuilt) == told + "but for them. Version 3 holds it"
    assert story.rebuilt.gone == 1


def test_the_rest_is_as_it_was(spark: SparkSession, story: Story) -> None:
    ann = project_patient(story.config, ANN)
    for name in ("images", "series", "studies", "patients"):
        old = rows(spark, story.config, 1, name)
        left = [row for row in old if row["patient_id"] != ann]
        assert rows(spark, story.config, 3, name) == left
        assert 0 < len(left) < len(old)
    (episode,) = rows(spark, story.config, 3, "records/smr02")
    (same,) = [row for row in rows(spark, story.config, 1, "records/smr02") if row["patient_id"] != ann]
    assert episode.asDict() == same.asDict() | {"BABY_CI_CHI_NUMBER_BABY_1": None}


def test_the_row_says_what_it_rebuilds(story: Story) -> None:
    before, entry = story.rebuilt.before, story.rebuilt.entry
    assert (entry.version, entry.rebuilds, before.rebuilds) == (3, 1, None)
    assert entry.inputs[:-1] == before.inputs
    assert entry.inputs[-1].name == "deidentified/opt_outs"
    assert (entry.definition, entry.columns) == (before.definition, before.columns)
    manifest = Path(story.config.zone("analysis")) / "demo/scans/manifest-v3.json"
    assert json.loads(manifest.read_text())["rebuilds"] == 1


def test_once_more_nothing_is_written(story: Story) -> None:
    assert str(story.again).endswith("identical but for them. Version 3 is already this")
    assert (story.again.entry, story.after) == (story.rebuilt.entry, story.unmoved)


def test_the_newest_is_never_an_older_one_built_again(spark: SparkSession, story: Story) -> None:
    """The next version follows version 2, which Ann has left."""
    assert story.next.entry is not None
    assert (story.next.entry.version, story.next.is_new) == (4, True)
    assert open_cohort(spark, story.config, "demo", "scans").version == 4
    assert open_cohort(spark, story.config, "demo", "scans").images.count() == 5
    assert not build_cohort(spark, story.config, cohort()).is_new


def test_inputs_whose_files_are_gone_are_named_and_the_snapshot_stays(
    spark: SparkSession, story: Story, tmp_path: Path
) -> None:
    shutil.copytree(story.config.root, tmp_path / "data")
    config = lenient(tmp_path)
    images = tables.table(config, "deidentified/images")
    (pinned,) = [one for one in story.rebuilt.before.inputs if one.name == images.name]
    version = tables.latest_version(spark, images)
    grow_old(Path(images.uri), 500)

    maintain_tables(spark, config, [images.name])  # keeps what versions of these 400 days cite

    assert rebuild_cohort(spark, config, "demo/scans/1").entry.version == 3
    late = config.model_copy(update={"maintenance": config.maintenance.model_copy(update={"pin_days": 1})})
    assert version > pinned.version
    forget_builds(spark, late)
    maintain_tables(spark, late, [images.name], horizon=1)

    with pytest.raises(TableError) as raised:
        rebuild_cohort(spark, config, "demo/scans/1")
    assert re.fullmatch(
        rf"demo/scans version 1 cannot be built again from its inputs\. deidentified/images has lost version "
        rf"{pinned.version}: .*are no longer kept\. The snapshot is the record: open it\.",
        str(raised.value),
    )
    assert open_cohort(spark, config, "demo", "scans", 1).images.count() == 6


def grow_old(table: Path, days: float) -> None:
    """Make every commit of a table so many days old, but the newest, and its data files older than all of them."""
    now, day = time.time(), 86_400
    logs = sorted((table / "_delta_log").glob("[0-9]*.json"))
    for number, log in enumerate(logs):
        age = 0 if log == logs[-1] else days + len(logs) - number
        moved = re.sub(r'("deletionTimestamp":)\d+', rf"\g<1>{int((now - age * day) * 1000)}", log.read_text())
        log.write_text(moved)
        (log.parent / f".{log.name}.crc").unlink(missing_ok=True)
        os.utime(log, (now - age * day,) * 2)
    for file in table.rglob("*.parquet"):
        os.utime(file, (now - 1000 * day,) * 2)


def forget_builds(spark: SparkSession, config: Config) -> None:
    """Make the builds two years old, so that they pin nothing any more."""
    registry = tables.table(config, "analysis/cohorts")
    spark.sql(f"UPDATE delta.`{registry.uri}` SET built_at = built_at - INTERVAL 2 YEARS")
