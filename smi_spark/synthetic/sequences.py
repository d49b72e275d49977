"""Sequences that stand in headers: orders, codes, other ids of the patient, references between images."""

import random
from typing import Any

from smi_spark.synthetic.modalities import SOP_CLASSES
from smi_spark.synthetic.series import Content, Series
from smi_spark.synthetic.studies import Study

STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
STEP_CLASS = "1.2.840.10008.3.1.2.3.3"
_PROCEDURES = {"CT": "CSKUH", "MR": "MSKUH", "CR": "XCHES", "US": "UABDO", "MG": "XMAMB", "PT": "NPETC"}
_VIEWS = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}


def study_sequences(study: Study) -> dict[str, Any]:
    """The sequences that every object of the study has: other ids of the patient, codes, references."""
    return {
        "OtherPatientIDsSequence": [
            {"PatientID": study.person.chi, "IssuerOfPatientID": "CHI", "TypeOfPatientID": "TEXT"},
            {
                "PatientID": f"H{study.person.number:07d}Q",
                "IssuerOfPatientID": study.scanner.site,
                "TypeOfPatientID": "TEXT",
            },
        ],
        "ProcedureCodeSequence": [procedure(study)],
        "ReferencedStudySequence": [_reference(STUDY_CLASS, study.uid)],
        "ReferencedPerformedProcedureStepSequence": [_reference(STEP_CLASS, f"{study.uid}.8")],
    }


def image_sequences(study: Study, series: Series, rng: random.Random) -> dict[str, Any]:
    """The sequences that images have beside those of the study: the order, what they come from, the modality's own."""
    first = study.series[0]
    found: dict[str, Any] = {
        "RequestAttributesSequence": [
            {
                "RequestedProcedureID": study.accession,
                "ScheduledProcedureStepID": f"S{study.accession}",
                "ScheduledProcedureStepDescription": study.description,
                "ScheduledProtocolCodeSequence": [procedure(study)],
            }
        ]
    }
    if series.number > 1:
        found["ReferencedImageSequence"] = [
            {
                **_reference(SOP_CLASSES[first.modality], first.sop_uid(1)),
                "PurposeOfReferenceCodeSequence": [code("121311", "DCM", "Localizer")],
            }
        ]
    if series.kind.startswith("T2"):
        source = study.series[1] if study.series[1].content is Content.IMAGES else study.series[0]
        found["SourceImageSequence"] = [_reference(SOP_CLASSES["MR"], source.sop_uid(n)) for n in (1, 2)]
    if series.modality == "PT":
        found["RadiopharmaceuticalInformationSequence"] = [_tracer(rng)]
        found["PatientOrientationCodeSequence"] = [code("F-10450", "SRT", "recumbent")]
    if series.modality == "MG":
        value, meaning = _VIEWS[series.kind.split()[1]]
        found["ViewCodeSequence"] = [code(value, "SCT", meaning)]
        found["AnatomicRegionSequence"] = [code("76752008", "SCT", "Breast")]
    if series.modality == "US":
        found["SequenceOfUltrasoundRegions"] = [_region()]
    return found


def procedure(study: Study) -> dict[str, Any]:
    """The code of what was examined."""
    return code(_PROCEDURES[study.modality], "NICIP", study.description or "Examination")


def code(value: str, scheme: str, meaning: str) -> dict[str, Any]:
    """A coded entry (PS3.3 section 8)."""
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
        "RadionuclideCodeSequence": [code("C-111A1", "SRT", "^18^Fluorine")],
        "RadiopharmaceuticalCodeSequence": [code("C-B1031", "SRT", "Fluorodeoxyglucose F^18^")],
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
