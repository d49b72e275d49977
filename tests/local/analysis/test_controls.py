"""Who becomes whose control, against a twin in plain Python that goes from case to case."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from random import Random
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from smi_spark.analysis.controls import count_matched, match_controls
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.delivery import for_project
from smi_spark.analysis.patients_wanted import Controls
from smi_spark.analysis.selection import Left, attrition, choose
from smi_spark.analysis.snapshot import chosen_rows
from smi_spark.config import Config
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.schema import load_schema
from tests.twin_of_controls import Image, pairs_of

COLUMNS = "patient_id string, StudyInstanceUID string, StudyDate date, PatientSex string, age_at_study int"


def invented(seed: int, prefix: str, people: int) -> list[Image]:
    """Images of people with up to three studies in two years, of few ages, some of unknown sex or date."""
    chance = Random(seed)
    images = []
    for person in range(people):
        for study in range(chance.randint(1, 3)):
            day = date(2019, 11, 1) + timedelta(chance.randrange(120)) if chance.random() < 0.9 else None
            facts = (day, chance.choice(["F", "M", "F", "M", None]), chance.choice([60, 61, 62, 63, 66, None]))
            images += [(f"{prefix}{person}", f"{prefix}{person}.{study}", *facts)] * chance.randint(1, 2)
    return images


DEFINITION: dict[str, Any] = {
    "cohort": "c",
    "project": "demo",
    "question": "Who?",
    "images": {"modality": "CT"},
    "records": {"required": [{"table": "smr06"}]},
    "controls": {"match": "sex", "ratio": 2, "from": {"images": {"modality": ["CT", "MR"], "sex": "F"},
                                                    "records": {"excluded": [{"table": "smr06"}]}}},
}  # fmt: skip


def test_controls_come_with_their_images_and_as_a_step(spark: SparkSession, config: Config) -> None:
    day = date(2020, 1, 2)
    rows = [("ann", "1", "CT", "F"), ("bea", "2", "CT", "F"), ("cat", "3", "CT", "M"), ("dot", "4", "MR", "F"),
            ("dot", "4", "MR", "F"), ("eve", "5", "US", "F"), ("fay", "6", "MR", "F")]  # fmt: skip
    images = spark.createDataFrame(
        [(*row, day, 50, 2020, str(n), row[1]) for n, row in enumerate(rows)],
        "patient_id string, StudyInstanceUID string, modality string, PatientSex string, StudyDate date, "
        "age_at_study int, year int, SOPInstanceUID string, SeriesInstanceUID string",
    ).coalesce(1)
    tumours = spark.createDataFrame(
        [("ann", day), ("cat", day), ("fay", day)], "patient_id string, INCIDENCE_DATE date"
    ).coalesce(1)
    definition = read_definition(DEFINITION, "test.yaml")
    chosen = choose(images, {"smr06": tumours}, definition)
    rows = chosen_rows(chosen, {"smr06": tumours}, definition)
    assert sorted(row[0] for row in rows["images"].select("SOPInstanceUID").collect()) == ["0", "1", "2", "3", "4"]
    assert attrition(images, {"smr06": tumours}, definition, chosen) == (
        Left(1, "CT images", 3, 3, 3),
        Left(2, "smr06: any record, at any time", 2, 2, 2),
        Left(3, "with up to 2 controls a case by sex", 4, 4, 5),
    )
    delivered = for_project(rows["matches"], load_schema("matches"), config.keys.projects, "demo")
    key = project_key(load_key(config.keys.projects), "demo")
    ann = pseudonym(key, "patient", "ann")
    assert {tuple(row) for row in delivered.collect()} == {
        (pseudonym(key, "patient", who), pseudonymous_uid(key, study), ann)
        for who, study in (("bea", "2"), ("dot", "4"))
    }


def frame(spark: SparkSession, images: list[Image]) -> DataFrame:
    return spark.createDataFrame(images, COLUMNS).coalesce(1)


def test_a_twin_in_plain_python_pairs_the_same(spark: SparkSession) -> None:
    wanted = Controls.model_validate({"match": ["sex", "year", "age"], "age_within": 1, "ratio": 2})
    cases = invented(1, "case", 14)
    candidates = [*cases[:10], *invented(2, "other", 60)]
    pairs = match_controls(frame(spark, cases), frame(spark, candidates), wanted)
    found = {(row["patient_id"], row["StudyInstanceUID"], row["matched_patient_id"]) for row in pairs.collect()}
    assert found == pairs_of(cases, candidates, wanted)
    numbers = Counter(case for _, _, case in found)
    assert len({control for control, _, _ in found}) == len(found) > 5
    told = defaultdict(int)
    for patient in {image[0] for image in cases}:
        told[numbers[patient]] += 1
    words = [f"{n or 'none'} for {told[n]}" for n in sorted(told, reverse=True)]
    assert len(words) > 1
    few = min(told.values())
    in_words = ", ".join([f"{words[0]} cases", *words[1:]])
    assert count_matched(frame(spark, cases), pairs, 2, few) == f"controls: {in_words}"
    hidden = f"controls: how many each case got is not told, of which one is a number of fewer than {few + 1} cases"
    assert count_matched(frame(spark, cases), pairs, 2, few + 1) == hidden
