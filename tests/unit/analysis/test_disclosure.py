"""What a table gives away before it is taken out; beside what acro says of the same tables."""

from typing import Any

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


def test_hidden_cells_are_found_where_nobody_is_left_for_others() -> None:
    rows = {"a": [None, None, 20], "b": [None, None, 50], "All": [0, 70, 70]}
    found = check(pd.DataFrame(rows, index=["X", "Y", "All"]))
    assert [(one.row, one.column, one.why) for one in found.found if one.rule == "recovered"] == [
        ("Y", "a", "the totals give it back: 20"),
        ("Y", "b", "the totals give it back: 50"),
    ]
    open_table = pd.DataFrame(rows | {"All": [25, 45, 70]}, index=["X", "Y", "All"])
    assert not check(open_table).by_rule("recovered")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (pd.DataFrame({"x": ["<10", 20]}, index=["a", "b"]),
         "The table: a / x is a str, not a number. Put null where a cell is hidden."),
        (pd.DataFrame({"x": [True, False]}), "The table: 0 / x is a bool, not a number."),
        (pd.DataFrame({"x": [-5, 20]}, index=["a", "b"]),
         "The table: a / x is -5, not a number of people. Of other values give the contributions too."),
        (pd.DataFrame({"x": [0.25, 0.75]}), "The table: 0 / x is 0.25, not a number of people."),
        (pd.DataFrame({"x": [float("inf")]}), "The table: 0 / x is inf, not a number of people."),
        (pd.DataFrame({"x": [5, 20]}, index=["a", "a"]), "The table has several rows called a. Add them up, or rename"),
        (pd.DataFrame({1: [5], "1": [20]}), "The table has several columns called 1."),
        (pd.Series([5, 20]), "The table is a Series: a pandas DataFrame is wanted, rows by columns."),
        (pd.DataFrame([[1]], index=pd.MultiIndex.from_tuples([("a", "b")])), "The table has labels of several levels."),
    ],
)  # fmt: skip
def test_what_is_no_table_of_people_is_refused_naming_the_cell(table: Any, told: str) -> None:
    with pytest.raises(InputError) as raised:
        check(table)
    assert str(raised.value).startswith(told)
    with pytest.raises(InputError, match=r"^a table of before"):
        check(pd.DataFrame({"x": [50]}), released={"a table of before": table})


@pytest.mark.parametrize("table", [pd.DataFrame(), pd.DataFrame(columns=["a"]), pd.DataFrame({"x": [None, 20]})])
def test_of_a_table_without_numbers_nothing_is_found(table: pd.DataFrame) -> None:
    assert str(check(table)) == "nothing found; people check outputs all the same"


def test_contributions_of_nobody_of_less_than_nothing_and_of_no_number_are_looked_at() -> None:
    table, contributions = images()
    losses = contributions.assign(images=-contributions["images"])
    assert check(-table, contributions=losses).by_rule("dominance") == ACRO_DOMINANCE["NKCheck"]
    nobodys = contributions.assign(patient_id=None)
    assert check(table, contributions=nobodys).by_rule("small") == [("A", "1"), ("B", "1"), ("C", "1")]
    others = contributions[contributions["site"] != "B"]
    assert check(table, contributions=others).by_rule("small") == [("B", "1")]
    with pytest.raises(InputError, match=r"^contributions: images has values that are no numbers"):
        check(table, contributions=contributions.assign(images="many"))


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
