"""Whatever a definition asks, Spark chooses the images that a twin in plain Python does."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.definition import Definition
from smi_spark.analysis.selection import count_steps, plan_steps, select_images
from smi_spark.errors import ConfigError
from tests.cohorts import chosen_of, cohort, in_one_job, local_rows
from tests.twin import Row, Tables, chosen_by

PEOPLE = ("ann", "bob", "cat", "dan", "eve", "fay", None)
SHORT_MONTHS = [date(2019, 8, 31), date(2020, 2, 28), date(2020, 2, 29), date(2020, 5, 31), date(2020, 8, 30)]
DAYS = [*SHORT_MONTHS, *(date(2020, 1, 31) + timedelta(days=9 * number) for number in range(14))]
ICD, BNF = ("F00", "F001", "F01", "I63", "I638", None), ("0208020V0", "0208", "0411", None)
IMAGES = (
    "SOPInstanceUID string, patient_id string, StudyInstanceUID string, SeriesInstanceUID string, StudyDate date, "
    "modality string, year int, body_part_label string, mr_sequence_label string, plane_label string, "
    "face_risk string, PatientSex string, age_at_study int, SliceThickness double, ImageType array<string>, "
    "ManufacturerModelName string"
)
RECORDS = {
    "smr01": "patient_id string, ADMISSION_DATE date, MAIN_CONDITION string, MAIN_OPERATION string, LENGTH_OF_STAY int",
    "smr06": "patient_id string, INCIDENCE_DATE date, ICD10S_CANCER_SITE string",
    "prescribing": "patient_id string, PRESCRIBED_DATE date, PI_BNF_ITEM_CODE string, PAID_QUANTITY double",
}


def an_image(chance: Random, number: int) -> Row:
    study, day = chance.randrange(12), chance.choice([*DAYS, None])
    return {
        "SOPInstanceUID": f"i{number:03}", "patient_id": PEOPLE[study % len(PEOPLE)], "StudyInstanceUID": f"s{study}",
        "SeriesInstanceUID": chance.choice([f"{study}.1", f"{study}.2", None]), "StudyDate": day,
        "modality": chance.choice(["CT", "MR"]), "year": day.year if day else 0,
        "body_part_label": chance.choice(["head", "chest", None]),
        "mr_sequence_label": chance.choice(["T1", "T2", None]),
        "plane_label": chance.choice(["axial", "coronal", None]), "face_risk": chance.choice(["none", "high", None]),
        "PatientSex": chance.choice(["F", "M", None]), "age_at_study": chance.choice([30, 60, 90, None]),
        "SliceThickness": chance.choice([0.5, 1.0, 3.0, None]),
        "ImageType": chance.choice([["ORIGINAL", "PRIMARY"], ["DERIVED", None], [], None]),
        "ManufacturerModelName": chance.choice(["Skyra", "Skyra Fit", "Avanto", None]),
    }  # fmt: skip


def a_record(chance: Random, table: str) -> Row:
    who, day = {"patient_id": chance.choice(PEOPLE)}, chance.choice([*DAYS, None])
    if table == "smr01":
        codes = {"MAIN_CONDITION": chance.choice(ICD), "MAIN_OPERATION": chance.choice(("A01", "E04", None))}
        return {**who, "ADMISSION_DATE": day, **codes, "LENGTH_OF_STAY": chance.choice([0, 3, None])}
    if table == "smr06":
        return {**who, "INCIDENCE_DATE": day, "ICD10S_CANCER_SITE": chance.choice(ICD)}
    return {**who, "PRESCRIBED_DATE": day, "PI_BNF_ITEM_CODE": chance.choice(BNF),
            "PAID_QUANTITY": chance.choice([28.0, 56.0, None])}  # fmt: skip


def a_window(chance: Random) -> dict[str, str]:
    start, until = sorted(chance.choices([-60, -30, -9, 0, 9, 30, 60], k=2))
    if chance.random() < 0.3:
        months = [{"from": "-6 months", "until": "0 days"}, {"from": "1 day", "until": "3 months"}]
        return chance.choice([*months, {"from": "-1 month"}, {"from": "0 days"}, {"until": "-1 day"}])
    return {"from": f"{start} days", "until": f"{until} days"}


def a_rule(chance: Random, groups: Sequence[str], depth: int = 0) -> Any:
    kind = chance.random()
    if groups and kind < 0.2:
        return chance.choice(groups)
    if depth < 2 and kind < 0.5:
        inner = [a_rule(chance, groups, depth + 1) for _ in range(chance.randint(1, 2))]
        if isinstance(inner[0], dict) and "table" in inner[0]:
            inner.append({**inner[0], "window": a_window(chance)})  # the same record, in either window
        return {chance.choice(["any_of", "all_of", "none_of"]): inner}
    table = chance.choice(list(RECORDS))
    coded: dict[str, list[Any]] = {
        "smr01": [
            {"MAIN_CONDITION": "F0"},
            {"MAIN_CONDITION": "I63"},
            {"MAIN_CONDITION": "I638", "MAIN_OPERATION": "A"},
        ],
        "smr06": [{"ICD-10": "F00"}, {"ICD-10": ["F01", "I"]}],
        "prescribing": [{"BNF": "0208"}, {"BNF": ["0411", "02080"]}],
    }
    rule: dict[str, Any] = {"table": table}
    if chance.random() < 0.7:
        rule["codes"] = chance.choice(coded[table])
    if table == "smr01" and chance.random() < 0.3:
        rule["having"] = {"LENGTH_OF_STAY": chance.choice([{"at_least": 1}, {"present": False}, 0])}
    if chance.random() < 0.7:
        rule["window"] = a_window(chance)
    if chance.random() < 0.5:
        rule |= chance.choice([{"at_least": 2}, *({"which": w} for w in ("first ever", "last ever", "first", "last"))])
    if groups and chance.random() < 0.4:
        rule["around"] = chance.choice(groups)
    return rule


def a_kind(chance: Random) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "modality": "MR", "body_part": ["head", "chest"], "mr_sequence": "T1", "plane": "axial", "face_risk": "none",
        "sex": "F", "age": {"min": 60}, "study_date": {"from": "2020-03-01"},
        "having": chance.choice([
            {"SliceThickness": [0.5, 3]}, {"SliceThickness": {"at_most": 1}}, {"ImageType": "PRIMARY"},
            {"ImageType": {"present": False}}, {"ManufacturerModelName": {"begins_with": "Skyra"}},
        ]),
    }  # fmt: skip
    return {name: asked[name] for name in chance.sample(sorted(asked), chance.randint(1, 2))}


def a_definition(chance: Random) -> Definition:
    """A definition with something of everything; of those that contradict themselves the next."""
    asked: list[dict[str, Any]] = [
        {}, a_kind(chance), {"any_of": [a_kind(chance), a_kind(chance)]}, {"none_of": [a_kind(chance)]},
    ]  # fmt: skip
    counts: list[dict[str, Any]] = [
        {}, {"each_series": {"images": {"at_least": 4}}}, {"each_series": {"images": {"at_most": 4}}},
        {"each_study": {"series": {"at_least": 3}, "images": {"at_least": 8}}},
        {"each_series": {"images": {"at_least": 3}}, "each_study": {"series": {"at_most": 2}}},
    ]  # fmt: skip
    images = chance.choice(asked) | chance.choice(counts)
    groups = {"event": a_rule(chance, (), 2), "other": a_rule(chance, ("event",))}
    some, other = ["other", {"any_of": [a_rule(chance, list(groups)), "event"]}], [a_rule(chance, ["event"])]
    records = {"required": some, "excluded": other} if chance.random() < 0.5 else {"required": other, "excluded": some}
    try:
        return cohort(images=images, groups=groups, records=records)
    except ConfigError:
        return a_definition(chance)


def counted(images: DataFrame, records: Any, definition: Definition, name: str) -> DataFrame:
    """One row: name, and patients, studies and images that the last step leaves."""
    last = len(plan_steps(images, records, definition))
    counts = count_steps(images, records, definition)
    return counts.select(F.lit(name).alias("name"), *(f"{of}_{last}" for of in ("patients", "studies", "images")))


def in_numbers(rows: Sequence[Row]) -> tuple[int, int, int]:
    patients, studies = (
        {row["patient_id"] for row in rows},
        {(row["patient_id"], row["StudyInstanceUID"]) for row in rows},
    )
    return len(patients), len(studies), len(rows)


def agree(spark: SparkSession, seed: int, number: int) -> None:
    """Make an archive and so many definitions by chance, and compare what they choose."""
    chance = Random(seed)
    rows = [an_image(chance, n) for n in range(120)]
    tables: Tables = {table: [a_record(chance, table) for _ in range(40)] for table in RECORDS}
    definitions: dict[str, Definition] = {}
    expected: dict[str, list[Row]] = {}
    while len(definitions) < number:
        definition, name = a_definition(chance), f"definition {len(definitions)}"
        chosen = chosen_by(definition, rows, tables)
        if 0 < len(chosen) < len(rows):  # to agree on nothing would say little
            definitions[name], expected[name] = definition, chosen
    images = local_rows(spark, IMAGES, [tuple(row.values()) for row in rows])
    records = {t: local_rows(spark, RECORDS[t], [tuple(row.values()) for row in tables[t]]) for t in RECORDS}

    found = chosen_of({name: select_images(images, records, one) for name, one in definitions.items()})
    counts = in_one_job([counted(images, records, one, name) for name, one in definitions.items()])

    assert found == {name: sorted(row["SOPInstanceUID"] for row in chosen) for name, chosen in expected.items()}
    assert {name: tuple(of) for name, *of in counts} == {name: in_numbers(of) for name, of in expected.items()}


def test_spark_and_a_twin_in_plain_python_choose_the_same_images(spark: SparkSession) -> None:
    agree(spark, seed=2026, number=4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_spark_and_a_twin_in_plain_python_agree_on_many_definitions(spark: SparkSession, seed: int) -> None:
    agree(spark, seed, number=12)
