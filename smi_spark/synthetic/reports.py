"""Radiology reports as structured reports: names in the tree of content (PS3.3 section A.35.2, PS3.16 TID 2000)."""

import random
from typing import Any

from smi_spark.synthetic.modalities import SOP_CLASSES
from smi_spark.synthetic.sequences import code
from smi_spark.synthetic.series import Content, Series
from smi_spark.synthetic.studies import Study

Item = dict[str, Any]

_FINDINGS = (
    "No acute abnormality.",
    "Appearances are stable since the previous examination.",
    "There is no evidence of haemorrhage or fracture.",
    "Degenerative change only.",
)


def report(study: Study, series: Series, rng: random.Random) -> dict[str, Any]:
    """An Enhanced SR of the study beyond patient, study and series; half of them are verified by the physician."""
    verified = rng.random() < 0.5
    return {
        **document(study),
        "VerificationFlag": "VERIFIED" if verified else "UNVERIFIED",
        **({"VerifyingObserverSequence": [_verifier(study)]} if verified else {}),
        **container(("11528-7", "LN", "Radiology Report"), _content(study, rng), template="2000"),
        "CurrentRequestedProcedureEvidenceSequence": [_evidence(study, series)],
    }


def document(study: Study) -> dict[str, Any]:
    """What every SR document says of itself (PS3.3 section C.17.2)."""
    return {
        "CompletionFlag": "COMPLETE",
        "PerformedProcedureCodeSequence": [],
        "ReferencedRequestSequence": [
            {
                "StudyInstanceUID": study.uid,
                "ReferencedStudySequence": [],
                "AccessionNumber": study.accession,
                "PlacerOrderNumberImagingServiceRequest": "",
                "FillerOrderNumberImagingServiceRequest": "",
                "RequestedProcedureID": study.accession,
                "RequestedProcedureDescription": study.description,
                "RequestedProcedureCodeSequence": [],
            }
        ],
    }


def container(concept: tuple[str, str, str], items: list[Item], *, template: str = "") -> Item:
    """A container of content items (PS3.3 section C.18.8)."""
    found: Item = {
        "ValueType": "CONTAINER",
        "ConceptNameCodeSequence": [code(*concept)],
        "ContinuityOfContent": "SEPARATE",
        "ContentSequence": items,
    }
    if template:
        found["ContentTemplateSequence"] = [{"MappingResource": "DCMR", "TemplateIdentifier": template}]
    return found


def item(relation: str, kind: str, concept: tuple[str, str, str], value: Any, items: list[Item] | None = None) -> Item:
    """A content item of one value (PS3.3 table C.17-5), which a CODE gives as (value, scheme, meaning), a NUM as
    (number, unit).
    """
    found: Item = {"RelationshipType": relation, "ValueType": kind, "ConceptNameCodeSequence": [code(*concept)]}
    match kind:
        case "CODE":
            found["ConceptCodeSequence"] = [code(*value)]
        case "NUM":
            number, unit = value
            found["MeasuredValueSequence"] = [
                {"NumericValue": number, "MeasurementUnitsCodeSequence": [code(unit, "UCUM", unit)]}
            ]
        case "TEXT":
            found["TextValue"] = value
        case "PNAME":
            found["PersonName"] = value
        case "UIDREF":
            found["UID"] = value
        case _:
            found["Date" if kind == "DATE" else "DateTime"] = value
    return {**found, "ContentSequence": items} if items else found


def contained(inner: Item) -> Item:
    """A container as an item of another."""
    return {"RelationshipType": "CONTAINS", **inner}


def _content(study: Study, rng: random.Random) -> list[Item]:
    person = study.person
    physician = study.physician.split("^")[0].title()
    return [
        item("HAS CONCEPT MOD", "CODE", ("121049", "DCM", "Language of Content Item and Descendants"),
             ("en", "RFC5646", "English")),
        item("HAS OBS CONTEXT", "CODE", ("121005", "DCM", "Observer Type"), ("121006", "DCM", "Person")),
        item("HAS OBS CONTEXT", "PNAME", ("121008", "DCM", "Person Observer Name"), study.physician),
        item("HAS OBS CONTEXT", "PNAME", ("121029", "DCM", "Subject Name"), person.pn),
        item("HAS OBS CONTEXT", "TEXT", ("121030", "DCM", "Subject ID"), person.chi),
        item("HAS OBS CONTEXT", "DATE", ("121031", "DCM", "Subject Birth Date"), f"{person.birth_date:%Y%m%d}"),
        contained(container(("121060", "DCM", "History"), [
            item("CONTAINS", "TEXT", ("121060", "DCM", "History"),
                 f"{person.forename} {person.surname}, CHI {person.chi}, of {person.postcode}."),
        ])),
        contained(container(("121070", "DCM", "Findings"), [
            item("CONTAINS", "TEXT", ("121071", "DCM", "Finding"), text) for text in rng.sample(_FINDINGS, 2)
        ])),
        contained(container(("121072", "DCM", "Impressions"), [
            item("CONTAINS", "TEXT", ("121073", "DCM", "Impression"),
                 f"No change. Reported for {study.scanner.site} by Dr {physician.upper()}."),
        ])),
    ]  # fmt: skip


def _verifier(study: Study) -> dict[str, Any]:
    return {
        "VerifyingOrganization": study.scanner.site,
        "VerificationDateTime": f"{study.day:%Y%m%d}120000",
        "VerifyingObserverName": study.physician,
        "VerifyingObserverIdentificationCodeSequence": [],
    }


def _evidence(study: Study, series: Series) -> dict[str, Any]:
    """The first image of each series of images, on which the report rests."""
    return {
        "StudyInstanceUID": study.uid,
        "ReferencedSeriesSequence": [
            {
                "SeriesInstanceUID": other.uid,
                "ReferencedSOPSequence": [
                    {
                        "ReferencedSOPClassUID": SOP_CLASSES[other.modality],
                        "ReferencedSOPInstanceUID": other.sop_uid(1),
                    }
                ],
            }
            for other in study.series
            if other.uid != series.uid and other.content is Content.IMAGES
        ],
    }
