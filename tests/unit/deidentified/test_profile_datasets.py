"""A profile applied to data sets: rows in, one call, rows out."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from smi_spark.deidentified.dates import POLICIES
from smi_spark.deidentified.profile import Profile, Replacements, apply, for_patient
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.errors import InputError

KEY = b"k" * 32
FULL, MODIFIED, PATIENT = "retain_full_dates", "retain_modified_dates", "retain_patient_characteristics"
STRUCTURED, TEXT, GRAPHICS = "clean_structured_content", "clean_descriptors", "clean_graphics"


def three_weeks_on(day: date) -> date:
    return day + timedelta(weeks=3)


def uid(given: str) -> str:
    return pseudonymous_uid(KEY, given)


def chest_alone(_keyword: str, text: str) -> str | None:
    return text if text == "CT chest" else None


GIVEN = Replacements("9f3a", uid, date=three_weeks_on, text=chest_alone, graphic=lambda _element: True)


def made(*options: str, given: Replacements = GIVEN, **elements: Any) -> Dataset:
    """What becomes of a data set of these elements."""
    dataset = Dataset()
    with disable_value_validation():
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
    return applied(dataset, *options, given=given)


def applied(dataset: Dataset, *options: str, given: Replacements = GIVEN) -> Dataset:
    return apply(dataset, Profile.model_validate({"profile": "test", "meaning": "test", "options": options}), given)


def items(**elements: Any) -> Sequence:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Sequence([item])


GONE = "gone"
VALUES = [
    # element                 value                options         after
    ("PatientName",           "Smith^Jane",        [],             "9f3a"),
    ("PatientID",             "0101302223",        [],             "9f3a"),
    ("OtherPatientIDs",       "0101302223",        [],             GONE),
    ("PatientBirthDate",      "19300101",          [FULL],         None),
    ("AccessionNumber",       "A123",              [],             None),
    ("PatientAge",            "045Y",              [],             GONE),
    ("PatientAge",            "045Y",              [PATIENT],      "045Y"),
    ("PatientAge",            "097Y",              [PATIENT],      "090Y"),
    ("PatientWeight",         "70",                [PATIENT],      70),
    ("StudyDate",             "20200131",          [],             None),
    ("StudyDate",             "20200131",          [FULL],         "20200221"),
    ("StudyDate",             "20200131",          [MODIFIED],     "20200221"),
    ("StudyDate",             "Smith",             [FULL],         None),
    ("StudyDate",             "Smith",             [MODIFIED],     None),
    ("StudyTime",             "235959.5",          [MODIFIED],     "235959.5"),
    ("SeriesDate",            "20200131",          [],             "19000101"),
    ("AcquisitionDateTime",   "20200131120000+0100", [],           "19000101000000"),
    ("AcquisitionDateTime",   "20200131120000+0100", [MODIFIED],   "20200221120000+0100"),
    ("AcquisitionDateTime",   "202001",            [MODIFIED],     "19000101000000"),
    ("DateOfSecondaryCapture", "20200131",         [],             GONE),
    ("StudyInstanceUID",      "1.2.3",             [],             uid("1.2.3")),
    ("StudyInstanceUID",      "1.2.3",             ["retain_uids"], "1.2.3"),
    ("FrameOfReferenceUID",   "1.2.840.10008.1.4.1.1", [],         "1.2.840.10008.1.4.1.1"),
    ("SOPClassUID",           CTImageStorage,      [],             CTImageStorage),
    ("StudyDescription",      "CT chest",          [],             GONE),
    ("StudyDescription",      "CT chest",          [TEXT],         "CT chest"),
    ("StudyDescription",      "CT chest Jane",     [TEXT],         GONE),
    ("ProtocolName",          "CT chest Jane",     [TEXT],         "ANONYMISED"),
    ("Allergies",             ["CT chest", "Jane"], [PATIENT],     GONE),
    ("InstitutionName",       "Royal Infirmary",   [],             "ANONYMISED"),
    ("InstitutionName",       "Royal Infirmary",   ["retain_institution"], "Royal Infirmary"),
    ("StationName",           "CT1",               [],             "ANONYMISED"),
    ("StationName",           "CT1",               ["retain_device"], "CT1"),
    ("OperatorsName",         "Doe^J",             ["retain_device"], "ANONYMISED"),
    ("Manufacturer",          "ACME",              [],             "ACME"),
    ("Rows",                  512,                 [],             512),
    ("WindowCenterWidthExplanation", "Jane",       [TEXT],         GONE),
    ("VolumeFrameOfReferenceUID", "1.2.3",         [],             uid("1.2.3")),
    ("ContentSequence",       None,                [],             None),
    ("EncapsulatedDocument",  b"%PDF Jane Smith ", [],             bytes(8)),
]  # fmt: skip


@pytest.mark.parametrize(("keyword", "value", "options", "after"), VALUES)
def test_each_option_has_its_effect(keyword: str, value: Any, options: list[str], after: Any) -> None:
    result = made(*options, **{keyword: value})
    left = [(None if element.is_empty else element.value) for element in result if element.keyword == keyword]
    assert left == ([] if after == GONE else [after])


def test_what_the_method_was_stands_in_the_data_set() -> None:
    result = made(TEXT, MODIFIED, DeidentificationMethod="by Jane", Modality="CT")
    assert result.PatientIdentityRemoved == "YES"
    assert result.DeidentificationMethod.startswith("smi_spark ")
    assert [(code.CodeValue, code.CodingSchemeDesignator) for code in result.DeidentificationMethodCodeSequence] == [
        ("113100", "DCM"),
        ("113105", "DCM"),
        ("113107", "DCM"),
    ]
    unmoved = replace(GIVEN, date=None)
    results = [made(given=unmoved), made(FULL, given=unmoved), made(MODIFIED)]
    said = [result.LongitudinalTemporalInformationModified for result in results]
    assert said == ["REMOVED", "UNMODIFIED", "MODIFIED"]


def test_the_given_data_set_stays_as_it_is() -> None:
    dataset = Dataset()
    dataset.PatientName, dataset.StudyDate = "Smith^Jane", "20200131"
    dataset.ReferencedImageSequence = items(ReferencedSOPInstanceUID="1.2.3")
    before = deepcopy(dataset)
    result = applied(dataset, MODIFIED)
    result.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "9"
    assert dataset == before


def test_modified_dates_need_to_know_how() -> None:
    with pytest.raises(InputError, match="profile test modifies dates, and no shift is given"):
        made(MODIFIED, given=Replacements("9f3a", uid))


def test_sequences_are_treated_at_any_depth() -> None:
    inner = items(PatientID="0101302223", StudyDate="20200131", InstitutionAddress="1 High St", ReferencedFrameNumber=3)
    result = made(
        MODIFIED, SharedFunctionalGroupsSequence=items(ReferencedImageSequence=inner, PatientAddress="2 Low St")
    )
    (shared,) = result.SharedFunctionalGroupsSequence
    (image,) = shared.ReferencedImageSequence
    assert {element.keyword: element.value for element in image} == {
        "PatientID": "9f3a",
        "StudyDate": "20200221",
        "ReferencedFrameNumber": 3,
    }
    assert "PatientAddress" not in shared


def test_a_sequence_of_dummies_keeps_its_shape_alone() -> None:
    code = {"CodeValue": "RIE", "CodingSchemeDesignator": "99X", "CodeMeaning": "Royal Infirmary"}
    (dummy,) = made(InstitutionCodeSequence=Sequence([*items(**code), *items(**code)])).InstitutionCodeSequence
    assert {element.value for element in dummy} == {"ANONYMISED"}
    assert len(made(ReferencedStudySequence=items(ReferencedSOPInstanceUID="1.2")).ReferencedStudySequence) == 0


def content(kind: str, code: str, scheme: str = "DCM", **value: Any) -> Dataset:
    (concept,) = items(CodeValue=code, CodingSchemeDesignator=scheme, CodeMeaning=code)
    (item,) = items(RelationshipType="CONTAINS", ValueType=kind, ConceptNameCodeSequence=Sequence([concept]), **value)
    return item


REPORT = [
    content("TEXT", "121106", TextValue="CT chest"),
    content("TEXT", "121071", TextValue="Jane has a cold"),
    content("PNAME", "121008", PersonName="Doe^J"),
    content("DATE", "121031", Date="19300101"),
    content("DATE", "111060", Date="20200131"),
    content("UIDREF", "110180", UID="1.2.3"),
    content("NUM", "121033", MeasuredValueSequence=items(NumericValue="45")),
    content("NUM", "121206", MeasuredValueSequence=items(NumericValue="7")),
    content("CONTAINER", "121070", ContentSequence=Sequence([content("TEXT", "121106", TextValue="Jane")])),
]


def test_structured_content_is_cleaned_item_by_item() -> None:
    result = made(STRUCTURED, TEXT, MODIFIED, ContentSequence=Sequence(deepcopy(REPORT)))
    left = [(item.ConceptNameCodeSequence[0].CodeValue, item) for item in result.ContentSequence]
    assert [code for code, _ in left] == ["121106", "121071", "121008", "111060", "110180", "121206", "121070"]
    comment, finding, observer, day, study, number, findings = (item for _, item in left)
    assert (comment.TextValue, finding.TextValue, observer.PersonName) == ("CT chest", "ANONYMISED", "ANONYMISED")
    assert (day.Date, study.UID) == ("20200221", uid("1.2.3"))
    assert number.MeasuredValueSequence[0].NumericValue == 7
    assert len(findings.ContentSequence) == 0


def code(value: str, scheme: str, meaning: str) -> Dataset:
    (item,) = items(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
    return item


def test_within_cleaned_content_a_sites_own_codes_stay_only_when_their_meaning_passes() -> None:
    codes = [code("1", "99RIE", "CT chest"), code("2", "99RIE", "for Jane"), code("3", "SCT", "Cough")]
    asked = items(ReasonForRequestedProcedureCodeSequence=Sequence(codes), RequestedProcedureID="A123")
    (request,) = made(TEXT, RequestAttributesSequence=asked).RequestAttributesSequence
    assert [one.CodeValue for one in request.ReasonForRequestedProcedureCodeSequence] == ["1", "3"]
    assert "RequestedProcedureID" not in request
    named = Sequence([content("NUM", "99X", "99RIE"), content("NUM", "121206")])
    left = made(STRUCTURED, ContentSequence=named).ContentSequence
    assert [item.ConceptNameCodeSequence[0].CodeValue for item in left] == ["121206"]


@pytest.mark.parametrize(("age", "unit", "after"), [("97", "a", 90), ("45", "a", 45), ("97", "mo", 97)])
def test_an_age_in_structured_content_is_capped(age: str, unit: str, after: int) -> None:
    units = Sequence([code(unit, "UCUM", unit)])
    measured = items(NumericValue=age, MeasurementUnitsCodeSequence=units)
    subject = content("NUM", "121033", MeasuredValueSequence=measured)
    (item,) = made(STRUCTURED, PATIENT, ContentSequence=Sequence([subject])).ContentSequence
    assert item.MeasuredValueSequence[0].NumericValue == after


def test_without_its_option_structured_content_is_a_dummy() -> None:
    result = made(FULL, TEXT, ContentSequence=Sequence(deepcopy(REPORT)))
    (item,) = result.ContentSequence
    assert item.ConceptNameCodeSequence[0].CodeValue == "ANONYMISED"
    assert all(element.value != "CT chest" for element in item.iterall())


def overlaid() -> Dataset:
    dataset = Dataset()
    dataset.add_new(0x60020010, "US", 8)
    dataset.add_new(0x60020022, "LO", "drawn by Jane")
    dataset.add_new(0x60020099, "SQ", [Dataset()])
    dataset.add_new(0x600200AA, "PN", "Jane")
    dataset.add_new(0x60023000, "OW", b"\xff" * 8)
    dataset.add_new(0x50003000, "OW", b"\xff" * 8)
    dataset.GraphicAnnotationSequence = items(
        GraphicLayer="LAYER1", TextObjectSequence=items(UnformattedTextValue="Jane")
    )
    return dataset


def test_overlays_curves_and_annotations_stay_only_when_their_cleaner_passes_them() -> None:
    tags = {"(6002,0010)", "(6002,3000)", "(5000,3000)"}
    assert tags.isdisjoint(str(element.tag) for element in applied(overlaid()))
    refused = Replacements("9f3a", uid, text=chest_alone)
    assert tags.isdisjoint(str(element.tag) for element in applied(overlaid(), GRAPHICS, given=refused))
    passed = applied(overlaid(), GRAPHICS)
    assert tags < {str(element.tag) for element in passed}
    assert [tag for tag in (0x60020022, 0x60020099, 0x600200AA) if tag in passed] == []
    (annotation,) = passed.GraphicAnnotationSequence
    assert annotation.GraphicLayer == "LAYER1"
    assert "UnformattedTextValue" not in annotation.TextObjectSequence[0]


def private() -> Dataset:
    dataset = Dataset()
    dataset.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    dataset.add_new(0x0019100C, "IS", "1000")
    dataset.add_new(0x0019100D, "LO", "Jane")  # a code string there
    dataset.add_new(0x00191015, "FD", 1.0)
    dataset.add_new(0x00290010, "LO", "SMITH^JANE")
    dataset.add_new(0x0029100C, "IS", "1000")
    return dataset


def test_private_elements_stay_only_when_they_are_known_safe() -> None:
    assert [element.tag for element in applied(private()) if element.tag.is_private] == []
    kept = [element for element in applied(private(), "retain_safe_private") if element.tag.is_private]
    assert [(element.tag, element.value) for element in kept] == [(0x00190010, "SIEMENS MR HEADER"), (0x0019100C, 1000)]


def test_a_value_of_another_kind_than_its_attribute_does_not_stay() -> None:
    dataset = Dataset()
    dataset.add_new("Rows", "LT", "Jane Smith")
    dataset.add_new("PatientWeight", "LO", "Jane Smith")
    dataset.add_new("SliceThickness", "OB", b"Jane Smith")
    dataset.add_new("SamplesPerPixel", "US", 1)
    result = applied(dataset, PATIENT)
    assert (result["Rows"].VR, result["Rows"].value) == ("US", None)
    assert (result["PatientWeight"].value, result["SliceThickness"].value) == (None, None)
    assert result.SamplesPerPixel == 1


def file_of(dataset: Dataset) -> bytes:
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.SourceApplicationEntityTitle = "RIE_CT1"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3.4"
    dataset.file_meta.PrivateInformation = b"Jane Smith"
    dataset.preamble = b"Jane Smith".ljust(128, b"\0")
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_a_files_preamble_and_meta_information_are_new() -> None:
    dataset = Dataset()
    dataset.PatientName = "Smith^Jane"
    given = file_of(dataset)
    assert b"Jane" in given[:128]
    buffer = BytesIO()
    applied(dcmread(BytesIO(given))).save_as(buffer, enforce_file_format=True)
    written = buffer.getvalue()
    assert written[:132] == bytes(128) + b"DICM"
    assert b"Jane" not in written
    assert b"RIE_CT1" not in written
    meta = dcmread(BytesIO(written)).file_meta
    assert [element.keyword for element in meta] == [
        "FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID",
        "MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID", "ImplementationVersionName",
    ]  # fmt: skip
    assert meta.MediaStorageSOPInstanceUID == uid("1.2.3")


def test_text_in_other_scripts_is_written_as_it_was_read() -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 144"
    dataset.StudyDescription = "грудь"
    dataset.ReferencedImageSequence = items(SpecificCharacterSet="ISO_IR 100", StudyDescription="Schädel")
    known = Replacements("9f3a", uid, text=lambda _keyword, text: text)
    result = applied(dcmread(BytesIO(file_of(dataset))), TEXT, given=known)
    buffer = BytesIO()
    result.save_as(buffer, enforce_file_format=True)
    back = dcmread(BytesIO(buffer.getvalue()))
    assert back.SpecificCharacterSet == "ISO_IR 192"
    assert back.StudyDescription == "грудь"
    assert back.ReferencedImageSequence[0].StudyDescription == "Schädel"


KEY_OF_LUNG, PATIENT_ID = bytes(range(32)), "P3"  # 20 weeks on
DATES = [
    # element, value, and what shift, truncate and keep make of it
    ("StudyDate", "20200131", "20200619", "20200101", "20200131"),
    ("StudyDate", "2020.01.31", "20200619", "20200101", "20200131"),
    ("StudyDate", "20200229", "20200718", "20200201", "20200229"),
    ("StudyDate", "20191231", "20200519", "20191201", "20191231"),
    ("StudyDate", " 20200131 ", "20200619", "20200101", "20200131"),
    ("StudyDate", "199901", None, None, None),
    ("StudyDate", "1999", None, None, None),
    ("StudyDate", "1999.0131", None, None, None),
    ("StudyDate", "20190229", None, None, None),
    ("StudyDate", "20200101-20200131", None, None, None),
    ("StudyDate", "99991231", None, "99991201", "99991231"),
    ("StudyDate", "19000101", None, "19000101", "19000101"),
    ("StudyDate", ["20200131", "20200201"], ["20200619", "20200620"], ["20200101", "20200201"],
     ["20200131", "20200201"]),
    ("StudyDate", ["20200131", "January"], None, None, None),
    ("AcquisitionDateTime", "20200229233000.123+0100", "20200718233000.123+0100", "20200201233000.123+0100",
     "20200229233000.123+0100"),
    ("AcquisitionDateTime", "20200229-1130", "20200718-1130", "20200201-1130", "20200229-1130"),
    ("AcquisitionDateTime", "2020", "19000101000000", "2020", "2020"),
    ("AcquisitionDateTime", "202002+0000", "19000101000000", "202002+0000", "202002+0000"),
    ("AcquisitionDateTime", "20200101-20200131", "19000101000000", "19000101000000", None),
    ("AcquisitionDateTime", "2020010125", "19000101000000", "19000101000000", None),
    ("StudyTime", "235959.5", "235959.5", "235959.5", "235959.5"),
    ("StudyTime", "996161", None, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("keyword", "value", "shift", "truncate", "keep"), DATES)
def test_dates_follow_the_projects_policy_and_what_cannot_is_taken_away_and_told(
    keyword: str, value: Any, shift: Any, truncate: Any, keep: Any
) -> None:
    for policy, after in zip(POLICIES, (shift, truncate, keep), strict=True):
        told: list[str] = []
        given = replace(for_patient(KEY_OF_LUNG, PATIENT_ID, policy), report=told.append)
        result = made(FULL if policy == "keep" else MODIFIED, given=given, **{keyword: value})
        element = result[keyword]
        assert (None if element.is_empty else element.value) == after, policy
        assert told == ([keyword] if after in (None, "19000101000000") else []), policy


def test_a_profile_that_lets_dates_stay_has_them_moved_where_the_project_moves_them() -> None:
    given = for_patient(KEY_OF_LUNG, PATIENT_ID, "shift")
    result = made(FULL, "retain_device", given=given, StudyDate="20200131", DateOfLastCalibration="20200130")
    assert (result.StudyDate, result.DateOfLastCalibration) == ("20200619", "20200618")
    assert result.LongitudinalTemporalInformationModified == "MODIFIED"
    assert "113107" in {code.CodeValue for code in result.DeidentificationMethodCodeSequence}


def test_a_patient_is_called_as_in_the_projects_tables() -> None:
    given = for_patient(KEY_OF_LUNG, PATIENT_ID, "keep")
    result = made(FULL, given=given, PatientID="0101302223", SOPInstanceUID="1.2.3", StudyDate="20200131")
    assert result.PatientID == pseudonym(KEY_OF_LUNG, "patient", PATIENT_ID)
    assert result.SOPInstanceUID == pseudonymous_uid(KEY_OF_LUNG, "1.2.3")
    assert result.StudyDate == "20200131"
    assert result.LongitudinalTemporalInformationModified == "UNMODIFIED"
