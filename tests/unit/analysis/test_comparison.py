"""What differs between two versions, told from their rows of the registry alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from smi_spark.analysis.comparison import causes, differences, side_by_side
from smi_spark.analysis.registry import Input, Registered
from smi_spark.analysis.selection import Left

DAY = datetime(2026, 11, 23, tzinfo=UTC)
ONE = Registered("demo", "scans", 1, DAY, "", "{}", "", (), (), (), "", "", "0.1")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"age": {"min": 40}}, {"age": {"min": 50}}, ["d.age.min: 40 → 50"]),
        ({"sex": ["F"]}, {}, ['d.sex: ["F"] → nothing']),
        ({"required": [{"table": "smr01"}, {"table": "smr06"}]}, {"required": [{"table": "smr06"}, {"table": "ae"}]},
         ['d.required: no longer {"table": "smr01"}', 'd.required: now {"table": "ae"}']),
        ({"question": "Who?"}, {"question": "Who else?"}, ["d.question: Who? → Who else?"]),
        ({"question": "Who?"}, {"question": "Who?"}, []),
    ],
)  # fmt: skip
def test_values_that_differ_are_named_by_their_path(old: Any, new: Any, told: list[str]) -> None:
    assert list(differences(old, new, "d")) == told


def test_causes_are_of_the_definition_the_inputs_the_projects_terms_and_the_software() -> None:
    first = replace(
        ONE, definition=json.dumps({"images": {"modality": ["CT"]}}), dates="shift", left_out=("images.PatientSex",),
        inputs=(Input("deidentified/images", 5), Input("deidentified/records/smr01", 3)),
    )  # fmt: skip
    second = replace(
        first, definition=json.dumps({"images": {"modality": ["CT", "MR"]}}), dates="keep",
        left_out=tuple(f"images.{letter}" for letter in "ABCDEFG"),
        inputs=(Input("deidentified/images", 7), first.inputs[1], Input("deidentified/opt_outs", 1)),
        software_version="0.2",
    )  # fmt: skip
    assert causes(first, second) == (
        "definition.images.modality: now MR",
        "input deidentified/images: 5 → 7",
        "input deidentified/opt_outs: nothing → 1",
        "dates: shift → keep",
        "software_version: 0.1 → 0.2",
        "columns of images left out: A, B, C, D, E and 2 more",
        "columns of images left out no longer: PatientSex",
    )
    assert causes(first, first) == ()


def test_steps_with_the_same_rule_stand_beside_each_other() -> None:
    old = (Left(1, "CT images", 9, 9, 90), Left(2, "age 40–90", 5, 5, 50), Left(3, "smr01: any record", 2, 2, 20))
    new = (Left(1, "CT images", 9, 9, 95), Left(2, "smr01: any record", 4, 4, 40))
    assert side_by_side(old, new) == (
        ("CT images", old[0], new[0]),
        ("age 40–90", old[1], None),
        ("smr01: any record", old[2], new[1]),
    )
