"""Headers of a planned study: one data set a series, then what each of its images changes."""

import random
from datetime import date
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID

from smi_spark.synthetic.chance import pick, stream
from smi_spark.synthetic.days import whole_years
from smi_spark.synthetic.modalities import PIXELS, SLICES, SOP_CLASSES, TABLES
from smi_spark.synthetic.people import Person
from smi_spark.synthetic.private import add_private
from smi_spark.synthetic.scanners import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, OPERATORS
from smi_spark.synthetic.sequences import add_sequences
from smi_spark.synthetic.studies import Series, Study

_IMPLEMENTATION = "1.3.6.1.4.1.99999.7"
_FULLNESS = (1.0, 1.0, 0.9, 0.5, 0.1)  # share of the optional elements that a series gives: some scanners say little
# These, and all that is the modality's own.
_OPTIONAL = {
    "PatientSize", "PatientComments", "EthnicGroup", "PregnancyStatus", "SmokingStatus", "AdditionalPatientHistory",
    "StudyID", "PhysiciansOfRecord", "RequestingPhysician", "RequestingService", "ReasonForTheRequestedProcedure",
    "AdmissionID", "NumberOfStudyRelatedInstances", "ModalitiesInStudy", "PerformingPhysicianName",
    "PerformedProcedureStepID", "PerformedProcedureStepDescription", "PerformedProcedureStepStartTime",
    "InstitutionAddress", "InstitutionalDepartmentName", "TimeOfLastCalibration", "Laterality",
}  # fmt: skip

# Values that do not parse, of even length as all are: keyword → VR and text.
CARELESS = {
    "PatientWeight": ("DS", "72kg"),
    "NumberOfStudyRelatedInstances": ("IS", "twelve"),
    "AcquisitionDate": ("DA", "20191345"),
}


def series_header(study: Study, series: Series, seed: int) -> Dataset:
    """What all images of ``series`` share, file meta included (PS3.3)."""
    rng = stream(seed, "series", series.uid)
    fullness = rng.choice(_FULLNESS)
    header = Dataset()
    header.file_meta = _file_meta(study, series)
    shared = {
        **_patient(study, rng),
        **_study(study),
        **_series(study, series, rng),
        **_equipment(study),
        **PIXELS,
        **TABLES[series.modality],
    }
    optional = (_OPTIONAL | TABLES[series.modality].keys()) - PIXELS.keys() - {"ImageType"}
    for keyword, value in shared.items():
        if keyword not in optional or rng.random() < fullness:
            setattr(header, keyword, pick(value, rng))
    if series.modality == "MG":
        _lay_breast(header, series)
    add_sequences(header, study, series, rng)
    if fullness > min(_FULLNESS) or study.scanner.blob:
        add_private(header, study, rng)
    _date(header, study)
    header.PixelData = rng.randbytes(header.Rows * header.Columns * header.SamplesPerPixel * header.BitsAllocated // 8)
    header["PixelData"].VR = "OW"
    return header


def image_values(series: Series, number: int) -> dict[str, Any]:
    """What the image of that number, from 1, says otherwise than its series."""
    seconds = 9 * 3600 + 300 * series.number + 2 * number
    time = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}.{number * 7919 % 10**6:06d}"
    values: dict[str, Any] = {
        "SOPInstanceUID": series.sop_uid(number),
        "InstanceNumber": str(number),
        "AcquisitionNumber": "1",
        "AcquisitionTime": time,
        "ContentTime": time,
        "InstanceCreationTime": time,
    }
    if series.modality in SLICES:
        values["SliceLocation"] = f"{-20 + 2.5 * number:.2f}"
        values["ImagePositionPatient"] = ["-124.75", "-118.5", f"{-20 + 2.5 * number:.2f}"]
    return values


def transfer_syntax(study: Study) -> str:
    """What the study is written in: explicit little endian mostly, implicit by some scanners, rarely another."""
    if study.person.number % 17 == 5:
        return DEFLATED
    if study.person.number % 19 == 7:
        return BIG_ENDIAN
    return IMPLICIT if study.scanner.number % 10 == 3 else EXPLICIT


def _file_meta(study: Study, series: Series) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(SOP_CLASSES[series.modality])
    meta.TransferSyntaxUID = UID(transfer_syntax(study))
    meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    meta.ImplementationVersionName = "SMI_SYNTHETIC"
    meta.SourceApplicationEntityTitle = study.scanner.ae_title
    return meta


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
    }


def _series(study: Study, series: Series, rng: random.Random) -> dict[str, Any]:
    return {
        "SOPClassUID": SOP_CLASSES[series.modality],
        "SeriesInstanceUID": series.uid,
        "FrameOfReferenceUID": f"{study.uid}.9",
        "Modality": series.modality,
        "SeriesNumber": series.number,
        "SeriesTime": "090601.000000",
        "SeriesDescription": series.description,
        "ProtocolName": series.description,
        "BodyPartExamined": study.body_part_examined,
        "Laterality": "",
        "PerformingPhysicianName": study.physician,
        "OperatorsName": rng.choice(OPERATORS),
        "PerformedProcedureStepID": f"P{study.accession}",
        "PerformedProcedureStepDescription": series.description,
        "PerformedProcedureStepStartTime": "090540",
    }


def _equipment(study: Study) -> dict[str, Any]:
    scanner = study.scanner
    return {
        "Manufacturer": scanner.maker,
        "ManufacturerModelName": scanner.model,
        "InstitutionName": scanner.site,
        "InstitutionAddress": f"1 {scanner.site} Drive, ZX1 1ZX",
        "InstitutionalDepartmentName": "Radiology",
        "StationName": scanner.station,
        "DeviceSerialNumber": scanner.serial,
        "SoftwareVersions": list(scanner.software),
        "TimeOfLastCalibration": "070000",
    }


def _lay_breast(header: Dataset, series: Series) -> None:
    """Side and view of a mammogram, as the series' kind says."""
    side, view = series.kind.split()
    header.Laterality = side
    header.ImageLaterality = side
    header.ViewPosition = view


def _date(header: Dataset, study: Study) -> None:
    """All dates of events, or those that the study has."""
    if study.dates == "none":
        return
    day = f"{study.day:%Y%m%d}"
    keywords = [
        "SeriesDate",
        "AcquisitionDate",
        "ContentDate",
        "InstanceCreationDate",
        "PerformedProcedureStepStartDate",
    ]
    for keyword in [*keywords, *(["StudyDate"] if study.study_date else [])]:
        setattr(header, keyword, day)


def spoil(header: Dataset) -> None:
    """Put in values that are not of their VR, as bytes, into a header that was read: pydicom refuses to make them."""
    little = header.file_meta.TransferSyntaxUID != BIG_ENDIAN
    implicit = header.file_meta.TransferSyntaxUID == IMPLICIT
    for keyword, (vr, text) in CARELESS.items():
        tag = Tag(keyword)
        header[tag] = RawDataElement(tag, vr, len(text), text.encode(), 0, implicit, little)


def patient_age(person: Person, day: date) -> str:
    """PatientAge (0010,1010), VR AS: years, for infants months or days."""
    years, days = whole_years(person.birth_date, day), (day - person.birth_date).days
    if years:
        return f"{years:03d}Y"
    return f"{days // 30:03d}M" if days > 60 else f"{days:03d}D"
