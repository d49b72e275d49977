"""A patient's id in places where nobody would look: the pseudonym of the top, or nothing, at any depth."""

from copy import deepcopy
from typing import Any

import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage

from smi_spark.deidentified.profile import Profile, Replacements, apply
from smi_spark.deidentified.profile.facts import OPTIONS
from smi_spark.deidentified.pseudonyms import pseudonymous_uid

CHI, OTHER = "0101302223", "0202020052"
WAYS = [CHI, CHI[1:], f" {CHI} ", "010130 2223", f"{CHI}\\{CHI[1:]}"]
SAFE_PRIVATE = "retain_safe_private"


def uid(given: str) -> str:
    return pseudonymous_uid(b"k" * 32, given)


def any_text(_keyword: str, text: str) -> str | None:
    return text


def applied(dataset: Dataset, *options: str) -> Dataset:
    """What becomes of a data set where a careless judge lets every text and graphic pass."""
    given = Replacements("9f3a", uid, text=any_text, graphic=lambda _element: True)
    return apply(dataset, Profile.model_validate({"profile": "test", "meaning": "test", "options": options}), given)


def made(**elements: Any) -> Dataset:
    dataset = Dataset()
    with disable_value_validation():
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
    return dataset


def nested(depth: int, **elements: Any) -> Dataset:
    """A data set of the patient whose functional groups hold the elements so many sequences deep."""
    inner = made(**elements)
    for _ in range(depth):
        inner = made(ReferencedImageSequence=Sequence([inner]))
    return made(PatientID=CHI, SharedFunctionalGroupsSequence=Sequence([inner]))


def deepest(dataset: Dataset) -> Dataset:
    (item,) = dataset.SharedFunctionalGroupsSequence
    while item.get("ReferencedImageSequence"):
        (item,) = item.ReferencedImageSequence
    return item


@pytest.mark.parametrize("top", WAYS)
@pytest.mark.parametrize("inner", WAYS)
def test_the_patients_id_within_a_sequence_is_the_pseudonym_of_the_top(top: str, inner: str) -> None:
    dataset = nested(3, PatientID=inner)
    dataset.PatientID = top
    result = applied(dataset)
    assert (result.PatientID, deepest(result).PatientID) == ("9f3a", "9f3a")


@pytest.mark.parametrize("inner", [OTHER, OTHER[1:], "MRN 77", ""])
def test_the_id_of_another_person_within_a_sequence_is_no_pseudonym(inner: str) -> None:
    assert deepest(applied(nested(2, PatientID=inner)))["PatientID"].is_empty


def test_other_ids_of_the_patient_go_with_their_sequence() -> None:
    other = made(PatientID=CHI, IssuerOfPatientID="NHS", TypeOfPatientID="TEXT")
    dataset = made(PatientID=CHI, OtherPatientIDs=[CHI], OtherPatientIDsSequence=Sequence([other]))
    result = applied(dataset, "retain_patient_characteristics")
    assert "OtherPatientIDs" not in result
    assert "OtherPatientIDsSequence" not in result


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_a_reference_at_any_depth_leads_to_the_instance_it_led_to(depth: int) -> None:
    reference = made(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID="1.2.3")
    dataset = nested(depth, SourceImageSequence=Sequence([reference]), FrameOfReferenceUID="1.2.9")
    dataset.SOPInstanceUID = "1.2.3"
    result = applied(dataset)
    (found,) = deepest(result).SourceImageSequence
    assert found.ReferencedSOPInstanceUID == result.SOPInstanceUID == uid("1.2.3")
    assert found.ReferencedSOPClassUID == CTImageStorage
    assert deepest(result).FrameOfReferenceUID == uid("1.2.9")


def code(value: str, scheme: str, meaning: str) -> Sequence:
    return Sequence([made(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)])


def content(kind: str, concept: str, **value: Any) -> Dataset:
    return made(
        RelationshipType="CONTAINS", ValueType=kind, ConceptNameCodeSequence=code(concept, "DCM", concept), **value
    )


def report(chi: str) -> Dataset:
    """A structured report that says its patient's number in content items of every kind, two containers deep."""
    said = [
        content("TEXT", "121106", TextValue=f"seen with {chi}, improved"),
        content("PNAME", "121008", PersonName=f"{chi}^Jane"),
        content("UIDREF", "110180", UID="1.2.3"),
        content("CODE", "121071", ConceptCodeSequence=code("386661006", "SCT", f"Fever of {chi}")),
        content("CODE", "121071", ConceptCodeSequence=code(chi, "SCT", "Fever")),
        content("CODE", "121071", ConceptCodeSequence=code("1", f"99X {chi}", "Fever")),
        content("NUM", "121206", MeasuredValueSequence=Sequence([made(NumericValue=CHI[1:])])),
        content("IMAGE", "121191", ReferencedSOPSequence=Sequence([made(ReferencedSOPInstanceUID="1.2.3")])),
    ]  # fmt: skip
    inner = content("CONTAINER", "121070", ContentSequence=Sequence(said))
    outer = content("CONTAINER", "121070", ContentSequence=Sequence([inner]))
    return made(PatientID=CHI, SOPInstanceUID="1.2.3", ContentSequence=Sequence([outer]))


def texts(dataset: Dataset) -> list[str]:
    return [str(value) for element in dataset.iterall() if element.VR != "SQ" for value in [element.value]]


@pytest.mark.parametrize("written", [CHI, "010130 2223", OTHER])
def test_no_item_of_structured_content_says_a_number(written: str) -> None:
    result = applied(report(written), "clean_structured_content", "clean_descriptors")
    said = "".join(texts(result)).replace(" ", "")
    assert [chi for chi in (CHI, written.replace(" ", "")) if chi[1:] in said] == []
    (outer,) = result.ContentSequence
    (inner,) = outer.ContentSequence
    (study,) = [item.UID for item in inner.ContentSequence if item.ValueType == "UIDREF"]
    (image,) = [item.ReferencedSOPSequence[0] for item in inner.ContentSequence if item.ValueType == "IMAGE"]
    assert study == image.ReferencedSOPInstanceUID == result.SOPInstanceUID == uid("1.2.3")


def private(vr: str, creator: str, tag: int, value: Any) -> Dataset:
    dataset = made(PatientID=CHI)
    dataset.add_new(tag & 0xFFFF0000 | 0x10, "LO", creator)
    with disable_value_validation():
        dataset.add_new(tag, vr, value)
    return dataset


PRIVATE = [
    # VR    creator                 element     value             stays
    ("IS",  "SIEMENS MR HEADER",    0x0019100C, "1000",           True),
    ("IS",  "SIEMENS MR HEADER",    0x0019100C, CHI,              False),
    ("IS",  "SIEMENS MR HEADER",    0x0019100C, CHI[1:],          False),
    ("CS",  "SIEMENS MR HEADER",    0x0019100D, "NONE",           True),
    ("CS",  "SIEMENS MR HEADER",    0x0019100D, CHI,              False),
    ("CS",  "SIEMENS MR HEADER",    0x0019100D, "P_101302223",    False),
    ("CS",  "SIEMENS MR HEADER",    0x0019100D, OTHER,            False),
    ("FD",  "SIEMENS MR HEADER",    0x0019100E, [1.0, 0.0, 0.0],  True),
    ("FD",  "SIEMENS MR HEADER",    0x0019100E, [1.0, 101302223.0], False),
    ("SL",  "GEMS_SERS_01",         0x00251007, 101302223,        False),
    ("DS",  "GEMS_ACQU_01",         0x00191023, "101302223.0",    False),
]  # fmt: skip


@pytest.mark.parametrize(("vr", "creator", "tag", "value", "stays"), PRIVATE)
def test_a_safe_private_element_that_says_the_number_is_removed(
    vr: str, creator: str, tag: int, value: Any, stays: bool
) -> None:
    dataset = private(vr, creator, tag, value)
    assert (tag in applied(dataset, SAFE_PRIVATE)) is stays
    within = made(PatientID=CHI, SharedFunctionalGroupsSequence=Sequence([deepcopy(dataset)]))
    assert (tag in applied(within, SAFE_PRIVATE).SharedFunctionalGroupsSequence[0]) is stays


KEPT = [
    # element                       value               after
    ("AcquisitionNumber",           "101302223",        None),
    ("SeriesNumber",                "7",                7),
    ("SliceThickness",              "0101302223",       None),
    ("AcquisitionMatrix",           [256, 0, 0, 256],   [256, 0, 0, 256]),
    ("ScanOptions",                 "H0101302223",      None),
    ("ScanOptions",                 OTHER,              None),
    ("StudyDescription",            "CT 010130-2223",   "gone"),
    ("StudyDescription",            "CT head",          "CT head"),
    ("AcquisitionDateTime",         "0101302223",       None),
    ("StudyTime",                   "010130.2223",      None),
    ("SOPClassUID",                 "1.2.0101302223",   uid("1.2.0101302223")),
    ("StudyInstanceUID",            "1.2.101302223.4",  uid("1.2.101302223.4")),
    ("SeriesInstanceUID",           "1.2.4",            "1.2.4"),
    ("FrameOfReferenceUID",         "1.2.840.10008.101302223", None),
]  # fmt: skip


@pytest.mark.parametrize(("keyword", "value", "after"), KEPT)
def test_what_would_stay_does_not_say_the_number(keyword: str, value: Any, after: Any) -> None:
    everything = [option for option in OPTIONS if option != "retain_modified_dates"]
    result = applied(made(PatientID=CHI, **{keyword: value}), *everything)
    left = [None if element.is_empty else element.value for element in result if element.keyword == keyword]
    assert left == ([] if after == "gone" else [after])


def test_a_short_id_does_not_empty_what_is_like_it() -> None:
    result = applied(made(PatientID="512", Rows=512, SeriesNumber="512", ScanOptions="A512"))
    assert (result.Rows, result.SeriesNumber, result.ScanOptions) == (512, 512, "A512")
