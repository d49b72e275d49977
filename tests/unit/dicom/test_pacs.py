"""An archive laid out YYYY/MM/DD/ACCESSION/, listed by days."""

import re
from pathlib import Path

import pytest

from smi_spark.dicom import pacs
from smi_spark.dicom.sources import list_files, list_prefixes, open_root
from smi_spark.errors import SourceError

FILES = (
    "note.txt", "2025/12/31/A0/1.dcm", "2026/11/01/A1/1.dcm", "2026/11/01/A2/sub/2.dcm", "2026/11/02/A3/1.dcm",
    "2026/11/03/A4/1.dcm", "2026/11/3/A5/1.dcm", "2026/11/stray.dcm", "2026/2.dcm", "2026/13/01/A6/1.dcm",
    "tmp/2026/1.dcm",
)  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "pacs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "pacs"


def listed(root: str) -> list[str]:
    return [path for prefix in list_prefixes(root) for path, _, _ in list_files(root, prefix)]


def test_a_day_is_a_part_and_what_does_not_fit_the_layout_is_one_too(archive: Path) -> None:
    root = f"pacs:{archive}"
    assert list_prefixes(root) == [
        "", "2025/12/31", "2026/", "2026/11/", "2026/11/01", "2026/11/02", "2026/11/03", "2026/11/3", "2026/13", "tmp",
    ]  # fmt: skip
    assert sorted(listed(root)) == sorted(FILES)


@pytest.mark.parametrize(
    ("span", "days"),
    [
        ("2026-11-01..2026-11-02", ["2026/11/01", "2026/11/02"]),
        ("2026-11-02", ["2026/11/02"]),
        ("2026-11-02..", ["2026/11/02", "2026/11/03"]),
        ("..2026-11-01", ["2025/12/31", "2026/11/01"]),
        ("2025-01-01..2025-11-30", []),
    ],
)
def test_of_a_span_of_days_only_those_are_listed(archive: Path, span: str, days: list[str]) -> None:
    root = f"pacs:{archive}@{span}"
    assert list_prefixes(root) == days
    assert listed(root) == [path for path in FILES if path[:10] in days]


def test_no_other_year_or_month_is_looked_into_for_a_span(archive: Path) -> None:
    for other in ("2025", "2026/13"):
        (archive / other).chmod(0)
    try:
        assert list_prefixes(f"pacs:{archive}@2026-11-03") == ["2026/11/03"]
    finally:
        for other in ("2025", "2026/13"):
            (archive / other).chmod(0o755)


def test_bounds_take_in_the_paths_of_the_days_and_the_pattern_those_of_the_layout(archive: Path) -> None:
    low, high = open_root(f"pacs:{archive}@2026-11-01..2026-11-02").bounds or ("", "")
    within = [path for path in sorted(FILES) if low <= path < high]
    assert within == [path for path in FILES if path.startswith(("2026/11/01", "2026/11/02"))]
    assert [path for path in FILES if not re.match(pacs.FITS, path)] == [
        "note.txt", "2026/11/3/A5/1.dcm", "2026/11/stray.dcm", "2026/2.dcm", "2026/13/01/A6/1.dcm",
    "tmp/2026/1.dcm",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "span", ["2026-11-31", "2026-11-02..2026-11-01", "2026-11-01-2026-11-02", "..", "", "november"]
)
def test_what_is_no_span_of_days_is_told(archive: Path, span: str) -> None:
    with pytest.raises(SourceError, match=r"is no span of days. Write pacs:/archive@2026-11-01..2026-11-24, @2026"):
        open_root(f"pacs:{archive}@{span}")


def test_days_of_a_folder_without_a_year_are_refused(archive: Path) -> None:
    with pytest.raises(SourceError, match=r"tmp/2026 has no folder of a year, so no days to choose from. Give"):
        list_prefixes(f"pacs:{archive}/tmp/2026@2026-11-01")


def test_a_folder_with_an_at_sign_is_an_archive_too(archive: Path) -> None:
    archive.rename(archive.parent / "p@cs")
    assert open_root(f"pacs:{archive.parent}/p@cs/").folder == f"{archive.parent}/p@cs"
    assert list_prefixes(f"pacs:{archive.parent}/p@cs@2026-11-02") == ["2026/11/02"]
    assert open_root("pacs:abfss://in@account.dfs.core.windows.net@2026-11-02").folder == (
        "abfss://in@account.dfs.core.windows.net"
    )
