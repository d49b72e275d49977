"""What a project gets of rows of zone 2: ids of its own, and dates by its policy."""

from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from smi_spark.analysis.delivery import for_project
from smi_spark.config import Config
from smi_spark.deidentified.actions import id_columns
from smi_spark.deidentified.dates import POLICIES, shift_weeks
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.schema import load_schema
from tests.built import SCAN, image
from tests.rows import frame


def test_kept_dates_are_those_of_zone_2(spark: SparkSession, config: Config) -> None:
    rows = frame(spark, "images", [image(1, "ann", SCAN), image(2, "ann", None)], "deidentified").coalesce(1)
    kept = for_project(rows, load_schema("images"), config.keys.projects, "demo", "keep").collect()
    assert [(row["StudyDate"], row["ContentDate"], row["year"]) for row in kept] == [
        (SCAN, SCAN, 2020),
        (None, None, 0),
    ]


def test_a_year_beside_a_shifted_date_is_that_of_the_shifted_one(spark: SparkSession, config: Config) -> None:
    key = project_key(load_key(config.keys.projects), "demo")
    early = next(name for name in map(str, range(99)) if shift_weeks(key, name) < -1)
    row = {"REGISTRATION_DISTRICT": "1", "YEAR_OF_REGISTRATION": 2020, "patient_id": early}
    registered_on = [date(2020, 1, 5), date(2020, 12, 20), None]
    given = [row | {"ENTRY_NUMBER": str(n), "DATE_OF_REGISTRATION": day} for n, day in enumerate(registered_on)]
    rows = frame(spark, "records/deaths", given, "deidentified").coalesce(1)
    shifted, kept = (
        for_project(rows, load_schema("records/deaths"), config.keys.projects, "demo", policy).collect()
        for policy in POLICIES
        if policy != "truncate"
    )
    assert [row["YEAR_OF_REGISTRATION"] for row in shifted] == [2019, 2020, None]
    assert [row["YEAR_OF_REGISTRATION"] for row in kept] == [2020, 2020, 2020]


def test_another_project_gets_other_ids(spark: SparkSession, config: Config) -> None:
    """Of patients, UIDs (in lists too) and accession numbers: of every column of images that has ids."""
    schema = load_schema("images")
    ids = id_columns(schema)
    lists = {name: ["2.25.2", "2.25.3"] for name in ids if schema.column(name).type == "array<string>"}
    rows = frame(spark, "images", [image(1, "ann", SCAN, FrameOfReferenceUID="2.25.4", **lists)], "deidentified")
    one, other = (
        for_project(rows, schema, config.keys.projects, project).select(*ids).collect()[0].asDict()
        for project in ("demo", "second")
    )
    assert [name for name, value in one.items() if value is None] == []
    assert not set(flat(one)) & set(flat(other))


def flat(row: dict[str, Any]) -> list[str]:
    return [one for value in row.values() for one in (value if isinstance(value, list) else [value])]
