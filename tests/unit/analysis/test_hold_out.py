"""Shares and sets as definitions name them."""

from typing import Any

import pytest

from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.permission import check_permitted
from smi_spark.analysis.project import read_project
from smi_spark.errors import ConfigError
from tests.projects import LONG, LUNG

LUNGS: dict[str, Any] = {"cohort": "lungs", "project": "lung", "question": "Who?", "images": {"modality": "CT"}}


def ask(fields: dict[str, Any]) -> None:
    definition = read_definition({**LUNGS, **fields}, "lungs.yaml")
    check_permitted(definition, read_project(LUNG | LONG, "lung.yaml"), "lungs.yaml")


def error(**fields: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        ask(fields)
    return str(raised.value).removeprefix("lungs.yaml: ")


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0, "hold_out: Input should be greater than 0. Given: 0."),
        (1.0, "hold_out: Input should be less than 1. Given: 1.0."),
        ("a fifth", "hold_out: a number is wanted, without quotes. Given: 'a fifth'."),
    ],
)
def test_a_share_lies_between_0_and_1(share: Any, told: str) -> None:
    assert error(hold_out=share) == f"{told} It is: share of the patients to set apart, as in 0.2."


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"keep": "frist"}, "one_per_patient.keep: Input should be 'first', 'last' or 'nearest'. Given: 'frist'. "
                            "It is: first, last or nearest, by its date."),
        ({"set": "image", "keep": "first"}, "one_per_patient.set: Input should be 'study' or 'series'. Given: 'image'. "
                                            "It is: study or series: what is kept whole."),
        ({}, "one_per_patient.keep is missing. It is: first, last or nearest, by its date."),
        ({"keep": "nearest"}, "one_per_patient: nearest needs an event: write to, as for a rule, with nearest and no "
                              "other. It is: keep one study or series of each."),
        ({"keep": "first", "to": {"table": "smr06"}},
         "one_per_patient: first is by date alone: write to, as for a rule, with nearest and no other. "
         "It is: keep one study or series of each."),
        ({"keep": "nearest", "to": {"table": "smr6"}},
         "one_per_patient.to.table: smr6 is not a table. Tables here: ae, deaths, demography, prescribing, smr00, "
         "smr01, smr02, smr04, smr06. Did you mean smr06?"),
        ({"keep": "nearest", "to": {"table": "deaths"}},
         "one_per_patient.to.table: deaths is not permitted. lung.yaml: records permits smr01, smr06."),
        ({"keep": "nearest", "to": {"table": "smr01", "codes": {"MAIN_OPERATION": "E59"}}},
         "one_per_patient.to.codes.MAIN_OPERATION: MAIN_OPERATION is not permitted. "
         "lung.yaml: records.smr01 permits ADMISSION_DATE, MAIN_CONDITION."),
    ],
)  # fmt: skip
def test_a_wrong_choice_of_one_set_says_what_is_accepted(wanted: dict[str, Any], told: str) -> None:
    assert error(one_per_patient=wanted) == told


def test_both_are_part_of_the_cohort_and_the_events_table_is_read() -> None:
    plain = read_definition(LUNGS, "lungs.yaml")
    held = read_definition({**LUNGS, "hold_out": 0.2}, "lungs.yaml")
    nearest = {"set": "series", "keep": "nearest", "to": {"table": "smr06", "window": {"until": "0 days"}}}
    one = read_definition({**LUNGS, "one_per_patient": nearest}, "lungs.yaml")
    assert len({plain.sha256(), held.sha256(), one.sha256()}) == 3
    assert (plain.record_tables(), one.record_tables()) == ((), ("smr06",))
    assert str(one.one_per_patient) == "the nearest series of each patient to smr06: any record, until 0 days"
