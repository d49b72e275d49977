"""The answers to the definitions of ``conf/cohorts``, told of every life from its plan, in plain Python.

Each question is written down here once more, in the words of the plan: a study is planned as of a head, whatever its
headers will say.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

from smi_spark.synthetic.answers import Cohort
from smi_spark.synthetic.days import add_months, whole_years
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.series import Content, Series
from smi_spark.synthetic.stories import HEAD_CT_COHORT, MAMMOGRAM_COHORT, WARFARIN
from smi_spark.synthetic.studies import Study
from smi_spark.synthetic.worked_stories import (
    CHEST_XRAY_COHORT,
    CHILD_COHORT,
    EMBOLISM_COHORT,
    KNEE_COHORT,
    MAMMOGRAMS_COHORT,
    MR_COHORT,
    PET_COHORT,
    PREGNANCY_COHORT,
    STROKE_COHORT,
    THREE_DRUGS_COHORT,
)

Chosen = list[tuple[Study, int]]  # a study, and how many of its images
_ANTICOAGULANTS = ("020801", "020802")
_DEMENTIA = ("F00", "F01", "F02", "F03", "F051", "G30", "G311")
_KNEES = ("W40", "W41", "W42")
_LYMPHOMAS = ("C81", "C82", "C83", "C84", "C85", "C86")
_AGE_WITHIN = 3  # years


def answer_cohorts(lives: list[Life]) -> dict[str, Cohort]:
    """Every question, answered for every life; where controls are asked for too, the cases."""
    return {name: _cohort(lives, answer) for name, answer in _ANSWERS.items()}


def answer_controls(lives: list[Life]) -> dict[str, list[str]]:
    """Cohort → CHIs of those who could be a control of some case among ``lives``."""
    cases = [(life, study) for life in lives for study, _ in _mammogram_cases(life)]
    found = {
        life.person.chi
        for life in lives
        if not _days(life, "smr06", ("C50", "D05")) and not _mammogram_cases(life)
        for _, day, _ in _mammograms(life)
        for case, first in cases
        if first.day.year == day.year and abs(_age(case, first.day) - _age(life, day)) <= _AGE_WITHIN
    }
    return {MAMMOGRAMS_COHORT: sorted(found)}


def _cohort(lives: Iterable[Life], answer: Callable[[Life], Chosen]) -> Cohort:
    found = {life.person.chi: answer(life) for life in lives}
    chosen = [one for of_person in found.values() for one in of_person]
    return Cohort(
        patients=sorted(chi for chi, of_person in found.items() if of_person),
        studies=sorted(study.uid for study, _ in chosen),
        images=sum(images for _, images in chosen),
    )


def _head_ct(life: Life) -> Chosen:
    """Warfarin in the six months up to the scan, admitted in the three months after its day."""
    drugs, admitted = _days(life, "prescribing", WARFARIN), _days(life, "smr01")
    return [
        (study, images)
        for study, day, images in _scans(life, "CT", "head")
        if any(add_months(day, -6) <= drug <= day for drug in drugs)
        and any(day < later <= add_months(day, 3) for later in admitted)
    ]


def _mammogram(life: Life) -> Chosen:
    """A woman's, with a breast cancer on its day or in the 24 months after."""
    cancers = _days(life, "smr06", "C50") if life.person.sex == "F" else []
    return [
        (study, images)
        for study, day, images in _scans(life, "MG")
        if any(day <= cancer <= add_months(day, 24) for cancer in cancers)
    ]


def _three_drugs(life: Life) -> Chosen:
    drugs = set(_days(life, "prescribing", WARFARIN))
    return [
        (study, images)
        for study, day, images in _scans(life, "CT", "head")
        if 2015 <= day.year <= 2018 and sum(add_months(day, -12) <= drug <= day for drug in drugs) >= 3
    ]


def _chest_xray(life: Life) -> Chosen:
    first = min(_days(life, "smr06", "C34"), default=date.min)
    found = [one for one in _scans(life, "CR", "chest") if one[1] < first <= add_months(one[1], 24)]
    return [(study, images) for study, _, images in sorted(found, key=lambda one: one[1])[:1]]


def _head_mr(life: Life) -> Chosen:
    known = [
        *_days(life, "smr01", _DEMENTIA), *_days(life, "smr04", _DEMENTIA), *_days(life, "prescribing", "0411"),
    ]  # fmt: skip
    thin = _scans(life, "MR", "head", lambda series: series.content is Content.THIN)
    return [(study, images) for study, day, images in thin if not any(before <= day for before in known)]


def _pregnancy(life: Life) -> Chosen:
    births = [_date(row["ADMISSION_DATE"]) for row in life.rows["smr02"] if row.get("DATE_OF_DELIVERY")]
    return [
        (study, images)
        for study, day, images in _scans(life, "US")
        if study.body_part not in ("breast", "neck") and life.person.sex == "F" and 15 <= _age(life, day) <= 50
        and any(day <= birth <= day + timedelta(weeks=30) for birth in births)
    ]  # fmt: skip


def _mammograms(life: Life) -> list[tuple[Study, date, int]]:
    """Of four views or more, of a woman aged 50 to 70."""
    of_women = _scans(life, "MG") if life.person.sex == "F" else []
    return [one for one in of_women if one[2] >= 4 and 50 <= _age(life, one[1]) <= 70]


def _mammogram_cases(life: Life) -> Chosen:
    cancers = _days(life, "smr06", "C50")
    first = min(cancers, default=date.min)
    near = [
        (min(cancer - day for cancer in cancers if cancer >= day), day, study, images)
        for study, day, images in _mammograms(life)
        if day <= first <= add_months(day, 24)
    ]
    return [(study, images) for _, _, study, images in sorted(near, key=lambda one: one[:2])[:1]]


def _stroke(life: Life) -> Chosen:
    strokes = [
        _date(row["ADMISSION_DATE"])
        for row in life.rows["smr01"]
        if str(row["MAIN_CONDITION"]).startswith(("I61", "I63", "I64"))
    ]
    first = min(strokes, default=date.min)
    died = any(0 <= (death - first).days <= 30 for death in _days(life, "deaths"))
    scans = [*_scans(life, "CT", "head"), *_scans(life, "MR", "head", lambda series: series.kind == "DWI")]
    return [(study, images) for study, day, images in scans if died and abs((first - day).days) <= 1]


def _knee(life: Life) -> Chosen:
    replaced = _days(life, "smr01", _KNEES)
    first = min(replaced, default=date.min)
    near = [
        (min(operation - day for operation in replaced if operation >= day), day, study, images)
        for study, day, images in _scans(life, "MR", "knee")
        if day <= first <= add_months(day, 60)
    ]
    return [(study, images) for _, _, study, images in sorted(near, key=lambda one: one[:2])[:1]]


def _pet(life: Life) -> Chosen:
    lymphomas, treated = _days(life, "smr06", _LYMPHOMAS), _days(life, "smr01", "X72")
    return [
        (study, images)
        for study, day, images in _scans(life, "PT", "wholebody")
        if any(lymphoma <= add_months(day, 1) for lymphoma in lymphomas)
        and any(day < on <= add_months(day, 2) or add_months(day, -3) <= on < day for on in treated)
    ]


def _embolism(life: Life) -> Chosen:
    admitted = [_date(row["ADMISSION_DATE"]) for row in life.rows["smr01"] if str(row["MAIN_CONDITION"])[:3] == "I26"]
    drugs = _days(life, "prescribing", _ANTICOAGULANTS)
    chosen = []
    for study, day, images in _scans(life, "CT", "chest", lambda series: series.kind == "Axial 5.0"):
        first = min((on for on in admitted if abs((on - day).days) <= 1), default=None)
        if first and any(0 <= (drug - first).days <= 30 for drug in drugs) and not any(
            add_months(first, -6) <= drug < first for drug in drugs
        ):  # fmt: skip
            chosen.append((study, images))
    return chosen


def _child(life: Life) -> Chosen:
    hurt, admitted = _days(life, "ae", "S0"), _days(life, "smr01")
    return [
        (study, images)
        for study, day, images in _scans(life, "CT", "head")
        if _age(life, day) < 16
        and any(0 <= (day - on).days <= 1 for on in hurt)
        and not any(0 <= (on - day).days <= 7 for on in admitted)
    ]


_ANSWERS: dict[str, Callable[[Life], Chosen]] = {
    HEAD_CT_COHORT: _head_ct,
    MAMMOGRAM_COHORT: _mammogram,
    THREE_DRUGS_COHORT: _three_drugs,
    CHEST_XRAY_COHORT: _chest_xray,
    MR_COHORT: _head_mr,
    PREGNANCY_COHORT: _pregnancy,
    MAMMOGRAMS_COHORT: _mammogram_cases,
    STROKE_COHORT: _stroke,
    KNEE_COHORT: _knee,
    PET_COHORT: _pet,
    EMBOLISM_COHORT: _embolism,
    CHILD_COHORT: _child,
}
_EVENTS = {
    "ae": "ARRIVAL_DATE", "deaths": "DATE_OF_DEATH", "prescribing": "PRESCRIBED_DATE", "smr01": "ADMISSION_DATE",
    "smr04": "ADMISSION_DATE", "smr06": "INCIDENCE_DATE",
}  # fmt: skip
_CODED = {
    "ae": ("DISEASE_1_CODE",),
    "prescribing": ("PI_BNF_ITEM_CODE",),
    "smr01": ("MAIN_CONDITION", "OTHER_CONDITION_1", "OTHER_CONDITION_2", "MAIN_OPERATION"),
    "smr04": ("MAIN_CONDITION", "ADMISSION_DIAGNOSIS_1"),
    "smr06": ("ICD10S_CANCER_SITE",),
}


def _scans(
    life: Life, modality: str, body_part: str = "", of: Callable[[Series], bool] = lambda _: True
) -> Iterator[tuple[Study, date, int]]:
    """Studies with a date, of the body part where one is given; the day, and how many images of the modality."""
    for study in life.studies:
        day = study.study_date
        images = sum(series.images for series in study.series if series.modality == modality and of(series))
        if day and images and study.modality == modality and body_part in ("", study.body_part):
            yield study, day, images


def _days(life: Life, table: str, codes: str | tuple[str, ...] = "") -> list[date]:
    """The days of the life's records of which a code begins so."""
    return [
        _date(row[_EVENTS[table]])
        for row in life.rows[table]
        if not codes or any(str(row.get(column, "")).startswith(codes) for column in _CODED[table])
    ]


def _age(life: Life, day: date) -> int:
    return whole_years(life.person.birth_date, day)


def _date(value: object) -> date:
    assert isinstance(value, date)
    return value
