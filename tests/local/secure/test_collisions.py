"""Several files of one SOP instance: copies collapse, complements fill each other, a contradiction isolates a study."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config, Ingest
from smi_spark.deidentified.pseudonymise import run as pseudonymise
from smi_spark.errors import InputError
from smi_spark.secure.ingest import IngestCounts, ingest_headers
from smi_spark.secure.retry import Selection, release, try_again

WriteDicom = Callable[..., Path]


@pytest.fixture
def ingest(spark: SparkSession, config: Config, tmp_path: Path) -> Callable[[], IngestCounts]:
    return lambda: ingest_headers(spark, config, [str(tmp_path / "in")])


@pytest.fixture
def table(spark: SparkSession, config: Config) -> Callable[..., list[tuple[Any, ...]]]:
    """The rows of a table, sorted."""

    def rows(name: str, *columns: str) -> list[tuple[Any, ...]]:
        found = tables.read_or_empty(spark, tables.table(config, name)).select(*columns)
        return sorted((tuple(row) for row in found.collect()), key=repr)

    return rows


def test_copies_collapse_and_complements_fill_each_other(
    ingest: Callable[[], IngestCounts], table: Callable[..., list[tuple[Any, ...]]], tmp_path: Path,
    write_dicom: WriteDicom, spark: SparkSession, config: Config,
) -> None:  # fmt: skip
    source = tmp_path / "in"
    write_dicom(source / "1.dcm", "2.25.1", EchoTime="4")
    write_dicom(source / "1 again.dcm", "2.25.1", EchoTime="4")
    write_dicom(source / "2a.dcm", "2.25.2", EchoTime="4", StudyDate=None)
    write_dicom(source / "2b.dcm", "2.25.2", FlipAngle="30")
    write_dicom(source / "3.dcm", "2.25.3", EchoTime="4")
    write_dicom(source / "4a.dcm", "2.25.4", StudyInstanceUID="2.25.9", EchoTime="4")
    write_dicom(source / "4b.dcm", "2.25.4", StudyInstanceUID="2.25.9", EchoTime="5")
    ingest()

    seen = ("path", "year", "EchoTime", "FlipAngle", "filled_from.path")
    assert table("secure/images", *seen) == [
        ("1 again.dcm", 2018, 4.0, None, None), ("2a.dcm", 2018, 4.0, 30.0, ["2b.dcm"]),
        ("3.dcm", 2018, 4.0, None, None),
    ]  # fmt: skip
    assert table("secure/quarantine", "path", "reason") == [
        ("1.dcm", "identical_copy"), ("4a.dcm", "conflicting_study"), ("4b.dcm", "conflicting_study"),
    ]  # fmt: skip
    pseudonymise(spark, config)

    write_dicom(source / "3 and more.dcm", "2.25.3", FlipAngle="30")
    (source / "2b.dcm").unlink()
    (source / "4b.dcm").unlink()
    counts = ingest()

    assert (counts.withdrawn, counts.images) == (2, 3)
    assert table("secure/images", *seen) == [
        ("1 again.dcm", 2018, 4.0, None, None), ("2a.dcm", 0, 4.0, None, None),
        ("3.dcm", 2018, 4.0, 30.0, ["3 and more.dcm"]), ("4a.dcm", 2018, 4.0, None, None),
    ]  # fmt: skip
    assert table("secure/quarantine", "path") == [("1.dcm",)]
    pseudonymise(spark, config)
    assert table("deidentified/images", "year", "EchoTime", "FlipAngle") == [
        (0, 4.0, None), (2018, 4.0, 30.0), (2018, 4.0, None), (2018, 4.0, None),
    ]  # fmt: skip
    before = tables.versions_below(Path(config.root))
    assert ingest().counts() == {}
    assert tables.versions_below(Path(config.root)) == before


@pytest.mark.long
def test_a_contradiction_isolates_the_study_until_a_person_releases_one_of_the_files(
    ingest: Callable[[], IngestCounts], table: Callable[..., list[tuple[Any, ...]]], tmp_path: Path,
    write_dicom: WriteDicom, spark: SparkSession, config: Config,
) -> None:  # fmt: skip
    source = tmp_path / "in"
    write_dicom(source / "1.dcm", "2.25.1", EchoTime="4", FlipAngle="30")
    write_dicom(source / "2.dcm", "2.25.2", StudyInstanceUID="2.25.1")
    write_dicom(source / "other study.dcm", "2.25.3", StudyInstanceUID="2.25.9")
    ingest()
    pseudonymise(spark, config)

    write_dicom(source / "1 otherwise.dcm", "2.25.1", EchoTime="5", FlipAngle="35")
    write_dicom(source / "3.dcm", "2.25.4", StudyInstanceUID="2.25.1")
    counts = ingest()

    assert (counts.withdrawn, counts.images, counts.reasons) == (2, 0, {"conflicting_study": 4})
    assert table("secure/images", "path") == [("other study.dcm",)]
    differs = "another file of the SOP instance differs in EchoTime, FlipAngle"
    isolated = "another instance of its study is contradicted"
    assert table("secure/quarantine", "path", "reason", "detail") == [
        ("1 otherwise.dcm", "conflicting_study", differs), ("1.dcm", "conflicting_study", differs),
        ("2.dcm", "conflicting_study", isolated), ("3.dcm", "conflicting_study", isolated),
    ]  # fmt: skip
    assert pseudonymise(spark, config).withdrawn == 2
    assert len(table("deidentified/images", "SOPInstanceUID")) == 1

    write_dicom(source / "4.dcm", "2.25.5", StudyInstanceUID="2.25.1")  # comes to a study that is isolated
    later = ingest()
    assert (later.images, later.reasons) == (0, {"conflicting_study": 1})

    with pytest.raises(InputError, match=r"^nothing in quarantine that is other study\.dcm can be released"):
        release(spark, config, Selection(paths=("other study.dcm",)))
    released = release(spark, config, Selection(paths=("1.dcm",)))
    assert str(released).startswith("1 files released: 0 new files, 0 read, 4 images added, 1 files quarantined")
    everything = [("1.dcm",), ("2.dcm",), ("3.dcm",), ("4.dcm",), ("other study.dcm",)]
    assert table("secure/images", "path") == everything
    assert table("secure/quarantine", "path", "reason") == [("1 otherwise.dcm", "set_aside")]

    (source / "1.dcm").unlink()
    ingest()
    assert table("secure/images", "path", "EchoTime")[0] == ("1 otherwise.dcm", 5.0)
    assert table("secure/quarantine", "path") == []


@pytest.mark.long
def test_a_strict_ingest_refuses_a_folder_for_one_bad_file_until_it_is_mended_and_tried_again(
    table: Callable[..., list[tuple[Any, ...]]], tmp_path: Path, write_dicom: WriteDicom, spark: SparkSession,
    config: Config,
) -> None:  # fmt: skip
    source, strict = tmp_path / "in", config.model_copy(update={"ingest": Ingest(strict=True, max_bad_fraction=1)})
    write_dicom(source / "a/1.dcm", "2.25.1")
    write_dicom(source / "a/2.dcm", "2.25.2", StudyInstanceUID=None)
    write_dicom(source / "b/3.dcm", "2.25.3")
    ingest_headers(spark, strict, [str(source)])

    assert table("secure/images", "path") == [("b/3.dcm",)]
    assert table("secure/quarantine", "path", "reason") == [
        ("a/1.dcm", "refused_folder"), ("a/2.dcm", "no_study_instance_uid"),
    ]  # fmt: skip
    write_dicom(source / "a/2.dcm", "2.25.2", EchoTime="4")
    try_again(spark, strict, Selection(reasons=("no_study_instance_uid",)))
    assert table("secure/images", "path") == [("a/1.dcm",), ("a/2.dcm",), ("b/3.dcm",)]
    assert table("secure/quarantine", "path") == []
