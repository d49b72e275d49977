"""Tables are maintained: their files change, their rows do not, and what a cohort pins stays."""

import json
import os
import re
import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from os import utime
from pathlib import Path

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from smi_spark import storage, tables
from smi_spark.analysis.registry import Delivered, Input, Registered, register
from smi_spark.config import Config, Maintenance
from smi_spark.errors import InputError, TableError
from smi_spark.lease import lease
from smi_spark.maintenance import maintain_tables
from tests.conftest import make_config
from tests.rows import frame

SCANNER = "1.2.840.113619.2.55.3.2831868886.776.15"  # 39 characters, more than Delta's statistics look at by themselves
CT, MR = "modality = 'CT' AND year = 2020", "modality = 'MR' AND year = 2020"
DAY = 86_400


def header(modality: str, study: int, instance: int) -> dict[str, object]:
    uid = f"{SCANNER}.{study}"
    return {
        "modality": modality, "year": 2020, "source": "/pacs", "path": f"{modality}/{instance}-{study}.dcm",
        "StudyInstanceUID": uid, "SeriesInstanceUID": f"{uid}.1", "SOPInstanceUID": f"{uid}.1.{instance}",
        "header": bytes(range(200)), "run_id": f"run-{instance}",
    }  # fmt: skip


def link(number: int) -> dict[str, object]:
    return {"SOPInstanceUID": f"2.25.{number}", "original_sop_instance_uid": str(number), "run_id": f"run-{number}"}


@pytest.fixture(scope="module")
def nights(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Four nights that each brought an image of two CT studies, one of an MR study, and a link; one XA image on one."""
    config = make_config(tmp_path_factory.mktemp("nights"))
    for night in (3, 1, 4, 2):
        xa = [header("XA", 7, night)] if night == 1 else []
        headers = [header("CT", 9, night), header("CT", 5, night), header("MR", 6, night), *xa]
        for name, rows in (("headers", headers), ("links", [link(night)])):
            tables.append(frame(spark, name, rows).coalesce(1), tables.table(config, f"secure/{name}"))
    return config


@pytest.fixture
def archive(nights: Config, config: Config) -> Config:
    """A copy of it."""
    shutil.copytree(nights.root, config.root)
    return config


def read(spark: SparkSession, config: Config, name: str, version: int | None = None) -> DataFrame:
    return tables.read(spark, tables.table(config, name), version)


def versions(config: Config) -> dict[str, int]:
    return tables.versions_below(Path(config.root))


def said(report: object) -> list[str]:
    """The lines, without sizes, which another version of Parquet may change."""
    return [re.sub(r"[\d.]+ → [\d.]+ MB|[\d.]+ MB", "… MB", line) for line in str(report).splitlines()]


def data_files(config: Config, name: str, version: int) -> list[Path]:
    """The data files that a version of a table added."""
    folder = Path(tables.table(config, name).uri)
    lines = (folder / f"_delta_log/{version:020}.json").read_text().splitlines()
    return [folder / entry["add"]["path"] for entry in map(json.loads, lines) if "add" in entry]


def test_many_small_files_become_one_sorted_by_study_and_a_second_run_changes_nothing(
    spark: SparkSession, archive: Config, nights: Config
) -> None:
    before = versions(archive)

    planned = maintain_tables(spark, archive, dry_run=True)

    assert said(planned) == [
        "secure/headers: would let old versions be read for 30 days; would rewrite 2 partitions, 9 → 3 files",
        "secure/links: would let old versions be read for 30 days; would rewrite 1 partitions, 4 → 1 files",
    ]
    assert versions(archive) == before

    done = maintain_tables(spark, archive)

    assert said(done) == [
        "secure/headers: old versions can be read for 30 days; 2 partitions rewritten, 9 → 3 files, … MB",
        "secure/links: old versions can be read for 30 days; 1 partitions rewritten, 4 → 1 files, … MB",
    ]
    assert done.counts()["bytes_after"] < done.counts()["bytes_before"]
    for name, key in (("secure/headers", "path"), ("secure/links", "SOPInstanceUID")):
        assert_df_equality(read(spark, archive, name).orderBy(key), read(spark, nights, name).orderBy(key))
    stored = [row["path"] for row in read(spark, archive, "secure/headers").where(CT).select("path").collect()]
    assert stored == [f"CT/{night}-{study}.dcm" for study in (5, 9) for night in (1, 2, 3, 4)]
    (run,) = read(spark, archive, "secure/runs").collect()
    assert (run["job"], run["inputs"]) == ("maintain_tables", ["secure/headers", "secure/links"])
    assert 0 < run["cpu_seconds"] <= run["seconds"] * (os.cpu_count() or 1)  # of this run, not since Spark's start
    assert dict(run["counts"]) == done.counts()
    assert done.counts().items() >= {"tables": 2, "partitions": 3, "files_before": 13, "files_after": 4}.items()

    after = versions(archive)
    assert str(maintain_tables(spark, archive, ["secure/headers", "secure/links"])) == "2 tables: nothing to do"
    assert versions(archive) == after


def test_a_run_that_was_killed_between_two_partitions_is_completed_by_the_next(
    spark: SparkSession, archive: Config, nights: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten: list[str] = []
    rewrite_sorted = storage.rewrite_sorted

    def killed_half_way(
        spark: SparkSession, target: tables.Table, where: str, files: int, order: Sequence[str]
    ) -> None:
        if rewritten:
            raise KeyboardInterrupt
        rewritten.append(where)
        rewrite_sorted(spark, target, where, files, order)

    monkeypatch.setattr(storage, "rewrite_sorted", killed_half_way)
    with pytest.raises(KeyboardInterrupt):
        maintain_tables(spark, archive, ["secure/headers"])
    monkeypatch.undo()
    assert rewritten == [CT]

    with lease(archive.secure, "images", "run-9"):
        busy = maintain_tables(spark, archive, ["secure/headers"])
    assert str(busy).startswith(
        f"secure/headers: left as it is: another run writes images in {archive.secure}: run run-9"
    )

    done = maintain_tables(spark, archive, ["secure/headers"])
    assert said(done) == ["secure/headers: 1 partitions rewritten, 6 → 3 files, … MB"]
    rows = [read(spark, one, "secure/headers").orderBy("path") for one in (archive, nights)]
    assert_df_equality(*rows)


def test_the_files_of_a_study_are_told_from_others_by_their_statistics(spark: SparkSession, archive: Config) -> None:
    target = tables.table(archive, "secure/headers")

    storage.rewrite_sorted(spark, target, CT, 2, ["StudyInstanceUID", "SOPInstanceUID"])

    log = Path(target.uri, f"_delta_log/{tables.latest_version(spark, target):020}.json").read_text().splitlines()
    statistics = [json.loads(entry["add"]["stats"]) for entry in map(json.loads, log) if "add" in entry]
    studies = [(one["minValues"]["StudyInstanceUID"], one["maxValues"]["StudyInstanceUID"]) for one in statistics]
    assert sorted(studies) == [(f"{SCANNER}.{study}", f"{SCANNER}.{study}") for study in (5, 9)]
    assert spark.conf.get("spark.databricks.io.skipping.stringPrefixLength", None) is None  # as it was


def test_the_version_of_rows_does_not_see_maintenance(spark: SparkSession, config: Config) -> None:
    target = tables.table(config, "secure/links")
    tables.replace(frame(spark, "links", [link(1)]), target)
    version = tables.latest_version(spark, target)

    storage.keep_for(spark, target, 30)

    assert tables.latest_version(spark, target) == version + 1
    assert tables.content_version(spark, target) == version


def test_a_log_without_a_checkpoint_for_long_gets_one(
    spark: SparkSession, archive: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "CHECKPOINT_EVERY", 5)
    target = tables.table(archive, "secure/links")
    tables.set_property(spark, target, "delta.checkpointInterval", "1000")
    assert storage.commits_since_checkpoint(target) == 6  # made, four nights, the property

    roomy = archive.model_copy(update={"maintenance": Maintenance(crowded=100)})
    done = maintain_tables(spark, roomy, ["secure/links"])

    assert str(done) == "secure/links: old versions can be read for 30 days; checkpoint made"
    assert storage.commits_since_checkpoint(target) == 1
    assert tables.get_property(spark, target, "delta.checkpointInterval") == "5"


def image(number: int) -> dict[str, object]:
    return {"modality": "CT", "year": 2020, "SOPInstanceUID": f"2.25.{number}"}


def cite(spark: SparkSession, config: Config, version: int) -> None:
    """A cohort built now from that version of deidentified/images."""
    entry = Registered(
        project="demo", cohort="head_ct", version=3, built_at=datetime.now(UTC), run_id="run-1", definition="{}",
        definition_hash="", tables=(Delivered("images", 1, 1),), inputs=(Input("deidentified/images", version),),
        attrition=(), key_id="", content_checksum="", software_version="",
    )  # fmt: skip
    register(spark, config, entry)


def grow_old(table: Path, ages: Sequence[float]) -> None:
    """Make the commits of a table so many days old, and its data files older than all of them."""
    now = time.time()
    for version, age in enumerate(ages):
        log = table / f"_delta_log/{version:020}.json"
        moved = re.sub(r'("deletionTimestamp":)\d+', rf"\g<1>{int((now - age * DAY) * 1000)}", log.read_text())
        log.write_text(moved)
        (log.parent / f".{log.name}.crc").unlink()
        utime(log, (now - age * DAY,) * 2)
    for file in table.rglob("*.parquet"):
        utime(file, (now - 100 * DAY,) * 2)


def test_what_a_cohort_pins_stays_and_older_versions_go(spark: SparkSession, tmp_path: Path, config: Config) -> None:
    young = make_config(tmp_path / "young")
    target = tables.table(young, "deidentified/images")
    for number in (1, 2, 3, 4):  # versions 1 to 4, behind the empty one
        tables.replace(frame(spark, "images", [image(number)], "deidentified"), target)
    cite(spark, young, 3)
    grow_old(Path(target.uri), (50, 30, 20, 9.5, 0))
    shutil.copytree(young.root, config.root)
    name, before = "deidentified/images", versions(config)

    with pytest.raises(InputError) as refused:
        maintain_tables(spark, config, [], horizon=9)
    assert str(refused.value) == (
        "deidentified/images: a horizon of 9 days is younger than version 3, which demo/head_ct version 3 cites. "
        "Nothing was done. Give 10 days or more, or wait until that cohort is 400 days old."
    )
    with pytest.raises(InputError) as refused:
        maintain_tables(spark, config, ["analysis/demo/head_ct/images"], horizon=90)
    assert str(refused.value) == (
        "analysis/demo/head_ct/images: a horizon of 90 days is younger than version 1, which demo/head_ct version 3 "
        "cites. Nothing was done. Snapshots keep every version: leave --horizon or the table out."
    )
    assert versions(config) == before

    done = maintain_tables(spark, config, [name], horizon=10)

    assert said(done) == [
        "deidentified/images: old versions can be read for 10 days; "
        "1 files removed that no version of 10 days needs, … MB"
    ]
    exist = [[file.exists() for file in data_files(config, name, version)] for version in (1, 2, 3, 4)]
    assert exist == [[False], [True], [True], [True]]
    assert [row["SOPInstanceUID"] for row in read(spark, config, name, 3).collect()] == ["2.25.3"]
    assert [row["SOPInstanceUID"] for row in read(spark, config, name).collect()] == ["2.25.4"]
    with pytest.raises(TableError, match="deidentified/images has lost version 1: its files are no longer kept"):
        read(spark, config, name, 1).collect()
    rest = maintain_tables(spark, config, [name, "analysis/demo/head_ct/images"])  # nobody asks: as cohorts need
    assert str(rest).splitlines() == [
        "deidentified/images: old versions can be read for 400 days",
        "1 tables of snapshots: left as they are, with every version",
    ]


def test_a_table_that_is_not_there_is_refused_with_those_that_are(spark: SparkSession, archive: Config) -> None:
    with pytest.raises(InputError) as refused:
        maintain_tables(spark, archive, ["secure/header"])
    assert str(refused.value) == (
        "--table: secure/header is not a table. Tables here: secure/headers, secure/links. Did you mean secure/headers?"
    )
