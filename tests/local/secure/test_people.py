"""Who is who: CHI numbers that the demography merges, splits, or leads in a circle."""

from pathlib import Path

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.changes import rekeyed_numbers
from smi_spark.secure.records import load_records
from tests.rows import fill

HEADER = "CHI_NUMBER,UPI_NUMBER,DATE_FROM\n"
A, B, C, D = "0101010028", "0202020052", "0303030076", "0404040083"


def load(spark: SparkSession, config: Config, place: Path, *rows: tuple[str, str, str]) -> int:
    place.write_text(HEADER + "".join(",".join(row) + "\n" for row in rows))
    return load_records(spark, config, "demography", str(place)).people_changed


def people(spark: SparkSession, config: Config) -> dict[str, str]:
    rows = tables.read(spark, tables.table(config, "secure/people")).collect()
    return {row["chi"]: row["person"] for row in rows}


def rekeyed(spark: SparkSession, config: Config) -> set[str]:
    changes = tables.read(spark, tables.table(config, "secure/changes"))
    return {row["chi"] for row in rekeyed_numbers(changes).collect()}


def test_a_number_stands_for_the_one_at_the_end_of_its_chain(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    changed = load(
        spark, config, tmp_path / "a.csv",
        (A, A, "2000-01-01"), (B, B, "2000-01-01"), (B, A, "2010-01-01"), (C, B, "2005-01-01"), (D, D, "2000-01-01"),
    )  # fmt: skip

    assert changed == 2
    assert people(spark, config) == {B: A, C: A}
    assert rekeyed(spark, config) == {B, C}


def test_a_later_merge_and_one_taken_back_change_the_numbers_concerned_alone(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    load(spark, config, tmp_path / "a.csv", (A, A, "2000-01-01"), (B, A, "2000-01-01"), (C, C, "2000-01-01"))
    before = rekeyed(spark, config)

    assert load(spark, config, tmp_path / "b.csv", (B, B, "2011-01-01"), (C, A, "2011-01-01")) == 2
    assert load(spark, config, tmp_path / "c.csv", (A, A, "2012-01-01")) == 0

    assert people(spark, config) == {C: A}
    assert (before, rekeyed(spark, config)) == ({B}, {B, C})


def test_numbers_of_who_is_erased_stay_theirs_until_the_demography_says_otherwise(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    load(spark, config, tmp_path / "a.csv", (A, A, "2000-01-01"), (B, A, "2000-01-01"), (C, D, "2000-01-01"))
    fill(spark, config, "withdrawals", [{"chi": A, "policy": "erase", "run_id": "9"}])
    demography = tables.table(config, "secure/records/demography")
    tables.delete(tables.read(spark, demography).select("CHI_NUMBER"), demography, ["CHI_NUMBER"])

    assert load(spark, config, tmp_path / "b.csv", (D, D, "2010-01-01")) == 1
    assert people(spark, config) == {B: A}
    assert load(spark, config, tmp_path / "c.csv", (A, D, "2011-01-01")) == 2
    assert people(spark, config) == {A: D, B: D}
    assert load(spark, config, tmp_path / "d.csv", (B, B, "2012-01-01")) == 1
    assert people(spark, config) == {A: D}


def test_numbers_that_name_each_other_stand_for_themselves(spark: SparkSession, config: Config, tmp_path: Path) -> None:
    changed = load(spark, config, tmp_path / "a.csv", (A, B, "2000-01-01"), (B, A, "2000-01-01"), (C, A, "2000-01-01"))

    assert changed == 0
    assert not tables.exists(spark, tables.table(config, "secure/people"))
