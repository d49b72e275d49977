"""Pseudonyms and dates as column functions: what DataFrames and SQL get is what the library makes of one value."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from smi_spark import functions as smi
from smi_spark.config import Config
from smi_spark.deidentified.dates import shift_weeks
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid

CHI, UID, ACCESSION, DAY = "0101031234", "1.2.826.0.1.7", "QX12", date(2020, 2, 29)
MADE = "patient string, uid string, accession string, day date, age int"


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    values = [(CHI, UID, ACCESSION, DAY, 97), (" ", "1.2.840.10008.1.2", None, DAY, None), (None, None, "", None, 34)]
    return spark.createDataFrame(values, "patient string, uid string, accession string, day date, age int")


@pytest.fixture
def expected(spark: SparkSession, config: Config) -> DataFrame:
    key = project_key(load_key(config.keys.projects), "lung")
    moved = [DAY + timedelta(weeks=shift_weeks(key, patient)) for patient in (CHI, " ")]
    made = [
        (
            pseudonym(key, "patient", CHI),
            pseudonymous_uid(key, UID),
            pseudonym(key, "accession", ACCESSION),
            moved[0],
            90,
        ),
        (None, "1.2.840.10008.1.2", None, moved[1], None),
        (None, None, None, None, 34),
    ]
    return spark.createDataFrame(made, MADE)


def test_as_column_functions(rows: DataFrame, expected: DataFrame, config: Config) -> None:
    key = config.keys.projects
    made = rows.select(
        smi.pseudonym("patient", key, "lung").alias("patient"),
        smi.pseudonymous_uid("uid", key, "lung").alias("uid"),
        smi.pseudonym("accession", key, "lung", domain="accession").alias("accession"),
        smi.shifted_date("day", "patient", key, "lung").alias("day"),
        smi.capped_age(rows["age"]).alias("age"),
    )
    assert_df_equality(made, expected, ignore_row_order=True)


@pytest.fixture
def in_sql(spark: SparkSession, config: Config, rows: DataFrame) -> Iterator[None]:
    smi.register(spark, config.keys.projects, "lung")
    rows.createOrReplaceTempView("scans")
    yield
    spark.catalog.dropTempView("scans")
    for name in ("pseudonym", "pseudonymous_uid", "accession_pseudonym", "capped_age", "shifted_date", "shift_days"):
        spark.sql(f"DROP TEMPORARY FUNCTION {name}")


@pytest.mark.usefixtures("in_sql")
def test_in_sql(spark: SparkSession, expected: DataFrame, config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    made = spark.sql(
        "SELECT pseudonym(patient) AS patient, pseudonymous_uid(uid) AS uid, "
        "accession_pseudonym(accession) AS accession, shifted_date(day, patient) AS day, "
        "capped_age(age) AS age FROM scans"
    )
    assert_df_equality(made, expected, ignore_row_order=True)
    made.explain(True)
    assert load_key(config.keys.projects).hex() not in capsys.readouterr().out


def test_the_archives_key_gives_what_zone_2_has(spark: SparkSession, config: Config) -> None:
    made = spark.createDataFrame([(CHI,)], "patient string").select(smi.pseudonym("patient", config.keys.archive))
    assert made.collect()[0][0] == pseudonym(load_key(config.keys.archive), "patient", CHI)
