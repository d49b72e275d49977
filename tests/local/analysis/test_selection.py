"""Selection and attrition on archives small enough to check by eye."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.selection import Left, attrition, count_steps, measure_steps, select_images
from smi_spark.analysis.step_counts import Extent
from tests.cohorts import cohort

IMAGE_COLUMNS = (
    "SOPInstanceUID string, patient_id string, StudyInstanceUID string, StudyDate date, modality string, year int, "
    "body_part_label string, PatientSex string, age_at_study int, SeriesInstanceUID string"
)
SCAN = date(2020, 5, 31)


def images_of(spark: SparkSession, *rows: Sequence[Any]) -> DataFrame:
    """Rows of (image, patient, study, date, modality, body part, sex, age); the last three may be left out."""
    filled = [(*row, *("head", "F", 50)[len(row) - 5 :], row[2]) for row in rows]
    return spark.createDataFrame([(*r[:5], r[3].year if r[3] else 0, *r[5:]) for r in filled], IMAGE_COLUMNS)


def admissions_of(spark: SparkSession, *rows: tuple[str | None, date]) -> DataFrame:
    coded = [(patient, day, "I269", None) for patient, day in rows]
    return spark.createDataFrame(
        coded, "patient_id string, ADMISSION_DATE date, MAIN_CONDITION string, OTHER_CONDITION_1 string"
    )


def tumours_of(spark: SparkSession, *rows: tuple[str, date, str | None]) -> DataFrame:
    return spark.createDataFrame(list(rows), "patient_id string, INCIDENCE_DATE date, ICD10S_CANCER_SITE string")


def admitted(**window: str) -> dict[str, Any]:
    return {"table": "smr01", "window": {name.removesuffix("_"): period for name, period in window.items()}}


def chosen(df: DataFrame) -> list[str]:
    return sorted(row["SOPInstanceUID"] for row in df.select("SOPInstanceUID").collect())


def test_each_step_keeps_what_the_next_one_starts_from(spark: SparkSession) -> None:
    images = images_of(
        spark,
        ("1", "ann", "s1", SCAN, "CT"),
        ("2", "ann", "s1", SCAN, "CT"),
        ("3", "ann", "s2", date(2018, 1, 1), "CT"),
        ("4", "bob", "s3", SCAN, "CT", "head", "M"),
        ("5", "cat", "s4", SCAN, "CT", "chest"),
        ("6", "dan", "s5", SCAN, "MR"),
        ("7", "eve", "s6", SCAN, "CT", "head", None, None),
        ("8", "fay", "s7", None, "CT"),
        ("9", "gus", "s8", SCAN, "CT", "head", "M", 30),
    )
    admissions = admissions_of(spark, ("ann", SCAN), ("ann", SCAN), ("eve", SCAN), ("bob", date(2019, 1, 1)))
    definition = cohort(
        images={"modality": "CT", "body_part": "head", "sex": ["F", "M"], "age": {"min": 40}},
        records={"required": [admitted(from_="0 days", until="1 month")]},
    )
    assert attrition(images, {"smr01": admissions}, definition) == (
        Left(1, "CT images", 6, 7, 8),
        Left(2, "body part head", 5, 6, 7),
        Left(3, "sex F or M", 4, 5, 6),
        Left(4, "age 40–90", 3, 4, 5),
        Left(5, "with a study date", 2, 3, 4),
        Left(6, "smr01: any record, from 0 days until 1 month", 1, 1, 2),
    )
    assert chosen(select_images(images, {"smr01": admissions}, definition)) == ["1", "2"]


def test_a_dry_run_measures_series_and_the_files_of_what_is_left(spark: SparkSession) -> None:
    rows = [("1", "ann", "s1", SCAN, "CT"), ("2", "ann", "s1", SCAN, "CT"), ("3", "bob", "s2", SCAN, "CT")]
    images = images_of(spark, *rows, ("4", "cat", "s3", None, "CT"), ("5", "dan", "s4", SCAN, "MR")).withColumns(
        {
            "SeriesInstanceUID": F.concat("StudyInstanceUID", F.lit("."), F.when(F.col("SOPInstanceUID") == "2", "b")
                                          .otherwise("a")),
            "file_size": F.when(F.col("SOPInstanceUID") != "3", 1_000 * F.col("SOPInstanceUID").cast("long")),
        }
    )  # fmt: skip
    admissions = {"smr01": admissions_of(spark, ("ann", SCAN), ("bob", SCAN))}
    definition = cohort(images={"modality": "CT"}, records={"required": [admitted(from_="0 days", until="1 month")]})
    assert [left for _, left in measure_steps(images, admissions, definition, sized=True)] == [
        Extent(3, 3, 4, 4), Extent(2, 2, 3, 3), Extent(2, 2, 3, 3, 3_000, 1),
    ]  # fmt: skip


def test_nothing_asked_is_every_image(spark: SparkSession) -> None:
    images = images_of(spark, ("1", "ann", "s1", None, "CT"), ("2", "bob", "s2", SCAN, "MR"))
    assert attrition(images, {}, cohort()) == (Left(1, "all images", 2, 2, 2),)
    assert chosen(select_images(images, {}, cohort())) == ["1", "2"]


def test_an_empty_archive_counts_to_zero(spark: SparkSession) -> None:
    assert attrition(images_of(spark, ("1", "ann", "s1", SCAN, "MR")), {}, cohort(images={"modality": "CT"})) == (
        Left(1, "CT images", 0, 0, 0),
    )


@pytest.mark.parametrize(
    ("start", "until", "days"),
    [
        # SCAN is 31 May 2020; six months before, November has no 31st
        ("-6 months", "0 days", (date(2019, 11, 30), date(2020, 5, 31))),
        ("1 day", "3 months", (date(2020, 6, 1), date(2020, 8, 31))),
        ("-3 months", "-1 month", (date(2020, 2, 29), date(2020, 4, 30))),
        ("-1 week", "1 year", (date(2020, 5, 24), date(2021, 5, 31))),
        ("0 days", "0 days", (SCAN, SCAN)),
    ],
)
def test_both_ends_of_a_window_belong_to_it(
    spark: SparkSession, start: str, until: str, days: tuple[date, date]
) -> None:
    events = {
        "day before": days[0] - timedelta(1), "first day": days[0], "last day": days[1],
        "day after": days[1] + timedelta(1),
    }  # fmt: skip
    images = images_of(spark, *((who, who, who, SCAN, "CT") for who in events))
    admissions = admissions_of(spark, *events.items())
    definition = cohort(records={"required": [admitted(from_=start, until=until)]})
    assert chosen(select_images(images, {"smr01": admissions}, definition)) == ["first day", "last day"]


def test_a_rule_is_true_or_false_for_persons_without_rows(spark: SparkSession) -> None:
    images = images_of(
        spark,
        ("with", "ann", "s1", SCAN, "CT"),
        ("without", "bob", "s2", SCAN, "CT"),
        ("nobody", None, "s3", SCAN, "CT"),
        ("undated", "ann", "s4", None, "CT"),
    )
    records = {"smr01": admissions_of(spark, ("ann", SCAN), ("ann", SCAN), (None, SCAN))}
    same_day = admitted(from_="0 days", until="0 days")
    assert chosen(select_images(images, records, cohort(records={"required": [same_day]}))) == ["with"]
    assert chosen(select_images(images, records, cohort(records={"excluded": [same_day]}))) == ["nobody", "without"]
    at_any_time = cohort(records={"required": [admitted()]})
    assert chosen(select_images(images, records, at_any_time)) == ["undated", "with"]


def test_codes_are_matched_by_their_beginning_in_any_column_of_the_system(spark: SparkSession) -> None:
    images = images_of(spark, *((who, who, who, SCAN, "MG") for who in ("C50", "C504", "D05", "c50", "none")))
    tumours = tumours_of(spark, *((who, SCAN, who) for who in ("C50", "C504", "D05", "c50")), ("none", SCAN, None))
    rules = {"required": [{"table": "smr06", "codes": {"ICD10S_CANCER_SITE": ["C50"]}}]}
    assert chosen(select_images(images, {"smr06": tumours}, cohort(records=rules))) == ["C50", "C504"]
    rules = {"excluded": [{"table": "smr06", "codes": {"ICD-10": ["C50", "D"]}}]}
    assert chosen(select_images(images, {"smr06": tumours}, cohort(records=rules))) == ["c50", "none"]


def test_one_rule_of_another_study_of_the_same_person_does_not_count(spark: SparkSession) -> None:
    early, late = date(2015, 1, 1), SCAN
    images = images_of(spark, ("early", "ann", "s1", early, "CT"), ("late", "ann", "s2", late, "CT"))
    records = {
        "smr01": admissions_of(spark, ("ann", late)),
        "smr06": tumours_of(spark, ("ann", early, "C34")),
    }
    both = [admitted(from_="0 days", until="1 month"), {"table": "smr06", "window": {"from": "-1 month"}}]
    assert chosen(select_images(images, records, cohort(records={"required": both}))) == []
    assert attrition(images, records, cohort(records={"required": both}))[-1][2:] == (0, 0, 0)


def test_study_dates_bound_the_partitions_and_the_rows(spark: SparkSession) -> None:
    days = (date(2015, 3, 31), date(2015, 4, 1), date(2016, 2, 29), date(2016, 3, 1))
    images = images_of(
        spark, *((str(day), "ann", str(day), day, "CT") for day in days), ("none", "bob", "s", None, "CT")
    )
    definition = cohort(images={"study_date": {"from": "2015-04-01", "until": "2016-02-29"}})
    assert chosen(select_images(images, {}, definition)) == ["2015-04-01", "2016-02-29"]
    assert [left[1:] for left in attrition(images, {}, definition)] == [
        ("images, 2015 or later, 2016 or earlier", 1, 4, 4),
        ("study date from 2015-04-01 until 2016-02-29", 1, 2, 2),
    ]


def test_the_plan_reads_only_the_partitions_asked_for_and_has_no_cartesian_product(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images_of(spark, ("1", "ann", "s1", SCAN, "CT"), ("2", "ann", "s2", SCAN, "MR")).write.format("delta").partitionBy(
        "modality", "year"
    ).save(str(tmp_path / "images"))
    images = spark.read.format("delta").load(str(tmp_path / "images"))
    records = {"smr01": admissions_of(spark, ("ann", SCAN))}
    definition = cohort(
        images={
            "modality": "CT", "study_date": {"from": "2020-01-01"}, "each_series": {"images": {"at_least": 2}},
        },
        records={
            "required": [{"any_of": [admitted(until="-1 month"), admitted(from_="1 day", until="1 month")]}],
            "excluded": [admitted(until="-1 day")],
        },
    )  # fmt: skip
    for result in (select_images(images, records, definition), count_steps(images, records, definition)):
        result.explain("formatted")
        plan = capsys.readouterr().out
        assert "CartesianProduct" not in plan
        assert "NestedLoop" not in plan
        filters = [line for line in plan.splitlines() if line.startswith("PartitionFilters: ")]
        assert ["modality#" in line and "year#" in line for line in filters] == [True]  # read once
        assert plan.count("Join type: ") == 2  # of what is required in either window one, and one of what is excluded
    assert "body_part_label" not in plan  # counting reads no column that it does not need
