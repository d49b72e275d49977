"""What a project's policy makes of the dates of a patient."""

from collections import Counter
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smi_spark.deidentified.dates import FIRST_DAY, LAST_DAY, MAX_SHIFT_WEEKS, mover, shift_weeks
from smi_spark.deidentified.keys import project_key

KEYS = st.binary(min_size=32, max_size=32)
PATIENTS = st.text(min_size=1, max_size=32)
DAYS = st.dates(FIRST_DAY, LAST_DAY)
LUNG, HEART = (project_key(bytes(range(32)), project) for project in ("lung", "heart"))
MANY = [f"{number:032x}" for number in range(20_000)]
WEEKS = range(-MAX_SHIFT_WEEKS, MAX_SHIFT_WEEKS + 1)
FREEDOM = len(WEEKS) ** 2 - 1


@given(key=KEYS, patient=PATIENTS, one=DAYS, other=DAYS)
def test_a_shift_changes_no_interval_and_no_day_of_the_week(key: bytes, patient: str, one: date, other: date) -> None:
    move = mover("shift", key, patient)
    moved, second = move(one), move(other)
    assert moved is not None
    assert second is not None
    assert second - moved == other - one
    assert moved.weekday() == one.weekday()
    assert abs(moved - one) <= timedelta(weeks=MAX_SHIFT_WEEKS)


@given(key=KEYS, patient=PATIENTS, day=st.dates())
def test_a_date_is_cut_to_its_month_or_kept_whoever_the_patient_is(key: bytes, patient: str, day: date) -> None:
    assert mover("truncate", key, patient)(day) == date(day.year, day.month, 1)
    assert mover("keep", key, patient)(day) == day


@pytest.mark.parametrize("day", [date(1900, 1, 1), FIRST_DAY - timedelta(1), LAST_DAY + timedelta(1), date.max])
def test_a_day_that_stands_for_none_is_not_shifted_as_it_would_tell_the_shift(day: date) -> None:
    assert mover("shift", LUNG, "P1")(day) is None
    assert mover("keep", LUNG, "P1")(day) == day


def chi_square(pairs: list[tuple[int, int]]) -> float:
    """How far pairs of shifts are from each pair being as likely: about FREEDOM where they are independent."""
    counts, expected = Counter(pairs), len(pairs) / len(WEEKS) ** 2
    return sum((counts[pair] - expected) ** 2 / expected for pair in product(WEEKS, WEEKS))


def test_the_shifts_of_two_projects_for_the_same_people_are_independent() -> None:
    pairs = [(shift_weeks(LUNG, patient), shift_weeks(HEART, patient)) for patient in MANY]
    assert abs(chi_square(pairs) - FREEDOM) < 4 * (2 * FREEDOM) ** 0.5  # four standard deviations
    products = sum(one * other for one, other in pairs) / len(pairs)
    variance = FREEDOM / 12  # of a shift
    assert abs(products / variance) < 4 / len(pairs) ** 0.5


def test_shifts_that_depend_on_each_other_would_be_found() -> None:
    assert chi_square([(week, -week) for week in (shift_weeks(LUNG, patient) for patient in MANY)]) > 100 * FREEDOM
