"""The notebook, run from top to bottom in a kernel with its own Spark session, on a snapshot built here."""

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

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore_cohort.ipynb"
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


def outputs(cell: Any, kind: str) -> list[str]:
    return [output["data"][kind] for output in cell["outputs"] if kind in output.get("data", {})]


@pytest.fixture(scope="module")
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_notebook_is_kept_without_outputs(notebook: Any) -> None:
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)


def test_the_notebook_shows_the_snapshot(
    spark: SparkSession, config: Config, tmp_path: Path, notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_zone_2(spark, config)
    build_cohort(spark, config, read_definition(DEFINITION, "test.yaml"))
    settings = {**config.model_dump(exclude_none=True), "spark": SPARK | {"spark.driver.memory": "1g"}}
    (tmp_path / "smi.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("SMI_SPARK_CONFIG", str(tmp_path / "smi.yaml"))
    monkeypatch.delenv("SMI_SPARK_SET", raising=False)

    NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(tmp_path)}}).execute()

    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    opened = next(cell for cell in cells if "open_cohort(" in cell.source)
    assert "version 1" in opened.outputs[0]["text"]
    assert "9 images, 3 studies, 3 records/smr01" in opened.outputs[0]["text"]
    plots = [cell for cell in cells if "plt.show()" in cell.source]
    assert [len(outputs(cell, "image/png")) for cell in plots] == [1, 1]
    text = "\n".join(shown for cell in cells for shown in outputs(cell, "text/plain"))
    assert "smr01: any record, from 1 day until 3 months         3        3       9" in text
    assert "modality  CT" in text
    assert "count     3.000000\nmean     40.000000" in text  # days to admission: 10, 20, 90
