"""An attrition as it is shown: nobody who reads it finds how many a step with few people has, or lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from smi_spark.analysis.build import Built
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.selection import Left
from smi_spark.analysis.shown import shown
from tests.attacker import bounds

STEPS = (
    Left(1, "CT images", 47, 61, 791),
    Left(2, "body part head", 31, 34, 444),
    Left(3, "with a study date", 29, 32, 420),
    Left(4, "prescribing: any record, at any time", 19, 20, 299),
    Left(5, "smr01: any record, at any time", 14, 15, 226),
)


def patients(steps: tuple[Left, ...]) -> list[int | None]:
    return [one.patients for one in steps]


def test_a_step_that_lost_few_hides_what_would_tell_how_many() -> None:
    """Two at the third step, five at the last; the fourth lost ten, which the third and the last would give back."""
    definition = read_definition({"cohort": "c", "project": "p", "question": "Who?"}, "test.yaml")
    assert str(Built(definition, shown(STEPS, 10))) == (
        "  patients    studies     images  left after\n"
        "        47         61        791  1. CT images\n"
        "        31         34        444  2. body part head\n"
        "    hidden     hidden     hidden  3. with a study date\n"
        "    hidden     hidden     hidden  4. prescribing: any record, at any time\n"
        "        14         15        226  5. smr01: any record, at any time\n"
        "hidden: few people, or a number that would tell how many these are\n"
        "p/c: dry run, nothing written"
    )


def test_who_holds_the_rows_of_few_people_knows_how_many_they_are() -> None:
    few = (Left(1, "CT images", 12, 12, 40), Left(2, "body part head", 3, 3, 9))
    assert patients(shown(few, 10)) == [12, None]
    assert patients(shown(few, 10, held=True)) == [None, 3]
    assert shown(few, 1) == few
    assert shown((), 10) == ()


def test_a_step_behind_one_that_was_exact_hides_it_where_few_are_between() -> None:
    successor = shown(
        (*shown(STEPS, 10, held=True), Left(6, "without people who said no since", 13, 14, 200)), 10, True
    )
    assert patients(successor) == [47, 31, None, None, None, 13]
    assert [one.images for one in successor] == [791, 444, None, None, None, 200]


def test_nobody_is_shown_as_nobody() -> None:
    assert patients(shown((Left(1, "CT images", 20, 20, 20), Left(2, "age 40–90", 0, 0, 0)), 10)) == [20, 0]


@settings(max_examples=30, deadline=None)
@given(lost=st.lists(st.one_of(st.just(0), st.integers(1, 9), st.integers(10, 60)), max_size=5), held=st.booleans(),
       last=st.one_of(st.integers(1, 9), st.integers(10, 40)))  # fmt: skip
def test_whoever_takes_it_apart_finds_ten_values_for_each_small_count(lost: list[int], last: int, held: bool) -> None:
    left = [last + sum(lost[k:]) for k in range(len(lost) + 1)]
    steps = tuple(Left(k, "rule", n, n, n) for k, n in enumerate(left, start=1))
    told = shown(steps, 10, held)
    assert shown(told, 10, held) == told
    assert all(one.patients in (None, n) for one, n in zip(told, left, strict=True))
    limits = {f"left {k}": (1, None) if one.patients is None else (one.patients,) * 2 for k, one in enumerate(told)}
    limits |= {f"lost {k}": (0, None) for k in range(len(lost))}
    equations = [{f"left {k}": 1, f"lost {k}": -1, f"left {k + 1}": -1} for k in range(len(lost))]
    small = {f"lost {k}" for k, number in enumerate(lost) if 0 < number < 10}
    small |= {f"left {k}" for k, number in enumerate(left) if number < 10 and not (held and k == len(lost))}
    for name in small:
        least, most = bounds(equations, limits, name)
        assert most is None or most - least >= 9, name
