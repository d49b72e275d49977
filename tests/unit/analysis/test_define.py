"""Definitions in Python are those of files."""

from pathlib import Path

import pytest
import yaml

from smi_spark.analysis.define import all_of, any_of, define, images, none_of, record, window
from smi_spark.analysis.definition import load_definition
from smi_spark.errors import ConfigError
from smi_spark.resources import folder

IN_A_FILE = """
cohort: stroke_after_mr
project: demo
question: Who had a stroke after an MR of the head?
images:
  modality: MR
  having: {SliceThickness: {at_most: 1.5}}
  each_series: {images: {at_least: 20}}
groups:
  stroke: {table: smr01, codes: {ICD-10: {file: stroke.csv}}, which: first ever, window: {from: 1 day}}
records:
  required:
    - stroke
    - any_of:
        - {table: deaths, window: {until: 1 month}, around: stroke}
        - none_of: [{table: ae}]
  excluded:
    - all_of: [{table: smr04}, {table: prescribing, codes: {BNF: "0411"}, at_least: 3}]
deliver:
  records: {smr01: {from: 0 days}}
"""


def test_a_file_and_python_make_the_same_definition(tmp_path: Path) -> None:
    (tmp_path / "stroke.csv").write_text("code\nI63\nI61\n")
    (tmp_path / "stroke.yaml").write_text(IN_A_FILE)
    made = define(
        cohort="stroke_after_mr",
        project="demo",
        question="Who had a stroke after an MR of the head?",
        images=images(
            modality="MR", having={"SliceThickness": {"at_most": 1.5}}, each_series={"images": {"at_least": 20}}
        ),
        groups={
            "stroke": record("smr01", codes={"ICD-10": ["I61", "I63"]}, which="first ever", window=window("1 day"))
        },
        records={
            "required": [
                "stroke",
                any_of(record("deaths", window=window(until="1 month"), around="stroke"), none_of(record("ae"))),
            ],
            "excluded": [all_of(record("smr04"), record("prescribing", codes={"BNF": "0411"}, at_least=3))],
        },
        deliver={"records": {"smr01": {"from": "0 days"}}},
    )
    assert made == load_definition(tmp_path / "stroke.yaml")
    assert made.sha256() == load_definition(tmp_path / "stroke.yaml").sha256()
    assert define(**yaml.safe_load(IN_A_FILE), folder=tmp_path) == made


@pytest.mark.parametrize("path", sorted((folder("conf") / "cohorts").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_files_that_come_along_are_the_same_in_python(path: Path) -> None:
    assert define(**yaml.safe_load(path.read_text()), folder=path.parent).sha256() == load_definition(path).sha256()


def test_what_is_wrong_in_python_is_told_as_of_a_file() -> None:
    with pytest.raises(ConfigError, match=r"^record of ae: tabel is not a field\. .* Did you mean table\?$"):
        record("ae", tabel="smr01")
    with pytest.raises(ConfigError, match=r"^images: modalty is not a field\. .* Did you mean modality\?$"):
        images(modalty="CT")
    with pytest.raises(ConfigError, match=r"^cohort c: records\.required\[0\]\.table: smr1 is not a table\. "):
        define(cohort="c", project="p", question="Who?", records={"required": [record("smr1")]})
