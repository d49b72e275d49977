"""Calendar months as Spark's add_months counts them."""

from datetime import date

import pytest

from smi_spark.synthetic.days import add_months, moved, whole_years


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2018, 8, 31), -6, date(2018, 2, 28)),
        (date(2016, 8, 31), -6, date(2016, 2, 29)),
        (date(2016, 2, 29), 12, date(2017, 2, 28)),
        (date(2017, 2, 28), 1, date(2017, 3, 28)),
        (date(2019, 12, 15), 1, date(2020, 1, 15)),
        (date(2019, 1, 15), -1, date(2018, 12, 15)),
        (date(2019, 1, 15), 24, date(2021, 1, 15)),
    ],
)
def test_months_are_calendar_months(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


def test_days_count_after_the_months() -> None:
    assert moved(date(2018, 8, 31), -6, -1) == date(2018, 2, 27)


def test_a_year_is_whole_on_the_birthday() -> None:
    assert whole_years(date(1950, 6, 2), date(2020, 6, 1)) == 69
    assert whole_years(date(1950, 6, 2), date(2020, 6, 2)) == 70
