"""Records come with the images: the queries of docs/linked-records.md, and nobody who is not in the cohort."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.selection import choose
from smi_spark.analysis.snapshot import Shape, snapshot_rows
from smi_spark.deidentified.dates import shift_weeks
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.pseudonyms import pseudonym
from smi_spark.schema import load_schema, record_tables
from tests.conftest import make_config
from tests.rows import frame

PAGE = Path(__file__).parents[3] / "docs" / "linked-records.md"
QUERIES = dict(
    re.findall(r"^## (\w+)\n.*?```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
)
SCAN, BIRTH = date(2020, 1, 3), date(2020, 2, 28)


def day(number: int) -> date:
    """So many days from the scan."""
    return SCAN + timedelta(number)


# What Ann's records say, with the days from her scan; Zoe, who was not scanned, has the same.
RECORDS: dict[str, dict[str, object]] = {
    "ae": {"ARRIVAL_DATE": day(-3), "DISEASE_1_CODE": "R51X"},
    "deaths": {"DATE_OF_DEATH": day(400), "UNDERLYING_CAUSE_OF_DEATH": "C719"},
    "demography": {"DATE_FROM": day(-900), "DATE_TO": day(300), "HBRES_CURRENTDATE": "S08000024"},
    "prescribing": {"PRESCRIBED_DATE": day(-40), "PI_BNF_ITEM_CODE": "0208020V0AAABAB"},
    "smr00": {"CLINIC_DATE": day(21), "SPECIALTY": "C8"},
    "smr01": {"ADMISSION_DATE": day(-2), "DISCHARGE_DATE": day(5), "MAIN_CONDITION": "S065"},
    "smr02": {"ADMISSION_DATE": day(55), "DATE_OF_DELIVERY": BIRTH, "ESTIMATED_GESTATION": 39,
              "BIRTHWEIGHT_BABY_1": 3400, "BABY_CI_CHI_NUMBER_BABY_1": "bob", "BABY_CI_CHI_NUMBER_BABY_2": "zoe",
              "BABY_CI_CHI_NUMBER_BABY_3": None},
    "smr04": {"ADMISSION_DATE": day(-200), "DISCHARGE_DATE": day(-100), "MAIN_CONDITION": "F32"},
    "smr06": {"INCIDENCE_DATE": day(90), "ICD10S_CANCER_SITE": "C719"},
}  # fmt: skip
ANSWERS: dict[str, tuple[object, ...]] = {
    "ae": (3, "R51X"),
    "deaths": (400, "C719"),
    "demography": ("S08000024",),
    "prescribing": (-40, "0208020V0AAABAB"),
    "smr00": (21, "C8"),
    "smr01": (2, "S065"),
    "smr02": (31, 3400, 1),
    "smr04": (100, "F32"),
    "smr06": (90, "C719"),
}


def record(table: str, who: str) -> dict[str, object]:
    schema = load_schema(f"records/{table}")
    key = {name: f"{name} of {who}" for name in schema.key_in("deidentified")
           if schema.column(name).type == "string"}  # fmt: skip
    return key | RECORDS[table] | {"patient_id": who}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The installation, and what its project calls Ann, her baby Bob, and Zoe."""
    config = make_config(tmp_path_factory.mktemp("linked"))
    key = project_key(load_key(config.keys.projects), "demo")
    assert len({shift_weeks(key, who) for who in ("ann", "bob")}) == 2  # or wrong shifts would not be seen
    return config, {who: pseudonym(key, "patient", who) for who in ("ann", "bob", "zoe")}


def narrow(spark: SparkSession, name: str, rows: list[dict[str, object]]) -> DataFrame:
    """Rows of zone 2 in no other columns than they give, so that less is planned."""
    return frame(spark, name, rows, "deidentified").select(*rows[0])


@pytest.fixture(scope="module")
def delivered(spark: SparkSession, people: Any) -> Iterator[dict[str, DataFrame]]:
    """The tables of a snapshot of Ann and Bob with every table of records, each a view too."""
    images = narrow(spark, "images", [
        {"patient_id": who, "SOPInstanceUID": f"2.25.{n}", "SeriesInstanceUID": f"{who}.1", "StudyInstanceUID": who,
         "StudyDate": when, "modality": "CT", "year": 2020}
        for n, (who, when) in enumerate((("ann", SCAN), ("ann", SCAN), ("bob", date(2020, 6, 1))))
    ])  # fmt: skip
    records = {
        table: narrow(spark, f"records/{table}", [record(table, who) for who in ("ann", "zoe")])
        for table in record_tables()
    }
    definition = read_definition(
        {"cohort": "scans", "project": "demo", "question": "Who had a CT?", "images": {"modality": "CT"},
         "deliver": {"records": {table: {} for table in record_tables()}}}, "test.yaml",
    )  # fmt: skip
    given = {"images": images, **{f"records/{table}": rows for table, rows in records.items()}}
    lacking = {
        name: [c.name for c in load_schema(name).columns if c.name not in df.columns] for name, df in given.items()
    }
    rows = snapshot_rows(people[0], Shape(definition, "shift", lacking), choose(images, records, definition), records)
    del rows["series"]  # no query has them, and they cost more than all the rest
    made = {name.removeprefix("records/"): tables.worked_out(df.coalesce(1)) for name, df in rows.items()}
    for name, df in made.items():
        df.createOrReplaceTempView(name)
    yield made
    for name in made:
        spark.catalog.dropTempView(name)


def test_there_is_a_query_for_every_table_of_records() -> None:
    assert sorted(QUERIES) == sorted(record_tables()) == sorted(RECORDS)


@pytest.mark.parametrize("table", sorted(RECORDS))
def test_a_record_joins_the_scan_of_its_patient_with_the_true_interval(
    spark: SparkSession, people: Any, delivered: dict[str, DataFrame], table: str
) -> None:
    found = [tuple(row) for row in spark.sql(QUERIES[table]).collect()]
    assert found == [(people[1]["ann"], *ANSWERS[table])]


def test_nobody_who_is_not_in_the_cohort_stands_in_any_table(people: Any, delivered: dict[str, DataFrame]) -> None:
    ids = people[1]
    for name, rows in delivered.items():
        texts = repr(rows.collect())
        assert ids["ann"] in texts, name
        assert ids["zoe"] not in texts, name
    (episode,) = delivered["smr02"].collect()
    assert episode["BABY_CI_CHI_NUMBER_BABY_1"] == ids["bob"]
    assert (episode["BABY_CI_CHI_NUMBER_BABY_2"], episode["BABY_CI_CHI_NUMBER_BABY_3"]) == (None, None)


def test_studies_and_patients_are_rolled_up_from_the_images(people: Any, delivered: dict[str, DataFrame]) -> None:
    (ann,) = delivered["patients"].where(f"patient_id = '{people[1]['ann']}'").collect()
    (study,) = delivered["studies"].where(f"patient_id = '{people[1]['ann']}'").collect()
    assert (ann["study_count"], ann["series_count"], ann["image_count"]) == (1, 1, 2)
    assert ann["first_study_date"] == ann["last_study_date"] == study["StudyDate"] != SCAN
    assert (study["image_count"], ann["modalities"]) == (2, ["CT"])
