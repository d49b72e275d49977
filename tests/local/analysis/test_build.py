"""Building snapshots: what is written, committed, left alone, and opened again."""

import hashlib
import json
import os
import pwd
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import smi_spark
from smi_spark import __version__, tables
from smi_spark.analysis import open_cohort
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.permission import left_out
from smi_spark.analysis.project import load_project
from smi_spark.analysis.project_list import translated
from smi_spark.analysis.rebuild import rebuild_cohort
from smi_spark.analysis.registry import Delivered, Registered, registered
from smi_spark.analysis.selection import Left, choose, select_images
from smi_spark.analysis.snapshot import Shape, content_checksum, snapshot_rows
from smi_spark.config import Config
from smi_spark.deidentified.dates import shift_weeks
from smi_spark.deidentified.keys import key_id, load_key, project_key
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.errors import ConfigError, InputError, TableError
from smi_spark.session import get_session
from tests.built import PROJECT, QUESTION, SCAN, Story, build_again_and_again, definition
from tests.projects import with_projects


@pytest.fixture(scope="module")
def story(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return build_again_and_again(spark, tmp_path_factory.mktemp("build"))


def test_a_dry_run_counts_and_writes_nothing(story: Story) -> None:
    assert story.files_after_dry == set()
    assert str(story.dry) == (
        "  patients    studies     series       images  left after, and lost to it\n"
        "    hidden     hidden     hidden       hidden  1. CT images\n"
        "    hidden     hidden     hidden       hidden\n"
        "    hidden     hidden     hidden       hidden  2. body part head\n"
        "    hidden     hidden     hidden       hidden\n"
        "    hidden     hidden     hidden       hidden  3. with a study date\n"
        "    hidden     hidden     hidden       hidden\n"
        "    hidden     hidden     hidden       hidden  4. smr01: any record, from 1 day until 3 months\n"
        "size of their files: hidden\n"
        "hidden: few people, or a number that would tell how many these are\n"
        "demo/head_ct: dry run, nothing written"
    )


def test_a_build_is_one_row_that_names_everything_it_came_from(spark: SparkSession, story: Story) -> None:
    entry = open_cohort(spark, story.config, "demo", "head_ct", 1).entry
    assert entry == story.first.entry
    assert entry.definition_hash == definition().sha256()
    assert read_definition(json.loads(entry.definition), "registry") == definition()
    assert [(table.name, table.row_count) for table in entry.tables] == [
        ("images", 3), ("series", 2), ("studies", 2), ("patients", 2), ("records/deaths", 1), ("records/smr01", 3),
    ]  # fmt: skip
    assert [source.name for source in entry.inputs] == [
        "deidentified/images", "deidentified/records/deaths", "deidentified/records/smr01",
    ]  # fmt: skip
    assert entry.key_id == key_id(project_key(load_key(story.config.keys.projects), "demo"))
    assert entry.software_version == __version__
    assert entry.attrition[-1] == Left(4, "smr01: any record, from 1 day until 3 months", 2, 2, 3)
    assert str(story.first) == (  # the project's minimum cell is 1 then
        "  patients    studies     images  left after\n"
        "         3          3          4  1. CT images\n"
        "         3          3          4  2. body part head\n"
        "         3          3          4  3. with a study date\n"
        "         2          2          3  4. smr01: any record, from 1 day until 3 months\n"
        f"demo/head_ct: version 1 built, in {story.config.zone('analysis')}/demo/head_ct"
    )


def test_small_counts_are_hidden_from_the_registry_but_of_the_rows_that_one_holds(story: Story) -> None:
    assert story.other.entry is not None
    assert [one[2:] for one in story.other.entry.attrition] == [(None, None, None)] * 4 + [(1, 1, 2)]
    assert {one[2:] for one in story.other.attrition} == {(None, None, None)}


def test_the_same_build_again_adds_nothing_though_inputs_lie_in_other_files(story: Story) -> None:
    assert not story.again.is_new
    assert story.again.entry == story.first.entry
    assert story.files_added_by_again == set()
    assert str(story.again).endswith(
        f"demo/head_ct: version 1 is already this, in {story.config.zone('analysis')}/demo/head_ct"
    )


def test_another_definition_is_the_next_version_and_the_one_before_stays(spark: SparkSession, story: Story) -> None:
    assert story.other.entry is not None
    assert story.other.entry.version == 2
    config = story.config
    assert open_cohort(spark, config, "demo", "head_ct", 2).images.count() == 2
    old = open_cohort(spark, config, "demo", "head_ct", 1)
    frames = {table.name: old.table(table.name) for table in old.entry.tables}
    assert old.images.count() == 3
    assert content_checksum(frames) == old.entry.content_checksum
    unchanged = {name for name, content in story.first_files.items()
                 if (Path(config.zone("analysis")) / name).read_bytes() == content}  # fmt: skip
    assert unchanged == set(story.first_files)


@pytest.mark.long
def test_a_vacuum_takes_no_file_that_a_version_has(spark: SparkSession, story: Story) -> None:
    entry = open_cohort(spark, story.config, "demo", "head_ct", 1).entry
    for name in (table.name for table in entry.tables):
        spark.sql(f"VACUUM delta.`{tables.table(story.config, f'analysis/demo/head_ct/{name}', schema=name).uri}`")
    old = open_cohort(spark, story.config, "demo", "head_ct", 1)
    assert content_checksum({name: old.table(name) for name in (table.name for table in entry.tables)}) == (
        entry.content_checksum
    )


def test_ids_are_the_projects_own_and_dates_move_by_the_patients_whole_weeks(spark: SparkSession, story: Story) -> None:
    key = project_key(load_key(story.config.keys.projects), "demo")
    cohort = open_cohort(spark, story.config, "demo", "head_ct", 1)
    rows = {row["SOPInstanceUID"]: row for row in cohort.images.collect()}
    assert set(rows) == {pseudonymous_uid(key, f"2.25.{n}") for n in (1, 2, 5)}
    ann = rows[pseudonymous_uid(key, "2.25.1")]
    day = date.fromordinal(SCAN.toordinal() + 7 * shift_weeks(key, "ann"))
    assert ann["patient_id"] == pseudonym(key, "patient", "ann")
    assert ann["StudyInstanceUID"] == pseudonymous_uid(key, "ann-CT")
    assert ann["AccessionNumber"] == pseudonym(key, "accession", "accession of ann-CT")
    assert ann["RefImageSeq_ReferencedSOPInstanceUID"] == [pseudonymous_uid(key, "2.25.2")]
    assert ann["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.2"
    assert (ann["StudyDate"], ann["ContentDate"], ann["year"]) == (day, day, day.year)
    (study,) = cohort.studies.where(F.col("patient_id") == ann["patient_id"]).collect()
    assert (study["StudyInstanceUID"], study["StudyDate"], study["image_count"]) == (ann["StudyInstanceUID"], day, 2)
    (series,) = cohort.series.where(F.col("patient_id") == ann["patient_id"]).collect()
    assert (series["SeriesInstanceUID"], series["StudyDate"], series["image_count"]) == (
        ann["SeriesInstanceUID"],
        day,
        2,
    )


def test_a_project_with_other_terms_gets_a_version_of_its_own(spark: SparkSession, story: Story) -> None:
    old, new = (open_cohort(spark, story.config, "demo", "head_ct", version) for version in (1, 2))
    hidden = {"PatientSex", "age_at_study", "age_at_first_study"}
    assert (old.entry.dates, new.entry.dates) == ("shift", "truncate")
    assert {"images.PatientSex", "studies.age_at_study", "records/smr01.SEX"} < set(new.entry.left_out)
    assert hidden.isdisjoint(new.images.columns)
    assert hidden.isdisjoint(new.studies.columns + new.patients.columns)
    assert hidden < set(old.images.columns + old.studies.columns + old.patients.columns)
    assert new.records["smr01"].columns == ["patient_id", "ADMISSION_DATE", "MAIN_CONDITION"]
    days = [(row["StudyDate"], row["ContentDate"], row["year"]) for row in new.images.collect()]
    assert days == [(date(2020, 1, 1), date(2020, 1, 1), 2020)] * 2
    assert {row["ADMISSION_DATE"] for row in new.records["smr01"].collect()} == {date(2020, 1, 1)}
    assert new.studies.select("StudyDate", "image_count").collect() == [(date(2020, 1, 1), 2)]


def test_patients_are_held_out_by_their_id_in_all_tables_alike(spark: SparkSession, story: Story) -> None:
    old, new = (open_cohort(spark, story.config, "demo", "head_ct", version) for version in (1, 2))
    assert {row["held_out"] for row in old.images.collect()} == {None}
    for table in (new.images, new.series, new.studies, new.patients):
        for row in table.select("patient_id", "held_out").collect():
            number = int(hashlib.sha256(f"held_out|{row['patient_id']}".encode()).hexdigest()[:8], 16)
            assert row["held_out"] == (number < 2**31)
    assert "\nheld out: fewer than 10 patients\n" in str(story.other)


def test_a_registry_from_before_approvals_is_read_and_gains_their_columns(spark: SparkSession, story: Story) -> None:
    (older,) = registered(spark, story.config, "demo", "older")
    assert (older.approval, older.profile, older.dates, older.left_out) == (None, None, None, ())
    assert (older.licence, older.built_by, older.columns, older.rebuilds) == (None, None, (), None)


def test_ages_do_not_move(spark: SparkSession, story: Story) -> None:
    cohort = open_cohort(spark, story.config, "demo", "head_ct", 1)
    assert {row["age_at_study"] for row in cohort.images.collect()} == {50}


def test_nothing_is_built_that_the_project_may_not_have(config: Config, tmp_path: Path) -> None:
    beyond = with_projects(config, tmp_path / "projects", {**PROJECT, "records": ["smr01"]})
    with pytest.raises(ConfigError) as raised:
        build_cohort(None, beyond, definition())  # type: ignore[arg-type]  # no session is needed to refuse
    assert str(raised.value) == (
        "cohort head_ct: deliver.records: deaths is not permitted. "
        f"{tmp_path}/projects/demo.yaml: records permits smr01."
    )


def test_records_come_within_their_window_and_of_nobody_else(spark: SparkSession, story: Story) -> None:
    key = project_key(load_key(story.config.keys.projects), "demo")
    cohort = open_cohort(spark, story.config, "demo", "head_ct", 1)
    delivered = {row["URI"]: row for row in cohort.records["smr01"].collect()}
    assert set(delivered) == {pseudonym(key, "accession", uri) for uri in ("u1", "u2", "u4")}
    assert [row["patient_id"] for row in cohort.records["deaths"].collect()] == [pseudonym(key, "patient", "ann")]
    joined = cohort.images.join(cohort.records["smr01"], "patient_id")
    days = {row[0] for row in joined.select(F.datediff("ADMISSION_DATE", "StudyDate")).collect()}
    assert days == {7, -9, 91}


def test_the_manifest_says_the_same_beside_the_tables(spark: SparkSession, story: Story) -> None:
    assert story.first.entry is not None
    text = (Path(story.config.zone("analysis")) / "demo/head_ct/manifest-v1.json").read_text()
    read = json.loads(text)
    assert read["content_checksum"] == story.first.entry.content_checksum
    assert [table["name"] for table in read["tables"]] == [table.name for table in story.first.entry.tables]
    images = read["tables"][0]
    assert (images["version"], images["row_count"]) == (story.first.entry.tables[0].version, 3)
    assert list(images["columns"].items())[:3] == [("modality", "string"), ("year", "int"), ("patient_id", "string")]
    assert list(images["columns"]) == open_cohort(spark, story.config, "demo", "head_ct", 1).images.columns
    assert read["definition"]["images"] == {"body_part": ["head"], "modality": ["CT"]}
    assert read["attrition"][3]["images"] == 3
    assert (read["approval"], read["approval_reference"]) == ("2026-017", "Panel of 12 January 2026, minutes 4.2")
    assert (read["profile"], read["dates"], read["left_out"]) == ("project", "shift", [])
    assert read["licence"] == "For the study named in approval 2026-017 alone."
    assert read["built_by"] == f"A. Coordinator ({pwd.getpwuid(os.geteuid()).pw_name})"
    assert set(read) == {field.name for field in fields(Registered)} - {"columns"}  # which stand with their tables
    assert story.config.root not in text


def test_a_cohort_or_version_that_is_not_there_is_named_with_those_that_are(
    spark: SparkSession, story: Story, config: Config
) -> None:
    with pytest.raises(TableError) as raised:
        open_cohort(spark, story.config, "demo", "head_ct", 7)
    today = story.first.entry and f"{story.first.entry.built_at:%Y-%m-%d}"
    assert str(raised.value) == (
        f"demo/head_ct has no version 7; it has 1 ({today}), 2 ({today}), 3 ({today}). "
        "Open one of these, or leave version out."
    )
    with pytest.raises(
        TableError,
        match=r"^demo/hed_ct is not a cohort\. Cohorts here: demo/head_ct, demo/older\. Did you mean demo/head_ct\?$",
    ):
        open_cohort(spark, story.config, "demo", "hed_ct")
    with pytest.raises(TableError) as raised:
        open_cohort(spark, config, "demo", "head_ct")
    assert str(raised.value) == "demo/head_ct is not a cohort: none is built yet. Run jobs/build_cohort.py first."


def test_a_table_that_zone_2_lacks_is_named(spark: SparkSession, story: Story) -> None:
    needs_cancers = read_definition({**QUESTION, "deliver": {"records": {"smr06": {}}}}, "test.yaml")
    with pytest.raises(TableError, match=r"^deidentified/records/smr06 does not exist in .* Run the job that fills it"):
        build_cohort(spark, story.config, needs_cancers, dry_run=True)


def test_what_a_killed_build_left_is_ignored_and_overwritten(spark: SparkSession, story: Story) -> None:
    assert story.first.entry is not None
    assert story.first.entry.version == 1
    assert story.first.entry.tables[0] == Delivered("images", 2, 3)
    assert open_cohort(spark, story.config, "demo", "head_ct", 1).images.count() == 3


def test_a_version_built_again_from_its_inputs_is_the_same_though_they_moved(spark: SparkSession, story: Story) -> None:
    before = tables.versions_below(Path(story.config.root))
    told = rebuild_cohort(spark, story.config, "demo/head_ct/2")
    assert str(told) == "demo/head_ct version 2 built again from its inputs: identical. Nothing was written"
    assert tables.versions_below(Path(story.config.root)) == before


def test_a_version_is_not_built_again_under_other_terms(spark: SparkSession, story: Story) -> None:
    with pytest.raises(ConfigError) as raised:
        rebuild_cohort(spark, story.config, "demo/head_ct/1")
    assert str(raised.value) == (
        f"demo/head_ct version 1: {story.config.projects}/demo.yaml: dates: truncate, and it was built with shift. "
        "It cannot be built again as it was: build the next version from its definition."
    )
    with pytest.raises(InputError, match=r"^--rebuild demo/head_ct: this is no version\. Write it as project/cohort/v"):
        rebuild_cohort(spark, story.config, "demo/head_ct")


def test_two_versions_are_compared(spark: SparkSession, story: Story) -> None:
    """Version 2 excludes Dan, who was admitted late, by a rule of its own, and has dates cut to the month."""
    second = open_cohort(spark, story.config, "demo", "head_ct", 2)
    told = second.compare(1)
    assert dict(told.counts) == {"patients": (0, 1, 1, 0), "studies": (0, 1, 1, 0), "images": (0, 1, 2, 2)}
    dan = pseudonym(project_key(load_key(story.config.keys.projects), "demo"), "patient", "dan")
    assert [tuple(row) for row in told.patients.collect()] == [("went", dan)]
    assert [tuple(row)[:2] for row in told.studies.collect()] == [("went", dan)]
    changes = {(row["change"], row["patient_id"] == dan) for row in told.images.collect()}
    assert changes == {("went", True), ("changed", False)}
    lines = str(told).splitlines()
    late = "from 2 months until 3 months"
    excluded = '{"codes": {}, "table": "smr01", "window": {"from": "2 months", "until": "3 months"}}'
    assert lines[1:13] == [
        "                came      went    stayed   changed",
        "patients           0         1         1",
        "studies            0         1         1",
        "images             0         1         2         2",
        "what differs:",
        "  definition.deliver.records.deaths: {} → nothing",
        "  definition.deliver.records.smr01.from: -1 month → 1 day",
        "  definition.deliver.records.smr01.until: 3 months → nothing",
        '  definition.deliver.records.smr01.columns: nothing → ["ADMISSION_DATE", "MAIN_CONDITION"]',
        f"  definition.records.excluded: now {excluded}",
        "  definition.hold_out: nothing → 0.5",
        "  input deidentified/images: 1 → 2",
    ]
    assert "  dates: shift → truncate" in lines
    assert lines[-7:] == [
        f"first step that tells them apart: no smr01: any record, {late}",
        "patients, studies and images left, version 1 → 2:",
        "          3 → hidden          3 → hidden          4 → hidden  CT images",
        "          3 → hidden          3 → hidden          4 → hidden  body part head",
        "          3 → hidden          3 → hidden          4 → hidden  with a study date",
        "          2 → hidden          2 → hidden          3 → hidden  smr01: any record, from 1 day until 3 months",
        f"               – → 1               – → 1               – → 2  no smr01: any record, {late}",
    ]
    assert get_session(story.config) is not None  # which says whose cohorts are meant
    moved = smi_spark.compare(second, smi_spark.open_cohort(spark, "demo", "head_ct", 3))
    assert moved.counts["images"] == (0, 0, 2, 0)
    assert len(moved.causes) == 1
    assert moved.causes[0].startswith("input deidentified/images: ")


def test_a_list_of_a_snapshots_own_ids_means_the_same_people(spark: SparkSession, story: Story, tmp_path: Path) -> None:
    key = project_key(load_key(story.config.keys.projects), "demo")
    picked = tmp_path / "picked.csv"
    picked.write_text(f"patient_id\n{pseudonym(key, 'patient', 'nobody')}\n{pseudonym(key, 'patient', 'ann')}\n")
    from_list = {"modality": "CT", "from_list": {"file": str(picked), "of": "project"}}
    asked = read_definition({**QUESTION, "images": from_list, "records": {}, "deliver": {}}, "test.yaml")
    images = tables.read(spark, tables.table(story.config, "deidentified/images"))
    meant = translated(asked, images, story.config.keys.projects, None)
    assert (meant, meant.sha256()) == (asked, asked.sha256())
    assert sorted(row[0] for row in select_images(images, {}, meant).select("patient_id").collect()) == ["ann", "ann"]
    told = str(build_cohort(spark, story.config, asked, dry_run=True))
    assert "2. in the list of 2 ids (patient_id of the project)" in told
    assert "not found among CT images: 1 of 2 ids, line 2" in told


def test_images_have_the_columns_that_are_asked_for(spark: SparkSession, story: Story) -> None:
    asked = read_definition({**QUESTION, "records": {}, "deliver": {"images": ["KVP"]}}, "test.yaml")
    shape = Shape(asked, "shift", left_out(asked, load_project(story.config, "demo")))
    images = tables.read(spark, tables.table(story.config, "deidentified/images"))
    rows = snapshot_rows(story.config, shape, choose(images, {}, asked), {})
    assert sorted(rows["images"].columns) == sorted(
        ["patient_id", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "modality", "year", "StudyDate",
         "held_out", "KVP"]
    )  # fmt: skip
    counted = rows["patients"].select("study_count", "series_count", "image_count", "body_part_labels")
    assert sorted(map(tuple, counted.collect())) == [(1, 1, 1, []), (1, 1, 1, []), (1, 1, 2, [])]


def test_inputs_that_moved_make_a_version_even_of_the_same_content(story: Story) -> None:
    assert story.moved.entry is not None
    assert story.other.entry is not None
    assert (story.moved.is_new, story.moved.entry.version) == (True, 3)
    assert story.moved.entry.inputs != story.other.entry.inputs
    assert story.moved.entry.content_checksum == story.other.entry.content_checksum


def test_the_checksum_is_of_the_rows_and_not_of_their_order(spark: SparkSession) -> None:
    def checksum(*rows: tuple[str | None, str | None]) -> str:
        df: DataFrame = spark.createDataFrame(list(rows), "a string, b string")
        return content_checksum({"images": df})

    one = checksum(("x", None), ("y", "z"))
    assert one == checksum(("y", "z"), ("x", None))
    assert (
        len(
            {
                one,
                checksum((None, "x"), ("y", "z")),
                checksum(("x", None)),
                checksum(("x", None), ("y", "z"), ("y", "z")),
            }
        )
        == 4
    )
