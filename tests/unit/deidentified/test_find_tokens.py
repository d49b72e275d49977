"""The search for leaks finds a token wherever one could stand."""

import base64
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark import cloudpickle

from tests.leaks import SHORTEST, Leak, find_tokens, key_tokens
from tests.parquet_parts import BLOOM_FILTER, column_metadata, parquet_parts

CHI = "0101031234"
KEY = bytes(range(0x5A, 0x7A))


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


def command(hidden: object) -> Any:
    return cloudpickle.dumps((lambda value: (value, hidden), "string"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("spark.log", b"12:00:00 INFO Executor: 1 row with " + CHI.encode() + b" read"),
        ("said.txt", f"Spark failed: The value '{CHI}' of the type STRING".encode()),
        ("events_1_local-1", json.dumps({"Event": "SQLStart", "plan": f"Filter (chi#1 >= {CHI})"}).encode()),
        ("00000000000000000001.json", json.dumps({"add": {"stats": json.dumps({"minValues": {"x": CHI}})}}).encode()),
        ("00000000000000000001.crc", json.dumps({"allFiles": [{"tags": {"min": CHI}}]}).encode()),
        ("broadcast_1_piece0", command(CHI)),
        ("manifest-v1.json", json.dumps({"counts": {CHI: 1}}).encode()),
    ],
)
def test_a_chi_is_found_in_every_kind_of_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert find_tokens(tmp_path, [CHI]) == [Leak(name, CHI, "text")]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (command(KEY), "text"),
        (command({"key": KEY.hex()}), "hex"),
        (json.dumps({"spark.key": KEY.hex().upper()}).encode(), "hex"),
        (base64.b64encode(b"=" + KEY), "base64"),
        (bytes(byte ^ 0x36 for byte in KEY), "text"),
        (KEY.hex().encode("utf-16-le"), "utf-16"),
    ],
)
def test_a_key_is_found_in_a_command_a_setting_and_what_an_hmac_holds(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    (tmp_path / "heap").write_bytes(b"\0" * 7 + content)
    assert encoding in {encoding for _, _, encoding in find_tokens(tmp_path, key_tokens(KEY))}
    assert find_tokens(tmp_path, key_tokens(KEY[::-1])) == []


@pytest.mark.parametrize("name", [f"{CHI}.dcm", "street=1%20Quern%20Loan"])
def test_a_token_in_a_name_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert [leak.file for leak in find_tokens(tmp_path, [CHI, "1 Quern Loan"])] == [name]


@pytest.mark.parametrize(
    "column", [pa.array([101031234]), pa.array([date(1950, 1, 16)]), pa.array([[date(1950, 1, 16)]])]
)
def test_a_number_and_a_date_are_found_as_they_are_read(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"column": column}), tmp_path / "part.parquet")
    assert {token for _, token, _ in find_tokens(tmp_path, ["101031234", "1950-01-16"])}


def test_an_entry_of_a_dictionary_that_no_row_has_is_found(tmp_path: Path) -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int32()), pa.array(["x", CHI]))
    pq.write_table(pa.table({"name": names}), tmp_path / "part.parquet", compression="zstd", store_schema=False)
    assert pq.read_table(tmp_path / "part.parquet").column("name").to_pylist() == ["x", "x"]
    assert found(tmp_path) == {"text"}


def test_a_bound_of_values_that_are_gone_is_found(tmp_path: Path) -> None:
    place = tmp_path / "part.parquet"
    pq.write_table(pa.table({"name": [CHI, "A" * 10]}), place, compression="none", use_dictionary=False)
    content = place.read_bytes()
    value = (10).to_bytes(4, "little") + CHI.encode()
    place.write_bytes(content.replace(value, value[:4] + b"0" * 10))
    assert CHI not in pq.read_table(place).column("name").to_pylist()
    assert found(tmp_path) == {"text"}


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_pages_are_read_in_every_way_of_writing_them(tmp_path: Path, compression: str, version: str) -> None:
    place = tmp_path / "part.parquet"
    columns = {"name": [None, CHI, "x" * 1000, CHI], "all_null": pa.array([None] * 4, pa.string())}
    pq.write_table(pa.table(columns), place, compression=compression, data_page_version=version, use_dictionary=False)
    *pages, bounds, values, nothing = parquet_parts(place)
    assert b"".join(pages).count(CHI.encode()) == 2
    assert (bounds, set(values.split(b"\n")), nothing) == (
        f"{CHI} {'x' * 1000}".encode(),
        {CHI.encode(), b"x" * 1000},
        b"",
    )
    assert [BLOOM_FILTER in column for column in column_metadata(place.read_bytes())] == [False, False]


@pytest.mark.parametrize("place", [(1 << 24) - 5, (1 << 24) + 5])
def test_a_token_across_two_pieces_of_a_long_file_is_found(tmp_path: Path, place: int) -> None:
    (tmp_path / "heap").write_bytes(bytes(place) + CHI.encode() + bytes(100))
    assert find_tokens(tmp_path, [CHI]) == [Leak("heap", CHI, "text")]


def test_ten_digits_within_the_number_of_a_uid_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "uids").write_text(f"2.25.{'7' * 20}{CHI}\n2.25.{CHI}{'7' * 20}")
    assert find_tokens(tmp_path, [CHI]) == []
    (tmp_path / "numbers").write_text(f"00{CHI}0")
    assert [leak.file for leak in find_tokens(tmp_path, [CHI])] == ["numbers"]


def test_a_text_that_stands_anywhere_by_chance_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="'Smith' is too short"):
        find_tokens(tmp_path, ["Smith"])
    assert len("Smith") < SHORTEST


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "00.json").write_text("0101031235 Marke r")
    pq.write_table(pa.table({"column": ["0101031235"]}), tmp_path / "part.parquet")
    assert find_tokens(tmp_path, [CHI, "Marker"]) == []
