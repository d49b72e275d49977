import os
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, Ingest, Keys, KeySource
from smi_spark.errors import QuarantineThresholdError, SourceError
from smi_spark.secure.admission import admit
from smi_spark.secure.images import decode_images
from smi_spark.secure.ingest import IngestCounts, ingest_headers, list_new, read_new
from smi_spark.secure.instances import index_new
from smi_spark.secure.partitions import placed
from smi_spark.secure.quarantine import count_reasons, quarantine
from smi_spark.secure.runs import Run, stamps

TABLES = ("files", "headers", "instances", "images", "quarantine")
WriteDicom = Callable[..., Path]


def read(spark: SparkSession, config: Config, name: str) -> DataFrame:
    return tables.read(spark, tables.table(config, f"secure/{name}"))


def rows(df: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in df.select(*columns).collect())


def versions(spark: SparkSession, config: Config) -> list[int]:
    return [tables.latest_version(spark, tables.table(config, f"secure/{name}")) for name in TABLES]


def write_mixed(folder: Path, write_dicom: WriteDicom) -> None:
    """Two good images, one of them twice, and two files that cannot be used."""
    write_dicom(folder / "a/1.dcm", "2.25.11", EchoTime="4.5")
    write_dicom(folder / "a/copy, of #1 100%.dcm", "2.25.11", EchoTime="4.5")
    write_dicom(folder / "b/2.dcm", "2.25.12", Modality="MR", StudyDate="", SeriesDate="20190101")
    write_dicom(folder / "b/3.dcm", "2.25.13", StudyInstanceUID=None)
    (folder / "note.txt").write_text("no image")


def blank(path: Path) -> None:
    """Zeros in place of what a file holds; its size and time stay."""
    state = path.stat()
    path.write_bytes(bytes(state.st_size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@dataclass(frozen=True)
class Ingested:
    """An installation that took in one folder, and what the folder held before."""

    config: Config
    source: Path
    counts: IngestCounts
    before: dict[str, tuple[bytes, int]]


@pytest.fixture(scope="module")
def ingested(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, write_dicom: WriteDicom) -> Ingested:
    place = tmp_path_factory.mktemp("ingested")
    write_mixed(place / "in", write_dicom)
    before = contents(place / "in")
    no_key = KeySource(env="SMI_SPARK_NO_KEY")
    config = Config(
        root=str(place / "data"), keys=Keys(archive=no_key, projects=no_key), ingest=Ingest(max_bad_fraction=1.0)
    )
    return Ingested(config, place / "in", ingest_headers(spark, config, [str(place / "in")]), before)


def test_good_files_become_images_and_bad_ones_are_quarantined(spark: SparkSession, ingested: Ingested) -> None:
    config, source, counts = ingested.config, ingested.source, ingested.counts

    assert rows(read(spark, config, "images"), "path", "modality", "year", "SOPInstanceUID", "EchoTime", "source") == [
        ("a/1.dcm", "CT", 2018, "2.25.11", 4.5, str(source)),
        ("b/2.dcm", "MR", 2019, "2.25.12", None, str(source)),
    ]
    quarantined = read(spark, config, "quarantine")
    assert rows(quarantined, "table", "path", "reason", "run_id") == [
        ("images", "a/copy, of #1 100%.dcm", "identical_copy", counts.run_id),
        ("images", "b/3.dcm", "no_study_instance_uid", counts.run_id),
        ("images", "note.txt", "not_dicom", counts.run_id),
    ]
    assert rows(read(spark, config, "headers").where("header is null"), "path", "modality", "year") == [
        ("note.txt", "UNREAD", 0)
    ]
    sizes = rows(read(spark, config, "files"), "path", "size")
    assert sizes == sorted((path, len(content)) for path, (content, _) in ingested.before.items())
    assert contents(source) == ingested.before
    assert str(counts).startswith("5 new files, 5 read (")
    assert str(counts).endswith(
        "2 images added, 3 files quarantined (identical_copy 1, no_study_instance_uid 1, not_dicom 1)"
    )


def test_a_run_writes_down_what_it_was_given_and_what_it_took(spark: SparkSession, ingested: Ingested) -> None:
    config, counts = ingested.config, ingested.counts
    (run,) = read(spark, config, "runs").collect()
    took = read(spark, config, "headers").agg(F.sum("bytes_read"), F.sum("requests")).collect()[0]

    assert (run.run_id, run.job, run.inputs) == (counts.run_id, "ingest_headers", [str(ingested.source)])
    assert {row.name: row.value for row in run.counts} == {
        "listed": 5, "read": 5, "images": 2, "quarantined": 3, "studies": 1,
    }  # fmt: skip
    assert (run.bytes_read, run.requests) == tuple(took)
    assert run.files_per_second == 5 / run.seconds
    assert 0 < run.cpu_seconds <= run.seconds * (os.cpu_count() or 1)  # of this run, not since Spark's start
    assert run.energy_wh == run.cpu_seconds * 3.5 / 3600
    for name in ("headers", "images"):
        (row,) = read(spark, config, name).select("run_id", "valid_from", "engine_version").distinct().collect()
        assert (row.run_id, row.engine_version) == (run.run_id, run.engine_version)
        assert run.started_at < row.valid_from < run.ended_at


def test_images_are_made_of_headers_in_one_step(
    spark: SparkSession, ingested: Ingested, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of so many columns are not copied by a projection behind the decoding."""
    headers = read(spark, ingested.config, "headers")
    capsys.readouterr()
    decode_images(headers, stamps("run-1")).explain()

    first, *_ = re.findall(r"[A-Z]\w+", capsys.readouterr().out.partition("== Physical Plan ==")[2])
    assert first == "MapInArrow"


def test_only_new_files_are_read_and_a_run_without_any_writes_no_version(
    spark: SparkSession, config: Config, tmp_path: Path, write_dicom: WriteDicom
) -> None:
    source = tmp_path / "in"
    write_mixed(source, write_dicom)
    ingest_headers(spark, config, [str(source)])
    before = versions(spark, config)

    again = ingest_headers(spark, config, [str(source), str(source / "*")])

    assert (again.listed, again.read, again.images, again.quarantined) == (0, 0, 0, 0)
    assert versions(spark, config) == before

    for path in source.rglob("*.dcm"):
        blank(path)  # whoever reads it again finds nothing in it
    write_dicom(source / "a/0.dcm", "2.25.11", EchoTime="4.5")  # sorts before the image that is there, which stays
    write_dicom(source / "c/9.dcm", "2.25.19", Modality="XX", StudyDate=None)
    later = ingest_headers(spark, config, [str(source)])

    assert (later.listed, later.read, later.images) == (2, 2, 1)
    assert later.reasons == {"identical_copy": 1}
    assert rows(read(spark, config, "images"), "path", "modality", "year") == [
        ("a/1.dcm", "CT", 2018), ("b/2.dcm", "MR", 2019), ("c/9.dcm", "OTHER", 0),
    ]  # fmt: skip
    assert count_reasons(spark, config) == {"identical_copy": 2, "no_study_instance_uid": 1, "not_dicom": 1}


def test_a_run_killed_after_any_commit_is_completed_by_the_next(
    spark: SparkSession, config: Config, ingested: Ingested
) -> None:
    source, killed = str(ingested.source), config

    first, second, third = (Run(f"run-{number}", "", datetime.now(UTC)) for number in (1, 2, 3))
    list_new(spark, killed, [source], first)
    list_new(spark, killed, [source], second)
    read_new(spark, killed, second)
    list_new(spark, killed, [source], third)
    read_new(spark, killed, third)
    index_new(spark, killed, third)
    admit(spark, killed, third, None)
    tables.delete(read(spark, killed, "quarantine"), quarantine(killed), quarantine(killed).schema.key)
    completing = ingest_headers(spark, killed, [source])

    assert (completing.listed, completing.read, completing.images, completing.quarantined) == (0, 0, 0, 3)
    assert versions(spark, killed)[:-1] == versions(spark, ingested.config)[:-1]
    for name in TABLES:
        ours = {"run_id", "state_run_id", "listed_run_id", "first_seen", "quarantined_at", "valid_from"}
        actual, expected = (read(spark, c, name).drop(*ours) for c in (killed, ingested.config))
        assert_df_equality(actual, expected, ignore_row_order=True)


def test_too_many_bad_files_end_the_run_after_all_is_recorded(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text("no image")
    strict = config.model_copy(update={"ingest": Ingest(max_bad_fraction=0.5)})

    with pytest.raises(QuarantineThresholdError) as error:
        ingest_headers(spark, strict, [str(tmp_path / "in")])

    assert str(error.value).startswith(
        "2 of 2 files cannot be used (not_dicom 2), more than the "
        "50% that ingest.max_bad_fraction allows. All are recorded: see secure/quarantine, run "
    )
    assert read(spark, config, "images").isEmpty()
    assert read(spark, config, "quarantine").count() == 2


def test_a_source_that_is_not_there_is_said_before_anything_is_written(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="no_such does not exist here"):
        ingest_headers(spark, config, [str(tmp_path / "no_such")])
    assert not tables.exists(spark, tables.table(config, "secure/files"))


def test_modality_and_year_of_a_row_come_from_what_the_header_says(spark: SparkSession) -> None:
    columns = "modality_as_written string, StudyDate date, SeriesDate date, AcquisitionDate date, ContentDate date"
    cases: Iterable[tuple[tuple[Any, ...], tuple[str, int]]] = [
        (("CT", "2018-03-05", "2019-01-01", None, None), ("CT", 2018)),
        ((" mr ", None, "2019-01-01", "2020-01-01", None), ("MR", 2019)),
        (("ECG", None, None, "2020-01-01", "2021-01-01"), ("OTHER", 2020)),
        ((None, None, None, None, "2021-12-31"), ("OTHER", 2021)),
        (("SR", None, None, None, None), ("SR", 0)),
    ]
    texts = spark.createDataFrame([given for given, _ in cases], columns.replace(" date", " string"))
    frame = texts.select(*(texts[name].cast(kind) for name, kind in (c.split() for c in columns.split(", "))))

    assert [tuple(row) for row in placed(frame).select("modality", "year").collect()] == [want for _, want in cases]


def test_members_of_an_archive_are_taken_in_as_files_are(
    spark: SparkSession, config: Config, tmp_path: Path, write_dicom: WriteDicom
) -> None:
    write_dicom(tmp_path / "in/a/1.dcm", "2.25.21")
    with zipfile.ZipFile(tmp_path / "in/night.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(write_dicom(tmp_path / "elsewhere/2.dcm", "2.25.22"), "deep/2.dcm")
        archive.writestr("notes.txt", "no image")
    (tmp_path / "in/torn.zip").write_text("no archive")
    counts = ingest_headers(spark, config, [str(tmp_path / "in")])
    assert (counts.images, counts.quarantined) == (2, 2)
    assert rows(read(spark, config, "images"), "path", "SOPInstanceUID") == [
        ("a/1.dcm", "2.25.21"),
        ("night.zip!deep/2.dcm", "2.25.22"),
    ]
    assert rows(read(spark, config, "quarantine"), "path", "reason") == [
        ("night.zip!notes.txt", "not_dicom"),
        ("torn.zip!", "unreadable"),
    ]
    before = versions(spark, config)
    ingest_headers(spark, config, [str(tmp_path / "in")])
    assert versions(spark, config) == before
