"""What a definition asks of images, on some that can be checked by eye."""

from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from smi_spark.analysis.selection import Left, attrition, select_images
from smi_spark.schema import load_schema
from tests.cohorts import chosen_of, cohort, local_rows

MR = {"modality": "MR", "year": 2020, "StudyDate": date(2020, 5, 31), "patient_id": "ann", "StudyInstanceUID": "s1"}
IMAGES: list[dict[str, Any]] = [
    {**MR, "SOPInstanceUID": "1", "SeriesInstanceUID": "a", "mr_sequence_label": "T1", "plane_label": "axial",
     "SliceThickness": 1.0, "ImageType": ["ORIGINAL", "PRIMARY"], "Rows": 512, "PixelSpacing": [0.5, 0.5]},
    {**MR, "SOPInstanceUID": "2", "SeriesInstanceUID": "a", "mr_sequence_label": "T1", "plane_label": "axial",
     "SliceThickness": 2.0, "ImageType": ["ORIGINAL", "PRIMARY"], "Rows": 256, "PixelSpacing": [0.5, 2.0]},
    {**MR, "SOPInstanceUID": "3", "SeriesInstanceUID": "b", "mr_sequence_label": "FLAIR", "plane_label": "coronal",
     "SliceThickness": 5.0, "ImageType": ["DERIVED", "SECONDARY", "MPR"], "Rows": 512, "is_original": False},
    {**MR, "SOPInstanceUID": "4", "SeriesInstanceUID": "c", "StudyInstanceUID": "s2", "patient_id": "bob",
     "mr_sequence_label": "T1", "ManufacturerModelName": "Skyra", "AcquisitionDate": date(2020, 5, 30)},
    {**MR, "SOPInstanceUID": "5", "SeriesInstanceUID": "c", "StudyInstanceUID": "s2", "patient_id": "cat",
     "mr_sequence_label": "unknown", "ManufacturerModelName": "Skyra Fit", "face_risk": "high", "is_original": True},
    {**MR, "SOPInstanceUID": "6", "modality": "CT", "patient_id": None, "ct_kind_label": "axial", "Rows": 512,
     "StudyInstanceUID": "s3", "SeriesInstanceUID": "d", "SliceThickness": 1.0, "ImageType": []},
    {**MR, "SOPInstanceUID": "7", "modality": "CT", "patient_id": None, "ct_kind_label": "scout",
     "StudyInstanceUID": "s3", "SeriesInstanceUID": "d", "StudyDate": None, "year": 0},
]  # fmt: skip
WANTED: dict[str, tuple[dict[str, Any], str]] = {
    "a label": ({"mr_sequence": "T1"}, "124"),
    "labels of two kinds": ({"mr_sequence": ["T1", "FLAIR"], "plane": "axial"}, "12"),
    "a risk": ({"face_risk": ["high"]}, "5"),
    "a number": ({"having": {"SliceThickness": 1}}, "16"),
    "numbers from and to": ({"having": {"SliceThickness": {"at_least": 1.5, "at_most": 5}}}, "23"),
    "two columns": ({"having": {"SliceThickness": {"at_most": 2}, "Rows": 512}}, "16"),
    "one of several values": ({"having": {"ImageType": "MPR"}}, "3"),
    "several values, of which one lies between": ({"having": {"PixelSpacing": {"at_least": 1, "at_most": 3}}}, "2"),
    "several values, of which none lies between": ({"having": {"PixelSpacing": {"at_least": 0.6, "at_most": 1}}}, ""),
    "a beginning": ({"having": {"ManufacturerModelName": {"begins_with": ["Sky", "Ava"]}}}, "45"),
    "the whole text": ({"having": {"ManufacturerModelName": "Skyra"}}, "4"),
    "a truth": ({"having": {"is_original": True}}, "5"),
    "a day": ({"having": {"AcquisitionDate": {"at_least": "2020-05-30"}}}, "4"),
    "no value": ({"having": {"SliceThickness": {"present": False}}}, "457"),
    "no value of several": ({"having": {"ImageType": {"present": False}}}, "4567"),
    "a value": ({"having": {"ImageType": {"present": True}}}, "123"),
    "either kind": ({"any_of": [{"modality": "MR", "mr_sequence": "FLAIR"}, {"ct_kind": "axial"}]}, "36"),
    "neither kind": ({"none_of": [{"mr_sequence": "T1"}, {"having": {"Rows": 512, "SliceThickness": 1}}]}, "357"),
    "many images a series": ({"each_series": {"images": {"at_least": 2}}}, "1267"),
    "few images a series": ({"each_series": {"images": {"at_most": 1}}}, "345"),
    "many images a series, of those wanted": ({"ct_kind": "axial", "each_series": {"images": {"at_least": 2}}}, ""),
    "many series a study": ({"each_study": {"series": {"at_least": 2}}}, "123"),
    "many images a study": ({"each_study": {"images": {"at_least": 3}}}, "123"),
    "many large series a study": (
        {"each_series": {"images": {"at_least": 2}}, "each_study": {"series": {"at_least": 2}}}, "",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def images(spark: SparkSession) -> DataFrame:
    types = {column.name: column.type for column in load_schema("images").in_zone("deidentified")}
    names = sorted({name for image in IMAGES for name in image})
    schema = ", ".join(f"{name} {types[name]}" for name in names)
    return local_rows(spark, schema, [[image.get(name) for name in names] for image in IMAGES])


def test_each_definition_chooses_these_images(images: DataFrame) -> None:
    found = chosen_of({name: select_images(images, {}, cohort(images=asked)) for name, (asked, _) in WANTED.items()})
    assert found == {name: list(expected) for name, (_, expected) in WANTED.items()}


def test_the_attrition_of_counts_takes_the_series_and_then_the_study(images: DataFrame) -> None:
    definition = cohort(
        images={
            "modality": "MR", "having": {"SliceThickness": {"at_least": 1}},
            "each_series": {"images": {"at_most": 2}},
            "each_study": {"series": {"at_least": 2}, "images": {"at_least": 4}},
        }
    )  # fmt: skip
    assert attrition(images, {}, definition) == (
        Left(1, "MR images", 3, 3, 5),
        Left(2, "SliceThickness at least 1 mm", 1, 1, 3),
        Left(3, "at most 2 images a series", 1, 1, 3),
        Left(4, "at least 2 series a study", 1, 1, 3),
        Left(5, "at least 4 images a study", 0, 0, 0),
    )
