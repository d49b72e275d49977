"""People who are purged: nothing of them is left in zones 2 and 3, and nothing of anybody else is lost."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession

from smi_spark import tables
from smi_spark.analysis import open_cohort
from smi_spark.analysis.annotations import Terms, load_annotations, open_annotations
from smi_spark.analysis.build import Built, build_cohort
from smi_spark.analysis.snapshot import content_checksum
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.keys import create_key
from smi_spark.deidentified.pseudonymise import Counts
from smi_spark.deidentified.pseudonymise import run as pseudonymise
from smi_spark.deidentified.rotation import rotate_key
from smi_spark.errors import OtherKeyError, TableError
from smi_spark.withdraw import Report, withdraw
from tests.killed import killed_behind
from tests.leaks import find_tokens
from tests.said_no import ANN, BEA, CAL, cohort, fill_zone_one, lenient, load, patient, project_patient, study, tokens

pytestmark = pytest.mark.long
LOST = (PySparkException, Py4JError)
LABEL = {ANN: "a finding in Ann", BEA: "a finding in Bea"}


@pytest.fixture(scope="module")
def built(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Three versions of a cohort: of all, of men alone, of all again; labels of Ann's study and of Bea's; and Ann on a
    list, to be purged.
    """
    config = lenient(tmp_path_factory.mktemp("withdraw"))
    fill_zone_one(spark, config)
    pseudonymise(spark, config)
    for definition in (cohort(), cohort(sex="M"), cohort()):
        build_cohort(spark, config, definition)
    labels = Path(config.root).parent / "labels.csv"
    labels.write_text(
        "".join(["StudyInstanceUID,finding\n", *(f"{study(config, one)},{LABEL[one]}\n" for one in LABEL)])
    )
    load_annotations(spark, config, "demo", "findings", str(labels), Terms("CC0", "all of them"))
    load(spark, config, Path(config.root).parent / "list.csv", f"{ANN},2020-01-01,purge,")
    return config


@dataclass(frozen=True)
class Story:
    """The installation before Ann was purged, and after."""

    before: Config
    config: Config
    report: Report


@pytest.fixture(scope="module")
def story(spark: SparkSession, built: Config, tmp_path_factory: pytest.TempPathFactory) -> Story:
    config = copied(built, tmp_path_factory.mktemp("purged"))
    return Story(built, config, withdraw(spark, config))


def copied(config: Config, place: Path) -> Config:
    shutil.copytree(config.root, place / "data")
    return lenient(place)


def zones(config: Config) -> list[Path]:
    return [Path(config.zone("deidentified")), Path(config.zone("analysis"))]


def found(config: Config, chi: str) -> set[str]:
    """The tokens of a person that stand in zone 2 or 3."""
    return {str(leak.token) for zone in zones(config) for leak in find_tokens(zone, tokens(config, chi))}


def rows(df: DataFrame) -> list[Row]:
    return sorted(df.collect(), key=str)


def test_every_token_of_everybody_stands_there_before(story: Story) -> None:
    assert found(story.before, ANN) == set(tokens(story.before, ANN))


def test_nothing_of_the_person_is_left_in_any_file_of_zones_2_and_3(story: Story) -> None:
    assert [(leak.file, leak.token) for zone in zones(story.config)
            for leak in find_tokens(zone, [*tokens(story.config, ANN), LABEL[ANN]])] == []  # fmt: skip


def test_labels_of_others_stay_where_they_were(spark: SparkSession, story: Story) -> None:
    left = open_annotations(spark, story.config, "demo", "findings", 1).labels.collect()
    assert [(row["patient_id"], row["value"]) for row in left] == [(project_patient(story.config, BEA), LABEL[BEA])]


def test_no_version_that_held_the_person_can_be_read(spark: SparkSession, story: Story) -> None:
    for number in (1, 3):
        with pytest.raises(
            TableError, match=rf"^demo/scans version {number} was withdrawn on .* Open version {number // 2 + 4}"
        ):
            open_cohort(spark, story.config, "demo", "scans", number)
    for entry in (open_cohort(spark, story.before, "demo", "scans", number).entry for number in (1, 3)):
        for name, version, _ in entry.tables:
            table = tables.table(story.config, f"analysis/demo/scans/{name}", schema=name)
            with pytest.raises(LOST):
                tables.read(spark, table, version).collect()
    for name in ("images", "series", "studies", "records/smr02"):
        table = tables.table(story.config, f"deidentified/{name}")
        before = tables.latest_version(spark, tables.table(story.before, table.name))
        with pytest.raises(LOST):
            tables.read(spark, table, before).collect()


def test_a_version_that_did_not_hold_them_reads_as_before(spark: SparkSession, story: Story) -> None:
    before, after = (open_cohort(spark, config, "demo", "scans", 2) for config in (story.before, story.config))
    assert after.entry == before.entry
    assert rows(after.images) == rows(before.images) != []
    assert rows(after.studies) == rows(before.studies)


@pytest.mark.parametrize(("old", "new"), [(1, 4), (3, 5)])
def test_a_successor_is_the_version_without_them(spark: SparkSession, story: Story, old: int, new: int) -> None:
    before = open_cohort(spark, story.before, "demo", "scans", old)
    after = open_cohort(spark, story.config, "demo", "scans", new)
    ann = project_patient(story.config, ANN)
    for name in ("images", "series", "studies", "patients"):
        assert rows(getattr(after, name)) == [r for r in rows(getattr(before, name)) if r["patient_id"] != ann]
    (episode,) = rows(after.records["smr02"])
    (same,) = [r for r in rows(before.records["smr02"]) if r["patient_id"] != ann]
    assert same["BABY_CI_CHI_NUMBER_BABY_1"] == ann
    assert episode.asDict() == same.asDict() | {"BABY_CI_CHI_NUMBER_BABY_1": None}
    assert (after.entry.definition, after.entry.inputs) == (before.entry.definition, before.entry.inputs)
    assert tuple(after.attrition[-1]) == (2, "without people who said no since", 2, 2, 4)
    assert None not in before.attrition[0]
    assert after.attrition[0][2:] == (None, None, None)  # who left is one
    frames = {table.name: after.table(table.name) for table in after.entry.tables}
    assert content_checksum(frames) == after.entry.content_checksum


def test_the_manifest_and_the_report_say_what_was_withdrawn(spark: SparkSession, story: Story) -> None:
    manifest = json.loads((zones(story.config)[1] / "demo/scans/manifest-v1.json").read_text())
    assert (manifest["successor"], manifest["withdrawn_at"] is not None, manifest["version"]) == (4, True, 1)
    assert str(story.report).startswith(
        "demo/scans version 1 held people: 1, images: 2, rows of records: 2; withdrawn, version 4 follows it\n"
        "demo/scans version 3 held people: 1, images: 2, rows of records: 2; withdrawn, version 5 follows it\n"
        "people: 1, of them purged: 1; out of zone 2: images 2, rows of records 1, named in rows of others 1; out of "
        "annotations: 1 rows; files"
    )
    told = tables.read(spark, tables.table(story.config, "secure/withdrawals")).orderBy("version").collect()
    assert [(r["chi"], r["policy"], r["cohort"], r["version"], r["images"], r["records"]) for r in told] == [
        (ANN, "purge", None, None, None, None), (ANN, "purge", "scans", 1, 2, 2), (ANN, "purge", "scans", 3, 2, 2),
    ]  # fmt: skip


def test_the_others_stay_by_value_in_zone_2(spark: SparkSession, story: Story) -> None:
    for chi in (BEA, CAL):
        assert found(story.config, chi) == found(story.before, chi)
    for name, key in (("images", "SOPInstanceUID"), ("series", "SeriesInstanceUID"), ("studies", "StudyInstanceUID")):
        before, after = (
            rows(tables.read(spark, tables.table(config, f"deidentified/{name}")))
            for config in (story.before, story.config)
        )
        left = {row[key] for row in after}
        assert after == [row for row in before if row[key] in left]
        assert len(after) == len(before) * 2 // 3


def test_a_second_run_and_the_next_night_change_nothing_and_bring_nobody_back(
    spark: SparkSession, story: Story
) -> None:
    before = tables.versions_below(Path(story.config.root))
    assert str(withdraw(spark, story.config)) == "nobody waits to be taken out; deidentified/opt_outs is up to date"
    assert pseudonymise(spark, story.config) == Counts(0, 0, 0, 0, {"records/smr02": 0})
    assert tables.versions_below(Path(story.config.root)) == before


def test_who_takes_part_again_is_in_zone_2_again(spark: SparkSession, story: Story, tmp_path: Path) -> None:
    config = copied(story.config, tmp_path)
    load(spark, config, tmp_path / "list.csv", f"{ANN},2020-01-01,purge,2020-06-01")
    with pytest.raises(
        TableError, match=r"^deidentified/opt_outs lacks people who said no since: .* Run jobs/withdraw"
    ):
        build_cohort(spark, config, cohort(), dry_run=True)

    counts = pseudonymise(spark, config)

    assert (counts.images, counts.records) == (2, {"records/smr02": 2})
    for name in ("images", "records/smr02"):
        before, after = (
            rows(tables.read(spark, tables.table(c, f"deidentified/{name}"))) for c in (story.before, config)
        )
        assert after == before
    versions = tables.versions_below(Path(config.root))
    assert pseudonymise(spark, config).records == {"records/smr02": 0}
    assert tables.versions_below(Path(config.root)) == versions


def test_the_next_build_is_of_zone_2_as_it_is(spark: SparkSession, story: Story, tmp_path: Path) -> None:
    config = copied(story.config, tmp_path)
    built: Built = build_cohort(spark, config, cohort())
    assert built.entry is not None
    assert built.entry.version == 6
    assert rows(open_cohort(spark, config, "demo", "scans").images) == rows(
        open_cohort(spark, config, "demo", "scans", 5).images
    )
    assert not build_cohort(spark, config, cohort()).is_new


def test_behind_another_key_who_said_no_before_is_in_no_build_and_is_purged_under_either_keys_ids(
    spark: SparkSession, built: Config, tmp_path: Path
) -> None:
    former = copied(built, tmp_path)
    create_key(tmp_path / "keys" / "new.key")
    archive = KeySource(file=str(tmp_path / "keys" / "new.key"))
    config = former.model_copy(update={"keys": former.keys.model_copy(update={"archive": archive})})
    load(spark, former, tmp_path / "list.csv", f"{BEA},2020-01-01,stop,")
    pseudonymise(spark, former)

    rotate_key(spark, config, former.keys.archive)

    copy = tables.read(spark, tables.table(config, "deidentified/opt_outs")).select("patient_id").collect()
    assert {row[0] for row in copy} == {patient(config, chi) for chi in (ANN, BEA)}
    build_cohort(spark, config, cohort())
    left = rows(open_cohort(spark, config, "demo", "scans").images.select("patient_id").distinct())
    assert left == [(project_patient(former, CAL),)]
    with pytest.raises(OtherKeyError, match=r"^deidentified/images, deidentified/records/smr02: made with key "):
        withdraw(spark, former)

    report = withdraw(spark, config)

    assert [(held.version, held.images, held.successor) for held in report.held] == [(1, 2, 5), (3, 2, 6)]
    assert found(former, ANN) == found(config, ANN) == set()
    left = rows(open_cohort(spark, config, "demo", "scans").images.select("patient_id").distinct())
    assert left == [(project_patient(former, CAL),)], "a successor has nobody whose no is in force"


@pytest.mark.parametrize("commits", [2, 6, 7, 8, 9])
def test_a_run_killed_behind_a_commit_is_completed_by_the_next(
    spark: SparkSession, built: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    config = copied(built, tmp_path)
    with killed_behind(monkeypatch, commits) as done:
        withdraw(spark, config)
    withdraw(spark, config)

    assert done == [
        "merge opt_outs", "delete links", "delete images", "delete records/smr02", "merge records/smr02",
        "delete annotations", "append withdrawals", "merge cohorts", "delete opt_outs", "append withdrawals",
    ][:commits]  # fmt: skip
    assert found(config, ANN) == set()
    assert open_cohort(spark, config, "demo", "scans").version == 5
    assert found(config, BEA) >= {project_patient(config, BEA)}
