from chispa import assert_column_equality
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from smi_spark.secure.chi import chi_number, passes_check, restore_chi


def passes(chi: str) -> bool:
    """The check as the NHS describes it: weights 10 to 2, eleven minus the remainder is the tenth digit."""
    if len(chi) != 10 or not chi.isascii() or not chi.isdigit():
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(chi[:9], range(10, 1, -1), strict=True)) % 11
    check = 0 if remainder == 0 else 11 - remainder
    return check != 10 and check == int(chi[9])


def test_a_chi_is_ten_digits_of_which_the_last_checks_the_others(spark: SparkSession) -> None:
    rows = [
        ("0101010028", True),
        ("0101010029", False),  # check digit
        ("0101100028", False),  # two digits changed places
        ("101010028", None),
        ("01010100280", None),
        ("01010A0028", None),
        ("٠١٠١٠١٠٠٢٨", None),
        ("", None),
        (None, None),
    ]
    frame = spark.createDataFrame(rows, "chi string, expected boolean")
    assert_column_equality(frame.withColumn("valid", passes_check(chi_number(frame.chi))), "valid", "expected")


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(0, 999_999_999), min_size=1, max_size=50))
def test_it_agrees_with_the_check_written_another_way(spark: SparkSession, stems: list[int]) -> None:
    chis = [f"{stem:09d}{digit}" for stem in stems for digit in range(10)]
    frame = spark.createDataFrame([(chi, passes(chi)) for chi in chis], "chi string, expected boolean")
    assert frame.where(passes_check(chi_number(frame.chi)) != frame.expected).isEmpty()


def test_a_lost_leading_zero_is_put_back_and_nothing_else_changes(spark: SparkSession) -> None:
    rows = [("101010028", "0101010028"), ("0101010028", "0101010028"), ("1234", "1234"), ("A\\A", "A\\A"), (None, None)]
    frame = spark.createDataFrame(rows, "chi string, expected string")
    assert_column_equality(frame.withColumn("restored", restore_chi(frame.chi)), "restored", "expected")
