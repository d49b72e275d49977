"""The card of a version: counted once, beside the manifest, and of what it may tell."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.analysis import Cohort, open_cohort
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.card import Card, open_card, withdraw_card, write_card
from smi_spark.analysis.card.contents import Share
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.registry import Delivered, Registered, register, snapshot_table
from smi_spark.analysis.suppression import ALL
from smi_spark.config import Config
from tests.conftest import make_config
from tests.projects import LONG, LUNG, with_projects
from tests.rows import frame

QUESTION: dict[str, Any] = {
    "cohort": "head_ct", "project": "demo", "question": "Who had a CT of the head?",
    "images": {"modality": "CT", "body_part": "head"}, "deliver": {"records": {"smr01": {}}},
}  # fmt: skip
PROJECT = LUNG | LONG | {"project": "demo", "modalities": "CT", "records": ["smr01"], "dates": "truncate"}
FILES = ("card-v1.html", "card-v1.json", "card-v1.md")


def scan(person: int, year: int = 2020, **values: object) -> dict[str, object]:
    """A CT of the head; every second person is a woman, the first five have another maker's scanner."""
    return {
        "SOPInstanceUID": f"2.25.{person}.{year}", "StudyInstanceUID": f"{person}.{year}", "patient_id": str(person),
        "StudyDate": date(year, 3, 1), "modality": "CT", "year": year, "body_part_label": "head",
        "PatientSex": "FM"[person % 2], "age_at_study": 40 + person % 20, "SliceThickness": 1.0 if person % 4 else None,
        "manufacturer_label": "Siemens" if person >= 5 else "Canon", **values,
    }  # fmt: skip


def fill_zone_2(spark: SparkSession, config: Config) -> None:
    """40 people with a CT in 2020, 3 of them in 2021 too; 30 were admitted; a demography of 100 people and more."""
    images = [scan(person) for person in range(40)] + [scan(person, 2021) for person in range(3)]
    admissions = [
        {"URI": f"u{person}", "patient_id": str(person), "ADMISSION_DATE": date(2020, 4, 1)} for person in range(30)
    ]
    people = [
        {"CHI_NUMBER": f"c{person}", "period_id": f"p{person}", "patient_id": str(person), "SEX": "21"[person % 2],
         "DATE_FROM": date(2010, 7, 1), "age_at_event": 30 + person % 20, "SIMD_QUINTILE": str(1 + person % 2),
         "ETHNIC_GROUP": "1A" if person % 50 < 46 else "3F"}
        for person in range(100)
    ]  # fmt: skip
    moved = people[0] | {"period_id": "later", "DATE_FROM": date(2015, 7, 1), "age_at_event": 35, "SIMD_QUINTILE": "5"}
    dead = people[99] | {"CHI_NUMBER": "dead", "period_id": "dead", "patient_id": "dead", "DATE_OF_DEATH": SOON}
    for name, rows in (
        ("images", images),
        ("records/smr01", admissions),
        ("records/demography", [*people, moved, dead]),
    ):
        tables.append(frame(spark, name, rows, "deidentified"), tables.table(config, f"deidentified/{name}"))


SOON = date(2016, 1, 1)


@dataclass(frozen=True)
class Story:
    """A cohort that was built, two of whose card's files were lost, and a version of it with 2 people more."""

    config: Config
    first: Card
    files: dict[str, bytes]
    again: dict[str, bytes]
    second: Card
    entry: Registered


@pytest.fixture(scope="module")
def story(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Story:
    place = tmp_path_factory.mktemp("card")
    config = with_projects(make_config(place), place / "projects", PROJECT).model_copy(update={"cards": True})
    fill_zone_2(spark, config)
    folder = Path(config.zone("analysis")) / "demo/head_ct"
    entry = build_cohort(spark, config, read_definition(QUESTION, "test.yaml")).entry
    assert entry is not None
    first, files = open_card(open_cohort(spark, config, "demo", "head_ct")), read(folder)
    (folder / "card-v1.html").unlink()
    (folder / "card-v1.md").unlink()
    write_card(Cohort(spark, config, entry))
    again = read(folder)
    second = with_two_more(spark, config, entry)
    return Story(config, first, files, again, open_card(open_cohort(spark, config, "demo", "head_ct")), second)


def with_two_more(spark: SparkSession, config: Config, entry: Registered) -> Registered:
    """The next version, and its card."""
    target = snapshot_table(config, "demo", "head_ct", "images")
    tables.append(frame(spark, "images", [scan(40), scan(41)], "analysis"), target)
    images = Delivered("images", tables.latest_version(spark, target), 45)
    left = tuple(one._replace(patients=42, studies=45, images=45) for one in entry.attrition)
    second = replace(entry, version=2, tables=(images, *entry.tables[1:]), attrition=left)
    register(spark, config, second)
    write_card(Cohort(spark, config, second))
    return second


def read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("card-*")}


def values(card: Card, name: str) -> dict[str, int | None]:
    table = card.tables[name]
    assert table is not None
    return {"|".join(cell): told.value for cell, told in table.items()}


def test_a_build_writes_a_card_and_one_that_was_killed_is_completed_with_the_same(story: Story) -> None:
    assert sorted(story.files) == list(FILES)
    assert story.again == story.files


def test_it_counts_images_people_and_records_and_hides_what_few_have(story: Story) -> None:
    card = story.first
    assert values(card, "patients left") == {"1. CT images": 40, "": 40}
    assert values(card, "images") == {
        "CT|2020": None,
        "CT|2021": None,
        "CT|": 43,
        "|2020": None,
        "|2021": None,
        "|": 43,
    }
    assert values(card, "makers") == {"Canon": None, "Siemens": None, "": 43}
    assert values(card, "age and sex") == {
        "40–49|female": 10, "50–59|female": 10, "40–49|male": 10, "50–59|male": 10,
        "40–49|": 20, "50–59|": 20, "|female": 20, "|male": 20, "|": 40,
    }  # fmt: skip
    assert values(card, "linked smr01") == {"with a row": 30, "without one": 10, "": 40}
    assert card.coverage == {("images", "2020"): 40, ("images", "2021"): 0, ("smr01", "2020"): 30}
    shares = {share.column: share for share in card.missing["images"]}
    assert shares["SliceThickness"] == Share("SliceThickness", 24, 48)  # of 43 images, in steps of ten
    assert shares["EchoTime"] == Share("EchoTime", 100, 100)
    assert shares["StudyDate"] == Share("StudyDate", 0, 0)


def test_it_sets_the_cohort_beside_the_people_who_lived_then(story: Story) -> None:
    card = story.first
    assert card.day == "2020-07-01"
    assert values(card, "population") == {"": 100}  # who had died by then is not of it
    assert values(card, "population by age and sex")["40–49|female"] == 25
    assert values(card, "population by ethnic group") == {"Asian": None, "White": None, "": 100}
    assert values(card, "ethnic group") == {"White": 40, "": 40}
    # The first moved to another quintile: the newest counts, and one person is hidden with as many more as it takes.
    assert values(card, "deprivation") == {"1, most deprived": None, "2": 20, "5, least deprived": None, "": 40}


def test_the_next_version_tells_what_few_changed_as_the_one_before_did(story: Story) -> None:
    card = story.second
    assert (card.version.version, [one.version for one in card.earlier]) == (2, [1])
    total = (card.tables["patients left"] or {})[ALL,]
    assert (total.value, total.version, total.least, total.most) == (40, 1, 31, 49)
    assert (card.came, card.went) == (None, None)  # 2 came
    assert card.missing == story.first.missing
    assert values(card, "images") == values(story.first, "images")


def test_nothing_of_a_card_says_who(story: Story) -> None:
    text = b"".join(story.files.values()).decode()
    assert story.config.root not in text
    assert "2.25." not in text
    numbers = json.loads(story.files["card-v1.json"])
    assert 41 not in [value for rows in numbers["tables"].values() for row in rows for value in row]


def test_a_withdrawn_version_says_so_in_the_place_of_its_card(spark: SparkSession, story: Story) -> None:
    gone = replace(story.entry, withdrawn_at=datetime(2026, 11, 27, tzinfo=UTC), successor=3)
    withdraw_card(story.config, gone)
    write_card(Cohort(spark, story.config, gone))
    files = read(Path(story.config.zone("analysis")) / "demo/head_ct")
    for name in ("card-v2.html", "card-v2.md"):
        assert (
            b"withdrawn on 2026-11-27: it held people who said no. Version 3 is the same without them." in files[name]
        )
        assert b"manufacturer" not in files[name].lower().partition(b"<main>")[2]
    assert files["card-v1.html"] == story.files["card-v1.html"]
