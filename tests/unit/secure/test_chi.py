from calendar import monthrange

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smi_spark.secure.chi import fault_names, judge_chis

NEAR = st.text(st.sampled_from("0123A"), min_size=8, max_size=11)
DATED = st.builds("{:02d}{:02d}{:04d}{:02d}".format, *(st.integers(0, most) for most in (32, 13, 9999, 99)))
TEXTS = st.one_of(
    st.none(), NEAR, DATED, DATED.map(lambda chi: chi[1:]), st.sampled_from(["٠١٠١٠١٠٠٢٨", "1", "é01010002"])
)


def passes(chi: str) -> bool:
    """The check as the NHS describes it: weights 10 to 2, eleven minus the remainder is the tenth digit."""
    remainder = sum(int(digit) * weight for digit, weight in zip(chi[:9], range(10, 1, -1), strict=True)) % 11
    check = 0 if remainder == 0 else 11 - remainder
    return check != 10 and check == int(chi[9])


def is_date(day: int, month: int, year: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= monthrange(1904 if year % 4 == 0 else 1903, month)[1]


def judged(text: str | None) -> tuple[str | None, bool, str | None]:
    """The number, whether a zero was put back, and what it fails: one at a time."""
    if text is None:
        return None, False, None
    is_short = len(text) == 9 and text.isascii() and text.isdigit()
    chi = f"0{text}" if is_short else text
    if not (len(chi) == 10 and chi.isascii() and chi.isdigit()):
        return chi, False, "not_ten_digits"
    if not is_date(int(chi[:2]), int(chi[2:4]), int(chi[4:6])):
        return chi, is_short, "wrong_date"
    return chi, is_short, None if passes(chi) else "wrong_check"


@pytest.mark.parametrize(
    ("text", "number", "fault"),
    [
        ("0101010028", "0101010028", None),
        ("0101010029", "0101010029", "wrong_check"),
        ("0101100028", "0101100028", "wrong_check"),  # two digits changed places
        ("2902000006", "2902000006", None),  # 1900 was no leap year, 2000 was: both are 00
        ("2902010000", "2902010000", "wrong_date"),
        ("101010028", "0101010028", None),
        ("101010029", "0101010029", "wrong_check"),
        ("01010100280", "01010100280", "not_ten_digits"),
        ("01010A0028", "01010A0028", "not_ten_digits"),
        ("٠١٠١٠١٠٠٢٨", "٠١٠١٠١٠٠٢٨", "not_ten_digits"),
        ("A\\A", "A\\A", "not_ten_digits"),
        (None, None, None),
    ],
)
def test_a_chi_is_ten_digits_that_begin_with_a_date_and_of_which_the_last_checks_the_others(
    text: str | None, number: str | None, fault: str | None
) -> None:
    chis = judge_chis(pa.array([text], pa.string()))
    assert (chis.numbers.to_pylist(), fault_names(chis.faults).to_pylist()) == ([number], [fault])


@given(st.lists(TEXTS, max_size=30), st.integers(0, 3))
def test_many_at_once_are_judged_as_one_at_a_time(texts: list[str | None], start: int) -> None:
    chis = judge_chis(pa.array(texts, pa.string()).slice(start))
    found = zip(chis.numbers.to_pylist(), chis.restored.tolist(), fault_names(chis.faults).to_pylist(), strict=True)
    assert list(found) == [judged(text) for text in texts[start:]]
