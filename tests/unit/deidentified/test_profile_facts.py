"""The tables of conf/profiles beside the facts they were made from, and DICOM's dictionary."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_description, dictionary_has_tag, dictionary_keyword, dictionary_VR

from smi_spark.deidentified.profile.facts import (
    OPTIONS,
    content_items,
    safe_attributes,
    safe_private,
    standard_table,
)
from smi_spark.schema import load_schema

FACTS = Path(__file__).parents[4] / "shared" / "data" / "dicom_ps3.15_table_E.1-1_2024b_innolitics.json"
TABLE = standard_table("2024b")
NAMES_THERE = {
    "retain_safe_private": "rtnSafePrivOpt",
    "retain_uids": "rtnUIDsOpt",
    "retain_device": "rtnDevIdOpt",
    "retain_institution": "rtnInstIdOpt",
    "retain_patient_characteristics": "rtnPatCharsOpt",
    "retain_full_dates": "rtnLongFullDatesOpt",
    "retain_modified_dates": "rtnLongModifDatesOpt",
    "clean_descriptors": "cleanDescOpt",
    "clean_structured_content": "cleanStructContOpt",
    "clean_graphics": "cleanGraphOpt",
}


def as_here(tag: str) -> str:
    return "PRIVATE" if "ODD" in tag else re.sub(r"[(),]", "", tag).upper()


@pytest.mark.skipif(not FACTS.is_file(), reason="the facts of ../shared/data are not here")
def test_every_cell_is_that_of_the_standard() -> None:
    theirs = {
        as_here(row["tag"]): (
            row["name"].partition("\n")[0],
            row["basicProfile"],
            row["stdCompIOD"] == "Y",
            {ours: row[name] for ours, name in NAMES_THERE.items() if name in row},
        )
        for row in json.loads(FACTS.read_text(encoding="utf-8"))
    }
    ours = {tag: (row.name, row.basic, row.in_iod, dict(row.options)) for tag, row in TABLE.items()}
    assert ours == theirs


def test_as_many_cells_of_each_kind_as_the_edition_has() -> None:
    assert len(TABLE) == 621
    assert Counter(row.basic for row in TABLE.values()) == {
        "X": 384, "D": 92, "U": 54, "Z": 42, "X/D": 22, "X/Z": 11, "X/Z/D": 8, "Z/D": 6, "X/Z/U*": 2,
    }  # fmt: skip
    cells = Counter((option, letter) for row in TABLE.values() for option, letter in row.options.items())
    assert cells == {
        ("retain_uids", "K"): 59,
        ("retain_device", "K"): 46,
        ("retain_device", "C"): 11,
        ("retain_institution", "K"): 10,
        ("retain_patient_characteristics", "K"): 9,
        ("retain_patient_characteristics", "C"): 4,
        ("retain_full_dates", "K"): 165,
        ("retain_modified_dates", "C"): 165,
        ("clean_descriptors", "C"): 125,
        ("clean_structured_content", "C"): 3,
        ("clean_graphics", "C"): 4,
        ("retain_safe_private", "C"): 1,
    }


def test_names_are_those_of_the_dictionary() -> None:
    tags = {tag: int(tag, 16) for tag in TABLE if re.fullmatch("[0-9A-F]{8}", tag)}
    assert sorted(set(TABLE) - set(tags)) == ["50XXXXXX", "60XX3000", "60XX4000", "PRIVATE"]
    unknown = [tag for tag, number in tags.items() if not dictionary_has_tag(number)]
    assert unknown == []
    other = {
        TABLE[tag].name: dictionary_description(number)
        for tag, number in tags.items()
        if dictionary_description(number) != TABLE[tag].name
    }
    assert other == {  # PS3.15 and PS3.6 write these differently
        "Acquisition Field Of View Label": "Acquisition Field of View Label",
        "Radiation Generation Mode Description": "Radiation GenerationMode Description",
        "Radiation Generation Mode Label": "Radiation GenerationMode Label",
    }


@pytest.mark.parametrize(
    ("tag", "row"),
    [
        (0x00100010, "Patient's Name"),
        (0x50004000, "Curve Data"),
        (0x501E0010, "Curve Data"),
        (0x60003000, "Overlay Data"),
        (0x60FE4000, "Overlay Comments"),
        (0x00091001, "Private Attributes"),
        (0x60013000, "Private Attributes"),
        (0x60000010, None),
        (0x00280010, None),
    ],
)
def test_a_row_is_found_for_repeating_groups_and_private_elements_too(tag: int, row: str | None) -> None:
    found = TABLE.of(tag)
    assert (found.name if found else None) == row


def test_safe_attributes_are_known_unlisted_and_no_free_text() -> None:
    listed = [dictionary_keyword(tag) for tag in safe_attributes() if TABLE.of(tag) is not None]
    assert listed == []
    kinds = {vr for tag in safe_attributes() for vr in dictionary_VR(tag).split(" or ")}
    assert kinds.isdisjoint({"PN", "DA", "DT", "TM", "AE", "AS", "ST", "LT", "UT", "UN", "UR"})
    assert {dictionary_keyword(tag) for tag in safe_attributes() if dictionary_VR(tag) == "OB"} == {"ICCProfile"}
    texts = {dictionary_keyword(tag) for tag in safe_attributes() if dictionary_VR(tag) in ("LO", "SH", "UC")}
    assert len(texts) == 45
    described = {text for text in texts if re.search("Description|Comment|Explanation|Operator|Physician|Person", text)}
    assert described == {"LUTExplanation", "DimensionDescriptionLabel", "ContentDescription"}  # the last is emptied
    assert {dictionary_keyword(tag): action for tag, action in safe_attributes().items() if action != "K"} == {
        "PositionReferenceIndicator": "Z",  # scanners copy the name of the protocol into it
        "ContentDescription": "Z",
        "SegmentLabel": "D",
        "SegmentAlgorithmName": "D",
    }


def test_what_zone_2_keeps_of_unlisted_attributes_is_safe() -> None:
    keywords = {
        keyword
        for column in load_schema("images").columns
        if column.tag is not None and column.deidentify == "keep"
        for keyword in column.tag.split(".")
    }
    safe = {dictionary_keyword(tag) for tag in safe_attributes()}
    listed = {dictionary_keyword(int(tag, 16)) for tag in TABLE if re.fullmatch("[0-9A-F]{8}", tag)}
    assert sorted(keywords - safe - listed) == []


def test_what_describes_pixels_is_safe() -> None:
    needed = {
        "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
        "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "PixelSpacing", "PixelData",
        "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "ICCProfile", "LUTDescriptor",
        "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "PixelMeasuresSequence",
        "SequenceOfUltrasoundRegions", "RadionuclideTotalDose", "ImagePositionPatient", "SegmentNumber",
        "DiffusionBValue", "ExtendedOffsetTable",
    }  # fmt: skip
    assert needed <= {dictionary_keyword(tag) for tag in safe_attributes()}


def test_safe_private_elements_hold_numbers_or_codes() -> None:
    assert len(safe_private()) == 86
    assert safe_private()["SIEMENS MR HEADER", "0019xx0C"] == "IS"
    assert set(safe_private().values()) <= {"DS", "IS", "FD", "FL", "UL", "SL", "US", "SS", "CS"}
    assert all(re.fullmatch(r"[0-9A-F]{3}[13579BDF]xx[0-9A-F]{2}", element) for _, element in safe_private())


def test_content_items_are_those_of_the_standard() -> None:
    assert len(content_items()) == 206
    assert Counter(row.basic for row in content_items().values()) == {"X": 128, "D": 59, "X/D": 19}
    assert dict(content_items()["121033", "DCM", "NUM"].options) == {"retain_patient_characteristics": "K"}
    assert dict(content_items()["121031", "DCM", "DATE"].options) == {}  # a birth date, which no option retains
    assert {option for row in content_items().values() for option in row.options} <= set(OPTIONS)
