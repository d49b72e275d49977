"""Sequences that stand in headers: orders, codes, other ids of the patient, references between images."""

import random
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from smi_spark.synthetic.modalities import SOP_CLASSES
from smi_spark.synthetic.studies import Series, Study

STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
STEP_CLASS = "1.2.840.10008.3.1.2.3.3"
_PROCEDURES = {"CT": "CSKUH", "MR": "MSKUH", "CR": "XCHES", "US": "UABDO", "MG": "XMAMB", "PT": "NPETC"}
_VIEWS = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}


def add_sequences(header: Dataset, study: Study, series: Series, rng: random.Random) -> None:
    """Put into ``header`` the sequences that the study and its modality have; some of undefined length (PS3.5 7.5)."""
    for keyword, items in {**_of_study(study), **_of_series(study, series, rng)}.items():
        sequence = Sequence([_item(values) for values in items])
        setattr(header, keyword, sequence)
        if study.scanner.number % 2:
            header[keyword].is_undefined_length = True
            for item in sequence:
                item.is_undefined_length_sequence_item = True


def _of_study(study: Study) -> dict[str, list[dict[str, Any]]]:
    code = _code(_PROCEDURES[study.modality], "NICIP", study.description or "Examination")
    return {
        "OtherPatientIDsSequence": [
            {"PatientID": study.person.chi, "IssuerOfPatientID": "CHI", "TypeOfPatientID": "TEXT"},
            {"PatientID": f"H{study.person.number:07d}Q", "IssuerOfPatientID": study.scanner.site[:16]},
        ],
        "ProcedureCodeSequence": [code],
        "ReferencedStudySequence": [_reference(STUDY_CLASS, study.uid)],
        "ReferencedPerformedProcedureStepSequence": [_reference(STEP_CLASS, f"{study.uid}.8")],
        "RequestAttributesSequence": [
            {
                "RequestedProcedureID": study.accession,
                "ScheduledProcedureStepID": f"S{study.accession}"[:16],
                "ScheduledProcedureStepDescription": study.description,
                "ScheduledProtocolCodeSequence": [code],
            }
        ],
    }


def _of_series(study: Study, series: Series, rng: random.Random) -> dict[str, list[dict[str, Any]]]:
    first = study.series[0]
    found: dict[str, list[dict[str, Any]]] = {}
    if series.number > 1:
        found["ReferencedImageSequence"] = [_reference(SOP_CLASSES[first.modality], first.sop_uid(1))]
    if series.kind.startswith("T2"):
        source = study.series[1]
        found["SourceImageSequence"] = [_reference(SOP_CLASSES["MR"], source.sop_uid(n)) for n in (1, 2)]
    if series.modality == "PT":
        found["RadiopharmaceuticalInformationSequence"] = [_tracer(rng)]
        found["PatientOrientationCodeSequence"] = [_code("F-10450", "SRT", "recumbent")]
    if series.modality == "MG":
        value, meaning = _VIEWS[series.kind.split()[1]]
        found["ViewCodeSequence"] = [_code(value, "SCT", meaning)]
        found["AnatomicRegionSequence"] = [_code("76752008", "SCT", "Breast")]
    if series.modality == "US":
        found["SequenceOfUltrasoundRegions"] = [_region()]
    return found


def _code(value: str, scheme: str, meaning: str) -> dict[str, Any]:
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def _reference(sop_class: str, uid: str) -> dict[str, Any]:
    return {"ReferencedSOPClassUID": sop_class, "ReferencedSOPInstanceUID": uid}


def _tracer(rng: random.Random) -> dict[str, Any]:
    return {
        "Radiopharmaceutical": rng.choice(("FDG -- fluorodeoxyglucose", "Fluorodeoxyglucose")),
        "RadiopharmaceuticalStartTime": "081500",
        "RadionuclideTotalDose": f"{rng.uniform(2e8, 4e8):.0f}",
        "RadionuclideHalfLife": "6588",
        "RadionuclidePositronFraction": "0.97",
        "RadionuclideCodeSequence": [_code("C-111A1", "SRT", "^18^Fluorine")],
        "RadiopharmaceuticalCodeSequence": [_code("C-B1031", "SRT", "Fluorodeoxyglucose F^18^")],
    }


def _region() -> dict[str, Any]:
    return {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionLocationMinX0": 0,
        "RegionLocationMaxX1": 15,
        "PhysicalUnitsXDirection": 3,
        "PhysicalDeltaX": 0.0212,
    }


def _item(values: dict[str, Any]) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        nested = isinstance(value, list) and value and isinstance(value[0], dict)
        setattr(item, keyword, Sequence([_item(inner) for inner in value]) if nested else value)
    return item
