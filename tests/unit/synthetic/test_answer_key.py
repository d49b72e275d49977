"""The key of identifiers, against another search: pydicom reads the files, and each known text is looked for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from smi_spark.synthetic.files import series_files
from smi_spark.synthetic.identifiers import list_identifiers, series_identifiers
from smi_spark.synthetic.series import SCREENS, Content

SEED = 3
OF_THE_FILE = {"SOPInstanceUID", "file_meta.MediaStorageSOPInstanceUID"}


@pytest.fixture(scope="module")
def known(lives: Any) -> dict[str, dict[str, list[str]]]:
    """First five letters → kind → texts."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for kind, texts in list_identifiers(lives).items():
        for text in texts:
            found[text[:5]][kind].append(text)
    return found


def values(content: Dataset, before: str = "") -> Iterator[tuple[str, str, Any]]:
    """Path, VR and each single value."""
    for element in content:
        path = before + (element.keyword or str(element.tag))
        if element.tag.is_private and not element.tag.is_private_creator:
            creator = content[element.tag.group, element.tag.element >> 8].value
            path = f'{before}({element.tag.group:04X},"{creator}",{element.tag.element & 0xFF:02X})'
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from values(item, f"{path}[{number}].")
        else:
            for value in element.value if element.VM > 1 else [element.value]:
                yield path, element.VR, value


def searched(file: bytes, known: Mapping[str, Mapping[str, list[str]]]) -> set[tuple[str, str, str]]:
    """Kind, text and path of all that stands in the file, but for its own UIDs; of a UID the whole value."""
    image = dcmread(BytesIO(file))
    found = set()
    for path, vr, value in [*values(image.file_meta, "file_meta."), *values(image)]:
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for place in range(len(text)):
            for kind, candidates in known.get(text[place : place + 5], {}).items():
                for candidate in candidates:
                    end = place + len(candidate)
                    within = text[max(0, place - 1) : place].isdigit() or text[end : end + 1].isdigit()
                    whole = isinstance(value, bytes) or not within
                    if text.startswith(candidate, place) and whole and path not in OF_THE_FILE:
                        found.add((kind, text if vr == "UI" else candidate, path))
    return found


def test_the_key_has_all_that_stands_in_the_files_and_nothing_else(kinds: Mapping[Any, Any], known: Any) -> None:
    for kind, (study, series) in kinds.items():
        key = {(i.kind, i.text, i.tag_path) for i in series_identifiers(study, series, SEED) if i.box is None}
        unlisted = {f"{study.person.birth_date:{form}}" for form in ("%Y%m%d", "%Y-%m-%d")}  # also a day of an event
        (file,) = series_files(study, series, SEED, [series.images])
        found = searched(file, known)
        assert found <= key, kind
        assert {text for _, text, _ in key - found} <= unlisted, kind


def test_identifiers_stand_at_every_depth(kinds: Mapping[Any, Any]) -> None:
    paths = defaultdict(set)
    for kind, (study, series) in kinds.items():
        paths[kind.content] |= {(i.kind, i.tag_path) for i in series_identifiers(study, series, SEED)}
    assert paths[Content.IMAGES] >= {
        ("chi", "PatientID"), ("chi", "OtherPatientIDsSequence[0].PatientID"), ("birth_date", "PatientBirthDate"),
        ("hospital_number", "OtherPatientIDsSequence[1].PatientID"), ("uid", "FrameOfReferenceUID"),
        ("institution", "InstitutionName"), ("equipment", "file_meta.SourceApplicationEntityTitle"),
        ("postcode", "PatientAddress"), ("address", "PatientAddress"), ("physician", "OperatorsName"),
        ("name", '(0029,"SIEMENS CSA HEADER",10)'), ("accession", '(0043,"GEMS_PARM_01",FE)'),
    }  # fmt: skip
    assert paths[Content.REPORT] >= {
        ("name", "ContentSequence[3].PersonName"), ("chi", "ContentSequence[4].TextValue"),
        ("physician", "ContentSequence[2].PersonName"), ("chi", "ContentSequence[6].ContentSequence[0].TextValue"),
    }  # fmt: skip
    assert paths[Content.DOSE_REPORT] >= {("equipment", "ContentSequence[3].TextValue")}
    inner = "PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0].FrameComments"
    assert ("name", inner) in paths[Content.ENHANCED]


def test_a_number_written_otherwise_is_found_as_it_is_written(lives: Any) -> None:
    studies = [study for life in lives for study in life.studies]
    written = [study for study in studies if study.patient_id != study.person.chi]
    assert written
    for study in written:
        key = series_identifiers(study, study.series[-1], SEED)
        texts = {i.text for i in key if i.tag_path == "PatientID"}
        assert texts == set(study.patient_id.split("\\"))


def test_burned_in_text_has_a_box_of_its_own(kinds: Mapping[Any, Any]) -> None:
    screens = [found for kind, found in kinds.items() if kind.content in SCREENS]
    assert screens
    for study, series in screens:
        boxed = [i for i in series_identifiers(study, series, SEED) if i.tag_path == "PixelData"]
        assert {i.text for i in boxed} >= {study.person.surname, study.person.forename, study.person.chi}
        for one in boxed:
            assert one.box is not None
            for other in boxed:
                apart = one.box[2] <= other.box[0] or one.box[3] <= other.box[1]
                assert one is other or apart or other.box[2] <= one.box[0] or other.box[3] <= one.box[1]


def test_series_have_boxes_where_they_have_text_in_their_pixels(kinds: Mapping[Any, Any]) -> None:
    for kind, (study, series) in kinds.items():
        boxed = {i.kind for i in series_identifiers(study, series, SEED) if i.box}
        wanted = {
            Content.CAPTURE: {"chi", "name", "birth_date"},
            Content.DOSE_SCREEN: {"chi", "name", "accession"},
        }.get(kind.content, set())
        assert boxed == wanted, kind
