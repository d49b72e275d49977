"""A list of files as a source."""

import os
import zipfile
from pathlib import Path

import pytest

from smi_spark.dicom import lists
from smi_spark.dicom.sources import list_files, list_paths, list_prefixes, open_root
from smi_spark.errors import SourceError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two files of three and four bytes, and an archive with a member of two."""
    (tmp_path / "archive/in").mkdir(parents=True)
    (tmp_path / "archive/in/a.dcm").write_bytes(b"abc")
    (tmp_path / "archive/b, #1.dcm").write_bytes(b"abcd")
    with zipfile.ZipFile(tmp_path / "archive/in/c.zip", "w") as file:
        file.writestr("deep/d.dcm", b"ab")
    return tmp_path / "archive"


def listed(archive: Path, *lines: str | bytes, end: bytes = b"\n") -> list[tuple[str, int | None]]:
    """What a list of these lines names: path and size."""
    place = archive.parent / "night.txt"
    place.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + end for line in lines))
    root = f"list:{place}@{archive}"
    found = [file for prefix in list_prefixes(root) for file in list_files(root, prefix)]
    assert [path for prefix in list_prefixes(root) for path in list_paths(root, prefix)] == [path for path, *_ in found]
    assert all((size is None) == (modified is None) for _, size, modified in found)
    return [(path, size) for path, size, _ in found]


def test_lines_are_paths_below_the_folder_or_absolute_ones(archive: Path) -> None:
    lines = ("in/a.dcm", f"{archive}/b, #1.dcm", "./in//a.dcm", "in/../in/a.dcm", f"file://{archive}/in/a.dcm")
    assert listed(archive, *lines) == [("in/a.dcm", 3), ("b, #1.dcm", 4), *[("in/a.dcm", 3)] * 3]


def test_blank_lines_line_ends_of_other_systems_and_a_byte_order_mark_are_tolerated(archive: Path) -> None:
    assert listed(archive, b"\xef\xbb\xbfin/a.dcm", "", "  ", "b, #1.dcm", end=b"\r\n") == [
        ("in/a.dcm", 3), ("b, #1.dcm", 4),
    ]  # fmt: skip


def test_the_last_line_needs_no_end_and_an_empty_list_names_nothing(archive: Path) -> None:
    assert listed(archive, "b, #1.dcm\nin/a.dcm", end=b"") == [("b, #1.dcm", 4), ("in/a.dcm", 3)]
    assert listed(archive) == []


def test_what_is_not_there_stays_in_the_list_without_size_and_time(archive: Path) -> None:
    assert listed(archive, "gone.dcm", "in/c.zip!gone.dcm", "gone.zip!d.dcm", "gone.zip") == [
        ("gone.dcm", None), ("in/c.zip!gone.dcm", None), ("gone.zip!d.dcm", None), ("gone.zip!", None),
    ]  # fmt: skip


def test_members_are_named_one_by_one_or_with_their_archive(archive: Path) -> None:
    assert listed(archive, "in/c.zip!deep/d.dcm", "in/c.zip") == [("in/c.zip!deep/d.dcm", 2)] * 2


def test_names_that_are_no_text_are_named_by_their_bytes_or_as_tables_write_them(archive: Path) -> None:
    with open(os.fsencode(archive) + b"/\xff.dcm", "wb") as file:  # noqa: PTH123
        file.write(b"abcde")
    assert listed(archive, b"\xff.dcm", r"\xff.dcm") == [(r"\xff.dcm", 5)] * 2


def test_what_lies_beyond_the_folder_climbs_and_is_not_looked_at(archive: Path) -> None:
    (archive.parent / "other.dcm").write_bytes(b"ab")
    (archive / "link").symlink_to(archive.parent)
    (archive / "link.dcm").symlink_to(archive.parent / "other.dcm")
    lines = (
        "../other.dcm",
        "in/../../other.dcm",
        f"{archive.parent}/other.dcm",
        "link/other.dcm",
        "../other.zip!1.dcm",
    )
    assert listed(archive, *lines) == [*[("../other.dcm", None)] * 4, ("../other.zip!1.dcm", None)]
    assert listed(archive, "link.dcm") == [("link.dcm", len(str(archive.parent / "other.dcm")))]


def test_a_file_named_through_a_linked_folder_stands_under_its_own_path(archive: Path) -> None:
    (archive / "link").symlink_to(archive / "in")
    assert listed(archive, "link/a.dcm") == [("in/a.dcm", 3)]


@pytest.mark.parametrize("part", [1, 7, 10, 1000])
def test_parts_of_a_list_give_each_line_once(archive: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    lines = ["in/a.dcm", "", "b, #1.dcm", "in/a.dcm\r", "x" * 50, "b, #1.dcm"]
    monkeypatch.setattr(lists, "_PART", part)
    monkeypatch.setattr(lists, "_STEP", 8)
    expected = [("in/a.dcm", 3), ("b, #1.dcm", 4), ("in/a.dcm", 3), ("x" * 50, None), ("b, #1.dcm", 4)]
    assert listed(archive, *lines) == expected
    assert len(list_prefixes(f"list:{archive.parent}/night.txt@{archive}")) == -(-91 // part)


def test_a_list_lies_anywhere_and_its_folder_may_be_a_uri() -> None:
    root = open_root("list:/lists/a@b.txt@abfss://in@account.dfs.core.windows.net/archive/")
    assert (root.list, root.folder) == ("/lists/a@b.txt", "abfss://in@account.dfs.core.windows.net/archive")
    assert open_root("list:s3a://lists/night.txt@s3a://archive").folder == "s3://archive"
    assert open_root("list:s3a://lists/night.txt@s3a://archive").list == "s3://lists/night.txt"
    assert lists._far("s3://archive/2026", b"s3a://archive/2026/1.dcm") == "1.dcm"
    assert lists._far("s3://archive/2026", b"s3://archive/2027/1.dcm") == "../s3://archive/2027/1.dcm"


def test_a_list_without_its_folder_and_one_that_is_not_there_are_told(archive: Path) -> None:
    with pytest.raises(SourceError, match=r"lacks its list or its folder. Write list:/lists/night.txt@/archive"):
        open_root("list:/lists/night.txt")
    with pytest.raises(SourceError, match=r"list .*/gone.txt cannot be read: No such file or directory. Give a file"):
        list_prefixes(f"list:{archive}/gone.txt@{archive}")
    with pytest.raises(SourceError, match=r"a.dcm is no folder. Behind list: and pacs: stands the folder"):
        open_root(f"list:{archive}/gone.txt@{archive}/in/a.dcm")
