"""Rows in, labels out, by the rules of conf/labels."""

from typing import Any

import pytest

from smi_spark.deidentified.label_rows import labels_of
from smi_spark.deidentified.label_rules import label_columns
from smi_spark.schema import load_schema

AXIAL, SAGITTAL, CORONAL = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]
MR = {"modality_as_written": "MR", "ImageType": ["ORIGINAL", "PRIMARY", "M"]}
CT = {"modality_as_written": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}
HEAD_CT = CT | {"BodyPartExamined": "HEAD", "ImageOrientationPatient": AXIAL}
HEAD_MR = MR | {"BodyPartExamined": "BRAIN"}
SCREEN = CT | {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}
US = {"modality_as_written": "US"}


def label(column: str, row: dict[str, Any]) -> Any:
    return labels_of(row)[column]


@pytest.mark.parametrize(
    ("examined", "description", "expected"),
    [
        ("HEAD", "CT Chest", "head"),  # BodyPartExamined wins
        ("SKULL", None, "head"),
        ("EXTREMITY", "XR Knee Rt", "knee"),  # it does not say: the description does
        (None, "CT HEAD W/O CONTRAST", "head"),
        (None, "Brain w/o", "head"),
        (None, "Head^Routine", "head"),
        (None, "CEREBRAL PERFUSION", "head"),
        (None, "T2_TSE_HEAD_FIRST_SUPINE", "unknown"),
        (None, "OVERHEAD", "unknown"),
        (None, "Femoral head", "hip"),
        (None, "Neck of femur", "hip"),
        (None, "CT Soft tissue neck", "neck"),
        (None, "Cervical spine", "spine"),
        ("LSPINE", None, "spine"),
        (None, "Thorax^Routine", "chest"),
        (None, "CT Thorax abdomen pelvis", "chest"),  # the first of several
        (None, "Liver triple phase", "abdomen"),
        (None, "MRI sacroiliac joints", "pelvis"),
        (None, "Mammogram bilateral", "breast"),
        (None, "Eyes to thighs", "wholebody"),
        (None, "URGENT", "unknown"),
        ("", "", "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_body_part_is_told_from_what_was_examined_else_from_the_text(
    examined: str | None, description: str | None, expected: str
) -> None:
    assert label("body_part_label", {"BodyPartExamined": examined, "StudyDescription": description}) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localiser"),
        ({"SeriesDescription": "3-Plane Loc"}, "localiser"),
        ({"SeriesDescription": "ep2d_diff_b1000_ADC"}, "ADC"),
        ({"SequenceName": "*ep_b1000t"}, "DWI"),
        ({"SeriesDescription": "AX DWI b0/1000"}, "DWI"),
        ({"ImageType": ["DERIVED", "PRIMARY", "ASL", "SUBTRACTION"]}, "perfusion"),
        ({"SeriesDescription": "fMRI motor task"}, "fMRI"),
        ({"SequenceName": "*swi3d1r"}, "SWI"),
        ({"AngioFlag": "Y", "SeriesDescription": "TOF"}, "angiography"),
        ({"SeriesDescription": "AX T2 FLAIR"}, "FLAIR"),
        ({"SeriesDescription": "Sag T1 FLAIR"}, "T1"),
        ({"SeriesDescription": "COR STIR"}, "STIR"),
        ({"SeriesDescription": "AX T2* GRE hemo"}, "T2star"),
        ({"SeriesDescription": "t1_mprage_sag"}, "T1"),
        ({"ProtocolName": "AX T2 FRFSE"}, "T2"),
        ({"SeriesDescription": "Knee PD FS"}, "PD"),
        ({"ScanningSequence": ["SE"], "RepetitionTime": 500.0, "EchoTime": 12.0}, "T1"),
        ({"ScanningSequence": ["SE"], "RepetitionTime": 4000.0, "EchoTime": 98.0}, "T2"),
        ({"ScanningSequence": ["SE"], "RepetitionTime": 3333.0, "EchoTime": 30.0}, "PD"),
        ({"ScanningSequence": ["SE", "IR"], "RepetitionTime": 9000.0, "EchoTime": 98.0, "InversionTime": 2500.0},
         "FLAIR"),
        ({"ScanningSequence": ["GR"], "EchoTime": float("nan")}, "unknown"),
        ({}, "unknown"),
        ({"modality_as_written": "CT", "SeriesDescription": "T1"}, None),
    ],
)  # fmt: skip
def test_a_sequence_is_told_from_tags_then_texts_then_times(row: dict[str, Any], expected: str | None) -> None:
    assert label("mr_sequence_label", MR | row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, "axial"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "scout"),
        ({"ImageType": ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"]}, "reconstruction"),
        ({"ImageType": ["DERIVED", "SECONDARY"], "SeriesDescription": "COR 3mm"}, "reconstruction"),
        ({"ImageType": None, "ImageOrientationPatient": CORONAL}, "reconstruction"),
        ({"ImageType": None, "ImageOrientationPatient": AXIAL}, "axial"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "page"),
        ({"ImageType": ["DERIVED", "PRIMARY"], "SeriesDescription": "Dose Report"}, "page"),
        ({"ImageType": None}, "unknown"),
        ({"modality_as_written": "MR"}, None),
    ],
)
def test_a_ct_has_a_kind(row: dict[str, Any], expected: str | None) -> None:
    assert label("ct_kind_label", CT | row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"ImageOrientationPatient": AXIAL}, "axial"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, -1, 0]}, "axial"),
        ({"ImageOrientationPatient": CORONAL}, "coronal"),
        ({"ImageOrientationPatient": SAGITTAL}, "sagittal"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.711, -0.703]}, "oblique"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0], "SeriesDescription": "AX T1"}, "axial"),
        ({"ImageOrientationPatient": [1, 0, 0], "ProtocolName": "t1_sag"}, "sagittal"),
        ({}, "unknown"),
    ],
)
def test_a_plane_is_told_from_the_directions_else_from_the_text(row: dict[str, Any], expected: str) -> None:
    assert label("plane_label", MR | row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"ContrastBolusAgent": "OMNIPAQUE 350"}, "with"),
        ({"ContrastBolusAgent": "NONE"}, "unknown"),
        ({"ContrastBolusAgent": "OMNIPAQUE 350", "SeriesDescription": "Axial Non-contrast"}, "without"),
        ({"SeriesDescription": "PORTAL VENOUS 5mm"}, "with"),
        ({"StudyDescription": "CT HEAD W/O CONTRAST"}, "without"),
        ({"StudyDescription": "CT Neck with contrast"}, "with"),
        ({}, "unknown"),
        ({"modality_as_written": "CR"}, None),
    ],
)
def test_contrast_is_told_from_the_series_then_the_agent_then_the_study(row: dict[str, Any], expected: str) -> None:
    assert label("contrast_label", CT | row) == expected


@pytest.mark.parametrize(
    ("manufacturer", "expected"),
    [
        ("GE MEDICAL SYSTEMS", "GE"), ("G.E. Medical Systems", "GE"), ('"GE Healthcare"', "GE"), ("GEMS", "GE"),
        ("SIEMENS", "Siemens"), ("Siemens Healthineers", "Siemens"), ("ACUSON", "Siemens"), ("Philips", "Philips"),
        ("Philips Medical Systems", "Philips"), ("TOSHIBA_MEC_US", "Canon"), ("Canon Medical Systems", "Canon"),
        ("FUJI PHOTO FILM Co., ltd.", "Fujifilm"), ("HOLOGIC, Inc.", "Hologic"), ("UIH", "United Imaging"),
        ("Ogee Imaging", "other"), ("Unspecified", "unknown"), ("  ", "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_the_spellings_of_a_maker_become_one(manufacturer: str | None, expected: str) -> None:
    assert label("manufacturer_label", {"Manufacturer": manufacturer}) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (["ORIGINAL", "PRIMARY", "AXIAL"], (True, True)),
        (["DERIVED ", "secondary"], (False, False)),
        (["DERIVED", "PRIMARY"], (False, True)),
        (["MIXED"], (None, None)),
        ([None, "PRIMARY"], (None, True)),
        ([], (None, None)),
        (None, (None, None)),
    ],
)
def test_original_and_primary_are_what_image_type_says(
    kind: list[str | None] | None, expected: tuple[bool | None, ...]
) -> None:
    labels = labels_of({"ImageType": kind})
    assert (labels["is_original"], labels["is_primary"]) == expected


@pytest.mark.parametrize(
    ("row", "risk", "reason"),
    [
        (US, "possible", "modality_writes_on_images"),
        (US | {"BurnedInAnnotation": "YES"}, "high", "stated"),
        (US | {"BurnedInAnnotation": "NO"}, "none", "stated_not"),
        (CT, "low", None),
        (SCREEN | {"BurnedInAnnotation": "NO"}, "high", "dose_or_screen"),
        (CT | {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "possible", "secondary_capture"),
        ({"modality_as_written": "SR"}, "none", "no_pixels"),
        ({"modality": "OTHER"}, "low", None),
    ],
)  # fmt: skip
def test_burned_in_text_is_feared_for_a_reason(row: dict[str, Any], risk: str, reason: str | None) -> None:
    labels = labels_of(row)
    assert (labels["burned_in_risk"], labels["burned_in_reason"]) == (risk, reason)


@pytest.mark.parametrize(
    ("row", "risk", "reason"),
    [
        (HEAD_CT | {"SliceThickness": 1.0, "ConvolutionKernel": ["H31s", "3"]}, "high", "thin_soft_tissue_head_ct"),
        (HEAD_CT | {"SliceThickness": 1.0, "ConvolutionKernel": ["BONE"]}, "possible", "thin_sharp_ct"),
        (HEAD_CT | {"SliceThickness": 1.0, "ConvolutionKernel": ["H60s"]}, "possible", "thin_sharp_ct"),
        (HEAD_CT | {"SliceThickness": 5.0}, "low", None),
        (HEAD_CT, "possible", "ct_of_unknown_thickness"),
        (HEAD_CT | {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SliceThickness": 1.0}, "low", "scout"),
        (CT | {"BodyPartExamined": "CHEST", "SliceThickness": 1.0}, "none", "other_body_part"),
        (CT | {"BodyPartExamined": "NECK", "SliceThickness": 1.0}, "possible", "thin_ct_beside_head"),
        (CT | {"SliceThickness": 1.0}, "possible", "thin_ct_beside_head"),  # of an unknown body part
        (HEAD_MR | {"MRAcquisitionType": "3D", "SliceThickness": 1.0}, "high", "head_mr_3d"),
        (HEAD_MR | {"MRAcquisitionType": "3D"}, "high", "head_mr_3d"),
        (HEAD_MR | {"MRAcquisitionType": "3D", "SliceThickness": 5.0}, "low", "thick_3d_mr"),
        (HEAD_MR | {"MRAcquisitionType": "2D", "SliceThickness": 5.0}, "low", "thick_3d_mr"),
        (HEAD_MR | {"MRAcquisitionType": "2D", "SliceThickness": 1.5}, "high", "thin_head_mr"),
        ({"modality_as_written": "XC"}, "high", "photograph"),
        ({"modality_as_written": "SEG", "BodyPartExamined": "HEAD"}, "none", "no_pixels"),
    ],
)
def test_a_face_is_feared_for_a_reason(row: dict[str, Any], risk: str, reason: str | None) -> None:
    labels = labels_of(row)
    assert (labels["face_risk"], labels["face_reason"]) == (risk, reason)


def test_the_rules_that_decided_are_told_and_the_least_sure_of_them() -> None:
    labels = labels_of(HEAD_MR | {"SeriesDescription": "t1_mprage", "ImageOrientationPatient": SAGITTAL})

    assert labels["label_confidence"] == "medium"
    assert labels["label_rules"] == (
        "body_part_label: examined (high), mr_sequence_label: t1_words (medium), "
        "plane_label: sagittal_orientation (high)"
    )
    assert (labels_of({})["label_confidence"], labels_of({})["label_rules"]) == (None, None)


def test_every_label_has_its_column() -> None:
    beginning = [c.name for c in load_schema("images").columns if c.from_zone == "deidentified"]
    assert sorted(label_columns()) == sorted(labels_of({}))
    assert beginning == ["patient_id", "age_at_study", *label_columns(), "text_version"]
