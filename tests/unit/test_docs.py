"""The documents say what the code says."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from smi_spark.analysis.definition import read_definition
from smi_spark.dictionary import dictionary
from smi_spark.reasons import REMEDIES, Reason

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_data_dictionary_is_up_to_date() -> None:
    assert read("docs/data-dictionary.md") == dictionary() + "\n", "schemas/ has changed: run make docs"


def test_operations_says_what_to_do_about_every_reason() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", read("docs/operations.md"), re.MULTILINE))
    assert listed == {reason.value: REMEDIES[reason] for reason in Reason}


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {re.split(r"[<>=\[]", need)[0].lower() for group in groups for need in group}
    listed = {name.lower() for name in re.findall(r"`([\w-]+)`", read("docs/dependencies.md"))}
    assert wanted - listed == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_cohort_in_the_readme_is_the_one_of_the_demonstration() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", read("README.md"), re.DOTALL)
    shipped = read("conf/cohorts/head_ct_after_drug_then_admitted.yaml")
    assert read_definition(yaml.safe_load(shown), "README.md") == read_definition(yaml.safe_load(shipped), "conf")


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", read("docs/cohorts.md"), re.DOTALL))
def test_every_example_of_a_definition_is_right(example: str) -> None:
    told = {"cohort": "example", "project": "demo", "question": "Is it right?"}
    read_definition({**told, **yaml.safe_load(example)}, "docs/cohorts.md", ROOT / "conf" / "cohorts")


def test_the_definition_in_python_is_right() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", read("docs/cohorts.md"), re.DOTALL)
    said: dict[str, Any] = {}
    exec(shown.partition("print(")[0], said)
    assert said["definition"].images.having["SliceThickness"].at_most == 1.5
    assert [str(rule) for rule in said["definition"].records.required] == [
        "any of (stroke; deaths: ICD-10 I61 or I63 or I64, at any time)"
    ]


def test_every_job_stands_in_the_readme() -> None:
    missing = [job.name for job in (ROOT / "jobs").glob("*.py") if job.name not in read("README.md")]
    assert missing in ([], ["demo.py"])  # which make demo runs
