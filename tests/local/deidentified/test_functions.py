"""Pseudonyms and dates as column functions: what DataFrames and SQL get is what the library makes of one value."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.errors import PySparkException
from pyspark.serializers import CloudPickleSerializer
from pyspark.sql import DataFrame, SparkSession

from smi_spark import functions as smi
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.dates import shift_weeks, shifting
from smi_spark.deidentified.keys import create_key, load_key, project_key
from smi_spark.deidentified.pseudonyms import in_worker, pseudonym, pseudonymous_uid, replacing
from smi_spark.job import explain
from tests.leaks import find_tokens

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


def test_a_key_is_in_the_worker_alone(
    spark: SparkSession, rows: DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, told = tmp_path / "keys" / "archive.key", tmp_path / "told"
    create_key(file)
    source = KeySource(file=str(file))
    secrets = [load_key(source), project_key(load_key(source), "lung")]
    made = rows.select(
        smi.pseudonym("patient", source, "lung"), smi.shifted_date("day", "patient", source, "lung").alias("day")
    )
    assert made.where("day IS NOT NULL").count() == 2, "the workers have it"
    made.explain(True)
    commands = [_command(replacing("patient", source)), _command(shifting(source, "lung"))]
    settings = [*spark.sql("SET").collect(), *spark.sparkContext.getConf().getAll()]
    written = {"plan": capsys.readouterr().out.encode(), "conf": repr(settings).encode()}
    written |= {f"command {n}": command for n, command in enumerate(commands)}
    told.mkdir()
    for name, content in written.items():
        (told / name).write_bytes(content)

    assert b"archive.key" in written["plan"] + commands[0], "its place may be told"
    assert find_tokens(told, secrets) == []
    assert max(map(len, commands)) < 1 << 20, "larger ones go to the workers as broadcasts"

    key = secrets[0]
    (told / "closure").write_bytes(_command(in_worker(lambda values: (key, values)[1], "string")))
    assert {leak.file for leak in find_tokens(told, secrets)} == {"closure"}, "one that leaks is found"

    file.chmod(0o640)
    with pytest.raises(PySparkException) as refused:
        made.collect()
    assert explain(refused.value) == (
        f"key file {file} can be read by group (mode 0640). Run: chmod 600 {file}",
        2,
    )


def _command(function: Any) -> bytes:
    """What Spark sends to the workers for a column function."""
    return bytes(CloudPickleSerializer().dumps((function.func, function.returnType)))
