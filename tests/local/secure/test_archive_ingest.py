"""The synthetic archive, whose answers are known, taken in whole."""

from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config, Ingest, Keys, KeySource, Records
from smi_spark.reasons import Reason
from smi_spark.schema import record_tables
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.records import load_records
from smi_spark.synthetic import Answers, write_archive

NO_KEY = KeySource(env="SMI_SPARK_NO_KEY")  # nothing here is pseudonymised


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archive")


@pytest.fixture(scope="module")
def answers(place: Path) -> Answers:
    write_archive(place / "in", patients=30, seed=20)
    return Answers.read(place / "in")


@pytest.fixture(scope="module")
def taken_in(spark: SparkSession, place: Path, answers: Answers) -> Config:
    """An installation that has read the archive and its records."""
    config = Config(
        root=str(place / "data"),
        keys=Keys(archive=NO_KEY, projects=NO_KEY),
        ingest=Ingest(max_bad_fraction=1.0, batch_files=100),
        records=Records(max_bad_fraction=1.0),
    )
    ingest_headers(spark, config, [str(place / "in/dicom")])
    for name in record_tables():
        load_records(spark, config, name, str(place / "in/records" / name))
    load_records(spark, config, "smr01", str(place / "in/records/smr01_late"))
    return config


def read(spark: SparkSession, config: Config, name: str) -> DataFrame:
    return tables.read(spark, tables.table(config, f"secure/{name}"))


def unusable(answers: Answers) -> dict[str, str]:
    """Broken files but for images without a patient, which are images all the same and stop at pseudonymisation."""
    return {path: reason for path, reason in answers.broken.items() if reason != Reason.NO_PATIENT_ID}


def test_every_broken_file_is_quarantined_with_its_reason(
    spark: SparkSession, taken_in: Config, answers: Answers
) -> None:
    quarantined = read(spark, taken_in, "quarantine").where("table = 'images'")
    assert {row.path: row.reason for row in quarantined.collect()} == unusable(answers)


def test_all_other_files_are_images_by_modality_and_year(
    spark: SparkSession, taken_in: Config, answers: Answers
) -> None:
    images = read(spark, taken_in, "images").select("path", "modality_as_written", "year").collect()

    assert len({row.path for row in images}) == len(images) == answers.files - len(unusable(answers))
    good = Counter(f"{row.modality_as_written}/{row.year}" for row in images if row.path not in answers.broken)
    assert dict(good) == answers.good_images


def test_values_that_do_not_parse_and_values_left_out_are_where_they_were_planted(
    spark: SparkSession, taken_in: Config, answers: Answers
) -> None:
    images = read(spark, taken_in, "images").where("size(value_errors) > 0")
    headers = read(spark, taken_in, "headers").where("reason is null and size(left_out) > 0")

    assert {row.path for row in images.select("path").collect()} == set(answers.value_errors)
    assert {row.path for row in headers.select("path").collect()} == set(answers.left_out)


@pytest.mark.parametrize("name", record_tables())
def test_records_are_loaded_but_for_the_rows_planted_to_be_wrong(
    spark: SparkSession, taken_in: Config, answers: Answers, name: str
) -> None:
    bad = read(spark, taken_in, "quarantine").where(f"table = 'records/{name}'")

    assert read(spark, taken_in, f"records/{name}").count() == answers.rows[name]
    found = sorted((row.row_number, row.column or "", row.reason) for row in bad.collect())
    assert found == sorted((row.row_number, row.column or "", str(row.reason)) for row in answers.bad_rows[name])


def test_a_later_extract_corrects_the_rows_that_were_planted_to_be_corrected(
    spark: SparkSession, taken_in: Config, answers: Answers
) -> None:
    corrected = read(spark, taken_in, "records/smr01").where("source LIKE '%smr01_late'").select("URI").collect()
    history = tables.history_of(tables.table(taken_in, "secure/records/smr01"))

    assert sorted(row.URI for row in corrected) == answers.corrected["smr01"]
    assert sorted(row.URI for row in tables.read(spark, history).collect()) == answers.corrected["smr01"]


def test_numbers_that_were_merged_are_the_planted_ones(spark: SparkSession, taken_in: Config, answers: Answers) -> None:
    people = read(spark, taken_in, "people").collect()

    assert {row.chi: row.person for row in people} == answers.merged
    assert answers.merged


def test_the_same_archive_again_changes_no_table(spark: SparkSession, taken_in: Config, place: Path) -> None:
    names = ["files", "headers", "images", "quarantine", "records/smr01"]
    of_each = [tables.table(taken_in, f"secure/{name}") for name in names]
    before = [tables.latest_version(spark, table) for table in of_each]

    again = ingest_headers(spark, taken_in, [str(place / "in/dicom")])
    rows = load_records(spark, taken_in, "smr01", str(place / "in/records/smr01"))

    assert (again.listed, again.read, again.images, again.quarantined, rows.added) == (0, 0, 0, 0, 0)
    assert [tables.latest_version(spark, table) for table in of_each] == before
