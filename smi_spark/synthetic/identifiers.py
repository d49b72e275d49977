"""Every planted text that says who somebody is: what a search for leaks looks for, and where it stands in a file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.datadict import keyword_for_tag

from smi_spark.synthetic.captures import words
from smi_spark.synthetic.contacts import CONSULTANTS
from smi_spark.synthetic.encoding import Element, Elements, data_set
from smi_spark.synthetic.headers import file_meta, series_elements
from smi_spark.synthetic.lettering import Box
from smi_spark.synthetic.lives import Life, event_days
from smi_spark.synthetic.records import PRACTICES
from smi_spark.synthetic.scanners import OPERATORS, PHYSICIANS, SITES
from smi_spark.synthetic.series import SCREENS, Series
from smi_spark.synthetic.studies import Study

_RECORD_KEYS = (
    "URI", "EPISODE_RECORD_KEY", "PE_PATIENT_ID", "PRESCRIPTION_ITEM_ID", "ENTRY_NUMBER", "CASE_REFERENCE_NUMBER",
    "LINK_NO",
)  # fmt: skip


@dataclass(frozen=True)
class Identifier:
    """A planted text in the files of a series; ``kind`` as in ``list_identifiers``.

    tag_path: the element, by keywords from the data set in, ``OtherPatientIDsSequence[0].PatientID``; in the file meta
    ``file_meta.SourceApplicationEntityTitle``; of private elements group, creator and number within the block,
    ``(0029,"SIEMENS CSA HEADER",10)``; ``PixelData`` for text that is burned in, whose pixels are in ``box``: left,
    top, right, bottom, the last two outside.
    """

    kind: str
    text: str
    tag_path: str
    box: Box | None = None


def series_identifiers(study: Study, series: Series, seed: int) -> list[Identifier]:
    """Every planted identifier in each file of ``series``, wherever it stands; a UID as the whole value that holds it.

    Each image's own SOPInstanceUID and MediaStorageSOPInstanceUID are not among them: they differ from file to file.
    """
    search = _Search(study)
    meta = [
        Identifier(found.kind, found.text, f"file_meta.{found.tag_path}")
        for found in search.data_set(data_set(file_meta(study, series)))
    ]
    burned_in = words(study, series) if series.content in SCREENS else []
    return [
        *meta,
        *search.data_set(series_elements(study, series, seed)),
        *(Identifier(word.kind, word.text, "PixelData", box) for word, box in burned_in if word.kind),
    ]


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


class _Search:
    """Finds a study's planted texts in its data sets. None is part of a longer number."""

    def __init__(self, study: Study) -> None:
        person = study.person
        kinds = {
            "chi": [person.chi, *study.patient_id.split("\\")],
            "name": [person.surname, person.forename],
            "birth_date": [f"{person.birth_date:%Y%m%d}", f"{person.birth_date:%Y-%m-%d}"],
            "postcode": [person.postcode],
            "address": [person.address],
            "accession": [study.accession],
            "institution": list(SITES),
            "physician": [name.split("^")[0] for name in (*PHYSICIANS, *OPERATORS)],
            "equipment": list(_equipment(study)),
            "hospital_number": [f"H{person.number:07d}Q"],
        }
        self._kinds = {text: kind for kind, texts in kinds.items() for text in texts}
        self._texts = re.compile(rf"(?<!\d)(?:{'|'.join(map(re.escape, self._kinds))})(?!\d)")
        self._uids = (study.uid, *(series.uid for series in study.series))

    def data_set(self, elements: Elements) -> Iterator[Identifier]:
        creators = {tag: element.value for tag, element in elements.items() if tag >> 16 & 1 and tag & 0xFF00 == 0}
        for tag, element in sorted(elements.items()):
            path = _private_path(tag, creators) if tag >> 16 & 1 else keyword_for_tag(tag)
            if element.vr == "SQ":
                for number, item in enumerate(element.value):
                    for found in self.data_set(item):
                        yield Identifier(found.kind, found.text, f"{path}[{number}].{found.tag_path}")
            else:
                yield from (Identifier(kind, text, path) for kind, text in self._value(element))

    def _value(self, element: Element) -> Iterator[tuple[str, str]]:
        """Kind and text of each identifier in the value, each once."""
        if isinstance(element.value, bytes):
            yield from ((kind, text) for text, kind in self._kinds.items() if text.encode() in element.value)
            return
        parts = element.value if isinstance(element.value, list) else [element.value]
        for part in map(str, parts):
            if element.vr == "UI" and part.startswith(self._uids):
                yield "uid", part
            else:
                yield from ((self._kinds[text], text) for text in dict.fromkeys(self._texts.findall(part)))


def _private_path(tag: int, creators: dict[int, str]) -> str:
    group, block = tag >> 16, tag >> 8 & 0xFF
    creator = creators.get(group << 16 | block, "") if block else ""
    return f'({group:04X},"{creator}",{tag & 0xFF:02X})'
