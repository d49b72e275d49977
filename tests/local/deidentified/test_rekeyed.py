"""Corrected records and merged CHI numbers: what of zone 2 is made again, and what stays as it is."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.keys import load_key
from smi_spark.deidentified.pseudonymise import Counts, run
from smi_spark.deidentified.pseudonyms import pseudonym
from smi_spark.errors import TableError
from tests.conftest import make_config
from tests.killed import killed_behind
from tests.rows import fill
from tests.two_people import BABY, A, B, load


@pytest.fixture
def filled(two_people: Config, tmp_path: Path) -> Config:
    """A copy of it, to change."""
    shutil.copytree(two_people.root, tmp_path / "data")
    return make_config(tmp_path)


def persons(spark: SparkSession, config: Config, table: str, key: str) -> dict[str, str]:
    known = {pseudonym(load_key(config.keys.archive), "patient", chi): chi for chi in (A, B, BABY)}
    rows = tables.read(spark, tables.table(config, f"deidentified/{table}")).select(key, "patient_id").collect()
    return {row[0]: known[row["patient_id"]] for row in rows}


def test_a_corrected_record_takes_the_place_of_the_older_one(
    spark: SparkSession, filled: Config, tmp_path: Path
) -> None:
    load(spark, filled, "smr02", tmp_path / "late.csv", (
        "EPISODE_RECORD_KEY,UPI_NUMBER,ADMISSION_DATE,MAIN_CONDITION\n"
        f"e2,{B},2020-01-02,O82\ne3,{B},2021-01-02,O80\n"
    ))  # fmt: skip

    counts = run(spark, filled)

    assert counts.records == {"records/smr02": 2}
    rows = tables.read(spark, tables.table(filled, "deidentified/records/smr02")).orderBy("ADMISSION_DATE")
    assert [row["MAIN_CONDITION"] for row in rows.collect()] == ["O80", "O82", "O80"]
    before = tables.versions_below(Path(filled.root))
    assert run(spark, filled) == Counts(0, 0, 0, 0, {"records/smr02": 0})
    assert tables.versions_below(Path(filled.root)) == before


def test_numbers_merged_later_lead_to_one_person_in_every_table(
    spark: SparkSession, filled: Config, tmp_path: Path
) -> None:
    load(spark, filled, "demography", tmp_path / "d.csv", (
        f"CHI_NUMBER,UPI_NUMBER,DATE_FROM\n{A},{A},2000-01-01\n{B},{A},2021-01-01\n"
    ))  # fmt: skip

    counts = run(spark, filled)

    assert (counts.images, counts.rekeyed) == (0, 1)
    assert counts.records == {"records/demography": 2, "records/smr02": 1}
    assert set(persons(spark, filled, "images", "SOPInstanceUID").values()) == {A}
    assert set(persons(spark, filled, "series", "SeriesInstanceUID").values()) == {A}
    assert set(persons(spark, filled, "records/smr02", "ADMISSION_DATE").values()) == {A}
    assert set(persons(spark, filled, "records/demography", "DATE_FROM").values()) == {A}
    before = tables.versions_below(Path(filled.root))
    assert run(spark, filled).rekeyed == 0
    assert tables.versions_below(Path(filled.root)) == before


@pytest.mark.long
def test_a_merge_taken_back_gives_each_its_own_again(spark: SparkSession, filled: Config, tmp_path: Path) -> None:
    header = "CHI_NUMBER,UPI_NUMBER,DATE_FROM\n"
    load(spark, filled, "demography", tmp_path / "d.csv", f"{header}{B},{A},2021-01-01\n")
    run(spark, filled)
    load(spark, filled, "demography", tmp_path / "e.csv", f"{header}{B},{B},2022-01-01\n")

    counts = run(spark, filled)

    assert counts.rekeyed == 1
    assert sorted(persons(spark, filled, "images", "SOPInstanceUID").values()) == [A, B]
    assert sorted(persons(spark, filled, "records/smr02", "ADMISSION_DATE").values()) == [A, B]


@pytest.mark.long
def test_a_babys_number_that_is_merged_is_made_again_too(spark: SparkSession, filled: Config, tmp_path: Path) -> None:
    load(spark, filled, "demography", tmp_path / "d.csv", (
        f"CHI_NUMBER,UPI_NUMBER,DATE_FROM\n{BABY},{B},2021-01-01\n"
    ))  # fmt: skip

    assert run(spark, filled).records["records/smr02"] == 1

    rows = tables.read(spark, tables.table(filled, "deidentified/records/smr02"))
    babies = [row[0] for row in rows.where(F.col("BABY_CI_CHI_NUMBER_BABY_1").isNotNull()).select(
        "BABY_CI_CHI_NUMBER_BABY_1"
    ).collect()]  # fmt: skip
    assert babies == [pseudonym(load_key(filled.keys.archive), "patient", B)]


@pytest.mark.long
@pytest.mark.parametrize("commits", [1, 2, 4])
def test_a_run_killed_between_is_completed_by_the_next(
    spark: SparkSession, filled: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    load(spark, filled, "demography", tmp_path / "d.csv", f"CHI_NUMBER,UPI_NUMBER,DATE_FROM\n{B},{A},2021-01-01\n")

    with killed_behind(monkeypatch, commits) as done:
        run(spark, filled)
    run(spark, filled)

    assert done == ["merge images", "merge series", "merge studies", "append records/demography"][:commits]
    assert set(persons(spark, filled, "images", "SOPInstanceUID").values()) == {A}
    assert set(persons(spark, filled, "series", "SeriesInstanceUID").values()) == {A}
    assert set(persons(spark, filled, "studies", "StudyInstanceUID").values()) == {A}
    assert set(persons(spark, filled, "records/smr02", "ADMISSION_DATE").values()) == {A}


def test_a_demography_from_before_its_periods_had_an_id_is_refused_as_it_may_hold_birth_dates(
    spark: SparkSession, config: Config
) -> None:
    born = date(2003, 4, 5)
    row = {"CHI_NUMBER": A, "UPI_NUMBER": A, "DATE_FROM": born, "run_id": "20260101T000000.000000Z-0000"}
    fill(spark, config, "records/demography", [row])
    whole = tables.table(config, "deidentified/records/demography")
    columns = tuple(column for column in whole.schema.columns if column.name != "period_id")
    older = replace(whole, schema=whole.schema.model_copy(update={"columns": columns, "key_beyond": ()}))
    tables.create(spark, older)

    with pytest.raises(TableError) as raised:
        run(spark, config)

    assert str(raised.value) == (
        "deidentified/records/demography was made before it had period_id, its key, and may hold birth dates. "
        f"Delete {whole.uri}: the next run makes it again."
    )
