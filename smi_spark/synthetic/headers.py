"""Headers of a planned study: what all images of a series share, file meta included."""

import random
from datetime import date
from typing import Any

from smi_spark.synthetic import captures, doses, frames, reports
from smi_spark.synthetic.chance import pick, stream
from smi_spark.synthetic.days import whole_years
from smi_spark.synthetic.encoding import (
    BIG_ENDIAN,
    DEFLATED,
    ENCAPSULATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    RLE,
    Element,
    Elements,
    Encoding,
    data_set,
)  # fmt: skip
from smi_spark.synthetic.modalities import KINDS, PIXELS, REQUIRED, SOP_CLASSES, TABLES, THIN
from smi_spark.synthetic.people import Person
from smi_spark.synthetic.private import private_elements
from smi_spark.synthetic.scanners import OPERATORS
from smi_spark.synthetic.sequences import image_sequences, study_sequences
from smi_spark.synthetic.series import REPORTS, SCREENS, Content, Series
from smi_spark.synthetic.studies import Study

_IMPLEMENTATION = "1.3.6.1.4.1.99999.7"
_FULLNESS = (1.0, 1.0, 0.9, 0.5, 0.1)  # share of the optional elements that a series gives: some scanners say little
# These, and all that is the modality's own.
_OPTIONAL = {
    "PatientSize", "PatientComments", "EthnicGroup", "PregnancyStatus", "SmokingStatus", "AdditionalPatientHistory",
    "PhysiciansOfRecord", "RequestingPhysician", "RequestingService", "ReasonForTheRequestedProcedure",
    "AdmissionID", "NumberOfStudyRelatedInstances", "ModalitiesInStudy", "PerformingPhysicianName",
    "PerformedProcedureStepID", "PerformedProcedureStepDescription", "PerformedProcedureStepStartTime",
    "InstitutionAddress", "InstitutionalDepartmentName", "TimeOfLastCalibration",
}  # fmt: skip
_DATES = ("SeriesDate", "ContentDate", "InstanceCreationDate", "PerformedProcedureStepStartDate")

# Values that do not parse: keyword → VR and text.
CARELESS = {
    "PatientWeight": ("DS", "72kg"),
    "NumberOfStudyRelatedInstances": ("IS", "twelve"),
    "AcquisitionDate": ("DA", "20191345"),
}


def series_elements(study: Study, series: Series, seed: int) -> Elements:
    """What all images of ``series`` share, but for the file meta (PS3.3)."""
    rng = stream(seed, "series", series.uid)
    fullness = rng.choice(_FULLNESS)
    shared = {**_patient(study, rng), **_study(study), **_series(study, series, rng), **_equipment(study, series)}
    own, optional = _own_values(study, series, rng)
    optional |= _OPTIONAL - own.keys()
    given = {
        keyword: pick(value, rng)
        for keyword, value in {**shared, **own}.items()
        if keyword not in optional or rng.random() < fullness
    }
    elements = data_set({**given, **_dates(study, series)})
    if series.content not in REPORTS | SCREENS and (fullness > min(_FULLNESS) or study.scanner.blob):
        elements |= private_elements(study, series, rng)
    if study.careless:
        elements |= {tag: Element(vr, text) for tag, (vr, text) in _careless().items()}
    return elements


def encoding(study: Study, series: Series) -> Encoding:
    """How the files of the series are written; scanners of odd numbers end sequences by delimiters."""
    return Encoding(series_syntax(study, series), study.person.charset, study.scanner.number % 2 == 1)


def transfer_syntax(study: Study) -> str:
    """What the images of the study are in: explicit little endian mostly, implicit by some scanners, rarely another."""
    number, scanner = study.person.number, study.scanner.number
    if scanner == 42:
        return JPEG
    if number % 29 == 23:
        return RLE
    if number % 17 == 5:
        return DEFLATED
    if number % 19 == 7:
        return BIG_ENDIAN
    return IMPLICIT if scanner % 10 == 3 else EXPLICIT


def series_syntax(study: Study, series: Series) -> str:
    """As the study's images, but that most screens and some multi-frame images are compressed, and no report is."""
    of_study = transfer_syntax(study)
    if series.content in REPORTS:
        return EXPLICIT if of_study in ENCAPSULATED else of_study
    if series.content in SCREENS:
        return of_study if study.person.number % 4 == 0 else RLE
    return RLE if series.content is Content.ENHANCED and study.person.number % 3 == 0 else of_study


def file_meta(study: Study, series: Series) -> dict[str, Any]:
    """The file meta of the series (PS3.10 section 7.1), but for its length and the instance."""
    return {
        "FileMetaInformationVersion": b"\x00\x01",
        "MediaStorageSOPClassUID": SOP_CLASSES[series_class(series)],
        "TransferSyntaxUID": series_syntax(study, series),
        "ImplementationClassUID": _IMPLEMENTATION,
        "ImplementationVersionName": "SMI_SYNTHETIC",
        "SourceApplicationEntityTitle": study.scanner.ae_title,
    }


def series_class(series: Series) -> str:
    """The key of the series in ``SOP_CLASSES``: its modality, or its content."""
    if series.content is Content.ENHANCED:
        return f"{series.content} {series.modality}"
    return series.modality if series.content in (Content.IMAGES, Content.THIN) else str(series.content)


def patient_age(person: Person, day: date) -> str:
    """PatientAge (0010,1010), VR AS: years, for infants months or days."""
    years, days = whole_years(person.birth_date, day), (day - person.birth_date).days
    if years:
        return f"{years:03d}Y"
    return f"{days // 30:03d}M" if days > 60 else f"{days:03d}D"


def _own_values(study: Study, series: Series, rng: random.Random) -> tuple[dict[str, Any], set[str]]:
    """What the content of the series asks for, and which of it a scanner may leave out."""
    match series.content:
        case Content.REPORT:
            return reports.report(study, series, rng), set()
        case Content.DOSE_REPORT:
            return doses.dose_report(study, rng), set()
        case Content.CAPTURE | Content.DOSE_SCREEN:
            return captures.screen(study, series), set()
    sequences = image_sequences(study, series, rng)
    if series.content is Content.ENHANCED:
        return {**frames.enhanced(study, series, rng), **sequences}, set()
    own = {**PIXELS, **TABLES[series.modality]}
    optional = own.keys() - PIXELS.keys() - REQUIRED
    own |= KINDS.get(series.kind, {})
    if series.content is Content.THIN:
        own |= THIN[series.modality]
        optional -= THIN[series.modality].keys()
    if series.modality == "MG":
        side, view = series.kind.split()
        own |= {"Laterality": side, "ImageLaterality": side, "ViewPosition": view}
    if transfer_syntax(study) == JPEG:
        own |= {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2"}
        own.pop("PlanarConfiguration")
    return {**own, **sequences}, optional


def _patient(study: Study, rng: random.Random) -> dict[str, Any]:
    person = study.person
    return {
        **({"SpecificCharacterSet": person.charset} if person.charset else {}),
        "PatientName": person.pn,
        "PatientID": study.patient_id,
        "IssuerOfPatientID": "NHS SCOTLAND",
        "PatientBirthDate": f"{person.birth_date:%Y%m%d}",
        "PatientSex": person.sex,
        "PatientAge": patient_age(person, study.day),
        "PatientSize": f"{rng.uniform(1.5, 1.9):.2f}",
        "PatientWeight": f"{rng.uniform(48, 110):.1f}",
        "PatientAddress": f"{person.address}, {person.postcode}",
        "PatientComments": ("", f"seen with {person.surname}'s sister"),
        "EthnicGroup": "",
        "PregnancyStatus": 4,
        "SmokingStatus": "UNKNOWN",
        "AdditionalPatientHistory": ("", "fall", "?bleed", "surveillance"),
    }


def _study(study: Study) -> dict[str, Any]:
    return {
        "StudyInstanceUID": study.uid,
        "StudyID": study.accession[-6:],
        "AccessionNumber": study.accession,
        "StudyTime": "090512.000000",
        "StudyDescription": study.description,
        "ReferringPhysicianName": study.physician,
        "PhysiciansOfRecord": study.physician,
        "RequestingPhysician": study.physician,
        "RequestingService": "GP",
        "RequestedProcedureDescription": study.description,
        "ReasonForTheRequestedProcedure": ("", "trauma", "follow up"),
        "AdmissionID": "",
        "NumberOfStudyRelatedInstances": sum(series.images for series in study.series),
        "ModalitiesInStudy": sorted({series.modality for series in study.series}),
        **study_sequences(study),
    }


def _series(study: Study, series: Series, rng: random.Random) -> dict[str, Any]:
    found = {
        "SOPClassUID": SOP_CLASSES[series_class(series)],
        "SeriesInstanceUID": series.uid,
        "Modality": series.modality,
        "SeriesNumber": series.number,
        "SeriesTime": "090601.000000",
        "SeriesDescription": series.description,
        "PerformingPhysicianName": study.physician,
        "OperatorsName": rng.choice(OPERATORS),
        "PerformedProcedureStepID": f"P{study.accession}",
        "PerformedProcedureStepDescription": series.description,
        "PerformedProcedureStepStartTime": "090540",
    }
    if series.content not in REPORTS:
        found |= {
            "FrameOfReferenceUID": f"{study.uid}.9",
            "ProtocolName": series.description,
            "BodyPartExamined": study.body_part_examined,
            "Laterality": "",
        }
    return found


def _equipment(study: Study, series: Series) -> dict[str, Any]:
    scanner = study.scanner
    at_workplace = series.content in REPORTS | SCREENS
    return {
        "Manufacturer": (at_workplace and scanner.workplace) or scanner.spelled(study.day),
        "ManufacturerModelName": scanner.model,
        "InstitutionName": scanner.site,
        "InstitutionAddress": f"1 {scanner.site} Drive, ZX1 1ZX",
        "InstitutionalDepartmentName": "Radiology",
        "StationName": scanner.station,
        "DeviceSerialNumber": scanner.serial,
        "SoftwareVersions": list(scanner.software),
        "TimeOfLastCalibration": "070000",
    }


def _dates(study: Study, series: Series) -> dict[str, str]:
    """All dates of events, or those that the study has; a report is of no acquisition."""
    if study.dates == "none":
        return {}
    keywords = [*_DATES, *(["AcquisitionDate"] if series.content not in REPORTS else [])]
    return dict.fromkeys([*keywords, *(["StudyDate"] if study.study_date else [])], f"{study.day:%Y%m%d}")


def _careless() -> dict[int, tuple[str, str]]:
    return {tag: CARELESS[keyword] for keyword in CARELESS for tag in data_set({keyword: ""})}
