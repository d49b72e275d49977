"""Every identifier that the synthetic archive plants in a text is found; and labels are what they say."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from smi_spark.deidentified.text.candidates import reasons_of
from smi_spark.deidentified.text.findings import DETECTORS, find_identifiers, has_name
from smi_spark.deidentified.text.rules import shipped_rules
from smi_spark.synthetic.courses import Block, plan_block
from smi_spark.synthetic.encoding import Elements
from smi_spark.synthetic.headers import series_elements
from smi_spark.synthetic.profile import load_profile
from smi_spark.synthetic.studies import Study

SEED = 3
TEXTS = {"LO", "LT", "SH", "ST", "UC", "UT"}
LABELS = Path(__file__).parents[3] / "labels"


def texts(elements: Elements) -> Iterator[str]:
    """Every text at any depth."""
    for element in elements.values():
        if element.vr == "SQ":
            for item in element.value:
                yield from texts(item)
        elif element.vr in TEXTS:
            yield from map(str, element.value if isinstance(element.value, list) else [element.value])


def identifiers(study: Study) -> dict[str, str]:
    """Text → kind, of what detectors answer for."""
    person = study.person
    chis = [person.chi, *study.patient_id.split("\\")]
    dates = [f"{person.birth_date:%Y%m%d}", f"{person.birth_date:%Y-%m-%d}"]
    kinds = {"chi": chis, "name": [person.surname, person.forename], "date": dates, "postcode": [person.postcode]}
    return {text: kind for kind, planted in kinds.items() for text in planted}


def test_every_planted_identifier_in_a_text_is_found() -> None:
    lives = plan_block(load_profile(), Block(patients=48), SEED)
    planted: Counter[str] = Counter()
    missed = []
    for study in (study for life in lives for study in life.studies):
        known = identifiers(study)
        for text in {text for series in study.series for text in texts(series_elements(study, series, SEED))}:
            found = find_identifiers(text, study.person.pn, shipped_rules())
            for identifier, kind in known.items():
                for match in re.finditer(rf"(?<!\d){re.escape(identifier)}(?!\d)", text):
                    planted[kind] += 1
                    if not any(f.start <= match.start() and match.end() <= f.end for f in found):
                        missed.append((kind, text))
    assert missed == []
    assert {kind for kind, count in planted.items() if count > 10} == {"chi", "name", "postcode"}


@pytest.mark.parametrize("file", ["text.csv", "harder.csv", "unseen.csv"])
def test_each_label_is_of_a_known_kind_and_stands_in_its_text(file: str) -> None:
    beyond = {"other_name", "number", "address"}
    with (LABELS / file).open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            for label in filter(None, row["found"].split(";")):
                kind, part = label.split(":", 1)
                assert kind in {*DETECTORS, *beyond}, row
                assert part in row["text"], row


def test_no_text_passes_the_review_that_holds_a_planted_identifier_though_fifty_people_have_it() -> None:
    lives = plan_block(load_profile(), Block(patients=48), SEED)
    passing, planted = [], 0
    for study in (study for life in lives for study in life.studies):
        for identifier, kind in identifiers(study).items():
            for text in (identifier, f"seen with {identifier}, T2", f"{identifier}_LEFT_KNEE"):
                named = int(has_name(text, study.person.pn, shipped_rules()))  # of the one person whose it is
                planted += 1
                if not reasons_of({"text": text, "patients": 50, "named": named}, 10, shipped_rules())[0]:
                    passing.append((kind, text))
    assert planted > 1000
    assert passing == []
