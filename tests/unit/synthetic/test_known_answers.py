"""The known answers, found again in another way: from the files alone, by pydicom, csv and dateutil."""

import re
import warnings
from collections import defaultdict
from datetime import date, datetime
from typing import Any

import pydicom
import pytest
from dateutil.relativedelta import relativedelta

FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%d-%b-%Y", "%d/%m/%Y")


def _day(text: str) -> date | None:
    for form in FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


@pytest.fixture(scope="module")
def person(archive: Any) -> dict[str, str]:
    """CHI → the number that its newest row in the demography names."""
    rows = archive.good_rows("demography", "CHI_NUMBER", "UPI_NUMBER", "DATE_FROM")
    return {chi: upi for chi, upi, _ in sorted(rows, key=lambda row: _day(row[2]) or date.min)}


@pytest.fixture(scope="module")
def images(archive: Any, person: dict[str, str]) -> list[tuple[str, str, str, date | None, str, str]]:
    """CHI of the person, study, modality, study date, body part in words, sex of each good image."""
    found = []
    for path in sorted((archive.root / "dicom").rglob("*.dcm")):
        if str(path.relative_to(archive.root / "dicom")) in archive.answers.broken:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = pydicom.dcmread(path, stop_before_pixels=True)
            day = datetime.strptime(image.StudyDate, "%Y%m%d").date() if image.get("StudyDate") else None
            words = " ".join(
                str(image.get(w, "")) for w in ("BodyPartExamined", "StudyDescription", "SeriesDescription")
            )
            chi = person[image.OtherPatientIDsSequence[0].PatientID]
            found.append((chi, str(image.StudyInstanceUID), image.Modality, day, words, image.PatientSex))
    return found


def test_head_ct_after_warfarin_then_admitted(archive: Any, images: Any, person: dict[str, str]) -> None:
    drugs, admissions = defaultdict(list), defaultdict(list)
    for chi, day, code in archive.good_rows("prescribing", "Pat UPI [C]", "Prescribed Full Date", "PI BNF Item Code"):
        if code.startswith("0208020V0"):
            drugs[person[chi]].append(_day(day))
    for chi, day in archive.good_rows("smr01", "UPI_NUMBER", "ADMISSION_DATE"):
        admissions[person[chi]].append(_day(day))
    found = [
        (chi, study)
        for chi, study, modality, day, words, _ in images
        if modality == "CT" and day and re.search("head|brain|skull", words, re.IGNORECASE)
        and any(day - relativedelta(months=6) <= drug <= day for drug in drugs[chi])
        and any(day < admitted <= day + relativedelta(months=3) for admitted in admissions[chi])
    ]  # fmt: skip
    _agrees(archive.answers.cohorts["head_ct_after_drug_then_admitted"], found, at_least=8)


def test_mammogram_then_breast_cancer(archive: Any, images: Any, person: dict[str, str]) -> None:
    cancers = defaultdict(list)
    for chi, day, site in archive.good_rows("smr06", "CHI_NO", "INCIDENCE_DATE", "ICD10S_CANCER_SITE"):
        if site[:3] == "C50":
            cancers[person[chi]].append(_day(day))
    found = [
        (chi, study)
        for chi, study, modality, day, _, sex in images
        if (modality, sex) == ("MG", "F") and day
        and any(day <= cancer <= day + relativedelta(months=24) for cancer in cancers[chi])
    ]  # fmt: skip
    _agrees(archive.answers.cohorts["mammogram_then_breast_cancer"], found, at_least=5)


def _agrees(cohort: Any, found: list[tuple[str, str]], at_least: int) -> None:
    assert cohort.patients == sorted({chi for chi, _ in found})
    assert cohort.studies == sorted({study for _, study in found})
    assert cohort.images == len(found)
    assert len(cohort.patients) >= at_least


def test_each_story_ends_as_it_was_planted(archive: Any) -> None:
    for planted in archive.answers.planted:
        held = planted.chi in archive.answers.cohorts[planted.cohort].patients
        assert (planted.story, held) == (planted.story, planted.hit)
    assert {planted.hit for planted in archive.answers.planted} == {True, False}


def test_the_answers_name_every_number_that_was_merged(archive: Any, person: dict[str, str]) -> None:
    assert archive.answers.merged == {chi: kept for chi, kept in person.items() if chi != kept}
    assert archive.answers.merged


def test_a_planted_answer_hangs_on_a_merged_number(archive: Any, images: Any) -> None:
    merged = {planted.chi for planted in archive.answers.planted if "number that was merged" in planted.story}
    ids = {chi for cohort in archive.answers.cohorts.values() for chi in cohort.patients}
    assert len(merged & ids) == len(merged) == 2


def test_no_birth_date_in_the_list_is_the_date_of_an_event(archive: Any, images: Any) -> None:
    born = set(archive.answers.identifiers["birth_date"])
    days = {day for *_, day, _, _ in images if day}
    for table, column in (
        ("smr01", "ADMISSION_DATE"), ("smr02", "DATE_OF_DELIVERY"), ("deaths", "DATE_OF_DEATH"),
        ("smr04", "ADMISSION_DATE"), ("demography", "DATE_FROM"), ("ae", "Arrival Date"), ("smr00", "Clinic Date (00)"),
    ):  # fmt: skip
        days |= {_day(text) for (text,) in archive.good_rows(table, column)}
    assert born
    assert born.isdisjoint(f"{day:%Y%m%d}" for day in days)
    assert born.isdisjoint(f"{day:%Y-%m-%d}" for day in days)
