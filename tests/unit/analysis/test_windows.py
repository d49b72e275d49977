"""Periods and windows as people write them."""

import pytest

from smi_spark.analysis.windows import Dates, Period, Window
from smi_spark.config import validate
from smi_spark.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("-6 months", Period(months=-6)),
        ("1 day", Period(days=1)),
        ("+2 weeks", Period(days=14)),
        ("2 years", Period(months=24)),
        ("0 months", Period()),
    ],
)
def test_a_period_is_calendar_months_or_days(written: str, meant: Period) -> None:
    assert Window.model_validate({"until": written}).until == meant


@pytest.mark.parametrize(
    ("start", "until", "words"),
    [
        ("-6 months", "0 days", "from -6 months until 0 days"),
        ("1 week", "1 month", "from 7 days until 1 month"),
        (None, "-1 day", "until -1 day"),
        ("1 day", None, "from 1 day"),
        (None, None, "at any time"),
    ],
)
def test_a_window_is_read_aloud(start: str | None, until: str | None, words: str) -> None:
    assert str(Window.model_validate({"from": start, "until": until})) == words


@pytest.mark.parametrize(
    ("start", "until"), [("1 month", "1 month"), ("31 days", "1 month"), ("1 month", "28 days"), ("-1 year", "-1 day")]
)
def test_a_window_of_at_least_one_day_in_some_month_is_accepted(start: str, until: str) -> None:
    assert Window.model_validate({"from": start, "until": until}).start is not None


@pytest.mark.parametrize(
    ("start", "until"), [("2 days", "1 day"), ("2 months", "1 month"), ("40 days", "1 month"), ("0 days", "-6 months")]
)
def test_a_window_that_can_match_nothing_is_refused(start: str, until: str) -> None:
    with pytest.raises(ConfigError) as raised:
        validate(Window, {"from": start, "until": until}, "x.yaml")
    assert str(raised.value) == (f"x.yaml: no day lies from {start} until {until}: put the earlier one after from.")


def test_dates_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ConfigError, match="no day lies from 2018-01-01 until 2017-12-31"):
        validate(Dates, {"from": "2018-01-01", "until": "2017-12-31"}, "x.yaml")
