"""Rejection rules over images say what they say of one row, and the attrition counts by reason."""

from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import yaml
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.rejection import Rejection, reason
from smi_spark.analysis.rejection_steps import kept_by
from smi_spark.analysis.selection import IMAGE, attrition

COLUMNS = (
    "SOPInstanceUID string, SeriesInstanceUID string, StudyInstanceUID string, patient_id string, StudyDate date, "
    "modality string, year int, is_original boolean, burned_in_risk string, body_part_label string, "
    "ImageType array<string>, PixelSpacing array<double>, SliceThickness double, Rows long"
)
NOT_CHEST = {"none_of": "chest"}
RULES: dict[str, Any] = {
    "rules": [
        {"name": "not_original", "when": {"is_original": {"is": False}}},
        {"name": "listed", "when": {"SeriesInstanceUID": {"listed_in": "bad.csv"}}},
        {"name": "derived", "when": {"ImageType": {"any_of": "DERIVED", "none_of": "MIP"}}},
        {"name": "both", "when": {"ImageType": {"all_of": ["MIP", "MPR"]}, "body_part_label": {"all_of": "head"}}},
        {"name": "burned_in", "unknown": "reject", "when": {"burned_in_risk": {"any_of": ["high", "possible"]}}},
        {"name": "thin", "when": {"SliceThickness": {"at_least": 0, "at_most": 1}, "body_part_label": NOT_CHEST}},
        {"name": "no_spacing", "when": {"PixelSpacing": {"present": False}, "Rows": {"at_least": 64}}},
        {"name": "undated", "when": {"StudyDate": {"present": False}}},
    ],
    "modalities": {
        "US": {
            "without": ["not_original", "no_spacing"],
            "rules": [
                {"name": "burned_in", "when": {"burned_in_risk": {"any_of": "high"}}},
                {"name": "small", "unknown": "reject", "when": {"Rows": {"at_most": 64}}},
            ],
        }
    },
}
MAYBE: dict[str, list[Any]] = {
    "modality": ["CT", "CT", "US", "MR"],
    "SeriesInstanceUID": ["2.25.1", "2.25.2", "2.25.3", "2.25.4", "2.25.5", None],
    "StudyDate": [date(2020, 1, 1), date(2021, 1, 1), date(2022, 1, 1), None],
    "is_original": [True, True, True, False, None],
    "burned_in_risk": ["low", "none", "low", "none", "possible", " HIGH ", "", None],
    "body_part_label": ["head", "chest", "Head ", "unknown", None],
    "ImageType": [["ORIGINAL"], ["derived ", "MPR"], ["DERIVED", "MIP"], ["MIP", None, "MPR"], [None, " "], [], None],
    "PixelSpacing": [[0.5, 0.5], [None], [float("nan")], [], None],
    "SliceThickness": [0.0, 1.0, 1.25, 5.0, float("nan"), None],
    "Rows": [64, 65, 512, 512, None],
}


def random_rows(count: int) -> list[dict[str, Any]]:
    chance = Random(20)
    return [
        {"SOPInstanceUID": f"2.25.{n}", "patient_id": "ann", "StudyInstanceUID": "2.25.0", "year": 2020}
        | {name: chance.choice(values) for name, values in MAYBE.items()}
        for n in range(count)
    ]  # fmt: skip


def test_spark_and_plain_python_agree_and_the_attrition_counts_by_reason(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("2.25.2\n2.25.99\n", encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
    question = {"cohort": "c", "project": "p", "question": "Who?", "rejection": str(tmp_path / "rules.yaml")}
    definition = read_definition(question, "test.yaml")
    rejection = definition.rejection
    assert isinstance(rejection, Rejection)
    rows = random_rows(600)
    expected = {row["SOPInstanceUID"]: reason(rejection, row) for row in rows}
    told = Counter(expected.values())
    assert set(told) == {*rejection.names, None}, "each rule rejects some, and some are kept"
    names = [field.split()[0] for field in COLUMNS.split(", ")]
    images = spark.createDataFrame([tuple(row[name] for name in names) for row in rows], COLUMNS)

    kept = kept_by(rejection, lambda name: F.col(f"{IMAGE}.{name}"))
    first = F.coalesce(*(F.when(~condition, name) for name, condition in kept.items()))
    judged = images.alias(IMAGE).select("SOPInstanceUID", first.alias("reason"))
    assert {row["SOPInstanceUID"]: row["reason"] for row in judged.collect()} == expected
    plan = judged._jdf.queryExecution().toString()
    assert "2.25.99" not in plan
    assert "BroadcastNestedLoopJoin" not in plan

    left = {step.rule: step.images for step in attrition(images, {}, definition)}
    counts = [left.pop("all images"), *left.values()]
    assert list(left) == [f"not rejected: {name}" for name in rejection.names]
    assert [before - after for before, after in pairwise(counts)] == [told[name] for name in rejection.names]
