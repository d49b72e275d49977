"""A twin of the matching of controls in plain Python, that goes from case to case."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from smi_spark.analysis.patients_wanted import Controls

Image = tuple[str, str, date | None, str | None, int | None]  # patient, study, day, sex, age
Study = dict[str, Any]


def studies_of(images: Sequence[Image]) -> list[Study]:
    """Of each patient and study what its images say; they say the same here."""
    return [
        {"patient": patient, "uid": uid, "day": day, "sex": sex, "age": age, "year": day and day.year}
        for patient, uid, day, sex, age in set(images)
    ]


def order(patient: str) -> str:
    return sha256(f"controls|{patient}".encode()).hexdigest()


def pairs_of(cases: Sequence[Image], candidates: Sequence[Image], wanted: Controls) -> set[tuple[str, str, str]]:
    """Control, the study that was matched, and the case."""

    def known(study: Study) -> bool:
        return all(study[key] is not None for key in wanted.match)

    def exact(study: Study) -> tuple[Any, ...]:
        return tuple(study[key] for key in wanted.match if key != "age")

    first = {}
    for study in sorted(studies_of(cases), key=lambda s: (s["day"] is None, s["day"] or date.min, s["uid"])):
        first.setdefault(study["patient"], study)
    index = {patient: study for patient, study in first.items() if known(study)}
    wanted_values = {exact(study) for study in index.values()}
    free: dict[str, Study] = {}
    for study in sorted(studies_of(candidates), key=lambda s: s["uid"]):
        if study["patient"] not in first and known(study) and exact(study) in wanted_values:
            free.setdefault(study["patient"], study)
    pairs, got = set(), Counter[str]()
    by_age = "age" in wanted.match
    for years in sorted(range(-wanted.age_within, wanted.age_within + 1), key=lambda y: (abs(y), y)):
        before = got.copy()
        for slot in range(1, wanted.ratio + 1):
            for case in sorted(index, key=order):
                if before[case] >= slot:
                    continue
                fits = [
                    patient
                    for patient, study in free.items()
                    if exact(study) == exact(index[case]) and (not by_age or study["age"] == index[case]["age"] + years)
                ]
                if fits:
                    chosen = min(fits, key=order)
                    pairs.add((chosen, free.pop(chosen)["uid"], case))
                    got[case] += 1
    return pairs
