"""A view a modality, over real files: a report, an electrocardiogram and a CT slice."""

import shutil
from pathlib import Path

import pydicom.data
import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.views import columns_of, register_views
from tests.conftest import make_config
from tests.rows import frame

FILES = ("reportsi.dcm", "waveform_ecg.dcm", "CT_small.dcm")


@pytest.fixture(scope="module")
def archive(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    place = tmp_path_factory.mktemp("views")
    (place / "in").mkdir()
    for name in FILES:
        shutil.copy(Path(pydicom.data.__file__).parent / "test_files" / name, place / "in")
    config = make_config(place)
    ingest_headers(spark, config, [str(place / "in")])
    return config


def test_reports_and_electrocardiograms_are_rows_of_their_views(spark: SparkSession, archive: Config) -> None:
    register_views(spark, archive)

    (report,) = spark.sql("SELECT * FROM images_sr").collect()
    assert (report.path, report.file_size, report.year) == ("reportsi.dcm", 2_968, 2005)
    assert (report.CompletionFlag, report.VerificationFlag) == ("PARTIAL", "UNVERIFIED")
    (ecg,) = spark.sql("SELECT * FROM images_other").collect()
    assert (ecg.path, ecg.modality_as_written, ecg.year) == ("waveform_ecg.dcm", "ECG", 2013)
    assert (ecg.NumberOfWaveformChannels, ecg.NumberOfWaveformSamples) == ([12, 12], [10_000, 1_200])
    assert (ecg.SamplingFrequency, ecg.WaveformBitsAllocated) == ([1000.0, 1000.0], [16, 16])
    assert spark.table("images_sr").columns == columns_of("SR", "secure")


def test_a_view_reads_the_partitions_of_its_modality_alone(
    spark: SparkSession, archive: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    view = register_views(spark, archive)["images_ct"].where("year = 2004")

    view.explain()
    (filters,) = (line for line in capsys.readouterr().out.splitlines() if "PartitionFilters" in line)
    assert "(modality" in filters.partition("PartitionFilters: [")[2].partition("]")[0]
    assert {Path(file).parent.parent.name for file in view.inputFiles()} == {"modality=CT"}


def test_views_of_zone_two_have_its_columns(spark: SparkSession, config: Config) -> None:
    images = frame(
        spark, "images", [{"modality": "MR", "year": 2020, "patient_id": "p", "EchoTime": 4.5}], "deidentified"
    )
    tables.append(images, tables.table(config, "deidentified/images"))

    register_views(spark, config, "deidentified")

    assert [tuple(row) for row in spark.sql("SELECT patient_id, EchoTime FROM images_mr").collect()] == [("p", 4.5)]
    assert spark.table("images_ct").columns == columns_of("CT", "deidentified")
