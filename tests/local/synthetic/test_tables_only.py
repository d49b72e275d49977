"""Tables without files: the same rows however they are spread, of the shape that the rates say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import resources, tables
from smi_spark.analysis.definition import load_definition
from smi_spark.analysis.selection import attrition, select_images
from smi_spark.config import Config
from smi_spark.deidentified.rollups import roll_up_series, roll_up_studies
from smi_spark.errors import InputError
from smi_spark.synthetic import tables_only
from smi_spark.synthetic.__main__ import main
from smi_spark.synthetic.image_frames import image_frame, rolled_up_studies, series_frame, study_frame
from smi_spark.synthetic.place import UNFINISHED
from smi_spark.synthetic.quotas import Plan, plan_tables
from smi_spark.synthetic.rates import Rates, load_rates
from smi_spark.synthetic.record_frames import TABLES, record_frame
from smi_spark.synthetic.tables_only import write_tables

SMALL, LARGE, WHOLE = 6_000, 2_000_000, 10**9
COHORT = "head_ct_after_drug_then_admitted"


def few_years() -> Rates:
    rates = load_rates()
    return rates.model_copy(update={"years": rates.years.model_copy(update={"first": 2019, "last": 2020})})


def images_of(spark: SparkSession, plan: Plan, rows_in_part: int = WHOLE) -> DataFrame:
    return image_frame(plan, series_frame(plan, study_frame(spark, plan, plan.batches, rows_in_part)))


def digest(rows: DataFrame) -> tuple[int, int]:
    """How many rows there are, and a hash of all of them in any order."""
    one = rows.agg(F.count("*"), F.bit_xor(F.xxhash64(*sorted(rows.columns)))).collect()[0]
    return one[0], one[1]


def in_zone(rows: DataFrame, config: Config, name: str) -> DataFrame:
    target = tables.table(config, f"deidentified/{name}")
    known = [column for column in rows.columns if column in target.columns]
    return tables.completed(rows.select(*known), target)


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def large(spark: SparkSession) -> tuple[Plan, DataFrame]:
    """Studies alone of two million images, with the number of images of each."""
    plan = plan_tables(LARGE, 3, load_rates())
    studies = study_frame(spark, plan, plan.batches, WHOLE).coalesce(2)
    total = F.aggregate("series", F.lit(0).cast("long"), lambda sum_, one: sum_ + one["images"])
    return plan, studies.withColumn("images", total).persist()


def test_rows_are_the_same_however_they_are_spread(spark: SparkSession) -> None:
    plan = plan_tables(SMALL, 7, few_years())
    one, seven = images_of(spark, plan).coalesce(1), images_of(spark, plan, rows_in_part=1).repartition(7)
    assert (one.rdd.getNumPartitions(), seven.rdd.getNumPartitions()) == (1, 7)
    assert digest(one) == digest(seven)
    for table in TABLES:
        found = []
        for parts in ("1", "7"):
            with tables.settings(spark, {"spark.sql.shuffle.partitions": parts}):
                found.append(digest(record_frame(spark, plan, table).repartition(int(parts))))
        assert found[0] == found[1], table


def test_rows_are_the_same_on_every_machine(spark: SparkSession) -> None:
    plan = plan_tables(SMALL, 7, few_years())
    assert digest(images_of(spark, plan)) == (SMALL, 5557411787930931692)
    assert {table: digest(record_frame(spark, plan, table)) for table in TABLES} == {
        "smr01": (25, -2200752072682827820),
        "smr02": (4, 6620236433253638172),
        "smr04": (1, -3116317254711392491),
        "ae": (8, 5900352077249146804),
        "prescribing": (12, 4892156018413608499),
        "smr06": (1, -4419864254584283936),
        "deaths": (1, -7089881341618438537),
    }


def test_another_seed_gives_other_rows(spark: SparkSession) -> None:
    one, two = (images_of(spark, plan_tables(SMALL, seed, few_years())) for seed in (7, 8))
    for column in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "AccessionNumber", "patient_id"):
        assert one.join(two, column, "left_semi").isEmpty(), column


def test_tables_hold_what_their_schemas_say(spark: SparkSession, config: Config) -> None:
    written = write_tables(spark, config, images=SMALL, seed=7, rates=few_years()).rows
    plan = plan_tables(SMALL, 7, few_years())
    assert list(written) == ["images", "series", "studies", *(f"records/{table}" for table in TABLES)]
    assert written["images"] == SMALL
    assert written["studies"] == sum(batch.studies for batch in plan.batches)
    for name, count in written.items():
        target = tables.table(config, f"deidentified/{name}")
        rows = tables.read(spark, target)
        assert rows.columns == target.columns
        assert rows.count() == rows.select(*target.schema.key).dropna().distinct().count() == count > 0, name
        assert rows.where("patient_id is null or patient_id not rlike '^[0-9a-f]{32}$'").isEmpty(), name
    images = tables.read(spark, tables.table(config, "deidentified/images"))
    assert digest(images) == digest(in_zone(images_of(spark, plan), config, "images"))
    for uid in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert images.where(f"{uid} not rlike '^2[.]25[.][1-9][0-9]{{37}}$'").isEmpty(), uid
    assert images.where("AccessionNumber not rlike '^[0-9a-f]{32}$' or year(StudyDate) <> year").isEmpty()
    filled = {name for name in images.columns if not images.where(F.col(name).isNotNull()).isEmpty()}
    assert filled == {
        "modality", "year", "patient_id", "age_at_study", "body_part_label", "PatientSex", "StudyInstanceUID",
        "StudyDate", "AccessionNumber", "SeriesInstanceUID", "SeriesNumber", "manufacturer_label", "SOPInstanceUID",
        "InstanceNumber", "SliceThickness", "file_size", "ImageType", "MRAcquisitionType", "mr_sequence_label",
    }  # fmt: skip
    assert not (Path(config.root) / UNFINISHED).exists()
    _assert_sorted(Path(config.zone("deidentified")) / "images")


def _assert_sorted(table: Path) -> None:
    files = [*table.rglob("*.parquet")]
    assert {file.parent.parent.name for file in files} >= {"modality=CT", "modality=MR", "modality=US"}
    for file in files:
        rows = pq.ParquetFile(file).read(["StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber"]).to_pylist()
        keys = [tuple(row.values()) for row in rows]
        assert keys == sorted(keys), file


def test_images_are_of_the_modalities_and_years_that_the_rates_say(large: tuple[Plan, DataFrame]) -> None:
    plan, studies = large
    rates = plan.rates
    wanted = {
        (kind, year): modality.examinations.value * (1 + modality.growth.value) ** (year - 2010)
        for kind, modality in rates.modalities.items()
        for year in range(2010, 2024)
    }
    found = {(row["kind"], row["year"]): row["count"] for row in studies.groupBy("kind", "year").count().collect()}
    whole, counted = sum(wanted.values()), sum(found.values())
    for kind in rates.modalities:
        share = sum(found.get((kind, year), 0) for year in range(2010, 2024)) / counted
        assert share == pytest.approx(sum(wanted[kind, year] for year in range(2010, 2024)) / whole, abs=0.01), kind
    for year in range(2010, 2024):
        share = sum(found.get((kind, year), 0) for kind in rates.modalities) / counted
        assert share == pytest.approx(sum(wanted[kind, year] for kind in rates.modalities) / whole, abs=0.005), year
    parts = studies.where("kind = 'CT'").groupBy("body_part_label").count()
    ct = {row["body_part_label"]: row["count"] for row in parts.collect()}
    for part, share in rates.modalities["CT"].body_parts.shares.items():
        assert ct[part] / sum(ct.values()) == pytest.approx(share, abs=0.03), part


def test_a_few_people_hold_many_images(large: tuple[Plan, DataFrame]) -> None:
    plan, studies = large
    people = studies.groupBy("patient_id").agg(F.sum("images").alias("images"), F.count("*").alias("studies"))
    rows = sorted(people.collect(), key=lambda row: row["studies"], reverse=True)
    assert len(rows) == plan.population.imaged
    busy = rows[: plan.population.busy]
    assert plan.population.busy == round(plan.population.imaged / 100)
    assert sum(row["studies"] for row in busy) / sum(row["studies"] for row in rows) == pytest.approx(0.3, abs=0.02)
    assert sum(row["images"] for row in busy) / LARGE == pytest.approx(0.3, abs=0.04)


def test_records_are_of_imaged_people_as_often_as_the_rates_say(
    spark: SparkSession, large: tuple[Plan, DataFrame]
) -> None:
    plan, studies = large
    imaged = studies.select("patient_id").distinct()
    for table in ("smr06", "deaths"):
        people = record_frame(spark, plan, table).select("patient_id").distinct().persist()
        share = people.join(imaged, "patient_id", "left_semi").count() / people.count()
        assert share == pytest.approx(0.75, abs=0.05), table
        rates = getattr(plan.rates.records, table)
        at_any_time = rates.each_year.value * 14 * plan.population.count
        rows = record_frame(spark, plan, table).where("event >= 0").count()
        assert rows == pytest.approx(at_any_time, rel=0.15), table


@pytest.mark.parametrize(
    ("name", "made", "rolled_up"),
    [
        ("series", lambda plan, studies: series_frame(plan, studies), roll_up_series),
        ("studies", lambda plan, studies: rolled_up_studies(plan, studies), roll_up_studies),
    ],
)
def test_series_and_studies_are_what_rolling_up_the_images_gives(
    spark: SparkSession,
    config: Config,
    name: str,
    made: Callable[[Plan, DataFrame], DataFrame],
    rolled_up: Callable[[DataFrame], DataFrame],
) -> None:
    plan = plan_tables(10 * SMALL, 7, few_years())
    given = in_zone(made(plan, study_frame(spark, plan, plan.batches, WHOLE)), config, name)
    wanted = rolled_up(in_zone(images_of(spark, plan), config, "images"))
    assert given.schema.simpleString() == wanted.schema.simpleString()
    assert sorted(map(repr, given.collect())) == sorted(map(repr, wanted.collect()))
    kinds = {kind for row in given.collect() for kind in (row["modality"], *(row.asDict().get("modalities") or ()))}
    assert {"PT", "CT", "MR", "US"} <= kinds


def test_the_cohort_of_the_demonstration_has_a_few_per_cent_of_the_people_with_such_images(
    spark: SparkSession, large: tuple[Plan, DataFrame]
) -> None:
    plan, studies = large
    images = studies.withColumns({"modality": F.col("kind"), "SOPInstanceUID": F.col("StudyInstanceUID")})
    records = {table: record_frame(spark, plan, table) for table in ("prescribing", "smr01")}
    definition = load_definition(resources.folder("conf") / "cohorts" / f"{COHORT}.yaml")
    left = {step.rule: step.patients for step in attrition(images, records, definition)}
    assert left["body part head"] > 500
    chosen = select_images(images, records, definition).select("patient_id").distinct().count()
    assert chosen == list(left.values())[-1]
    assert 0.01 < chosen / left["body part head"] < 0.10


def test_a_place_that_holds_something_is_left_alone(spark: SparkSession, config: Config) -> None:
    place = Path(config.root)
    place.mkdir()
    (place / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match=r"data holds something already\. Give a place that is new or empty\."):
        write_tables(spark, config, images=SMALL, seed=7)
    assert [path.name for path in place.iterdir()] == ["mine.txt"]


def test_what_a_killed_run_left_is_told_apart(
    spark: SparkSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables_only, "_write_images", killed)
    with pytest.raises(KeyboardInterrupt):
        write_tables(spark, config, images=SMALL, seed=7)
    with pytest.raises(InputError, match=r"what a run of images 6000, seed 7 left, which did not end\. Remove it"):
        write_tables(spark, config, images=SMALL, seed=7)


def test_the_command_says_what_it_wrote(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tables"
    monkeypatch.setattr(tables_only, "load_rates", few_years)
    arguments = ["--tables-only", "--images", "1000", "--seed", "2", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["synthetic", *arguments])
    assert main() == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: images 1,000, series ")
    assert "records/prescribing " in said
    assert main() == 1
    assert "holds something already" in capsys.readouterr().err
