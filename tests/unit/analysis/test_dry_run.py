"""What a dry run tells, of numbers that are given."""

import pytest

from smi_spark.analysis.dry_run import in_units, told
from smi_spark.analysis.selection import Left
from smi_spark.analysis.step_counts import Extent

RULES = ("CT images", "body part head", "with a study date")


def test_each_step_is_told_with_what_was_lost_to_it() -> None:
    left = (
        Extent(470, 610, 1_200, 79_100),
        Extent(310, 340, 700, 44_400),
        Extent(310, 340, 700, 44_400, 2_314_000_000, 9),
    )
    dry = told(RULES, left, 10)
    assert str(dry).splitlines() == [
        "  patients    studies     series       images  left after, and lost to it",
        "       470        610      1,200       79,100  1. CT images",
        "      -160       -270       -500      -34,700",
        "       310        340        700       44,400  2. body part head",
        "         -          -          -            -",
        "       310        340        700       44,400  3. with a study date",
        "size of their files: 2.3 GB; that of some is not known",
    ]
    assert dry.attrition[1] == Left(2, "body part head", 310, 340, 44_400)


def test_more_after_a_step_than_before_it_is_no_loss() -> None:
    left = (Extent(90, 90, 90, 900), Extent(120, 130, 140, 1_200, 0, 0))
    assert str(told(("all images", "with up to 2 controls a case"), left, 10)).splitlines()[2:] == [
        "       +30        +40        +50         +300",
        "       120        130        140        1,200  2. with up to 2 controls a case",
        "size of their files: 0 bytes",
    ]


def test_counts_of_few_people_are_hidden_with_what_would_give_them_back() -> None:
    left = (Extent(470, 610, 1_200, 79_100), Extent(310, 340, 700, 44_400), Extent(7, 9, 20, 900, 450_000_000, 0))
    assert str(told(RULES, left, 10)).splitlines() == [
        "  patients    studies     series       images  left after, and lost to it",
        "       470        610      1,200       79,100  1. CT images",
        "      -160       -270       -500      -34,700",
        "       310        340        700       44,400  2. body part head",
        "    hidden     hidden     hidden       hidden",
        "    hidden     hidden     hidden       hidden  3. with a study date",
        "size of their files: hidden",
        "hidden: few people, or a number that would tell how many these are",
    ]


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (526_300, "526.3 kB"), (999_949, "999.9 kB"),
        (999_950, "1.0 MB"), (10**9, "1.0 GB"), (3 * 10**15, "3.0 PB"), (12_000 * 10**15, "12,000.0 PB"),
    ],
)  # fmt: skip
def test_sizes_are_told_in_the_unit_that_fits(size: int, told: str) -> None:
    assert in_units(size) == told
