"""Files that change, vanish and come back: what the next ingest makes of them, and of a run that was killed over it."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import QuarantineThresholdError
from smi_spark.secure.ingest import IngestCounts, ingest_headers
from tests.conftest import make_config
from tests.killed import killed_behind

WriteDicom = Callable[..., Path]
OPERATIONS = Path(__file__).parents[3] / "docs/operations.md"


def table(spark: SparkSession, config: Config, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a table of zone 1, sorted."""
    rows: DataFrame = tables.read_or_empty(spark, tables.table(config, f"secure/{name}"))
    return sorted(map(tuple, rows.select(*columns).collect()))


def history(spark: SparkSession, config: Config, name: str, *columns: str) -> list[tuple[Any, ...]]:
    rows = tables.read_or_empty(spark, tables.history_of(tables.table(config, f"secure/{name}")))
    return sorted(map(tuple, rows.select(*columns).collect()))


def images_as_of(spark: SparkSession, config: Config, then: str) -> list[tuple[Any, ...]]:
    """What the query in docs/operations.md says."""
    (query,) = re.findall(r'"""([^"]*images_history[^"]*)"""', OPERATIONS.read_text(encoding="utf-8"))
    images = tables.table(config, "secure/images")
    for name, one in (("images", images), ("images_history", tables.history_of(images))):
        tables.read(spark, one).createOrReplaceTempView(name)
    return sorted(map(tuple, spark.sql(query, then=then).select("path", "EchoTime").collect()))


@pytest.fixture(scope="module")
def first(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, write_dicom: WriteDicom) -> Path:
    """A folder with sources in ``in`` that were taken in, into ``data``."""
    place = tmp_path_factory.mktemp("changed")
    write_dicom(place / "in/a.dcm", "2.25.1", EchoTime="1")
    write_dicom(place / "in/b.dcm", "2.25.1", EchoTime="1")
    write_dicom(place / "in/c.dcm", "2.25.3", StudyInstanceUID=None)
    write_dicom(place / "in/d.dcm", "2.25.4", EchoTime="4")
    write_dicom(place / "in/e.dcm", "2.25.5", EchoTime="5")
    ingest_headers(spark, make_config(place), [str(place / "in")])
    return place


@pytest.fixture
def again(first: Path, spark: SparkSession, config: Config, tmp_path: Path) -> Callable[[], IngestCounts]:
    """Takes in a copy of the sources, which stand where they stood."""
    shutil.copytree(first / "data", tmp_path / "data")
    kept = tmp_path / "kept"
    shutil.copytree(first / "in", kept)
    yield lambda: ingest_headers(spark, config, [str(first / "in")])
    shutil.rmtree(first / "in")
    shutil.copytree(kept, first / "in")


def test_a_changed_file_is_read_again_and_what_it_was_is_kept(
    again: Callable[[], IngestCounts], first: Path, spark: SparkSession, config: Config, write_dicom: WriteDicom
) -> None:
    images = tables.read(spark, tables.table(config, "secure/images"))
    (before,) = images.select(F.max("valid_from").cast("string")).collect()[0]
    write_dicom(first / "in/c.dcm", "2.25.3", EchoTime="3.5")
    write_dicom(first / "in/d.dcm", "2.25.44", EchoTime="4.25")
    counts = again()

    assert (counts.listed, counts.changed, counts.read, counts.withdrawn, counts.images) == (0, 2, 2, 1, 2)
    assert table(spark, config, "images", "path", "SOPInstanceUID", "EchoTime") == [
        ("a.dcm", "2.25.1", 1.0), ("c.dcm", "2.25.3", 3.5), ("d.dcm", "2.25.44", 4.25), ("e.dcm", "2.25.5", 5.0),
    ]  # fmt: skip
    assert history(spark, config, "images", "path", "SOPInstanceUID", "replaced_by") == [
        ("d.dcm", "2.25.4", counts.run_id)
    ]
    assert images_as_of(spark, config, before) == [("a.dcm", 1.0), ("d.dcm", 4.0), ("e.dcm", 5.0)]
    assert history(spark, config, "headers", "path", "reason") == [
        ("c.dcm", "no_study_instance_uid"), ("d.dcm", None),
    ]  # fmt: skip
    assert table(spark, config, "quarantine", "path", "reason") == [("b.dcm", "identical_copy")]
    assert table(spark, config, "changes", "table", "path", "SOPInstanceUID", "action", "run_id")[:2] == [
        ("files", "c.dcm", None, "changed", counts.run_id), ("files", "d.dcm", None, "changed", counts.run_id),
    ]  # fmt: skip


def test_a_file_that_vanished_is_marked_and_its_image_leaves_until_it_is_back(
    again: Callable[[], IngestCounts], first: Path, spark: SparkSession, config: Config
) -> None:
    kept = first / "elsewhere.dcm"
    shutil.move(first / "in/d.dcm", kept)
    gone = again()

    assert (gone.vanished, gone.read, gone.withdrawn, gone.images) == (1, 0, 1, 0)
    assert table(spark, config, "files", "path", "state")[3] == ("d.dcm", "vanished")
    assert [path for (path,) in table(spark, config, "images", "path")] == ["a.dcm", "e.dcm"]
    assert [row for row in table(spark, config, "changes", "action", "SOPInstanceUID") if row[1]] == [
        ("withdrawn", "2.25.4")
    ]
    state = kept.stat()
    kept.write_bytes(bytes(state.st_size))  # whoever reads it again finds nothing in it
    os.utime(kept, ns=(state.st_atime_ns, state.st_mtime_ns))
    shutil.move(kept, first / "in/d.dcm")
    back = again()

    assert (back.returned, back.read, back.images) == (1, 0, 1)
    assert table(spark, config, "images", "path", "EchoTime")[1] == ("d.dcm", 4.0)
    before = tables.versions_below(Path(config.root))
    assert again().counts() == {}
    assert tables.versions_below(Path(config.root)) == before


@pytest.mark.long
def test_another_file_of_the_same_instance_takes_the_place_of_one_that_vanished(
    again: Callable[[], IngestCounts], first: Path, spark: SparkSession, config: Config
) -> None:
    (first / "in/a.dcm").unlink()
    counts = again()

    assert (counts.read, counts.withdrawn, counts.images) == (0, 1, 1)
    assert table(spark, config, "images", "path", "EchoTime")[0] == ("b.dcm", 1.0)
    assert [path for (path,) in table(spark, config, "quarantine", "path")] == ["c.dcm"]


def test_most_files_gone_at_once_stop_the_run_before_anything_is_written(
    again: Callable[[], IngestCounts], first: Path, config: Config
) -> None:
    before = tables.versions_below(Path(config.root))
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        (first / "in" / name).unlink()
    with pytest.raises(QuarantineThresholdError, match=r"^3 of 5 files known in .* are gone, more than the 50% that"):
        again()
    assert tables.versions_below(Path(config.root)) == before


COMMITS = (
    "append changes", "merge files", "append files", "append changes", "append images_history", "delete images",
    "append headers_history", "delete headers", "append quarantine_history", "delete quarantine", "append headers",
    "append instances", "append images", "append quarantine_history", "delete quarantine", "merge series",
    "merge studies", "append runs",
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("commits", range(1, len(COMMITS) + 1))
def test_a_run_killed_behind_any_commit_over_changes_is_completed_by_the_next(
    again: Callable[[], IngestCounts], first: Path, spark: SparkSession, config: Config, write_dicom: WriteDicom,
    monkeypatch: pytest.MonkeyPatch, commits: int,
) -> None:  # fmt: skip
    (first / "in/a.dcm").unlink()
    write_dicom(first / "in/c.dcm", "2.25.3", EchoTime="3.5")
    write_dicom(first / "in/d.dcm", "2.25.4", EchoTime="4.25")
    write_dicom(first / "in/f.dcm", "2.25.6", EchoTime="6")
    with killed_behind(monkeypatch, commits) as done:
        again()
    assert tuple(done) == COMMITS[:commits]
    again()

    assert table(spark, config, "images", "path", "SOPInstanceUID", "EchoTime") == [
        ("b.dcm", "2.25.1", 1.0), ("c.dcm", "2.25.3", 3.5), ("d.dcm", "2.25.4", 4.25), ("e.dcm", "2.25.5", 5.0),
        ("f.dcm", "2.25.6", 6.0),
    ]  # fmt: skip
    assert len(table(spark, config, "headers", "path")) == 6
    assert table(spark, config, "quarantine", "path", "reason") == []
    assert [path for (path,) in history(spark, config, "images", "path")] == ["a.dcm", "d.dcm"]
    for name in ("series", "studies"):
        assert sum(count for (count,) in table(spark, config, name, "image_count")) == 5
