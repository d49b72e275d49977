"""Data sets in every form that files have, as pydicom writes or reads them."""

from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from smi_spark.dicom import decode_headers, read_headers
from tests.unit.dicom import oracle
from tests.unit.dicom.files import dataset, element, raw_file, write

FILES = Path(pydicom.data.__file__).parent / "test_files"
COLUMNS = {
    "name": "PatientName", "rows": "Rows", "thickness": "SliceThickness", "sop": "SOPInstanceUID",
    "codes": "ProcedureCodeSequence.CodeValue", "private": "(0011,1001)", "after": "StorageMediaFileSetUID",
}  # fmt: skip
EXPLICIT, IMPLICIT = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0"


def example() -> Dataset:
    """A small data set with a sequence and private elements."""
    code = Dataset()
    code.CodeValue, code.CodeMeaning = "C0001", "CT of head"
    ds = dataset(PatientName="Macdonald^Flora", Rows=512, SliceThickness="1.25", ProcedureCodeSequence=[code])
    ds.add_new(0x00110010, "LO", "SMI TEST")
    ds.add_new(0x00111001, "LO", "private text")
    return ds


def row(path: Path, columns: dict[str, str] | None = None, **limits: Any) -> dict[str, Any]:
    """The one row of a file; its stored header gives the same."""
    columns = columns or COLUMNS
    read = read_headers([path], columns, with_header=True, **limits)
    decoded = decode_headers(read["header"], read["left_out"], columns).to_pylist()[0]
    found: dict[str, Any] = read.to_pylist()[0]
    assert decoded == {name: found[name] for name in [*columns, "value_errors"]}
    return found


def values(path: Path) -> dict[str, Any]:
    found = row(path)
    assert found["reason"] is None, found["detail"]
    return {name: found[name] for name in COLUMNS}


EXPECTED = {
    "name": "Macdonald^Flora", "rows": 512, "thickness": 1.25, "sop": "1.2.3.4.5", "codes": ["C0001"],
    "private": "private text", "after": None,
}  # fmt: skip


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_data_set_without_preamble_or_without_file_meta_is_read(tmp_path: Path, syntax: str) -> None:
    whole = write(tmp_path / "whole.dcm", example(), syntax).read_bytes()
    length = int.from_bytes(whole[140:144], "little")
    for name, content in (("no_preamble.dcm", whole[132:]), ("no_meta.dcm", whole[144 + length :])):
        (tmp_path / name).write_bytes(content)
        assert values(tmp_path / name) == EXPECTED


@pytest.mark.parametrize("length", [0, 1, 60, 5000, 0xFFFFFFFF])
def test_the_length_of_the_file_meta_may_be_wrong(tmp_path: Path, length: int) -> None:
    content = bytearray(write(tmp_path / "a.dcm", example()).read_bytes())
    content[140:144] = length.to_bytes(4, "little")
    (tmp_path / "a.dcm").write_bytes(content)
    assert values(tmp_path / "a.dcm") == EXPECTED


def test_the_length_of_the_file_meta_may_be_missing(tmp_path: Path) -> None:
    content = write(tmp_path / "a.dcm", example()).read_bytes()
    (tmp_path / "a.dcm").write_bytes(content[:132] + content[144:])
    assert values(tmp_path / "a.dcm") == EXPECTED


@pytest.mark.parametrize(("written", "said"), [(EXPLICIT, IMPLICIT), (IMPLICIT, EXPLICIT)])
def test_the_bytes_decide_where_the_transfer_syntax_says_otherwise(tmp_path: Path, written: bytes, said: bytes) -> None:
    path = write(tmp_path / "a.dcm", example(), written.rstrip(b"\0").decode())
    content = path.read_bytes()
    place = content.index(written, 132)
    head = content[place - 8 : place - 2] + len(said).to_bytes(2, "little")
    path.write_bytes(content[: place - 8] + head + said + content[place + len(written) :])
    assert values(path) == EXPECTED


def nested(depth: int, *, undefined: bool, inside: bytes) -> bytes:
    """``inside`` within so many sequences of one item each."""
    for _ in range(depth):
        if undefined:
            item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inside + b"\xfe\xff\x0d\xe0\0\0\0\0"
            inside = element(0x00081140, "SQ", item + b"\xfe\xff\xdd\xe0\0\0\0\0", 0xFFFFFFFF)
        else:
            inside = element(0x00081140, "SQ", b"\xfe\xff\x00\xe0" + len(inside).to_bytes(4, "little") + inside)
    return inside


@pytest.mark.parametrize("undefined", [True, False], ids=["undefined", "defined"])
def test_sequences_within_sequences_are_read_twenty_deep(tmp_path: Path, undefined: bool) -> None:
    inside = nested(20, undefined=undefined, inside=element(0x00081150, "UI", b"1.2.3\0"))
    path = raw_file(tmp_path / "a.dcm", inside, element(0x00100010, "PN", b"After"))
    column = ".".join(["ReferencedImageSequence"] * 20 + ["ReferencedSOPClassUID"])
    assert row(path, {"uid": column, "name": "PatientName"})["uid"] == ["1.2.3"]


@pytest.mark.parametrize("undefined", [True, False], ids=["undefined", "defined"])
def test_two_thousand_deep_ends_in_quarantine(tmp_path: Path, undefined: bool) -> None:
    inside = nested(2000, undefined=undefined, inside=element(0x00081150, "UI", b"1.2.3\0"))
    path = raw_file(tmp_path / "a.dcm", inside, element(0x00100010, "PN", b"After"))
    found = row(path)
    assert (found["reason"], "nested deeper" in found["detail"]) == ("malformed", True)


def test_unknown_values_of_known_and_of_undefined_length_are_passed(tmp_path: Path) -> None:
    """UN of undefined length is a sequence in implicit VR (PS3.5 section 6.2.2)."""
    implicit = (0x00080100).to_bytes(4, "little")[2:] + b"\0\x01" + (6).to_bytes(4, "little") + b"C0002 "
    item = b"\xfe\xff\x00\xe0" + len(implicit).to_bytes(4, "little") + implicit
    unknown = element(0x00081032, "UN", item + b"\xfe\xff\xdd\xe0\0\0\0\0", 0xFFFFFFFF)
    path = raw_file(
        tmp_path / "a.dcm", element(0x00080999, "UN", b"\1\2\3\4"), unknown, element(0x00100010, "PN", b"After")
    )
    found = row(path)
    assert (found["reason"], found["codes"], found["name"]) == (None, ["C0002"], "After")
    assert found["codes"] == oracle.read(path, COLUMNS)["codes"]


def test_group_lengths_and_private_creators_are_passed(tmp_path: Path) -> None:
    elements = (
        element(0x00090010, "LO", b"SOMEBODY"), element(0x00091001, "UN", b"\1\2"),
        element(0x00100000, "UL", b"\xff\0\0\0"),
        element(0x00100010, "PN", b"Macdonald^Flora "), element(0x00110000, "UL", b"\0\0\0\0"),
        element(0x00111001, "LO", b"private text"),
    )  # fmt: skip
    found = row(raw_file(tmp_path / "a.dcm", *elements), {**COLUMNS, "length": "(0010,0000)"})
    assert (found["name"], found["private"], found["length"]) == ("Macdonald^Flora", "private text", 255)


def test_what_stands_behind_the_pixel_data_is_not_read(tmp_path: Path) -> None:
    pixels, after = element(0x7FE00010, "OW", bytes(64)), element(0x88800140, "UI", b"1.2.3\0")
    path = raw_file(tmp_path / "a.dcm", element(0x00100010, "PN", b"Before"), pixels, after)
    found = row(path)
    assert (found["reason"], found["name"], found["after"]) == (None, "Before", None)
    assert found["header"] == path.read_bytes()[: -len(pixels) - len(after)]


def test_an_encapsulated_icon_before_the_pixel_data_is_passed(tmp_path: Path) -> None:
    fragments = b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0\x04\0\0\0" + b"\xff\xd8\xff\xd9"
    icon = element(0x7FE00010, "OB", fragments + b"\xfe\xff\xdd\xe0\0\0\0\0", 0xFFFFFFFF)
    content = element(0x00280010, "US", b"\x40\0") + icon
    item = b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content
    path = raw_file(
        tmp_path / "a.dcm", element(0x00100010, "PN", b"Before"), element(0x00280010, "US", b"\0\2"),
        element(0x00880200, "SQ", item), element(0x7FE00010, "OW", bytes(64)),
    )  # fmt: skip
    found = row(path, {**COLUMNS, "icon": "IconImageSequence.Rows"})
    assert (found["reason"], found["name"], found["rows"], found["icon"]) == (None, "Before", 512, [64])


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("test-SR.dcm", "SR", None),
        ("liver_1frame.dcm", "SEG", None),
        ("rtstruct.dcm", "RTSTRUCT", None),
        ("rtplan.dcm", "RTPLAN", None),
        ("waveform_ecg.dcm", "ECG", None),
        ("DICOMDIR", None, "dicom_directory"),
    ],
)
def test_objects_without_pixel_data_are_read_or_declined(name: str, kind: str | None, reason: str | None) -> None:
    found = row(next(FILES.rglob(name)), {"modality": "Modality"})
    assert (found["modality"], found["reason"]) == (kind, reason)


def test_a_presentation_state_is_read(tmp_path: Path) -> None:
    series = Dataset()
    series.SeriesInstanceUID = "1.2.9"
    ds = dataset(Modality="PR", SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1", ContentLabel="WINDOWED")
    ds.ReferencedSeriesSequence = Sequence([series])
    path = write(tmp_path / "pr.dcm", ds, pixels=None)
    columns = {"modality": "Modality", "label": "ContentLabel", "of": "ReferencedSeriesSequence.SeriesInstanceUID"}
    found = row(path, columns)
    assert (found["reason"], found["modality"], found["label"], found["of"]) == (None, "PR", "WINDOWED", ["1.2.9"])


def test_a_file_without_pixel_data_that_ends_between_two_elements_passes_as_whole(tmp_path: Path) -> None:
    """Nothing in it says that more was to come."""
    path = raw_file(tmp_path / "a.dcm", element(0x00100010, "PN", b"Before"))
    assert row(path)["reason"] is None
