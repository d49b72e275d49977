"""What a table gives away before it is taken out; beside what acro says of the same tables."""

import pandas as pd
import pytest

from smi_spark.analysis.disclosure import check
from smi_spark.errors import InputError

# Three old women are too few.
PEOPLE = {("F", "old"): 3, ("F", "young"): 40, ("F", "newborn"): 20,
          ("M", "old"): 30, ("M", "young"): 12, ("M", "newborn"): 50}  # fmt: skip
# Images of twelve people at each of three sites: at A one has most, at C two have.
IMAGES = {"A": [900, 60] + [4] * 10, "B": [100] * 12, "C": [500, 500] + [3] * 10}

# What acro 1.0.2 (pandas 2.3.3) says of these: ACRO(suppress=False).crosstab(index, columns, margins=True), and with
# values= and aggfunc="sum"; the places that results["output_0"].sdc["cells"] names, by their labels.
ACRO_SMALL = [("F", "old")]
ACRO_DOMINANCE = {"NKCheck": [("A", "1"), ("C", "1")], "PPercentCheck": [("A", "1"), ("C", "1")]}
# ACRO(suppress=True).crosstab(index, columns, margins=True): totals without the hidden cell.
ACRO_SUPPRESSED = {"newborn": [20, 50, 70], "old": [None, 30, 30], "young": [40, 12, 52], "All": [60, 92, 152]}
# ACRO(suppress=False).crosstab of a table in which no man is old: PresenceOfZeroCheck and MinimumThresholdCheck.
ACRO_ZEROS = [("M", "old")]


def crosstab(people: dict[tuple[str, str], int]) -> pd.DataFrame:
    rows = [name for name, count in people.items() for _ in range(count)]
    frame = pd.DataFrame(rows, columns=["sex", "band"])
    return pd.crosstab(frame["sex"], frame["band"], margins=True)


def images() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of sums, and what they are made of."""
    rows = [(site, 1, f"{site}{k}", n) for site, numbers in IMAGES.items() for k, n in enumerate(numbers)]
    frame = pd.DataFrame(rows, columns=["site", "year", "patient_id", "images"])
    return frame.pivot_table(index="site", columns="year", values="images", aggfunc="sum"), frame


def test_small_cells_are_those_that_acro_finds() -> None:
    assert check(crosstab(PEOPLE)).by_rule("small") == ACRO_SMALL
    assert str(check(crosstab(PEOPLE))) == "small: F / old: 3 people"


def test_dominated_sums_are_those_that_acro_finds() -> None:
    table, contributions = images()
    found = check(table, contributions=contributions)
    assert found.by_rule("dominance") == ACRO_DOMINANCE["NKCheck"] == ACRO_DOMINANCE["PPercentCheck"]
    assert [one.why for one in found.found if one.row == "A"] == [
        "the largest has 90%, the largest two 96% of the sum",
    ]
    assert not check(table, contributions=contributions, largest_two=1.1, rest=0.0)


def test_acro_hides_no_second_cell_and_beside_the_true_totals_its_own_give_the_first_back() -> None:
    suppressed = pd.DataFrame(ACRO_SUPPRESSED, index=["F", "M", "All"])
    assert not check(suppressed).by_rule("recovered")  # its totals leave the hidden cell out
    differences = check(suppressed, released={"the totals": crosstab(PEOPLE)}).by_rule("difference")
    assert differences == [("F", "All"), ("All", "old"), ("All", "All")]
    true_totals = crosstab(PEOPLE).astype(float)
    true_totals.loc["F", "old"] = None
    assert [one.why for one in check(true_totals).found] == ["the totals give it back: 3"]


def test_nobody_is_no_small_cell_here_and_one_for_acro_but_a_row_of_nobody_or_of_one_cell_is_told() -> None:
    found = check(crosstab({("F", "old"): 25, ("F", "young"): 40, ("M", "young"): 12}))
    assert [*found.by_rule("small"), *ACRO_ZEROS] == ACRO_ZEROS
    assert found.by_rule("full") == [("M", ""), ("", "old")]
    zeros = pd.DataFrame({"a": [0, 15], "b": [0, 20]}, index=["X", "Y"])
    assert check(zeros).by_rule("empty") == [("X", "")]


def test_hidden_cells_are_found_one_after_the_other() -> None:
    told = pd.DataFrame({"a": [None, None, 70], "b": [40, None, 60], "All": [43, None, 130]}, index=["X", "Y", "All"])
    found = check(told)
    assert found.by_rule("recovered") == [("X", "a"), ("Y", "a"), ("Y", "b"), ("Y", "All")]
    assert found.found[0].why == "the totals give it back: 3"


def test_a_table_that_differs_by_few_from_a_released_one_is_told() -> None:
    later = crosstab(PEOPLE | {("F", "old"): 13, ("M", "young"): 15})
    found = check(later, released={"table 1 of 2026": crosstab(PEOPLE)})
    assert found.by_rule("difference") == [("M", "young"), ("M", "All"), ("All", "young")]
    assert not check(later)


def test_contributions_that_lack_a_column_are_refused_naming_it() -> None:
    table, contributions = images()
    with pytest.raises(
        InputError, match=r"^contributions: patient_id is not a column\. Columns here: site, year, images"
    ):
        check(table, contributions=contributions.drop(columns="patient_id"))
