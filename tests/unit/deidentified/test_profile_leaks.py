"""Nothing of who somebody is survives: in data sets that are invented, and in files of many makers."""

import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from struct import pack

import pydicom.data
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from smi_spark.deidentified.profile import Replacements, apply, load_profile
from smi_spark.deidentified.profile.definition import Action
from smi_spark.deidentified.profile.facts import safe_attributes, standard_table
from smi_spark.deidentified.pseudonyms import STANDARD_UIDS, pseudonymous_uid

KEY = b"k" * 32
PROFILES = ["archive", "basic", "project"]
TEXTS = ["LO", "LT", "PN", "SH", "ST", "UC", "UT", "UR", "AE", "CS"]
BYTES = ["OB", "OW", "UN"]
SAID = {
    **dict.fromkeys(TEXTS + BYTES, "SMITH JANE 0101302223 "),
    "AS": "1302223Y",
    "DA": "0101302223",
    "DS": "0101302223",
    "DT": "19300101.01302223 ",
    "IS": "0101302223",
    "TM": "01.0101302223 ",
    "UI": "1.2.826.0.1302223\0",
}
TOKENS = (b"SMITH", b"JANE", b"1302223")
LONG = {"OB", "OW", "SQ", "UC", "UN", "UR", "UT"}  # VRs whose length has four bytes
LISTED = sorted(int(tag, 16) for tag in standard_table("2024b") if not set(tag) - set("0123456789ABCDEF"))
UNLISTED = [0x00080202, 0x00281055, 0x00080301, 0x54001010, 0x00420010, 0x00700006, 0x0040A160]  # and not safe
UNKNOWN = [0x00110010, 0x00111001, 0x000B1002, 0x00190010, 0x60001500, 0x501E0030, 0x7FE01234, 0x00FE0002]
SAFE = [0x00280010, 0x00180050, 0x00200013, 0x00080016, 0x0040A040, 0x0040A043, 0x0040A300, 0x0040A30A]
SEQUENCES = [tag for tag in LISTED if dictionary_VR(tag) == "SQ"]
SAFE_SEQUENCES = [tag for tag in sorted(safe_attributes()) if dictionary_VR(tag) == "SQ"][::20]


def three_weeks_on(day: date) -> date:
    return day + timedelta(weeks=3)


def uid(given: str) -> str:
    return pseudonymous_uid(KEY, given)


GIVEN = Replacements("9f3a", uid, date=three_weeks_on)


def kept_by_choice(tag: int, profile: str) -> bool:
    return load_profile(profile).treatment(tag).action is Action.KEEP


Elements = dict[int, tuple[str, bytes]]  # tag → VR, value


def values_of(tag: int) -> st.SearchStrategy[tuple[str, bytes]]:
    """What a file may say in an element: in its own VR or another. A safe one has another: in its own it may say so."""
    own = [vr for vr in dictionary_VR(tag).split(" or ") if vr in SAID] if dictionary_has_tag(tag) else []
    vrs = ["LT", "PN", "OB"] if tag in SAFE else own * 4 + TEXTS + BYTES
    return st.sampled_from(vrs).map(lambda vr: (vr, SAID[vr].encode()))


def leaves(profile: str) -> st.SearchStrategy[Elements]:
    listed = [tag for tag in LISTED if tag >> 16 > 2 and not kept_by_choice(tag, profile)]
    tags = st.sampled_from(listed) | st.sampled_from(UNLISTED + UNKNOWN + SAFE)
    return st.lists(tags.flatmap(lambda tag: st.tuples(st.just(tag), values_of(tag))), max_size=5).map(dict)


def trees(profile: str) -> st.SearchStrategy[Elements]:
    def nested(inner: st.SearchStrategy[Elements]) -> st.SearchStrategy[Elements]:
        tags = st.sampled_from([*SEQUENCES, *SAFE_SEQUENCES, 0x0040A043, 0x00111020])
        items = st.lists(inner, min_size=1, max_size=2).map(lambda items: ("SQ", b"".join(map(item, items))))
        return st.builds(lambda leaf, tag, value: {**leaf, tag: value}, leaves(profile), tags, items)

    return st.recursive(leaves(profile), nested, max_leaves=4)


def item(elements: Elements) -> bytes:
    content = encoded(elements)
    return pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def encoded(elements: Elements) -> bytes:
    """Explicit VR, little endian. Source: DICOM PS3.5 section 7.1.2."""
    result = b""
    for tag, (vr, value) in sorted(elements.items()):
        length = pack("<2xI", len(value)) if vr in LONG else pack("<H", len(value))
        result += pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + length + value
    return result


def file_of(elements: Elements) -> bytes:
    meta = encoded({0x00020010: ("UI", b"1.2.840.10008.1.2.1\0")})
    return bytes(128) + b"DICM" + encoded({0x00020000: ("UL", pack("<I", len(meta)))}) + meta + encoded(elements)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_identifier_survives_at_any_depth_in_any_vr(profile: str, data: st.DataObject) -> None:
    file = file_of(data.draw(trees(profile)))
    dataset = dcmread(BytesIO(file))
    result = BytesIO()
    apply(dataset, load_profile(profile), GIVEN).save_as(result)
    assert [token for token in TOKENS if token in result.getvalue()] == []


BROKEN = [
    # VR and value that cannot be read as that VR
    (0x00189087, "FD", b"SMITH!"),
    (0x00280120, "ZZ", b"SMITH!"),
    (0x00180050, "DS", b"SMITH "),
    (0x00200013, "IS", b"1.5 "),
    (0x00280010, "ZZ", b"SMITH "),
]


@pytest.mark.parametrize(("tag", "vr", "value"), BROKEN)
def test_a_value_that_does_not_read_is_not_kept(tag: int, vr: str, value: bytes) -> None:
    result = apply(dcmread(BytesIO(file_of({tag: (vr, value)}))), load_profile("basic"), GIVEN)
    assert tag not in result or result[tag].is_empty
    buffer = BytesIO()
    result.save_as(buffer)
    assert b"SMITH" not in buffer.getvalue()


def real_files() -> list[Path]:
    shared = Path(__file__).parents[4] / "shared" / "data" / "dicom"
    ours = Path(pydicom.data.__file__).parent / "test_files"
    found = [path for root in (ours, shared) for path in sorted(root.rglob("*")) if path.is_file()]
    return [path for path in found if path.suffix != ".csv" and path.stat().st_size < 60_000]


def read(path: Path) -> Dataset | None:
    """The file's data set; None where pydicom does not write it even untreated, or warns of it, and for a DICOMDIR."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            dataset = dcmread(path)
            dataset.save_as(BytesIO(), enforce_file_format=True)
        except (InvalidDicomError, Warning, ValueError, AttributeError, TypeError, NotImplementedError, EOFError):
            return None
    return None if "DirectoryRecordSequence" in dataset else dataset


# What these files say of identity and of other things in the same words: a maker, a series number, the meaning of a
# code; and what the profile itself writes.
ALIKE = {b"TOSHIBA", b"PixelMed", b"123456", b"Segmentation", b"19000101", b"REMOVED", b"ANONYMISED"}
REMOVED = (
    "PatientName", "PatientID", "OtherPatientIDs", "PatientBirthDate", "AccessionNumber", "StudyID", "PatientAddress",
    "InstitutionName", "InstitutionAddress", "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName",
    "StudyDescription", "SeriesDescription", "ImageComments", "AdditionalPatientHistory", "RequestingService",
    "PatientTelephoneNumbers", "EthnicGroup", "PatientMotherBirthName", "StudyComments", "IssuerOfPatientID",
)  # fmt: skip


def identifiers(dataset: Dataset) -> Iterator[bytes]:
    for element in dataset.iterall():
        if element.VR == "UI" and not str(element.keyword).endswith(("ClassUID", "SchemeUID")):
            uids = element.value if element.VM > 1 else [element.value or ""]
            yield from (one.encode() for one in uids if one and not one.startswith(STANDARD_UIDS))
        if element.keyword in REMOVED and element.value:
            yield str(element.value).encode()


def pixels(dataset: Dataset) -> bytes:
    return bytes(dataset["PixelData"].value) if "PixelData" in dataset else b""


def test_real_files_keep_their_pixels_and_nothing_of_identity() -> None:
    looked_at = 0
    for path in real_files():
        dataset = read(path)
        if dataset is None:
            continue
        looked_at += 1
        result = BytesIO()
        apply(dataset, load_profile("basic"), GIVEN).save_as(result, enforce_file_format=True)
        back = dcmread(BytesIO(result.getvalue()))
        assert pixels(back) == pixels(dataset), path.name
        header = result.getvalue().replace(pixels(back) or b"\0", b"")
        assert back.PatientID in str(back)  # all of it reads without a warning
        with disable_value_validation():
            said = {one for one in identifiers(dataset) if len(one) > 5} - ALIKE
        assert [one for one in said if one in header] == [], path.name
    assert looked_at > 80
