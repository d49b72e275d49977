"""The definitions in ``conf/cohorts``: none is wrong, beyond its project, without a test, or left out of the docs."""

import re
from datetime import date
from pathlib import Path

import pytest

from smi_spark.analysis.definition import load_definition
from smi_spark.analysis.permission import check_permitted
from smi_spark.analysis.project import read_project
from smi_spark.config import load_yaml
from smi_spark.resources import folder
from smi_spark.synthetic.worked_answers import answer_cohorts
from tests.worked_questions import QUESTIONS

ROOT = Path(__file__).parents[3]
FILES = sorted((folder("conf") / "cohorts").glob("*.yaml"))
NAMES = [file.stem for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_a_worked_definition_is_right_and_permitted_and_asks_in_words(file: Path) -> None:
    definition, place = load_definition(file), folder("conf") / "projects" / "demo.yaml"
    check_permitted(definition, read_project(load_yaml(place), str(place)), file.name, date(2026, 11, 27))
    assert definition.cohort == file.stem
    assert re.match(r"(Who|Which|How) .*\?", definition.question)


def test_each_is_asked_in_sql_and_answered_by_the_archive() -> None:
    assert len(NAMES) == 12
    assert sorted(QUESTIONS) == NAMES
    assert sorted(answer_cohorts([])) == NAMES


def test_the_docs_show_each_with_what_it_shows() -> None:
    text = (ROOT / "docs" / "cohorts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(\w+)`\]\(\.\./conf/cohorts/\1\.yaml\) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    assert sorted(name for name, _, _ in rows) == NAMES
