"""The table of known answers: what was planted, counted in plain Python from the plan, not from files."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from smi_spark.synthetic.extracts import BadRow
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.studies import Study


@dataclass(frozen=True)
class Planted:
    """A person with a story: which cohort it is for, and whether the cohort must hold the person."""

    story: str
    cohort: str
    chi: str
    hit: bool


@dataclass(frozen=True)
class Cohort:
    """The right answer to one question: CHIs (kept ones), original StudyInstanceUIDs and the count of their images."""

    patients: list[str]
    studies: list[str]
    images: int


@dataclass(frozen=True)
class Answers:
    """What a run over the archive must find; each block's is in ``answers/NNNN.json``.

    files: all files below ``dicom/``; good_images: images by modality (as the image says) and by year of the study,
    ``CT/2018``, 0 where the study has no date, without the broken files (the image of nobody is one of these, though
    only pseudonymise can tell).
    broken: path below ``dicom/`` → reason. value_errors: path → keywords whose values do not parse.
    left_out: paths of good files that hold values over 4 KiB. rows: good rows of each extract.
    cohorts: definition of ``conf/cohorts`` → its answer, where it asks for controls its cases. controls: the same →
    CHIs of those who could be a control of some case of their block.
    bad_rows: table → rows to put aside. corrected: table → keys of the rows that ``<table>_late/`` corrects.
    written_otherwise: PatientID as some study writes it → CHI. merged: CHI → the person's kept one, for each number
    that was merged.
    identifiers: kind → every planted text that must not be found outside zone 1.
    """

    seed: int
    patients: int
    files: int
    good_images: dict[str, int]
    broken: dict[str, str]
    value_errors: dict[str, list[str]]
    left_out: list[str]
    rows: dict[str, int]
    bad_rows: dict[str, list[BadRow]]
    corrected: dict[str, list[str]]
    cohorts: dict[str, Cohort]
    controls: dict[str, list[str]]
    planted: list[Planted]
    written_otherwise: dict[str, str]
    merged: dict[str, str]
    identifiers: dict[str, list[str]]

    @classmethod
    def read(cls, archive: Path) -> "Answers":
        """The answers of an archive written before, of all its blocks."""
        return reduce(cls.__add__, map(cls._of_block, sorted((archive / "answers").glob("*.json"))))

    @classmethod
    def _of_block(cls, path: Path) -> "Answers":
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        content["bad_rows"] = {table: [BadRow(**row) for row in rows] for table, rows in content["bad_rows"].items()}
        content["cohorts"] = {name: Cohort(**cohort) for name, cohort in content["cohorts"].items()}
        content["planted"] = [Planted(**planted) for planted in content["planted"]]
        return cls(**content)

    def __add__(self, other: "Answers") -> "Answers":
        """The answers of both: numbers are added up, lists joined, dictionaries entry by entry."""
        values = {name: _joined(one, getattr(other, name)) for name, one in vars(self).items()}
        return Answers(**values | {"seed": self.seed})


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return {**one, **{key: _joined(one[key], value) if key in one else value for key, value in other.items()}}
    if isinstance(one, Cohort):
        return Cohort(*(_joined(part, vars(other)[name]) for name, part in vars(one).items()))
    return one + other


def count_images(studies: Iterable[Study]) -> dict[str, int]:
    """Good images by modality and year, ``CT/2018``."""
    counts: Counter[str] = Counter()
    for study in studies:
        for series in study.series:
            counts[f"{series.modality}/{0 if study.dates == 'none' else study.day.year}"] += series.images
    return dict(sorted(counts.items()))


def list_planted(lives: Iterable[Life]) -> list[Planted]:
    """The people with stories, in order."""
    return [
        Planted(life.story.name, life.story.cohort, life.person.chi, life.story.hit) for life in lives if life.story
    ]


def list_merged(lives: Iterable[Life]) -> dict[str, str]:
    """Older number → kept one, for each person who had two."""
    return {life.history.merge.old: life.person.chi for life in lives if life.history.merge}
