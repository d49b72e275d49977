"""All codes of all record tables in one view."""

from datetime import date

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.events import register_events, with_codes
from tests.rows import frame


def fill(spark: SparkSession, config: Config, name: str, *rows: dict[str, object]) -> None:
    made = frame(spark, f"records/{name}", rows, "deidentified")
    tables.append(made, tables.table(config, f"deidentified/records/{name}"))


def test_each_code_is_a_row_with_its_system_and_date(spark: SparkSession, config: Config) -> None:
    day = date(2020, 5, 1)
    fill(spark, config, "smr01", {
        "patient_id": "p", "ADMISSION_DATE": day, "MAIN_CONDITION": "C341", "OTHER_CONDITION_2": "J449",
        "MAIN_OPERATION": "E551",
    })  # fmt: skip
    fill(spark, config, "prescribing", {
        "patient_id": "q", "PRESCRIBED_DATE": day, "PI_BNF_ITEM_CODE": "0208020Y0", "PI_APPROVED_NAME": "APIXABAN",
    })  # fmt: skip
    register_events(spark, config)

    rows = spark.sql("SELECT * FROM events ORDER BY patient_id, code").collect()

    assert [tuple(row) for row in rows] == [
        ("p", day, "smr01", "MAIN_CONDITION", "C341", "ICD-10", None),
        ("p", day, "smr01", "MAIN_OPERATION", "E551", "OPCS-4", None),
        ("p", day, "smr01", "OTHER_CONDITION_2", "J449", "ICD-10", None),
        ("q", day, "prescribing", "PI_BNF_ITEM_CODE", "0208020Y0", "BNF", "APIXABAN"),
    ]


def test_a_code_list_means_what_begins_with_its_codes_in_that_system(spark: SparkSession, config: Config) -> None:
    conditions = {"MAIN_CONDITION": "C341", "OTHER_CONDITION_1": "C50", "MAIN_OPERATION": "C341"}
    fill(spark, config, "smr01", {"patient_id": "p", "ADMISSION_DATE": date(2020, 5, 1)} | conditions)
    events = register_events(spark, config)

    found = with_codes(events, {"ICD-10": ["C34", "C5"], "OPCS-4": ["E55"]})

    assert sorted(row["column"] for row in found.collect()) == ["MAIN_CONDITION", "OTHER_CONDITION_1"]
    assert with_codes(events, {}).isEmpty()


def test_a_zone_without_records_has_no_events(spark: SparkSession, config: Config) -> None:
    assert register_events(spark, config).isEmpty()
