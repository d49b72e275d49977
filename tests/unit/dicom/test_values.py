"""Values after their VR: what becomes of each, and of those that do not parse."""

import struct
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smi_spark.dicom import decode_headers
from tests.unit.dicom.files import element

TAGS = {
    "PatientBirthDate": (0x00100030, "DA"), "StudyTime": (0x00080030, "TM"), "PatientID": (0x00100020, "LO"),
    "SliceThickness": (0x00180050, "DS"), "PixelSpacing": (0x00280030, "DS"), "SeriesNumber": (0x00200011, "IS"),
    "Rows": (0x00280010, "US"), "ImageType": (0x00080008, "CS"), "ImageComments": (0x00204000, "LT"),
    "FrameIncrementPointer": (0x00280009, "AT"), "ImagingFrequency": (0x00180084, "DS"),
    "StudyInstanceUID": (0x0020000D, "UI"), "EchoTime": (0x00180081, "DS"),
}  # fmt: skip


def decode(keyword: str, raw: bytes, vr: str | None = None) -> tuple[Any, list[dict[str, str]]]:
    """The value of a column and its errors, from one element."""
    tag, usual = TAGS[keyword]
    header = bytes(128) + b"DICM" + element(tag, vr or usual, raw)
    row = decode_headers(pa.array([header]), columns={keyword: keyword}).to_pylist()[0]
    return row[keyword], row["value_errors"]


@pytest.mark.parametrize(
    ("keyword", "raw", "expected"),
    [
        ("PatientBirthDate", b"19330131", date(1933, 1, 31)),
        ("PatientBirthDate", b"1993.04.30", date(1993, 4, 30)),
        ("PatientBirthDate", b"20240229", date(2024, 2, 29)),
        ("PatientBirthDate", b"00010101", date(1, 1, 1)),
        ("PatientBirthDate", b"99991231 ", date(9999, 12, 31)),
        ("PatientBirthDate", b"", None),
        ("PatientBirthDate", b"        ", None),
        ("StudyTime", b"101530.123456 ", "101530.123456"),
        ("StudyTime", b"10", "10"),
        ("StudyTime", b"10:15:30", "10:15:30"),
        ("PatientID", b" 0101301234 ", "0101301234"),
        ("PatientID", b"A\\A", "A\\A"),
        ("PatientID", b"\0\0", None),
        ("SliceThickness", b" 1.25 ", 1.25),
        ("SliceThickness", b"-.5e-1", -0.05),
        ("SliceThickness", b"+3", 3.0),
        ("PixelSpacing", b"0.5\\0.25", [0.5, 0.25]),
        ("PixelSpacing", b"0.5\\\\0.25", [0.5, None, 0.25]),
        ("PixelSpacing", b"", None),
        ("SeriesNumber", b" 301 ", 301),
        ("SeriesNumber", b"-2147483648", -2147483648),
        ("SeriesNumber", b"12.0", 12),
        ("Rows", b"\x00\x02", 512),
        ("Rows", b"\xff\xff", 65535),
        ("ImageType", b"ORIGINAL\\PRIMARY \\\\M", ["ORIGINAL", "PRIMARY", None, "M"]),
        ("ImageComments", b"  left \\ right  ", "  left \\ right"),
        ("StudyInstanceUID", b"1.2.3\0", "1.2.3"),
    ],
)
def test_values_that_parse(keyword: str, raw: bytes, expected: Any) -> None:
    assert decode(keyword, raw) == (expected, [])


@pytest.mark.parametrize(
    ("keyword", "raw", "reason"),
    [
        ("PatientBirthDate", b"19330231", "not a date"),
        ("PatientBirthDate", b"20230229", "not a date"),
        ("PatientBirthDate", b"193301", "not a date"),
        ("PatientBirthDate", b"1993.04-30", "not a date"),
        ("PatientBirthDate", b"19330131-19330201", "not a date"),
        ("PatientBirthDate", b"unknown", "not a date"),
        ("StudyTime", b"256000", "not a time"),
        ("StudyTime", b"101", "not a time"),
        ("SliceThickness", b"1,5", "not a number"),
        ("SliceThickness", b"nan", "not a number"),
        ("SliceThickness", b"1e", "not a number"),
        ("SliceThickness", b"1e999", "not a number"),
        ("SliceThickness", b"1\\2", "several values where one is allowed"),
        ("PixelSpacing", b"0.5\\left", "not a number"),
        ("SeriesNumber", b"1.5", "not a whole number"),
        ("SeriesNumber", b"99999999999999999999", "not a whole number"),
    ],
)
def test_values_that_do_not_parse_are_null_and_listed(keyword: str, raw: bytes, reason: str) -> None:
    value, errors = decode(keyword, raw)
    assert value is None
    assert [error["reason"] for error in errors] == [reason]
    assert errors[0]["raw"] in raw.decode()
    tag = TAGS[keyword][0]
    assert errors[0]["tag"] == f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@pytest.mark.parametrize(
    ("keyword", "vr", "raw", "expected"),
    [
        ("SeriesNumber", "US", b"\x05\x00", 5),
        ("SeriesNumber", "SL", b"\xfe\xff\xff\xff", -2),
        ("SliceThickness", "FL", b"\x00\x00\xa0\x3f", 1.25),
        ("SliceThickness", "FD", b"\x00\x00\x00\x00\x00\x00\xf4\x3f", 1.25),
        ("Rows", "IS", b"512", 512),
        ("PixelSpacing", "UN", b"0.5\\0.25", [0.5, 0.25]),
    ],
)
def test_the_vr_in_the_file_decides_how_bytes_are_read(keyword: str, vr: str, raw: bytes, expected: Any) -> None:
    assert decode(keyword, raw, vr) == (expected, [])


def test_a_vr_that_does_not_fit_the_column_is_listed_in_hexadecimal() -> None:
    value, errors = decode("PatientID", b"\x01\x02", "OB")
    assert value is None
    reason = "value representation does not fit the column"
    assert errors == [{"tag": "(0010,0020)", "raw": "0102", "reason": reason}]


def test_a_binary_number_or_a_tag_in_a_column_of_text_is_written_out() -> None:
    assert decode("PatientID", b"\x01\x02", "US") == ("513", [])
    assert decode("PatientID", struct.pack("<2d", 0.5, -3.0), "FD") == ("0.5\\-3.0", [])
    assert decode("FrameIncrementPointer", b"\x18\0\x63\x10\x18\0\x65\x10", "AT") == (
        ["(0018,1063)", "(0018,1065)"],
        [],
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimal_strings_are_rounded_as_python_rounds(number: float) -> None:
    assert decode("EchoTime", repr(number).encode()) == (number, [])


@given(st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_decimal_strings_of_any_form(text: str) -> None:
    value, errors = decode("EchoTime", text.encode())
    try:
        expected = float(text)
    except ValueError:
        expected = None if text else 0.0
    if text == "" or expected is None or expected in (float("inf"), -float("inf")):
        assert value is None
        assert bool(errors) == (text != "")
    else:
        assert (value, errors) == (expected, [])


@given(st.dates())
def test_every_day_is_the_day_that_python_knows(day: date) -> None:
    assert decode("PatientBirthDate", day.isoformat().replace("-", "").encode()) == (day, [])


@given(st.binary(max_size=24))
def test_any_bytes_give_a_value_or_an_error(raw: bytes) -> None:
    for keyword in ("PatientBirthDate", "StudyTime", "EchoTime", "SeriesNumber", "PixelSpacing"):
        value, errors = decode(keyword, raw)
        assert value is None or errors == []
