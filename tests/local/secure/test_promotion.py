import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.check import check
from smi_spark.config import Config, Keys, KeySource
from smi_spark.errors import ConfigError, InputError, MachineError, TableError
from smi_spark.schema import load_schema
from smi_spark.secure import promotion
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.portions import Partition, Portion, portions
from smi_spark.secure.promotion import Promoted, filled, promote_columns

WriteDicom = Callable[..., Path]
LATER = ("ScanOptions", "EchoTime")  # a list and a number, in the order of the schema
BAD = {"tag": "(0018,0081)", "raw": "long", "reason": "not a number"}


def images(config: Config) -> tables.Table:
    return tables.table(config, "secure/images")


def read(spark: SparkSession, config: Config) -> DataFrame:
    return tables.read(spark, images(config))


def version(spark: SparkSession, config: Config) -> int:
    return tables.latest_version(spark, images(config))


def write_files(source: Path, write_dicom: WriteDicom) -> dict[str, float | None]:
    """Images of two partitions, one filled from a second file, one file that cannot be used, one with a bad value; and
    the echo time of each image as pydicom reads it.
    """
    write_dicom(source / "a.dcm", "2.25.11", EchoTime="4.5", FlipAngle="30")
    write_dicom(source / "b.dcm", "2.25.12", Modality="MR", StudyDate="20190101", EchoTime="90", ScanOptions="FS")
    write_dicom(source / "c.dcm", "2.25.13")
    bad = write_dicom(source / "d.dcm", "2.25.14", SliceThickness="9991", EchoTime="9992")
    bad.write_bytes(bad.read_bytes().replace(b"9991", b"thin").replace(b"9992", b"long"))
    write_dicom(source / "z/more of a.dcm", "2.25.11", ScanOptions="FS\\PFP")
    write_dicom(source / "z/no study.dcm", "2.25.15", EchoTime="98", StudyInstanceUID=None)
    times = {name: pydicom.dcmread(source / name).get("EchoTime") for name in ("a.dcm", "b.dcm", "c.dcm")}
    return {**{name: None if time is None else float(time) for name, time in times.items()}, "d.dcm": None}


@dataclass(frozen=True)
class Archive:
    """An installation whose images lack LATER and whose files are gone, and what they would be with them."""

    config: Config
    whole: DataFrame
    times: dict[str, float | None]


@pytest.fixture(scope="module")
def archive(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, write_dicom: WriteDicom) -> Archive:
    place = tmp_path_factory.mktemp("archive")
    no_key = KeySource(env="SMI_SPARK_NO_KEY")
    config = Config(root=str(place / "data"), keys=Keys(archive=no_key, projects=no_key))
    times = write_files(place / "in", write_dicom)
    ingest_headers(spark, config, [str(place / "in")])
    whole = read(spark, config).localCheckpoint()
    errors = F.filter("value_errors", lambda error: error["tag"] != BAD["tag"])
    old = whole.withColumn("value_errors", errors).drop(*LATER).write.format("delta").mode("overwrite")
    old.option("overwriteSchema", "true").partitionBy("modality", "year").save(images(config).uri)
    shutil.rmtree(place / "in")
    return Archive(config, whole, times)


@pytest.fixture
def old(archive: Archive, config: Config) -> Config:
    """A copy of that installation."""
    shutil.copytree(archive.config.root, config.root)
    return config


def assert_filled(actual: DataFrame, archive: Archive) -> None:
    """The columns, all rows, and nothing else than what a table has that had them from the start."""
    expected = archive.whole.select(*actual.columns)
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_metadata=True)


def test_columns_come_from_headers_as_if_they_had_always_been_there(
    spark: SparkSession, old: Config, archive: Archive
) -> None:
    history = tables.history_of(images(old))
    left = read(spark, old).limit(1).withColumn("replaced_at", F.current_timestamp())
    left.withColumn("replaced_by", F.lit("run-2")).write.format("delta").save(history.uri)
    before = version(spark, old)
    with pytest.raises(MachineError) as found:
        check(old)
    assert (
        "✗ secure/images: ScanOptions is missing; EchoTime is missing. "
        "Run jobs/promote_columns.py, which adds them and fills them from secure/headers."
    ) in str(found.value).splitlines()

    done = promote_columns(spark, old)

    assert done == Promoted(LATER, partitions=2, images=4)
    assert str(done) == "ScanOptions, EchoTime: 4 images filled in 2 partitions"
    rows = read(spark, old)
    assert set(rows.columns) == set(archive.whole.columns)
    assert_filled(rows, archive)
    assert {row["path"]: row["EchoTime"] for row in rows.select("path", "EchoTime").collect()} == archive.times
    assert set(LATER) < set(tables.read(spark, history).columns)  # rows that leave the one fit into the other
    assert rows.schema["EchoTime"].metadata["comment"] == load_schema("images").column("EchoTime").meaning
    assert version(spark, old) == before + 4  # a property, the columns, two partitions at once, no property

    assert str(promote_columns(spark, old)) == "secure/images lacks none of the columns: nothing to promote"
    assert promote_columns(spark, old, ["EchoTime"]) == Promoted(())
    assert version(spark, old) == before + 4


def test_a_killed_run_is_completed_by_the_next(
    spark: SparkSession, old: Config, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    add_columns, rewrite = tables.add_columns, tables.rewrite

    def killed_at_once(*arguments: object) -> None:
        raise KeyboardInterrupt

    def killed_half_way(df: DataFrame, target: tables.Table, *, where: str, note: str) -> int:
        if done:
            raise KeyboardInterrupt
        done.append(where)
        return rewrite(df, target, where=where, note=note)

    monkeypatch.setattr(tables, "add_columns", killed_at_once)
    with pytest.raises(KeyboardInterrupt):
        promote_columns(spark, old, ["EchoTime"])
    monkeypatch.setattr(tables, "add_columns", add_columns)
    monkeypatch.setattr(tables, "rewrite", killed_half_way)
    monkeypatch.setattr(promotion, "_BROADCAST_ROWS", 1)  # a commit for each partition
    with pytest.raises(KeyboardInterrupt):
        promote_columns(spark, old, ["ScanOptions"])  # and EchoTime, which was begun
    monkeypatch.undo()

    assert done == ["(modality = 'CT' AND year = 2018)"]
    half = {row["path"]: row["EchoTime"] for row in read(spark, old).select("path", "EchoTime").collect()}
    assert half == {"a.dcm": 4.5, "b.dcm": None, "c.dcm": None, "d.dcm": None}
    unfinished = "ScanOptions, EchoTime are not filled in every partition. Run jobs/promote_columns.py again."
    with pytest.raises(MachineError, match=re.escape(f"✗ secure/images: {unfinished}")):
        check(old)

    assert promote_columns(spark, old) == Promoted(LATER, partitions=1, images=1)
    assert_filled(read(spark, old), archive)


def test_a_run_killed_behind_its_last_commit_leaves_nothing_to_fill(
    spark: SparkSession, old: Config, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_property = tables.set_property

    def killed_at_the_end(spark: SparkSession, target: tables.Table, name: str, value: str | None) -> None:
        if value is None:
            raise KeyboardInterrupt
        set_property(spark, target, name, value)

    monkeypatch.setattr(tables, "set_property", killed_at_the_end)
    with pytest.raises(KeyboardInterrupt):
        promote_columns(spark, old)
    monkeypatch.undo()

    assert promote_columns(spark, old) == Promoted(LATER, partitions=0, images=0)
    assert_filled(read(spark, old), archive)


def portion(rows: int) -> Portion:
    return Portion((Partition("MR", 2019, rows),))


def plan(df: DataFrame, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    df.explain()
    return capsys.readouterr().out


def test_small_partitions_are_filled_together_and_a_large_one_by_itself() -> None:
    sizes = {"CR": 40, "CT": 500, "DX": 60, "MG": 41, "MR": 59, "OTHER": 1}
    kinds = [Partition(modality, 2019, rows) for modality, rows in sizes.items()]

    together = [[one.modality for one in portion.partitions] for portion in portions(kinds, 100)]

    assert together == [["CR"], ["CT"], ["DX"], ["MG", "MR"], ["OTHER"]]
    assert [portion.where for portion in portions(kinds[3:5], 100)] == [
        "(modality = 'MG' AND year = 2019) OR (modality = 'MR' AND year = 2019)"
    ]
    assert list(portions([], 100)) == []


def test_a_portion_is_filled_without_a_shuffle(
    spark: SparkSession, old: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.add_columns(spark, images(old), ["EchoTime"])

    small = plan(filled(spark, old, portion(250_000), ["EchoTime"]), capsys)
    assert re.search(r"\bExchange\b", small) is None
    assert "BroadcastHashJoin" in small
    assert len(re.findall(r"PartitionFilters: \[[^\]]*modality[^\]]*MR[^\]]*2019", small)) == 2

    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")  # as with a partition of such a size
    try:
        large = plan(filled(spark, old, portion(250_001), ["EchoTime"]), capsys)
    finally:
        spark.conf.unset("spark.sql.autoBroadcastJoinThreshold")
    assert len(re.findall(r"\bExchange hashpartitioning\(source#\d+, path#\d+", large)) == 2
    assert "Exchange" not in large[large.index("MapInArrow") :]  # header bytes do not move


def test_what_cannot_be_promoted_is_said(spark: SparkSession, config: Config) -> None:
    with pytest.raises(TableError, match=r"secure/images does not exist"):
        promote_columns(spark, config)
    tables.create(spark, images(config))
    with pytest.raises(ConfigError, match=r"EchoTme is not a column\. .* Did you mean EchoTime\?"):
        promote_columns(spark, config, ["EchoTme"])
    with pytest.raises(
        InputError, match=r"images.yaml: age_at_study has no tag, so headers do not say what it holds\."
    ):
        promote_columns(spark, config, ["age_at_study"])
    assert version(spark, config) == 0
