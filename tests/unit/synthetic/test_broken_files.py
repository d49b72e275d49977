"""Each broken file is broken in the way that the answers say, and in no other."""

from collections import Counter
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.errors import InvalidDicomError

from smi_spark.reasons import Reason
from smi_spark.synthetic.courses import Block, plan_block
from smi_spark.synthetic.faults import faults
from smi_spark.synthetic.profile import Figure, load_profile

UIDS = {
    Reason.NO_STUDY_UID: "StudyInstanceUID",
    Reason.NO_SERIES_UID: "SeriesInstanceUID",
    Reason.NO_SOP_UID: "SOPInstanceUID",
}
OF_FILES = {
    "empty_file", "not_dicom", "cut_short", "malformed", "dicom_directory", "no_study_instance_uid",
    "no_series_instance_uid", "no_sop_instance_uid", "identical_copy", "conflicting_study", "no_patient_id",
}  # fmt: skip


def _files(archive: Any, reason: Reason) -> list[Path]:
    return [archive.root / "dicom" / path for path, told in archive.answers.broken.items() if told == reason]


def test_every_reason_that_a_file_can_have_occurs(archive: Any) -> None:
    assert set(archive.answers.broken.values()) == OF_FILES


def test_files_are_broken_as_often_as_the_profile_says() -> None:
    profile = load_profile("small")
    shares = {reason: Figure(value=0.01, source="assumed") for reason in profile.faults}
    lives = plan_block(profile, Block(number=1, first=60, patients=60), seed=6)
    studies = [study for life in lives for study in life.studies]
    files = sum(series.images for study in studies for series in study.series)
    found = Counter(reason for _, _, reason in faults(studies, shares, seed=6, block=1))
    several = {Reason.NOT_DICOM: 2, Reason.CUT_SHORT: 2, Reason.MALFORMED: 2, Reason.NO_STUDY_UID: 2}
    assert set(found) == set(shares)
    for reason, count in found.items():
        rounded = several.get(reason, 3 if reason == Reason.CONFLICTING_STUDY else 1)
        assert abs(count - 0.01 * files) <= rounded, reason


def test_a_later_block_has_only_the_broken_files_that_its_share_asks_for() -> None:
    lives = plan_block(load_profile("small"), Block(number=1, first=60, patients=9), seed=6)
    studies = [study for life in lives for study in life.studies]
    assert list(faults(studies, {}, seed=6, block=1)) == []


def test_empty_files_have_no_bytes(archive: Any) -> None:
    assert [path.stat().st_size for path in _files(archive, Reason.EMPTY_FILE)] == [0]


def test_pydicom_refuses_what_is_not_dicom(archive: Any) -> None:
    for path in _files(archive, Reason.NOT_DICOM):
        with pytest.raises(InvalidDicomError):
            pydicom.dcmread(path)


def test_one_file_ends_in_its_header_and_one_in_its_pixels(archive: Any) -> None:
    in_header, in_pixels = _files(archive, Reason.CUT_SHORT)
    assert b"\xe0\x7f\x10\x00OW" not in in_header.read_bytes()
    content = in_pixels.read_bytes()
    start = content.index(b"\xe0\x7f\x10\x00OW")
    declared = int.from_bytes(content[start + 8 : start + 12], "little")
    assert len(content) - (start + 12) == declared - 100


def test_malformed_files_break_the_encoding_before_the_uids(archive: Any) -> None:
    vr, item = (path.read_bytes() for path in _files(archive, Reason.MALFORMED))
    place = vr.index(b"\x08\x00\x80\x00")
    assert vr[place + 4 : place + 6] == b"\x00\x07"
    place = item.index(b"\x08\x00\x32\x10SQ")
    assert item[place + 12 : place + 16] != b"\xfe\xff\x00\xe0"


def test_a_directory_says_so_in_its_file_meta(archive: Any) -> None:
    (path,) = _files(archive, Reason.DICOM_DIRECTORY)
    assert pydicom.dcmread(path).file_meta.MediaStorageSOPClassUID.name == "Media Storage Directory Storage"


@pytest.mark.parametrize(("reason", "keyword"), UIDS.items())
def test_only_the_one_uid_is_missing(archive: Any, reason: Reason, keyword: str) -> None:
    for path in _files(archive, reason):
        image = pydicom.dcmread(path)
        assert [word for word in UIDS.values() if not image.get(word)] == [keyword]


def test_copies_are_a_good_file_once_more(archive: Any) -> None:
    for path in _files(archive, Reason.IDENTICAL_COPY):
        assert path.read_bytes() == path.with_name("1.dcm").read_bytes()
        assert path.name > "1.dcm"


def test_two_files_contradict_each_other_in_a_study_of_their_own(archive: Any) -> None:
    images = [pydicom.dcmread(path) for path in sorted(_files(archive, Reason.CONFLICTING_STUDY))]
    assert images[0].SOPInstanceUID == images[1].SOPInstanceUID != images[2].SOPInstanceUID
    assert [image.InstanceNumber for image in images] == [1, 77, 2]
    (study,) = {image.StudyInstanceUID for image in images}
    good = {pydicom.dcmread(path).StudyInstanceUID for path in (archive.root / "dicom").rglob("1.dcm")}
    assert study not in good


def test_an_image_of_nobody_is_a_good_image_of_its_own_study(archive: Any) -> None:
    (path,) = _files(archive, Reason.NO_PATIENT_ID)
    image, neighbour = pydicom.dcmread(path), pydicom.dcmread(path.with_name("1.dcm"))
    assert image.PatientID == ""
    assert image.StudyInstanceUID != neighbour.StudyInstanceUID
