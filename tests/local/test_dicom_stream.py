"""``spark.readStream.format("dicom")`` over a folder that grows."""

import json
import shutil
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

import smi_spark

CT = Path(str(get_testdata_file("CT_small.dcm", download=False)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The incoming folder, with two files."""
    incoming = tmp_path / "incoming"
    add(incoming, "day1/1.dcm", "day1/2.dcm")
    return incoming


def add(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CT, folder / name)


def start(spark: SparkSession, folder: Path, **options: str) -> StreamingQuery:
    smi_spark.register(spark)
    place = folder.parent
    stream = spark.readStream.format("dicom").option("columns", "Modality=Modality").option("settle", "0")
    stream = stream.options(**{"log": str(place / "log")} | options)
    writer = (
        stream.load(str(folder)).writeStream.format("delta").option("checkpointLocation", str(place / "checkpoint"))
    )
    return writer.start(str(place / "table"))


def run(spark: SparkSession, folder: Path, **options: str) -> None:
    """A stream from its start, or from where it stopped, until nothing is new."""
    query = start(spark, folder, **options)
    try:
        query.processAllAvailable()
    finally:
        query.stop()


def rows(spark: SparkSession, folder: Path) -> list[tuple[str, str, str | None]]:
    found = spark.read.format("delta").load(str(folder.parent / "table")).orderBy("path").collect()
    return [(row.path, row.Modality, row.reason) for row in found]


def test_files_that_come_while_the_stream_runs_are_given_once_each(spark: SparkSession, folder: Path) -> None:
    query = start(spark, folder)
    query.processAllAvailable()
    assert [path for path, _, _ in rows(spark, folder)] == ["day1/1.dcm", "day1/2.dcm"]
    add(folder, "day2/3.dcm", "day1/0.dcm")
    (folder / "day2" / "notes.txt").write_text("not an image")
    query.processAllAvailable()
    query.stop()
    assert rows(spark, folder) == [
        ("day1/0.dcm", "CT", None),
        ("day1/1.dcm", "CT", None),
        ("day1/2.dcm", "CT", None),
        ("day2/3.dcm", "CT", None),
        ("day2/notes.txt", None, "not_dicom"),
    ]


def test_a_stream_that_is_started_again_gives_only_what_is_new_even_if_it_is_older(
    spark: SparkSession, folder: Path
) -> None:
    run(spark, folder)
    shutil.copy2(CT, folder / "day1" / "3.dcm")  # keeps its old time of change, as rsync does
    run(spark, folder)
    run(spark, folder)
    assert [path for path, _, _ in rows(spark, folder)] == ["day1/1.dcm", "day1/2.dcm", "day1/3.dcm"]


def test_a_batch_that_was_killed_before_its_commit_is_completed_with_the_same_files(
    spark: SparkSession, folder: Path
) -> None:
    run(spark, folder)
    add(folder, "day1/3.dcm")
    run(spark, folder)
    commits = folder.parent / "checkpoint" / "commits"
    for file in (commits / "1", commits / ".1.crc"):
        file.unlink()
    add(folder, "day1/4.dcm")
    run(spark, folder)
    assert [path for path, _, _ in rows(spark, folder)] == ["day1/1.dcm", "day1/2.dcm", "day1/3.dcm", "day1/4.dcm"]


def test_the_offset_is_a_number_however_many_files_there_are(spark: SparkSession, folder: Path) -> None:
    add(folder, *(f"day3/{number}.dcm" for number in range(300)))
    run(spark, folder)
    offsets = [file for file in (folder.parent / "checkpoint" / "offsets").iterdir() if file.suffix != ".crc"]
    ours = [json.loads(file.read_text().splitlines()[-1]) for file in offsets]
    assert [sorted(offset) for offset in ours] == [["batch", "stream"]]
    assert all(len(json.dumps(offset)) < 100 for offset in ours)
    assert len(rows(spark, folder)) == 302


def test_a_batch_has_no_more_files_than_asked_for(spark: SparkSession, folder: Path) -> None:
    add(folder, "day1/3.dcm")
    run(spark, folder, maxFilesPerTrigger="2")
    offsets = [file.name for file in (folder.parent / "checkpoint" / "offsets").iterdir() if file.suffix != ".crc"]
    assert sorted(offsets) == ["0", "1"]
    assert len(rows(spark, folder)) == 3


def test_available_now_takes_what_is_there_and_ends(spark: SparkSession, folder: Path) -> None:
    smi_spark.register(spark)
    place = folder.parent
    stream = spark.readStream.format("dicom").options(columns="Modality=Modality", settle="0", log=str(place / "log"))
    writer = stream.load(str(folder)).writeStream.format("delta").trigger(availableNow=True)
    query = writer.option("checkpointLocation", str(place / "checkpoint")).start(str(place / "table"))
    assert query.awaitTermination(120)
    assert [path for path, _, _ in rows(spark, folder)] == ["day1/1.dcm", "day1/2.dcm"]


def test_a_folder_that_is_not_there_is_named(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises((PySparkException, StreamingQueryException), match=r"source .*nowhere does not exist here"):
        run(spark, tmp_path / "nowhere")


def test_an_option_that_is_no_number_is_named(spark: SparkSession, folder: Path) -> None:
    with pytest.raises((PySparkException, StreamingQueryException), match="options settle and maxFilesPerTrigger"):
        run(spark, folder, settle="soon")
