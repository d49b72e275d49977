"""``spark.read.format("dicom")`` over a folder of a few files."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import smi_spark
from smi_spark.schema import load_schema

PUSHDOWN = "spark.sql.python.filterPushdown.enabled"
FEW = "SOPInstanceUID, modality_as_written, Rows, echo=EchoTime"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two CT files in a folder, one MR in another, and a text at the root."""
    root = tmp_path_factory.mktemp("archive")
    for folder, name, source in (
        ("ct", "1.dcm", "CT_small.dcm"),
        ("ct/deep", "2.dcm", "CT_small.dcm"),
        ("mr", "3.dcm", "MR_small.dcm"),
    ):
        (root / folder).mkdir(exist_ok=True)
        shutil.copy(str(get_testdata_file(source, download=False)), root / folder / name)
    (root / "notes.txt").write_text("not an image")
    return root


@pytest.fixture
def dicom(spark: SparkSession) -> Iterator[SparkSession]:
    smi_spark.register(spark)
    yield spark
    spark.conf.unset(PUSHDOWN)


def test_a_folder_is_read_with_everything_below_it(dicom: SparkSession, archive: Path) -> None:
    rows = dicom.read.format("dicom").option("columns", FEW).load(str(archive)).orderBy("path").collect()
    assert [(r.path, r.modality_as_written, r.Rows, r.echo, r.reason) for r in rows] == [
        ("ct/1.dcm", "CT", 128, None, None),
        ("ct/deep/2.dcm", "CT", 128, None, None),
        ("mr/3.dcm", "MR", 64, 240.0, None),
        ("notes.txt", None, None, None, "not_dicom"),
    ]
    assert {r.source for r in rows} == {str(archive)}


def test_without_the_option_all_image_columns_are_there_with_their_types(dicom: SparkSession, archive: Path) -> None:
    df = dicom.read.format("dicom").load(str(archive / "mr"))
    images = {f.name: f.dataType for f in load_schema("images").spark("secure")}
    tags = load_schema("images").tags()
    assert df.columns == ["source", "path", *tags, "value_errors", "reason", "detail"]
    assert {f.name: f.dataType for f in df.schema if f.name in tags} == {name: images[name] for name in tags}
    assert df.select("StudyDate", "PixelSpacing").first() == (
        date(2004, 8, 26),
        [0.3125, 0.3125],
    )


def test_a_glob_and_a_list_are_taken(dicom: SparkSession, archive: Path) -> None:
    reader = dicom.read.format("dicom").option("columns", "Rows")
    assert {r.path for r in reader.load(f"{archive}/**/*.dcm").collect()} == {"ct/1.dcm", "ct/deep/2.dcm", "mr/3.dcm"}
    both = reader.load([str(archive / "mr"), str(archive / "ct/1.dcm")])
    assert {(r.source, r.path) for r in both.collect()} == {
        (str(archive / "mr"), "3.dcm"),
        (str(archive / "ct/1.dcm"), "1.dcm"),
    }


@pytest.mark.parametrize("pushdown", ["true", "false"])
def test_filters_give_the_same_rows_whether_pushed_down_or_not(
    dicom: SparkSession, archive: Path, pushdown: str
) -> None:
    dicom.conf.set(PUSHDOWN, pushdown)
    df = dicom.read.format("dicom").option("columns", FEW).load(str(archive))
    assert {r.path for r in df.where("reason IS NULL AND Rows > 64").collect()} == {"ct/1.dcm", "ct/deep/2.dcm"}
    assert {r.path for r in df.where(F.col("modality_as_written").isin("MR", "US")).collect()} == {"mr/3.dcm"}
    assert {r.path for r in df.where("modality_as_written != 'MR'").collect()} == {"ct/1.dcm", "ct/deep/2.dcm"}
    plan = df.where("modality_as_written = 'MR'")._jdf.queryExecution().executedPlan().toString()
    assert ("Filter" not in plan.split("BatchScan")[0]) == (pushdown == "true")


def test_an_unknown_column_is_named_with_the_nearest(dicom: SparkSession, archive: Path) -> None:
    with pytest.raises(PySparkException, match=r"Modalty is neither a column .* Did you mean Modality"):
        dicom.read.format("dicom").option("columns", "Modalty").load(str(archive)).collect()


def test_a_root_that_is_not_there_is_named(dicom: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match=r"source .*/absent does not exist"):
        dicom.read.format("dicom").load(str(tmp_path / "absent")).collect()
