"""The notebook of a cohort, run in a kernel with its own Spark session on a snapshot built here."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import read_definition
from smi_spark.config import Config
from tests.conftest import SPARK
from tests.rows import frame

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "explore_cohort.ipynb"
DEFINITION = {
    "cohort": "head_ct_after_drug_then_admitted",
    "project": "demo",
    "question": "Head CT, then admitted?",
    "images": {"modality": "CT"},
    "records": {"required": [{"table": "smr01", "window": {"from": "1 day", "until": "3 months"}}]},
    "deliver": {"records": {"smr01": {"from": "1 day", "until": "3 months"}}},
}
DAYS_TO_ADMISSION = {"ann": 10, "bob": 20, "cat": 90, "dan": 300}


def fill_zone_2(spark: SparkSession, config: Config) -> None:
    """Four people with a CT of three images each, and an admission so many days later."""
    scan = date(2018, 7, 2)  # in the middle of a year: shifted by half a year at most, CT stand in 2018, perhaps 2017
    images: list[dict[str, object]] = [
        {"SOPInstanceUID": f"2.25.{number}{who}", "StudyInstanceUID": who, "patient_id": who, "StudyDate": scan,
         "modality": "CT", "year": 2018, "body_part_label": "head"}
        for who in DAYS_TO_ADMISSION for number in range(3)
    ]  # fmt: skip
    admissions: list[dict[str, object]] = [
        {"URI": who, "patient_id": who, "ADMISSION_DATE": scan + timedelta(days)}
        for who, days in DAYS_TO_ADMISSION.items()
    ]
    for name, rows in (("images", images), ("records/smr01", admissions)):
        tables.append(frame(spark, name, rows, "deidentified"), tables.table(config, f"deidentified/{name}"))


def executed(spark: SparkSession, config: Config, place: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The notebook after it ran from top to bottom in ``place``, on version 1 of the cohort."""
    fill_zone_2(spark, config)
    build_cohort(spark, config, read_definition(DEFINITION, "test.yaml"))
    settings = {**config.model_dump(exclude_none=True), "spark": SPARK | {"spark.driver.memory": "1g"}}
    (place / "smi.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("SMI_SPARK_CONFIG", str(place / "smi.yaml"))
    monkeypatch.delenv("SMI_SPARK_SET", raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(place)}}).execute()
    return notebook
