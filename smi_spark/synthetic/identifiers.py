"""Every planted text that says who somebody is: what a search for leaks looks for."""

from collections.abc import Iterable
from datetime import date

from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.people import Person
from smi_spark.synthetic.scanners import OPERATORS, PHYSICIANS, SITES
from smi_spark.synthetic.studies import Study

_RECORD_KEYS = ("URI", "EPISODE_RECORD_KEY", "PE_PATIENT_ID", "PRESCRIPTION_ITEM_ID", "ENTRY_NUMBER")
_BIRTH_DATES = ("DOB", "DATE_OF_BIRTH")


def list_identifiers(people: Iterable[Person], lives: list[Life]) -> dict[str, list[str]]:
    """Kind → texts, sorted. A birth date that is also the date of an event (a delivery) is left out.

    Kinds: chi, name, birth_date (``YYYYMMDD`` and ``YYYY-MM-DD``), postcode, address, accession, uid, institution,
    physician, equipment, hospital_number, record_key.
    """
    people = list(people)
    studies = [study for life in lives for study in life.studies]
    keys = [str(row[key]) for life in lives for row in life.all_rows() for key in _RECORD_KEYS if key in row]
    found = {
        "chi": [person.chi for person in people] + [study.patient_id for study in studies],
        "name": [name for person in people for name in (person.surname, person.forename)],
        "birth_date": _birth_dates(people, lives),
        "postcode": [person.postcode for person in people],
        "address": [person.address for person in people],
        "accession": [study.accession for study in studies],
        "uid": [uid for study in studies for uid in _uids(study)],
        "institution": list(SITES),
        "physician": [name.split("^")[0] for name in (*PHYSICIANS, *OPERATORS)],
        "equipment": [text for study in studies for text in _equipment(study)],
        "hospital_number": [f"H{study.person.number:07d}Q" for study in studies],
        "record_key": keys,
    }
    return {kind: sorted(set(texts)) for kind, texts in found.items()}


def _birth_dates(people: list[Person], lives: list[Life]) -> list[str]:
    events = {study.day for life in lives for study in life.studies}
    for row in (row for life in lives for row in life.all_rows()):
        events |= {day for column, day in row.items() if isinstance(day, date) and column not in _BIRTH_DATES}
    days = [person.birth_date for person in people if person.birth_date not in events]
    return [text for day in days for text in (f"{day:%Y%m%d}", f"{day:%Y-%m-%d}")]


def _uids(study: Study) -> list[str]:
    images = [series.sop_uid(number) for series in study.series for number in range(1, series.images + 1)]
    return [study.uid, *(series.uid for series in study.series), *images]


def _equipment(study: Study) -> tuple[str, ...]:
    return study.scanner.station, study.scanner.serial, study.scanner.ae_title
