"""Stored headers: those that lack values are known, and read as files and as JSON."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from smi_spark.dicom import decode_headers, read_headers
from smi_spark.dicom.jsonmodel import json_headers
from smi_spark.dicom.stored import lacking
from smi_spark.dicom.storedfile import StoredFile
from tests.unit.dicom.files import dataset, element, raw_file, write

SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
SHARED = Path(__file__).parents[4] / "shared" / "data" / "dicom"


def store(*paths: Path, **limits: int) -> pa.RecordBatch:
    return read_headers(paths, {}, with_header=True, **limits)


def model(path: Path, **limits: int) -> Any:
    """The JSON of one file's stored header."""
    stored = store(path, **limits)
    (text,) = json_headers(stored["header"], stored["left_out"]).to_pylist()
    return json.loads(text)


def with_private(*, nested: bool, length: int, implicit: bool = False) -> Dataset:
    """A data set with one long private value, followed by as much again in short ones."""
    ds = dataset(PatientID="0101701234")
    inner = Dataset() if nested else ds
    inner.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    inner.add_new(0x00291010, "OB", bytes(range(256)) * (length // 256))
    if nested:
        ds.add_new(0x00400275, "SQ", Sequence([inner]))
    for number in range(length // 20):
        ds.add_new(0x60010000 + 0x1000 + number, "LO", "ten bytes.")
    return ds


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_header_that_lacks_a_value_is_known(tmp_path: Path, nested: bool, syntax: str | None) -> None:
    syntaxes = {} if syntax is None else {"syntax": syntax}
    long = write(tmp_path / "long.dcm", with_private(nested=nested, length=5120), **syntaxes)
    kept = write(tmp_path / "kept.dcm", with_private(nested=nested, length=2560), **syntaxes)
    stored = store(long, kept)
    assert [len(gaps) for gaps in stored["left_out"].to_pylist()] == [1, 0]
    assert lacking(stored["header"]).tolist() == [True, False]


def test_chance_does_not_hide_what_a_header_lacks(tmp_path: Path) -> None:
    """Behind the gap the next bytes are whole elements, as many as were left out: a walk without places goes on."""
    filler = [element(0x60011000 + n, "LO", b"eight by") for n in range(600)]
    gap = element(0x00291010, "OB", bytes(16 * 300))
    stored = store(raw_file(tmp_path / "1.dcm", element(0x00290010, "LO", b"CREATOR "), gap, *filler))
    assert [gap["length"] for gap in stored["left_out"].to_pylist()[0]] == [4800]
    assert lacking(stored["header"]).tolist() == [True]


@pytest.mark.parametrize("folder", [SHIPPED, SHARED], ids=["pydicom", "shared"])
def test_headers_of_all_files_are_told_apart(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("the real files of ../shared/data/dicom are not here")
    stored = store(*(path for path in folder.rglob("*") if path.is_file()))
    assert lacking(stored["header"]).tolist() == [bool(gaps) for gaps in stored["left_out"].to_pylist()]


def test_lower_limits_show_where_a_walk_does_not_end(tmp_path: Path) -> None:
    stored = store(write(tmp_path / "1.dcm", dataset(ImageComments="x" * 200)), keep_text=128)
    assert len(stored["left_out"].to_pylist()[0]) == 1
    assert lacking(stored["header"]).tolist() == [True]


def test_what_is_no_header_lacks_nothing() -> None:
    assert lacking(pa.array([b"", b"no header", None], pa.binary())).tolist() == [False, False, False]
    assert lacking(pa.array([], pa.binary())).tolist() == []


@pytest.mark.parametrize(
    ("keyword", "raw", "expected"),
    [
        ("StudyTime", element(0x00080030, "TM", b"noon"), "noon"),
        ("StudyDate", element(0x00080020, "DA", b"2018.3.5 "), "2018.3.5"),
        ("PixelSpacing", element(0x00280030, "DS", b" 0.50\\0.5 "), "0.50\\0.5"),
        ("Rows", element(0x00280010, "US", b"\0\2"), "512"),
        ("FrameIncrementPointer", element(0x00280009, "AT", b"\x18\0\x63\x10"), "(0018,1063)"),
        ("AcquisitionMatrix", element(0x00181310, "US", b"\0\1\2\0"), "256\\2"),
    ],
)
def test_as_text_a_value_is_what_the_file_says(tmp_path: Path, keyword: str, raw: bytes, expected: str) -> None:
    stored = store(raw_file(tmp_path / "1.dcm", raw))
    decoded = decode_headers(stored["header"], stored["left_out"], {keyword: keyword}, as_text=True)
    assert decoded.to_pylist() == [{keyword: expected, "value_errors": []}]


@pytest.mark.parametrize(
    ("seek", "size", "expected"),
    [
        (0, 2, b"ab"),
        (2, 3, b""),  # a gap by itself
        (2, 4, b"\0\0\0c"),
        (3, 1, b"\0"),
        (1, 5, b"b\0\0\0c"),
        (0, -1, b"ab\0\0\0cd\0\0ef"),
        (7, 2, b""),
        (7, -1, b"\0\0ef"),
        (9, 9, b"ef"),
        (99, 1, b""),
    ],
)
def test_a_stored_file_reads_as_the_file_did(seek: int, size: int, expected: bytes) -> None:
    file = StoredFile(b"abcdef", {7: 2, 2: 3})
    assert file.seek(seek) == seek
    assert file.read(size) == expected
    assert file.tell() == (11 if seek < 11 and (size < 0 or seek + size > 11) else max(seek, min(seek + size, 11)))


def test_a_stored_file_is_sought_from_anywhere() -> None:
    file = StoredFile(b"abcd", {1: 2})
    assert (file.seek(-1, 2), file.read(1), file.seek(-3, 1), file.read(2)) == (5, b"d", 3, b"bc")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_a_value_that_was_left_out_has_its_vr_and_no_value(tmp_path: Path, nested: bool, syntax: str) -> None:
    path = write(tmp_path / "1.dcm", with_private(nested=nested, length=5120), syntax)
    expected = json.loads(json.dumps(pydicom.dcmread(path, stop_before_pixels=True).to_json_dict()))
    place = expected["00400275"]["Value"][0] if nested else expected
    assert len(place["00291010"].pop("InlineBinary")) > 5120
    assert model(path) == expected


def test_a_fragment_that_was_left_out_takes_the_value_away(tmp_path: Path) -> None:
    fragments = b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0" + (5000).to_bytes(4, "little") + bytes(5000)
    value = element(0x00091001, "OB", fragments + b"\xfe\xff\xdd\xe0\0\0\0\0", 0xFFFFFFFF)
    path = raw_file(tmp_path / "1.dcm", element(0x00090010, "LO", b"CREATOR "), value)
    assert model(path)["00091001"] == {"vr": "OB"}
    assert len(model(path, keep_binary=9000)["00091001"]["InlineBinary"]) > 5000


def test_a_deflated_header_is_read_as_far_as_it_is_stored(tmp_path: Path) -> None:
    ds = dataset(PatientID="0101701234", ImageComments="y" * 3000)
    path = write(tmp_path / "1.dcm", ds, DeflatedExplicitVRLittleEndian, pixels=1 << 20)
    stored = store(path)
    with pytest.raises(zlib.error):  # its stream has no end: pydicom alone cannot read it
        pydicom.dcmread(io.BytesIO(stored["header"][0].as_py()))
    found = model(path)
    assert found["00100020"] == {"vr": "LO", "Value": ["0101701234"]}
    assert "7FE00010" not in found
    assert lacking(stored["header"]).tolist() == [False]


def test_what_json_has_no_number_for_is_text(tmp_path: Path) -> None:
    values = struct.pack("<3d", float("nan"), float("-inf"), 1.5)
    found = model(raw_file(tmp_path / "1.dcm", element(0x00189087, "FD", values)))
    assert found["00189087"] == {"vr": "FD", "Value": ["nan", "-inf", 1.5]}


def test_a_value_that_cannot_be_converted_is_there_as_bytes(tmp_path: Path) -> None:
    broken, sound = element(0x00280010, "US", b"\1\0\2\0\3\0\4"), element(0x00280011, "US", b"\1\0")
    found = model(raw_file(tmp_path / "1.dcm", broken, sound))
    assert found["00280010"] == {"vr": "UN", "InlineBinary": "AQACAAMABA=="}
    assert found["00280011"] == {"vr": "US", "Value": [1]}


def test_what_pydicom_cannot_read_is_null(tmp_path: Path) -> None:
    headers = pa.array([None, b"", b"no header at all", bytes(128) + b"DICM" + b"\2\0\0\0UL"], pa.binary())
    assert json_headers(headers).to_pylist()[:3] == [None] * 3
