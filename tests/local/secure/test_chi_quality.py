"""CHI numbers of extracts: what is amiss with them is said of the row, and counted by file."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Column, SparkSession

from smi_spark import tables
from smi_spark.config import Config, Records
from smi_spark.errors import ConfigError
from smi_spark.secure.chi import second_check
from smi_spark.secure.records import load_records
from smi_spark.secure.submissions import register_chi_quality


def ends_in_three(chi: Column) -> Column:
    """A second check of a site's own."""
    return chi.endswith("3")


MINE = "tests.local.secure.test_chi_quality:ends_in_three"


def load(spark: SparkSession, config: Config, table: str, place: Path, *rows: str) -> None:
    place.write_text("\n".join(rows) + "\n")
    load_records(spark, config, table, str(place))


def flags(spark: SparkSession, config: Config, table: str, key: str) -> dict[str, list[tuple[str, str]] | None]:
    rows = tables.read(spark, tables.table(config, f"secure/records/{table}")).select(key, "chi_flags").collect()
    return {row[0]: row[1] and [tuple(flag) for flag in row[1]] for row in rows}


def quality(spark: SparkSession, config: Config, *columns: str) -> list[tuple[Any, ...]]:
    register_chi_quality(spark, config)
    rows = spark.sql("SELECT * FROM chi_quality ORDER BY column").select(*columns)
    return [tuple(row) for row in rows.collect()]


def test_a_chi_that_fails_its_check_is_kept_and_flagged(spark: SparkSession, config: Config, tmp_path: Path) -> None:
    mine = config.model_copy(update={"records": Records(second_chi_check=MINE)})
    numbers = {
        "in order": "0101010028",
        "restored": "101010028",
        "check": "0101010029",
        "second": "0101010023",
        "date": "3102010023",
        "leap day": "2902010000",
        "short": "12345678",
        "letters": "010101OO28",
        "restored and wrong": "101010029",
    }

    load(
        spark, mine, "prescribing", tmp_path / "a.csv",
        "PRESCRIPTION_ITEM_ID,CHI,PRESCRIBED_DATE", *(f"{name},{chi},2020-01-01" for name, chi in numbers.items()),
    )  # fmt: skip

    assert flags(spark, mine, "prescribing", "PRESCRIPTION_ITEM_ID") == {
        "in order": None,
        "restored": [("UPI_NUMBER", "restored")],
        "check": [("UPI_NUMBER", "wrong_check")],
        "second": [("UPI_NUMBER", "second_check")],
        "date": [("UPI_NUMBER", "wrong_date")],
        "leap day": [("UPI_NUMBER", "wrong_date")],
        "short": [("UPI_NUMBER", "not_ten_digits")],
        "letters": [("UPI_NUMBER", "not_ten_digits")],
        "restored and wrong": [("UPI_NUMBER", "restored"), ("UPI_NUMBER", "wrong_check")],
    }
    counted = quality(
        spark, mine, "table", "column", "given", "in_order", "second_check", "not_ten_digits", "wrong_date",
        "wrong_check", "restored",
    )  # fmt: skip
    assert counted == [("records/prescribing", "UPI_NUMBER", 9, 2, 1, 2, 2, 2, 2)]


def test_babies_numbers_are_counted_by_column(spark: SparkSession, config: Config, tmp_path: Path) -> None:
    load(
        spark, config, "smr02", tmp_path / "a.csv",
        "EPISODE_RECORD_KEY,UPI_NUMBER,ADMISSION_DATE,BABY_CI_CHI_NUMBER_BABY_1,BABY_CI_CHI_NUMBER_BABY_2",
        "e1,0101010028,2020-01-01,0101010029,", "e2,0101010028,2020-01-01,,",
    )  # fmt: skip

    assert flags(spark, config, "smr02", "EPISODE_RECORD_KEY") == {
        "e1": [("BABY_CI_CHI_NUMBER_BABY_1", "wrong_check")],
        "e2": None,
    }
    assert quality(spark, config, "column", "given", "in_order", "wrong_check") == [
        ("BABY_CI_CHI_NUMBER_BABY_1", 1, 0, 1),
        ("BABY_CI_CHI_NUMBER_BABY_2", 0, 0, 0),
        ("BABY_CI_CHI_NUMBER_BABY_3", 0, 0, 0),
        ("UPI_NUMBER", 2, 2, 0),
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere:check", "nowhere:check cannot be imported: No module named 'nowhere'."),
        ("smi_spark.run:check", "smi_spark.run:check is no function. Write it as package.module:function."),
        ("smi_spark.run", "smi_spark.run is no function. Write it as package.module:function."),
    ],
)
def test_a_second_check_that_is_not_there_is_said(name: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        second_check(name)
    assert str(error.value) == f"records.second_chi_check: {told}"
