"""Columns of text that become values at once, as Python reads them one at a time."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smi_spark.errors import ConfigError
from smi_spark.schema import Column
from smi_spark.secure.values import parser, trimmed

FORMATS = ("%Y/%m/%d %H:%M:%S", "%d/%m/%Y", "%d-%b-%Y", "%d %B %Y", "%Y%m%d")
ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
DAYS = st.dates().map(lambda day: datetime(day.year, day.month, day.day, day.day % 24, day.month, 59))
WRITTEN = st.builds(
    lambda day, written: day.strftime(written.replace("%Y", f"{day.year:04d}")), DAYS, st.sampled_from([*FORMATS, *ISO])
)
NUMBERS = st.one_of(
    st.integers().map(str), st.floats().map(str), st.from_regex(r"[+-]?[0-9.]{0,12}([eE]-?[0-9]{1,4})?", fullmatch=True)
)
OTHER = st.text(st.sampled_from("0123456789-+./: eExJanfé\t\n"), max_size=12)


def column(kind: str, *formats: str) -> Column:
    return Column(name="x", type=kind, meaning="", formats=formats)


def read(kind: str, texts: list[str | None], *formats: str) -> list[Any]:
    array: Any = parser(column(kind, *formats))(pa.array(["x", *texts], pa.string()).slice(1))
    return list(array.to_pylist())


def changed(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """As written, in other capitals, with a letter too many, or with one exchanged."""
    return st.one_of(
        texts, texts.map(str.upper), texts.map(lambda text: text + "0"),
        st.builds(lambda text, place: text[: place % 10] + "3" + text[place % 10 + 1 :], texts, st.integers(0, 9)),
    )  # fmt: skip


def as_date(text: str | None) -> date | None:
    """``datetime.strptime`` of the first format that fits; it takes single digits too, which do not."""
    for written in (*FORMATS, *ISO):
        pattern = written.replace("%b", "[a-z]{3}").replace("%B", "[a-z]{3,9}").replace("%Y", "[0-9]{4}")
        if text is not None and re.fullmatch(re.sub("%[dmHMS]", "[0-9]{2}", pattern), text, re.I):
            try:
                return datetime.strptime(text, written).date()
            except ValueError:
                continue
    return None


def as_whole(text: str | None, bits: int) -> int | None:
    match = re.fullmatch(r"[+-]?[0-9]+", (text or "").strip())
    value = int(match[0]) if match else None
    return value if value is not None and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else None


def as_decimal(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) else None


def column_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[str | None]]:
    return st.lists(st.one_of(st.none(), texts), max_size=20)


@given(column_of(st.one_of(changed(WRITTEN), OTHER)))
def test_dates_are_those_that_strptime_reads(texts: list[str | None]) -> None:
    assert read("date", texts, *FORMATS) == [as_date(text) for text in texts]


@given(column_of(st.one_of(NUMBERS, OTHER)))
@example(["12", "0x1F", "2147483648"])
@example(["00012", "-2147483648", "+5"])
def test_whole_numbers_are_those_that_fit_their_bits(texts: list[str | None]) -> None:
    assert read("int", texts) == [as_whole(text, 32) for text in texts]
    assert read("long", texts) == [as_whole(text, 64) for text in texts]


@given(column_of(st.one_of(NUMBERS, OTHER)))
@example(["1.5", ".5", "5.", "1e999", "-0"])
@example(["1" * 400, "1d", "NaN", "Infinity"])
def test_decimal_numbers_are_those_that_python_reads_and_nothing_that_is_none(texts: list[str | None]) -> None:
    assert read("double", texts) == [as_decimal(text) for text in texts]


def test_truth_and_moments_are_read_too() -> None:
    assert read("boolean", ["T", "no", " 1", "2", None]) == [True, False, True, None, None]
    assert read("timestamp", ["2020-01-31 10:00:00", "2020-01-31T10:00:00+01:00", "31/01/2020", None]) == [
        datetime(2020, 1, 31, 10, tzinfo=UTC), datetime(2020, 1, 31, 9, tzinfo=UTC), None, None,
    ]  # fmt: skip


@given(column_of(st.text(st.sampled_from(" a\té"), max_size=4)))
def test_blanks_around_a_text_are_dropped_and_what_is_then_empty_is_none(texts: list[str | None]) -> None:
    assert trimmed(pa.array(texts, pa.string())).to_pylist() == [(text or "").strip(" ") or None for text in texts]


@pytest.mark.parametrize(
    ("unknown", "told"),
    [
        (column("date", "%d.%m.%y"), "date format %d.%m.%y: %y is not a letter."),
        (column("binary"), "column x of an extract: binary is not a type."),
    ],
)
def test_a_column_that_no_text_becomes_is_said(unknown: Column, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        parser(unknown)
    assert str(error.value).startswith(told)
