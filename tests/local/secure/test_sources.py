"""Kinds of sources, taken in: days of a PACS, lists, roots within roots, names and links that lead out."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import QuarantineThresholdError
from smi_spark.secure.ingest import ingest_headers, list_new
from smi_spark.secure.runs import Run

WriteDicom = Callable[..., Path]
DAYS = ("2026/11/01", "2026/11/02", "2026/11/03")


def table(spark: SparkSession, config: Config, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a table of zone 1, sorted."""
    rows = tables.read_or_empty(spark, tables.table(config, f"secure/{name}"))
    return sorted(map(tuple, rows.select(*columns).collect()))


def run(number: int) -> Run:
    return Run(f"run-{number}", "", datetime.now(UTC))


def touch(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return str(folder)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path Delta's statistics hold whole: they end at 32 characters."""
    with TemporaryDirectory(prefix="p", dir="/tmp") as folder:
        yield Path(folder)


def test_days_of_a_pacs_are_compared_with_the_known_files_of_these_days_alone(
    spark: SparkSession, config: Config, short: Path
) -> None:
    pacs = touch(short, *(f"{day}/A/{number}.dcm" for day in DAYS for number in (1, 2)), "2026/11/2/x.dcm")
    assert list_new(spark, config, [f"pacs:{pacs}@2026-11-01"], run(1)) == {"new": 2}
    for file in (Path(config.zone("secure")) / "files").glob("*.parquet"):
        shutil.move(file, short)  # whoever reads the rows of other days does not find them
    assert list_new(spark, config, [f"pacs:{pacs}@2026-11-02.."], run(2)) == {"new": 4}
    for file in short.glob("*.parquet"):
        shutil.move(file, Path(config.zone("secure")) / "files")

    shutil.rmtree(f"{pacs}/{DAYS[0]}")
    (short / DAYS[1] / "A/1.dcm").unlink()
    assert list_new(spark, config, [f"pacs:{pacs}@2026-11-02.."], run(3)) == {"vanished": 1}
    assert list_new(spark, config, [f"pacs:{pacs}"], run(4)) == {"new": 1, "vanished": 2}
    assert list_new(spark, config, [f"pacs:{pacs}@2026-11-02.."], run(5)) == {}  # 2026/11/2 is none of these days
    assert table(spark, config, "files", "source", "path", "state") == [
        (pacs, "2026/11/01/A/1.dcm", "vanished"), (pacs, "2026/11/01/A/2.dcm", "vanished"),
        (pacs, "2026/11/02/A/1.dcm", "vanished"), (pacs, "2026/11/02/A/2.dcm", "present"),
        (pacs, "2026/11/03/A/1.dcm", "present"), (pacs, "2026/11/03/A/2.dcm", "present"),
        (pacs, "2026/11/2/x.dcm", "present"),
    ]  # fmt: skip


@pytest.mark.long
def test_a_list_is_never_whole_and_what_it_names_in_vain_is_told(
    spark: SparkSession, config: Config, tmp_path: Path, write_dicom: WriteDicom
) -> None:
    source, night = tmp_path / "in", tmp_path / "night.txt"
    for number in (1, 2, 3):
        write_dicom(source / f"{number}.dcm", f"2.25.{number}")
    ingest_headers(spark, config, [str(source)])
    night.write_text(f"1.dcm\r\n\n{source}/4.dcm\n5.dcm\n../night.txt\n")
    write_dicom(source / "4.dcm", "2.25.4")

    counts = ingest_headers(spark, config, [f"list:{night}@{source}"])
    assert (counts.listed, counts.images, counts.vanished) == (3, 1, 0)
    assert table(spark, config, "quarantine", "source", "path", "reason", "detail") == [
        (str(source), "../night.txt", "outside_root", "its name, or a link, leads out of the root"),
        (str(source), "5.dcm", "unreadable", "No such file or directory"),
    ]
    before = tables.versions_below(Path(config.root))
    assert ingest_headers(spark, config, [f"list:{night}@{source}"]).counts() == {}
    assert tables.versions_below(Path(config.root)) == before

    (source / "4.dcm").unlink()
    write_dicom(source / "5.dcm", "2.25.5")
    counts = ingest_headers(spark, config, [f"list:{night}@{source}"])
    assert (counts.listed, counts.changed, counts.vanished, counts.images) == (0, 1, 1, 1)
    assert [path for (path,) in table(spark, config, "images", "path")] == ["1.dcm", "2.dcm", "3.dcm", "5.dcm"]
    assert [path for (path,) in table(spark, config, "quarantine", "path")] == ["../night.txt"]

    (source / "1.dcm").unlink()
    (source / "5.dcm").unlink()
    with pytest.raises(QuarantineThresholdError, match=r"^2 of 2 files known in list:.* are gone"):
        ingest_headers(spark, config, [f"list:{night}@{source}"])


def test_one_file_is_known_once_whatever_roots_it_lies_below(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    outer = touch(tmp_path / "a", "2025/1.dcm", "2026/2.dcm", "2026/11/3.dcm", "2026b/4.dcm")
    assert list_new(spark, config, [f"{outer}/2026", f"{outer}/2026/11"], run(1)) == {"new": 2}
    assert list_new(spark, config, [outer, f"{outer}/2026"], run(2)) == {"new": 2}
    touch(tmp_path / "a", "2025/5.dcm", "2026/11/6.dcm")
    assert list_new(spark, config, [f"{outer}/2025", f"{outer}/2026/11"], run(3)) == {"new": 2}
    (tmp_path / "a/2026/11/3.dcm").unlink()
    assert list_new(spark, config, [f"{outer}/2025", f"pacs:{outer}"], run(4)) == {"vanished": 1}
    assert table(spark, config, "files", "source", "path", "state") == [
        (outer, "2025/1.dcm", "present"), (outer, "2025/5.dcm", "present"), (outer, "2026b/4.dcm", "present"),
        (f"{outer}/2026", "11/3.dcm", "vanished"), (f"{outer}/2026", "11/6.dcm", "present"),
        (f"{outer}/2026", "2.dcm", "present"),
    ]  # fmt: skip


def test_files_of_a_pattern_and_of_a_folder_beside_it_are_known_once_below_the_pattern_s_root(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    outer = touch(tmp_path / "a", "2025/1.dcm", "2026/2.dcm", "2026b/4.dcm")
    assert list_new(spark, config, [f"{outer}/2026", f"{outer}/*b"], run(1)) == {"new": 2}
    assert list_new(spark, config, [outer, f"{outer}/2026"], run(2)) == {"new": 1}
    assert table(spark, config, "files", "source", "path", "state") == [
        (outer, "2025/1.dcm", "present"), (outer, "2026/2.dcm", "present"), (outer, "2026b/4.dcm", "present"),
    ]  # fmt: skip


def test_a_root_reached_by_a_link_is_a_source_of_its_own(spark: SparkSession, config: Config, tmp_path: Path) -> None:
    outer = touch(tmp_path / "a", "1.dcm")
    touch(tmp_path / "mount", "2.dcm")
    (tmp_path / "a/2019").symlink_to(tmp_path / "mount")
    assert list_new(spark, config, [outer, f"{outer}/2019"], run(1)) == {"new": 3}  # and the link, to be told
    assert list_new(spark, config, [outer], run(2)) == {}
    assert table(spark, config, "files", "source", "path") == [
        (outer, "1.dcm"), (outer, "2019"), (f"{outer}/2019", "2.dcm"),
    ]  # fmt: skip


def test_files_that_nobody_may_write_are_taken_in_and_stay_as_they_are(
    spark: SparkSession, config: Config, tmp_path: Path, write_dicom: WriteDicom
) -> None:
    source = tmp_path / "in"
    name = os.fsdecode(b"\xe5, #1 100%.dcm")
    write_dicom(source / "a" / name, "2.25.1")
    (source / "a/link.dcm").symlink_to(write_dicom(tmp_path / "other/2.dcm", "2.25.2"))
    places = [source, source / "a", source / "a" / name]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    before = [place.stat() for place in places]
    try:
        ingest_headers(spark, config, [str(source)])
    finally:
        after = [place.stat() for place in places]
        for place in places[:2]:
            place.chmod(0o755)

    kept = ("st_mode", "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
    assert [[getattr(s, k) for k in kept] for s in after] == [[getattr(s, k) for k in kept] for s in before]
    assert table(spark, config, "images", "path", "SOPInstanceUID") == [(r"a/\xe5, #1 100%.dcm", "2.25.1")]
    assert table(spark, config, "quarantine", "path", "reason") == [("a/link.dcm", "outside_root")]
