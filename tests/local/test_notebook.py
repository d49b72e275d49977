"""The notebook shows what stands in the snapshot."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from pyspark.sql import SparkSession

from smi_spark.config import Config
from tests.notebook import NOTEBOOK, executed


def outputs(cell: Any, kind: str) -> list[str]:
    return [output["data"][kind] for output in cell["outputs"] if kind in output.get("data", {})]


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)


def test_the_notebook_shows_the_snapshot(
    spark: SparkSession, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = executed(spark, config, tmp_path, monkeypatch)

    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    opened = next(cell for cell in cells if "open_cohort(" in cell.source)
    assert "version 1" in opened.outputs[0]["text"]
    assert "9 images, 3 series, 3 studies, 3 patients, 3 records/smr01" in opened.outputs[0]["text"]
    plots = [cell for cell in cells if "plt.show()" in cell.source]
    assert [len(outputs(cell, "image/png")) for cell in plots] == [1, 1]
    text = "\n".join(shown for cell in cells for shown in outputs(cell, "text/plain"))
    assert "smr01: any record, from 1 day until 3 months         3        3       9" in text
    assert "modality  CT" in text
    assert "count     3.000000\nmean     40.000000" in text  # days to admission: 10, 20, 90
