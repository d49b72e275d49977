"""Each reason for which a file cannot be used, and what is said of the place."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import ImplicitVRLittleEndian, MediaStorageDirectoryStorage

from smi_spark.dicom import read_headers
from tests.unit.dicom.files import dataset, element, raw_file, write

COLUMNS = {"SOPInstanceUID": "SOPInstanceUID", "Rows": "Rows", "code": "ProcedureCodeSequence.CodeValue"}


def read(path: Path) -> dict[str, Any]:
    row: dict[str, Any] = read_headers([path], COLUMNS, with_header=True).to_pylist()[0]
    return row


def test_a_good_file_has_no_reason(tmp_path: Path) -> None:
    row = read(write(tmp_path / "good.dcm", dataset(Rows=64)))
    assert (row["reason"], row["detail"], row["SOPInstanceUID"], row["Rows"]) == (None, None, "1.2.3.4.5", 64)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    row = read(tmp_path / "absent.dcm")
    assert (row["reason"], row["detail"]) == ("unreadable", "No such file or directory")
    assert (row["size"], row["header"], row["bytes_read"]) == (None, None, 0)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    row = read(tmp_path)
    assert (row["reason"], row["detail"]) == ("unreadable", "Is a directory")


def test_a_named_pipe_does_not_hold_up_the_batch(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path / "pipe")["reason"] == "unreadable"


def test_a_file_without_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty.dcm").touch()
    row = read(tmp_path / "empty.dcm")
    assert (row["reason"], row["detail"], row["size"]) == ("empty_file", "0 bytes", 0)


@pytest.mark.parametrize("content", [b"a", b"%PDF-1.7 " * 100, bytes(1000), bytes(range(256)) * 8])
def test_a_file_that_is_not_dicom(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    assert read(tmp_path / "other")["reason"] == "not_dicom"


@pytest.mark.parametrize("missing", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_file_that_lacks_one_of_its_uids(tmp_path: Path, missing: str, value: str | None) -> None:
    row = read(write(tmp_path / "a.dcm", dataset(Rows=64, **{missing: value})))
    level = missing.removesuffix("InstanceUID").lower()
    assert row["reason"] == f"no_{level}_instance_uid"
    assert row["Rows"] == 64


def test_a_directory_of_other_files(tmp_path: Path) -> None:
    path = write(tmp_path / "DICOMDIR", dataset(SOPClassUID=MediaStorageDirectoryStorage))
    assert read(path)["reason"] == "dicom_directory"


def test_pixel_data_that_run_beyond_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", dataset(Rows=64), pixels=1000)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    row = read(path)
    assert row["reason"] == "cut_short"
    place = content.index(b"\xe0\x7f\x10\x00")
    end = len(content) - 1
    assert row["detail"] == f"pixel data (7FE0,0010) at byte {place} is 1000 bytes long; the file ends at byte {end}"
    assert row["Rows"] == 64


def test_a_header_that_ends_early(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", dataset(Rows=64, StudyDescription="head and neck"))
    content = path.read_bytes()
    end = content.index(b"head and neck") + 4
    path.write_bytes(content[:end])
    row = read(path)
    place = content.index(b"head and neck") - 8
    assert (row["reason"], row["detail"]) == (
        "cut_short", f"the file ends at byte {end}, in the element at byte {place}",
    )  # fmt: skip


def test_a_sequence_without_its_end(tmp_path: Path) -> None:
    sequence = element(0x00081032, "SQ", b"", 0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    assert read(raw_file(tmp_path / "a.dcm", sequence))["reason"] == "cut_short"


ITEM = b"\xfe\xff\x00\xe0"
MALFORMED = {
    "an element where a sequence must have an item": element(0x00081032, "SQ", element(0x00080100, "SH", b"code")),
    "(FFFE,E000) at byte 220: a length beyond its container": element(
        0x00081032, "SQ", ITEM + b"\x40\0\0\0" + bytes(8)
    ) + bytes(100),
    "(0008,0100) at byte 228: a length beyond its container": element(
        0x00081032, "SQ", ITEM + b"\x08\0\0\0" + element(0x00080100, "SH", b"", 50)
    ) + bytes(100),
    "an undefined length with a value representation that has none": element(
        0x00104000, "UT", b"", 0xFFFFFFFF
    ) + bytes(100),
    "no value representation, and a length beyond its container": element(0x00281000, "\1\2", b"abcd") + bytes(100),
    "a delimiter that ends nothing": element(
        0x00081032, "SQ", ITEM + b"\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0", 0xFFFFFFFF
    ) + bytes(100),
}  # fmt: skip


@pytest.mark.parametrize(("detail", "elements"), MALFORMED.items())
def test_a_broken_encoding(tmp_path: Path, detail: str, elements: bytes) -> None:
    row = read(raw_file(tmp_path / "a.dcm", elements))
    assert row["reason"] == "malformed"
    assert row["detail"].endswith(detail)
    assert row["SOPInstanceUID"] == "1.2.3.4.5"


def test_nesting_without_end_is_declined(tmp_path: Path) -> None:
    level = element(0x00081032, "SQ", b"", 0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    row = read(raw_file(tmp_path / "a.dcm", level * 2000))
    assert row["reason"] == "malformed"
    assert row["detail"].endswith("nested deeper than 64 sequences")


def test_a_length_of_gigabytes_takes_no_memory_and_no_reading(tmp_path: Path) -> None:
    row = read(raw_file(tmp_path / "a.dcm", element(0x00420011, "OB", b"short", 0xFFFFFFF0)))
    assert (row["reason"], row["bytes_read"]) == ("cut_short", row["size"])


def test_details_hold_no_values(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", dataset(PatientID="0101301234", PatientName="Flora^Mac"), ImplicitVRLittleEndian)
    content = path.read_bytes()
    found = []
    for end in range(140, len(content), 7):
        path.write_bytes(content[:end])
        found.append(str(read(path)["detail"]))
    assert "cut" not in found
    assert not any("0101301234" in text or "Flora" in text for text in found)
