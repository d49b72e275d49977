"""How images and records hang together."""

from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import TableError
from smi_spark.secure.linkage import report_linkage
from tests.rows import fill

A, B, C, WRONG = "0101010028", "0202020052", "0303030076", "0101010029"


@pytest.fixture
def filled(spark: SparkSession, config: Config) -> Config:
    ct = {"modality": "CT", "year": 2020}
    fill(spark, config, "images", [
        ct | {"PatientID": A}, ct | {"PatientID": A[1:]}, ct | {"PatientID": WRONG}, ct | {"PatientID": " "},
        {"modality": "MR", "year": 2021, "PatientID": B}, {"modality": "MR", "year": 2021, "PatientID": C},
    ])  # fmt: skip
    fill(spark, config, "records/deaths", [
        {"UPI_NUMBER": A, "DATE_OF_DEATH": date(2021, 3, 1)}, {"UPI_NUMBER": WRONG, "DATE_OF_DEATH": date(2021, 3, 1)},
        {"UPI_NUMBER": "0505050093", "DATE_OF_DEATH": None},
    ])  # fmt: skip
    fill(spark, config, "records/demography", [
        {"CHI_NUMBER": A, "UPI_NUMBER": A, "DATE_FROM": date(2000, 1, 1)},
        {"CHI_NUMBER": B, "UPI_NUMBER": A, "DATE_FROM": date(2010, 1, 1)},
    ])  # fmt: skip
    fill(spark, config, "people", [{"chi": B, "person": A}])
    return config


def test_patients_are_counted_by_table_year_and_modality_and_merged_numbers_are_one(
    spark: SparkSession, filled: Config
) -> None:
    report = report_linkage(spark, filled)

    columns = ("table", "modality", "year", "rows", "no_id", "patients", "valid", "known", "linked")
    rows = tables.read(spark, tables.table(filled, "secure/linkage")).orderBy(*columns[:3]).select(*columns).collect()
    assert [tuple(row) for row in rows] == [
        ("images", "CT", 2020, 4, 1, 2, 1, 1, 2),
        ("images", "MR", 2021, 2, 0, 2, 1, 1, 1),
        ("records/deaths", "", 0, 1, 0, 1, 0, 0, 0),
        ("records/deaths", "", 2021, 2, 0, 2, 1, 1, 2),
        ("records/demography", "", 2000, 1, 0, 1, 1, 1, 1),
        ("records/demography", "", 2010, 1, 0, 1, 1, 1, 1),
    ]
    assert str(report) == (
        "images: 6 rows, 1 without an id; 3 patients: valid 1 (33.3%), in the demography 1 (33.3%), "
        "with a record 2 (66.7%)\n"
        "records/deaths: 3 rows, 0 without an id; 3 patients: valid 1 (33.3%), in the demography 1 (33.3%), "
        "with an image 2 (66.7%)\n"
        "records/demography: 2 rows, 0 without an id; 1 patients: valid 1 (100.0%), in the demography 1 (100.0%), "
        "with an image 1 (100.0%)\n"
        "by year and modality: secure/linkage"
    )


def test_reporting_again_adds_no_version(spark: SparkSession, filled: Config) -> None:
    report_linkage(spark, filled)
    before = tables.versions_below(Path(filled.root))

    report_linkage(spark, filled)

    assert tables.versions_below(Path(filled.root)) == before


def test_an_empty_zone_has_nothing_to_link(spark: SparkSession, config: Config) -> None:
    with pytest.raises(TableError, match=r"has neither images nor records\. Load some first"):
        report_linkage(spark, config)
