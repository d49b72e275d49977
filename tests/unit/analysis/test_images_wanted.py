"""Images wanted: what a right definition asks of them, and what a wrong one says."""

from typing import Any

import pytest

from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.errors import ConfigError

PLACE = "conf/cohorts/brain.yaml"


def wanting(**images: Any) -> Definition:
    return read_definition({"cohort": "c", "project": "p", "question": "Who?", "images": images}, PLACE)


def error(**images: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        wanting(**images)
    return str(raised.value).removeprefix(f"{PLACE}: ")


def having(**columns: Any) -> str:
    return error(having=columns)


def test_a_value_alone_is_a_list_of_one() -> None:
    long = {"ManufacturerModelName": {"one_of": ["Avanto"]}, "SliceThickness": {"one_of": [2]}}
    short = {"ManufacturerModelName": "Avanto", "SliceThickness": 2.0}
    assert wanting(having=long).sha256() == wanting(having=short).sha256()
    several = {"SliceThickness": [1.5, 2], "ManufacturerModelName": ["Avanto", "Skyra"]}
    turned = {"ManufacturerModelName": ["Skyra", "Avanto", "Skyra"], "SliceThickness": [2.0, 1.5]}
    assert wanting(having=several).sha256() == wanting(having=turned).sha256()


def test_what_is_left_out_does_not_change_the_hash_of_definitions_of_before() -> None:
    assert wanting(modality="CT", sex="F").to_json() == (
        '{"cohort":"c","deliver":{"records":{}},"images":{"modality":["CT"],"sex":["F"]},"project":"p","question":"Who?",'
        '"records":{"excluded":[],"required":[]}}'
    )


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"SliceThicknes": 2},
         "images.having: SliceThicknes is not a column of images in zone 2. docs/data-dictionary.md lists them. "
         "Did you mean SliceThickness?"),
        ({"SliceThickness": {"at_leest": 2}},
         "images.having.SliceThickness.at_leest is not a field. "
         "Fields here: one_of, begins_with, at_least, at_most, present. Did you mean at_least?"),
        ({"SliceThickness": "thin"},
         "images.having.SliceThickness.one_of: 'thin' is not a number, as SliceThickness is."),
        ({"SliceThickness": {"at_least": 3, "at_most": 2}},
         "images.having.SliceThickness: nothing is at least 3 and at most 2."),
        ({"Rows": 512.5}, "images.having.Rows.one_of: 512.5 is not a whole number, as Rows is."),
        ({"Rows": {"begins_with": "5"}},
         "images.having.Rows.begins_with: Rows is a whole number. Ask for one_of or present, at_least or at_most."),
        ({"SeriesDescription": True},
         "images.having.SeriesDescription.one_of: True is not text, as SeriesDescription is. Write it in quotes."),
        ({"StudyTime": {"at_least": "120000"}},
         "images.having.StudyTime.at_least: StudyTime is text, which has no least and most. "
         "Ask for one_of, begins_with or present."),
        ({"AcquisitionDate": {"at_least": "May 2015"}},
         "images.having.AcquisitionDate.at_least: 'May 2015' is not a date, as AcquisitionDate is. "
         "Write it as 2015-01-31."),
        ({"is_original": "yes"}, "images.having.is_original.one_of: 'yes' is not true or false, as is_original is."),
        ({"StudyInstanceUID": "2.25.1"}, "images.having.StudyInstanceUID: StudyInstanceUID is an id, "
                                         "of which a definition asks nothing. Take it out."),
        ({"PatientName": "A"}, "images.having.PatientName: PatientName stands in no table beyond zone 1. Take it out."),
        ({"kvp": {"at_least": 100}}, "images.having: kvp is not a column of images in zone 2. "
                                     "docs/data-dictionary.md lists them. Did you mean KVP?"),
        ({"KVP": {"at_least": "100"}}, "images.having.KVP.at_least: '100' is not a number, as KVP is. "
                                       "Write it without quotes."),
        ({"Rows": {}}, "images.having.Rows: nothing is asked: give a value, or one_of, at_least …"),
        ({"Rows": {"present": False, "at_least": 2}},
         "images.having.Rows: what is not there has no value: ask for one of the two"),
    ],
)  # fmt: skip
def test_a_wrong_condition_on_a_column_is_named(columns: dict[str, Any], told: str) -> None:
    assert having(**columns).startswith(told)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ({"mr_sequence": "FLAR"}, "images.mr_sequence: FLAR is not a value. Values here: "),
        ({"face_risk": "maybe"}, "images.face_risk: maybe is not a value. Values here: none, low, possible, high."),
        ({"modality": ["CT", "PT"], "mr_sequence": "T1"},
         "images.mr_sequence: only MR images have it, and these are CT or PT. Nothing is both."),
        ({"modality": "CT", "any_of": [{"body_part": "head"}, {"mr_sequence": "T1"}]},
         "images.any_of[1].mr_sequence: only MR images have it, and these are CT. Nothing is both."),
        ({"any_of": [{"modality": "CT", "having": {"Rowz": 5}}]}, "images.any_of[0].having: Rowz is not a column of "),
        ({"none_of": [{}]},
         "images.none_of[0]: nothing is asked of it, so that it means all images. Give it a field."),
        ({"none_of": [{"plain": "axial"}]}, "images.none_of[0].plain is not a field. Fields here: modality, "),
        ({"each_series": {"images": {}}}, "images.each_series.images: nothing is asked: give at_least or at_most."),
        ({"each_series": {"images": {"at_least": 3, "at_most": 2}}},
         "images.each_series.images: nothing is at least 3 and at most 2."),
        ({"each_study": {}}, "images.each_study: nothing is asked: give series or images."),
        ({"each_study": {"image": {"at_least": 2}}},
         "images.each_study.image is not a field. Fields here: series, images. Did you mean images?"),
        ({"each_series": {"images": 20}},
         "images.each_series.images: fields are wanted here: at_least, at_most. Given: 20. "
         "It is: at_least and at_most, images of the series."),
    ],
)  # fmt: skip
def test_a_wrong_field_of_images_is_named(images: dict[str, Any], told: str) -> None:
    assert error(**images).startswith(told)


def test_the_nearest_label_is_named() -> None:
    assert error(mr_sequence="FLAR").endswith("Did you mean FLAIR?")


def test_every_column_that_is_looked_at_is_told_with_its_place() -> None:
    definition = wanting(
        modality="MR", age={"min": 18}, having={"SliceThickness": {"at_most": 2}},
        any_of=[{"plane": "axial"}, {"having": {"PatientWeight": {"present": True}}}], none_of=[{"sex": "F"}],
    )  # fmt: skip
    assert list(definition.images.looked_at()) == [
        ("modality", "modality"), ("age", "age_at_study"), ("having.SliceThickness", "SliceThickness"),
        ("any_of[0].plane", "plane_label"), ("any_of[1].having.PatientWeight", "PatientWeight"),
        ("none_of[0].sex", "PatientSex"),
    ]  # fmt: skip
