"""The good files: pydicom reads them, and they are as the answers say."""

import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.tag import Tag

PIXELS = Tag("PixelData")


@pytest.fixture(scope="module")
def images(archive: Any) -> dict[str, FileDataset]:
    """Path below ``dicom/`` → data set, of the files that are not broken."""
    root: Path = archive.root / "dicom"
    paths = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that do not parse
        return {path: pydicom.dcmread(root / path) for path in paths if path not in archive.answers.broken}


@pytest.fixture(scope="module")
def one_a_series(archive: Any, images: dict[str, FileDataset]) -> list[FileDataset]:
    """An image of each series whose values all parse: its others have the same elements."""
    good = {path: image for path, image in images.items() if path not in archive.answers.value_errors}
    return list({image.SeriesInstanceUID: image for image in good.values()}.values())


def test_every_file_is_counted(archive: Any, images: dict[str, FileDataset]) -> None:
    assert len(images) + len(archive.answers.broken) == archive.answers.files
    counts = Counter(f"{image.Modality}/{_year(image)}" for image in images.values())
    assert counts == archive.answers.good_images
    assert {image.Modality for image in images.values()} == {"CT", "MR", "CR", "US", "MG", "PT", "SR", "OT"}


def _year(image: FileDataset) -> int:
    return int((image.get("StudyDate") or image.get("SeriesDate") or "0")[:4])


def test_some_studies_have_no_study_date(images: dict[str, FileDataset]) -> None:
    undated = [image for image in images.values() if not image.get("StudyDate")]
    assert {bool(image.get("SeriesDate")) for image in undated} == {True, False}


def test_headers_have_70_to_250_elements_of_one_frame_and_more_of_several(one_a_series: list[FileDataset]) -> None:
    counts = {id(image): len(image.file_meta) + sum(1 for _ in image.iterall()) for image in one_a_series}
    of_one = [counts[id(image)] for image in one_a_series if "PixelData" in image and "NumberOfFrames" not in image]
    assert min(of_one) >= 70
    assert max(of_one) <= 250
    assert max(of_one) - min(of_one) > 80
    assert min(counts[id(image)] for image in one_a_series if "NumberOfFrames" in image) > 150


def test_uids_are_unique_and_well_formed(images: dict[str, FileDataset]) -> None:
    uids = [str(image.SOPInstanceUID) for image in images.values()]
    assert len(set(uids)) == len(uids)
    every = uids + [
        str(image[word].value) for image in images.values() for word in ("StudyInstanceUID", "SeriesInstanceUID")
    ]
    assert all(re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+", uid) and len(uid) <= 64 for uid in every)


def test_files_lie_by_date_and_accession(images: dict[str, FileDataset]) -> None:
    for path, image in images.items():
        day, accession = path[:10].replace("/", ""), path.split("/")[3]
        assert accession == image.AccessionNumber
        assert image.get("StudyDate", day) == day


def test_all_encodings_and_character_sets_occur(images: dict[str, FileDataset]) -> None:
    syntaxes = {image.file_meta.TransferSyntaxUID.name for image in images.values()}
    assert syntaxes == {
        "Explicit VR Little Endian", "Implicit VR Little Endian",
        "Deflated Explicit VR Little Endian", "Explicit VR Big Endian", "RLE Lossless", "JPEG Baseline (Process 1)",
    }  # fmt: skip
    assert {image.get("SpecificCharacterSet") for image in images.values()} == {None, "ISO_IR 100", "ISO_IR 192"}
    assert any(not str(image.PatientName).isascii() for image in images.values())


def test_makers_write_private_blocks_and_sequences(one_a_series: list[FileDataset]) -> None:
    creators = {element.value for image in one_a_series for element in image if element.tag.is_private_creator}
    assert {"GEMS_ACQU_01", "SIEMENS CSA HEADER", "Philips MR Imaging DD 001", "TOSHIBA_MEC_CT3"} <= creators
    for image in one_a_series:
        assert re.fullmatch(r"\d{10}", image.OtherPatientIDsSequence[0].PatientID)
    tracers = [image.RadiopharmaceuticalInformationSequence[0] for image in one_a_series if image.Modality == "PT"]
    assert {tracer.RadionuclideCodeSequence[0].CodeValue for tracer in tracers} == {"C-111A1"}
    undefined = {image["OtherPatientIDsSequence"].is_undefined_length for image in one_a_series}
    assert undefined == {True, False}


def test_values_over_4_kib_are_in_the_files_listed(archive: Any, images: dict[str, FileDataset]) -> None:
    long = {path for path, image in images.items() if max(_sizes(image)) > 4096}
    assert long == set(archive.answers.left_out)
    assert long


def _sizes(image: FileDataset) -> list[int]:
    """Lengths of the values before the pixels that are bytes still."""
    values = [image.get_item(tag).value for tag in list(image.keys()) if tag != PIXELS]
    return [0, *(len(value) for value in values if isinstance(value, bytes))]


def test_some_headers_are_long_without_any_long_value(archive: Any, images: dict[str, FileDataset]) -> None:
    sizes = {path: (archive.root / "dicom" / path).stat().st_size for path in images}
    assert any(size > 16_384 + 512 for path, size in sizes.items() if path not in archive.answers.left_out)


def test_careless_values_do_not_parse(archive: Any, images: dict[str, FileDataset]) -> None:
    assert archive.answers.value_errors
    for path, keywords in archive.answers.value_errors.items():
        raw = {word: str(images[path].get_item(word).value) for word in keywords}
        assert not any(re.fullmatch(r"[-+0-9. ]+", text) for word, text in raw.items() if word != "AcquisitionDate")
        assert "20191345" in raw["AcquisitionDate"]


def test_written_otherwise_is_the_same_person(archive: Any, images: dict[str, FileDataset]) -> None:
    for written, chi in archive.answers.written_otherwise.items():
        assert {part.zfill(10) for part in written.split("\\")} == {chi}
    whole = re.compile(r"\d{10}")
    ids = {"\\".join(i) if not isinstance(i, str) else i for i in (image.PatientID for image in images.values())}
    assert {i for i in ids if not whole.fullmatch(i)} == set(archive.answers.written_otherwise)


def test_ages_run_from_days_to_over_90(images: dict[str, FileDataset]) -> None:
    ages = [image.PatientAge for image in images.values()]
    assert any(age.endswith("Y") and int(age[:3]) > 90 for age in ages)
    assert any(age[-1] in "DM" for age in ages)


def test_identifiers_hold_all_that_says_who_somebody_is(archive: Any, images: dict[str, FileDataset]) -> None:
    known = archive.answers.identifiers
    for image in images.values():
        assert {image.PatientName.family_name, image.PatientName.given_name} <= set(known["name"])
        assert image.OtherPatientIDsSequence[0].PatientID in known["chi"]
        assert image.OtherPatientIDsSequence[1].PatientID in known["hospital_number"]
        assert image.AccessionNumber in known["accession"]
        assert {image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID} <= set(known["uid"])
        assert {image.ReferringPhysicianName.family_name, image.OperatorsName.family_name} <= set(known["physician"])
        assert image.InstitutionName in known["institution"]
        assert {image.StationName, image.DeviceSerialNumber} <= set(known["equipment"])
