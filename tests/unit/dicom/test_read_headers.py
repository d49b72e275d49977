"""What ``read_headers`` gives: rows, columns, stored headers and the values that they leave out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import smi_spark
from smi_spark.dicom import batch_schema, decode_headers, read_headers
from smi_spark.errors import InputError
from smi_spark.schema import load_schema
from tests.unit.dicom.files import dataset, element, raw_file, write

FEW = {"id": "PatientID", "rows": "Rows"}


def test_one_row_a_source_in_order_as_given(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{i}.dcm", dataset(PatientID=str(i))) for i in range(5)]
    given = [paths[3], str(paths[0]), tmp_path / "absent", paths[3]]
    batch = read_headers(given, FEW)
    assert batch["source"].to_pylist() == [str(path) for path in given]
    assert batch["id"].to_pylist() == ["3", "0", None, "3"]
    assert batch["reason"].to_pylist() == [None, None, "unreadable", None]


def test_no_sources_give_no_rows_and_all_columns() -> None:
    batch = read_headers([], with_header=True)
    assert (batch.num_rows, batch.schema) == (0, batch_schema(with_header=True))
    assert decode_headers(pa.array([], pa.binary())).num_rows == 0


def test_the_schema_is_that_of_the_images_and_headers_tables(tmp_path: Path) -> None:
    batch = read_headers([tmp_path], with_header=True)
    images, headers = load_schema("images").arrow(), load_schema("headers").arrow()
    for field in batch.schema:
        if field.name not in ("source", "reason", "detail"):
            known = images if field.name in images.names else headers
            assert field.type == known.field(field.name).type, field.name
    assert batch.schema == batch_schema(with_header=True)


def test_columns_outside_the_schema_follow_their_vr() -> None:
    columns = {"acquired": "AcquisitionDateTime", "b": "DiffusionBValue", "private": "(0019,100C)",
               "times": "PerFrameFunctionalGroupsSequence.CTExposureSequence.ExposureTimeInms"}  # fmt: skip
    types = [str(field.type) for field in batch_schema(columns)][1:5]
    assert types == ["string", "double", "string", "list<element: double>"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("PatientNam", r"column x: PatientNam in PatientNam is not a DICOM keyword.*Did you mean PatientName\?"),
        ("ProcedureCodeSequence.Code", r"Code in ProcedureCodeSequence.Code is not a DICOM keyword"),
        ("ProcedureCodeSequence", r"has the value representation SQ, which is no column. Name an element"),
        ("PixelData", r"has the value representation OB, which is no column"),
    ],
)
def test_a_column_that_cannot_be(path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_headers([], {"x": path})


def test_long_values_are_stepped_over_and_listed(tmp_path: Path) -> None:
    blob, text = b"\1" * 3_000_000, b"x" * 70_000
    path = raw_file(
        tmp_path / "a.dcm",
        element(0x00291010, "OB", blob), element(0x00400280, "UT", text), element(0x00420010, "ST", b"kept"),
    )  # fmt: skip
    columns = {"comments": "CommentsOnThePerformedProcedureStep", "title": "DocumentTitle"}
    row = read_headers([path], columns, with_header=True).to_pylist()[0]
    content = path.read_bytes()
    assert (row["reason"], row["title"], row["comments"]) == (None, "kept", None)
    assert row["value_errors"] == [{"tag": "(0040,0280)", "raw": "", "reason": "longer than the keep limit"}]
    assert row["left_out"] == [
        {"tag": "(0029,1010)", "offset": content.index(blob), "length": len(blob)},
        {"tag": "(0040,0280)", "offset": content.index(text), "length": len(text)},
    ]
    assert row["header"] == content.replace(blob, b"").replace(text, b"")
    assert (row["bytes_read"] < 40_000, row["requests"] <= 3) == (True, True)


def test_a_text_below_the_limit_stays_whole(tmp_path: Path) -> None:
    text = "long " * 13_000
    path = raw_file(tmp_path / "a.dcm", element(0x00204000, "LT", text.encode()))
    assert read_headers([path], {"x": "ImageComments"})["x"].to_pylist() == [text.rstrip()]


def test_the_stored_header_is_the_file_up_to_its_pixel_data(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", dataset(PatientID="1"))
    row = read_headers([path], FEW, with_header=True).to_pylist()[0]
    content = path.read_bytes()
    assert row["header"] == content[: content.index(b"\xe0\x7f\x10\x00")]
    assert (row["size"], row["left_out"]) == (len(content), [])


def test_stored_headers_decode_from_slices_and_chunks_and_nulls(tmp_path: Path) -> None:
    paths = [
        raw_file(tmp_path / f"{i}.dcm", element(0x00100020, "LO", b"%04d" % i), element(0x00291010, "OB", bytes(5000)),
                 element(0x00420010, "ST", b"title"))
        for i in range(6)
    ]  # fmt: skip
    columns = {"id": "PatientID", "title": "DocumentTitle"}
    read = read_headers([*paths, tmp_path / "absent"], columns, with_header=True)
    ids = ["0000", "0001", "0002", "0003", "0004", "0005", None]
    sliced = decode_headers(read["header"].slice(2), read["left_out"].slice(2), columns)
    assert sliced["id"].to_pylist() == ids[2:]
    assert sliced["title"].to_pylist() == ["title"] * 4 + [None]
    chunked = pa.chunked_array([read["header"].slice(0, 4), read["header"].slice(4)])
    assert decode_headers(chunked, pa.chunked_array([read["left_out"]]), columns)["id"].to_pylist() == ids


def test_more_sources_than_one_batch_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", dataset(PatientID="1"))
    batch = read_headers([path] * 5000, FEW)
    assert batch["id"].to_pylist() == ["1"] * 5000


def test_large_headers_are_read_some_at_a_time_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [element(0x00204000, "LT", b"x" * 30_000 + str(number).encode().rjust(4)) for number in range(12)]
    paths = [raw_file(tmp_path / f"{number}.dcm", text) for number, text in enumerate(texts)]
    whole = read_headers(paths, {"text": "ImageComments"}, with_header=True)
    monkeypatch.setattr("smi_spark.dicom.engine._BATCH_BYTES", 300_000)
    parts = read_headers(paths, {"text": "ImageComments"}, with_header=True)
    assert parts.to_pylist() == whole.to_pylist()
    assert [text[-4:].strip() for text in parts["text"].to_pylist()] == [str(number) for number in range(12)]


def test_a_read_only_install_without_a_home_keeps_compiled_code_in_a_private_folder(tmp_path: Path) -> None:
    """As a service account on a cluster has it: nothing can be written beside the package, nor in a home."""
    package = tmp_path / "install" / "smi_spark"
    shutil.copytree(Path(smi_spark.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "dicom" / "__pycache__").touch()  # no folder can be made there, not even by root
    environment = os.environ | {"PYTHONPATH": str(package.parent), "HOME": os.devnull, "TMPDIR": str(tmp_path)}
    environment.pop("XDG_CACHE_HOME", None)
    code = "from smi_spark.dicom.kernel import walk; print(walk.stats.cache_path)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    private = tmp_path / f"smi_spark-{os.getuid()}"
    assert Path(done.stdout.strip()).is_relative_to(private)
    assert private.stat().st_mode & 0o777 == 0o700
