"""Content items and codes: what an item of a sequence is about."""

from pydicom.dataset import Dataset

from smi_spark.deidentified.dates import AGE_CAP
from smi_spark.deidentified.profile.values import values

# Coding schemes whose codes and meanings a public body writes; others are a site's or a maker's own.
# Source: DICOM PS3.16 section 8 (coding schemes).
PUBLIC_SCHEMES = {
    "99SDM", "ACR", "BARI", "BI", "C4", "C5", "CD2", "DCM", "FMA", "I10", "I10P", "I11", "I9", "I9C", "IBSI", "ICDO3",
    "ISO3166_1", "ISO639_2", "ITIS_TSN", "LN", "MDC", "MSH", "NCIt", "NDC", "NEU", "NICIP", "PUBCHEM_CID", "RADLEX",
    "RFC5646", "RXNORM", "SCT", "SNM3", "SRT", "UCUM", "UMLS", "UNS",
}  # fmt: skip
# Content item → attribute that has its value. Source: DICOM PS3.3 section C.17.3.
ITEM_VALUES = {
    "TEXT": "TextValue",
    "PNAME": "PersonName",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
    "UIDREF": "UID",
}
_AGE, _YEARS = ("121033", "DCM"), "a"


def value_type(item: Dataset) -> str:
    """TEXT, NUM, CONTAINER … of a content item; empty for an item that is none."""
    return str(item.get("ValueType", "")).strip() if "ConceptNameCodeSequence" in item else ""


def concept(item: Dataset) -> tuple[str, str]:
    """Code and coding scheme of a content item's concept name; empty where it has none."""
    return code(next(iter(item.ConceptNameCodeSequence or ()), Dataset()))


def code(item: Dataset) -> tuple[str, str]:
    """Code and coding scheme of an item of a code sequence. Source: DICOM PS3.3 section 8.1."""
    value = item.get("CodeValue", "") or item.get("LongCodeValue", "")
    return str(value).strip(), str(item.get("CodingSchemeDesignator", "")).strip()


def is_local_code(item: Dataset) -> bool:
    """Whether an item is a code whose meaning anybody may have written."""
    return "CodeMeaning" in item and code(item)[1] not in PUBLIC_SCHEMES


def cap_age(item: Dataset) -> None:
    """Make a content item that states an age over 90 years state 90."""
    if concept(item) != _AGE:
        return
    for measured in item.get("MeasuredValueSequence") or ():
        unit = next(iter(measured.get("MeasurementUnitsCodeSequence") or ()), Dataset())
        if code(unit)[0] == _YEARS and "NumericValue" in measured:
            ages = values(measured["NumericValue"])
            measured.NumericValue = [age if age <= AGE_CAP else str(AGE_CAP) for age in ages]
            measured.pop("FloatingPointValue", None)
