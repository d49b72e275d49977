"""What a study has beside its plain images: reports, doses, several frames in a file, thin heads."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from smi_spark.synthetic.files import series_files
from smi_spark.synthetic.series import Content

SEED = 3


@pytest.fixture(scope="module")
def first(kinds: Mapping[Any, Any]) -> dict[Content, list[tuple[Any, Dataset]]]:
    """Content → study and first file of a series of each kind."""
    found: dict[Content, list[tuple[Any, Dataset]]] = {content: [] for content in Content}
    for kind, (study, series) in kinds.items():
        found[kind.content].append((study, dcmread(BytesIO(next(series_files(study, series, SEED, [1]))))))
    return found


def items(content: Dataset) -> Iterator[Dataset]:
    """All items of a tree of content."""
    for item in content.get("ContentSequence", []):
        yield item
        yield from items(item)


def meaning(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def test_a_report_names_patient_and_physician_in_its_content(first: Any) -> None:
    assert first[Content.REPORT]
    for study, report in first[Content.REPORT]:
        told = {meaning(item): item for item in items(report)}
        assert report.Modality == "SR"
        assert str(told["Subject Name"].PersonName) == study.person.pn
        assert told["Subject ID"].TextValue == study.person.chi
        assert str(told["Person Observer Name"].PersonName) == study.physician
        assert study.person.surname in told["History"].TextValue
        verifiers = [item.VerifyingObserverName for item in report.get("VerifyingObserverSequence", [])]
        assert [str(name) for name in verifiers] == [study.physician] * (report.VerificationFlag == "VERIFIED")


def test_a_dose_report_has_the_device_and_doses_that_add_up(first: Any) -> None:
    assert {study.scanner.family for study, _ in first[Content.DOSE_REPORT]} == {"GE", "SIEMENS", "CANON"}
    for study, report in first[Content.DOSE_REPORT]:
        told = {meaning(item): item for item in items(report)}
        assert told["Device Observer Serial Number"].TextValue == study.scanner.serial
        events = [item for item in report.ContentSequence if meaning(item) == "CT Acquisition"]
        lengths = [
            float(item.MeasuredValueSequence[0].NumericValue)
            for event in events for item in items(event) if meaning(item) == "DLP"
        ]  # fmt: skip
        assert len(events) == len(lengths) == 2
        total = told["CT Dose Length Product Total"].MeasuredValueSequence[0]
        assert float(total.NumericValue) == pytest.approx(sum(lengths))
        assert total.MeasurementUnitsCodeSequence[0].CodeValue == "mGy.cm"


def test_frames_have_a_group_each_one_behind_the_other(first: Any) -> None:
    assert {image.Modality for _, image in first[Content.ENHANCED]} == {"CT", "MR"}
    for _, image in first[Content.ENHANCED]:
        frames = image.PerFrameFunctionalGroupsSequence
        assert len(frames) == image.NumberOfFrames == len(image.pixel_array)
        places = [frame.PlanePositionSequence[0].ImagePositionPatient[2] for frame in frames]
        assert np.diff(places).tolist() == [2.5] * (len(frames) - 1)
        assert [frame.FrameContentSequence[0].InStackPositionNumber for frame in frames] == [1, 2, 3, 4, 5]
        assert image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == [0.9375, 0.9375]


def test_frames_are_written_plainly_and_compressed(kinds: Mapping[Any, Any]) -> None:
    syntaxes = {kind.syntax for kind in kinds if kind.content is Content.ENHANCED}
    assert "1.2.840.10008.1.2.5" in syntaxes
    assert len(syntaxes) > 1


def test_thin_slices_of_a_head_show_a_nose(kinds: Mapping[Any, Any]) -> None:
    """In the middle slices something stands out in front, in the top ones nothing."""
    thin = [found for kind, found in kinds.items() if kind.content is Content.THIN]
    assert {study.modality for study, _ in thin} == {"CT", "MR"}
    for study, series in thin:
        images = [dcmread(BytesIO(f)) for f in series_files(study, series, SEED, range(1, series.images + 1))]
        assert study.body_part == "head"
        assert {float(image.SliceThickness) <= 1.2 for image in images} == {True}
        assert {tuple(image.ImageOrientationPatient) for image in images} == {(1, 0, 0, 0, 1, 0)}
        fronts = [(image.pixel_array > 500).sum(axis=1) for image in images]
        widths = [front[front.nonzero()[0][:3]].tolist() for front in fronts]  # of the three rows in front
        assert min(width[2] for width in widths) < max(width[2] for width in widths)
        assert min(width[0] for width in widths) == 1 or min(width[0] for width in widths) == 2


def test_a_study_begins_and_ends_with_its_own_images(lives: Any) -> None:
    for study in (study for life in lives for study in life.studies):
        assert {study.series[0].content, study.series[-1].content} == {Content.IMAGES}
        assert study.series[-1].modality == study.modality
        if study.dates == "none" or study.careless:
            assert {series.content for series in study.series} == {Content.IMAGES}


def test_makers_are_spelled_in_many_ways(lives: Any) -> None:
    studies = [study for life in lives for study in life.studies]
    spelled = {study.scanner.spelled(study.day) for study in studies} | {study.scanner.workplace for study in studies}
    assert spelled >= {
        "GE MEDICAL SYSTEMS", "GE Healthcare", '"GE Healthcare"', "SIEMENS", "Siemens Healthineers", "Siemens",
        "Philips", "Philips Medical Systems", "Philips Healthcare", "TOSHIBA", "TOSHIBA_MEC", "Canon Medical Systems",
        "CANON_MEC",
    }  # fmt: skip
