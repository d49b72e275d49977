"""Every planted text that says who somebody is: what a search for leaks looks for."""

from smi_spark.synthetic.contacts import CONSULTANTS
from smi_spark.synthetic.lives import Life, event_days
from smi_spark.synthetic.records import PRACTICES
from smi_spark.synthetic.scanners import OPERATORS, PHYSICIANS, SITES
from smi_spark.synthetic.studies import Study

_RECORD_KEYS = (
    "URI", "EPISODE_RECORD_KEY", "PE_PATIENT_ID", "PRESCRIPTION_ITEM_ID", "ENTRY_NUMBER", "CASE_REFERENCE_NUMBER",
    "LINK_NO",
)  # fmt: skip


def list_identifiers(lives: list[Life]) -> dict[str, list[str]]:
    """Kind → texts, sorted. A birth date that is also the date of an event (a delivery) is left out.

    Kinds: chi (merged numbers too), name, birth_date (``YYYYMMDD`` and ``YYYY-MM-DD``), postcode and address of every
    home, accession, uid, institution, physician (names and codes), practice, equipment, hospital_number, record_key.
    """
    people = [life.person for life in lives]
    homes = [home for life in lives for home in life.history.homes]
    merges = [life.history.merge for life in lives if life.history.merge]
    studies = [study for life in lives for study in life.studies]
    keys = [str(row[key]) for life in lives for row in life.all_rows() for key in _RECORD_KEYS if key in row]
    found = {
        "chi": [person.chi for person in people] + [merge.old for merge in merges] + [s.patient_id for s in studies],
        "name": [name for person in people for name in (person.surname, person.forename)],
        "birth_date": _birth_dates(lives),
        "postcode": [home.postcode for home in homes],
        "address": [home.address for home in homes],
        "accession": [study.accession for study in studies],
        "uid": [uid for study in studies for uid in _uids(study)],
        "institution": list(SITES),
        "physician": [name.split("^")[0] for name in (*PHYSICIANS, *OPERATORS)] + list(CONSULTANTS),
        "practice": list(PRACTICES),
        "equipment": [text for study in studies for text in _equipment(study)],
        "hospital_number": [f"H{study.person.number:07d}Q" for study in studies],
        "record_key": keys,
    }
    return {kind: sorted(set(texts)) for kind, texts in found.items()}


def _birth_dates(lives: list[Life]) -> list[str]:
    events = {study.day for life in lives for study in life.studies}
    events |= {day for life in lives for row in life.all_rows() for day in event_days(row)}
    days = [life.person.birth_date for life in lives if life.person.birth_date not in events]
    return [text for day in days for text in (f"{day:%Y%m%d}", f"{day:%Y-%m-%d}")]


def _uids(study: Study) -> list[str]:
    images = [series.sop_uid(number) for series in study.series for number in range(1, series.images + 1)]
    return [study.uid, *(series.uid for series in study.series), *images]


def _equipment(study: Study) -> tuple[str, ...]:
    return study.scanner.station, study.scanner.serial, study.scanner.ae_title
