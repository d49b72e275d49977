"""Roots of files, listed in parts."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smi_spark.dicom import read_headers, remote
from smi_spark.dicom.sources import addresses, list_files, list_prefixes
from smi_spark.errors import SourceError
from smi_spark.objectstore import open_store

AZURE = "abfss://container@account.dfs.core.windows.net"
FILES = ("top.dcm", "2020/a.dcm", "2020/b.txt", "2020/deep/er/c.dcm", "2021/d.dcm", "x [1].dcm")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "root"


def listed(root: str | Path) -> list[str]:
    """Every path below a root, part by part."""
    return [path for prefix in list_prefixes(str(root)) for path, _, _ in list_files(str(root), prefix)]


def test_a_folder_is_listed_in_order_one_part_a_folder(root: Path) -> None:
    assert list_prefixes(str(root)) == ["", "2020", "2021"]
    assert listed(root) == ["top.dcm", "x [1].dcm", "2020/a.dcm", "2020/b.txt", "2020/deep/er/c.dcm", "2021/d.dcm"]


def test_size_and_time_of_change_are_the_systems(root: Path) -> None:
    os.utime(root / "top.dcm", ns=(0, 1_700_000_000_123_456_000))
    found = {path: (size, modified) for path, size, modified in list_files(str(root), "")}
    assert found["top.dcm"] == (7, datetime(2023, 11, 14, 22, 13, 20, 123456, UTC))


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.dcm", ["top.dcm", "x [1].dcm"]),
        ("*/*.dcm", ["2020/a.dcm", "2021/d.dcm"]),
        ("**/*.dcm", ["top.dcm", "x [1].dcm", "2020/a.dcm", "2020/deep/er/c.dcm", "2021/d.dcm"]),
        ("202[1-9]", ["2021/d.dcm"]),
        ("2020/?.txt", ["2020/b.txt"]),
        ("20*", ["2020/a.dcm", "2020/b.txt", "2020/deep/er/c.dcm", "2021/d.dcm"]),
    ],
)
def test_a_glob_stands_for_files_and_for_folders_with_all_below(root: Path, glob: str, expected: list[str]) -> None:
    found = addresses(f"{root}/{glob}", listed(f"{root}/{glob}"))
    assert found == [f"{root}/{path}" for path in expected]


def test_one_file_is_a_root_even_where_its_name_looks_like_a_glob(root: Path) -> None:
    assert listed(root / "x [1].dcm") == ["x [1].dcm"]
    assert addresses(str(root / "x [1].dcm"), ["x [1].dcm"]) == [f"{root}/x [1].dcm"]


def test_a_root_with_one_folder_is_entered(root: Path) -> None:
    assert list_prefixes(str(root.parent)) == ["root/", "root/2020", "root/2021"]
    assert listed(root.parent) == [f"root/{path}" for path in listed(root)]


def test_links_to_folders_are_not_followed_and_dead_links_are_listed(root: Path) -> None:
    (root / "loop").symlink_to(root)
    (root / "dead.dcm").symlink_to(root / "gone")
    assert set(listed(root)) == {*FILES, "dead.dcm"}


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"source .*/absent does not exist here. Give a folder, a file or a glob"):
        list_prefixes(str(tmp_path / "absent"))


def test_a_folder_that_cannot_be_listed(root: Path) -> None:
    with pytest.raises(SourceError, match=r"2022 cannot be listed: No such file or directory"):
        list(list_files(str(root), "2022"))


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://bucket/2019/1.dcm", "s3://bucket", "2019/1.dcm"),
        ("s3a://bucket/2019/", "s3://bucket", "2019"),
        ("gs://bucket/1.dcm", "gs://bucket", "1.dcm"),
        (f"{AZURE}/1.dcm", AZURE, "1.dcm"),
    ],
)
def test_a_uri_is_a_bucket_and_a_key_for_which_a_store_is_made(uri: str, bucket: str, key: str) -> None:
    assert remote._split(uri) == (bucket, key)
    assert open_store(bucket) is open_store(bucket)


def test_an_object_of_a_store_that_cannot_be_reached_is_a_row() -> None:
    row = read_headers(["az://container/1.dcm"]).to_pylist()[0]
    assert (row["reason"], "Account" in row["detail"]) == ("unreadable", True)
