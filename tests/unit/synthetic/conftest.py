"""One archive for all tests of its parts: every story, and a few people whom chance alone leads."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

import pytest

from smi_spark.synthetic import Answers, write_archive
from smi_spark.synthetic.courses import Block, plan_block
from smi_spark.synthetic.headers import series_syntax
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.profile import load_profile
from smi_spark.synthetic.series import Content, Series
from smi_spark.synthetic.studies import Study


class Kind(NamedTuple):
    content: Content
    syntax: str
    modality: str
    maker: str


class Archive(NamedTuple):
    root: Path
    answers: Answers

    def extract(self, name: str) -> tuple[list[str], list[list[str]]]:
        """Header and rows of an extract, in UTF-8 or else latin-1."""
        content = (self.root / "records" / name / "0000.csv").read_bytes()
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        return header, rows

    def good_rows(self, name: str, *columns: str) -> list[list[str]]:
        """The columns' values of the rows that are not bad."""
        bad = {row.row_number for row in self.answers.bad_rows.get(name, [])}
        header, rows = self.extract(name)
        places = [header.index(column) for column in columns]
        return [[row[place] for place in places] for number, row in enumerate(rows, start=1) if number not in bad]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    root = tmp_path_factory.mktemp("synthetic") / "archive"
    write_archive(root, patients=48, seed=3)
    return Archive(root, Answers.read(root))


@pytest.fixture(scope="session")
def lives() -> list[Life]:
    """The people of ``archive``, as they are planned."""
    return plan_block(load_profile(), Block(patients=48), 3)


@pytest.fixture(scope="session")
def kinds(lives: list[Life]) -> dict[Kind, tuple[Study, Series]]:
    """A series of each kind, without careless values."""
    found = {}
    for study in (study for life in lives for study in life.studies if not study.careless):
        for series in study.series:
            kind = Kind(series.content, series_syntax(study, series), study.modality, study.scanner.family)
            found.setdefault(kind, (study, series))
    return found
