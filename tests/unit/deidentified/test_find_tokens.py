"""The search for leaks finds a token wherever one could stand."""

import base64
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.leaks import Leak, find_tokens

CHI = "0101031234"


def found(root: Path) -> set[str]:
    return {encoding for _, _, encoding in find_tokens(root, [CHI, "Marker"])}


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        (b'{"add":{"stats":"0101031234"}}', "text"),
        (b"MARKER^Ann", "text"),
        ("Marker".encode("utf-16-le"), "utf-16"),
        (b"30313031303331323334", "hex"),
        ("Marker".encode("utf-16-le").hex().upper().encode(), "hex of utf-16"),
        (base64.b64encode(CHI.encode()), "base64"),
        (base64.b64encode(b"x" + CHI.encode()), "base64"),
        (base64.b64encode(b"xy" + CHI.encode() + b"z"), "base64"),
    ],
)
def test_a_token_in_plain_bytes_is_found_however_it_is_written(tmp_path: Path, written: bytes, encoding: str) -> None:
    (tmp_path / "00.json").write_bytes(b"before " + written + b" after")
    assert found(tmp_path) == {encoding}


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["x", CHI, "x"]),
        pa.array([["x"], None, ["y", CHI]]),
        pa.array([{"raw": CHI}, None]),
        pa.array([b"header " + CHI.encode()]),
    ],
)
def test_a_token_in_compressed_values_is_found(tmp_path: Path, column: pa.Array) -> None:
    table = pa.table({"column": column})
    pq.write_table(table, tmp_path / "part.parquet", compression="zstd", write_statistics=False, store_schema=False)
    assert found(tmp_path) == {"text"}


def test_a_token_in_the_metadata_of_parquet_is_found(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}).replace_schema_metadata({"note": CHI}), tmp_path / "part.parquet")
    assert "text" in found(tmp_path)


@pytest.mark.parametrize("written", [b"\xaaA" * 8, (b"\xaaA" * 8).hex().encode(), base64.b64encode(b"\xaaA" * 8)])
def test_a_key_in_bytes_is_found(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "heap").write_bytes(b"\0" + written)
    assert [token for _, token, _ in find_tokens(tmp_path, [b"\xaaA" * 8])] == [b"\xaaA" * 8]


def test_a_token_in_the_name_of_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / f"patient={CHI}").mkdir()
    assert find_tokens(tmp_path, [CHI]) == [Leak(f"patient={CHI}", CHI, "text")]


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "00.json").write_text("0101031235 Marke r")
    pq.write_table(pa.table({"column": ["0101031235"]}), tmp_path / "part.parquet")
    assert find_tokens(tmp_path, [CHI, "Marker"]) == []
