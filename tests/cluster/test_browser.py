"""What a researcher looks at: the notebook of a cohort as a page, drawn by Chromium."""

import re
from pathlib import Path

import matplotlib.image
import pytest
from nbconvert import HTMLExporter
from pyspark.sql import SparkSession

from smi_spark.config import Config
from tests.cluster.chromium import drawn
from tests.notebook import executed

pytestmark = pytest.mark.browser


@pytest.fixture
def page(spark: SparkSession, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The executed notebook as HTML."""
    exporter = HTMLExporter(require_js_url="", mathjax_url="")  # this machine's own: nothing from the network
    made = tmp_path / "cohort.html"
    notebook = executed(spark, config, tmp_path, monkeypatch)
    made.write_text(exporter.from_notebook_node(notebook)[0], encoding="utf-8")
    return made


def test_the_notebook_shows_tables_and_plots(page: Path, tmp_path: Path) -> None:
    dom = drawn(page, tmp_path, "--dump-dom")

    assert "A cohort, seen" in dom
    assert "<td>9</td>" in dom  # images left after the last step
    assert len(re.findall(r'<img[^>]*src="data:image/png', dom)) == 2
    assert "Traceback" not in dom

    picture = tmp_path / "cohort.png"
    drawn(page, tmp_path, f"--screenshot={picture}", "--window-size=1100,2600")
    pixels = matplotlib.image.imread(picture)
    assert pixels.shape[:2] == (2600, 1100)
    bars = (abs(pixels[..., :3] - (0x31 / 255, 0x68 / 255, 0x8E / 255)) < 0.02).all(axis=-1)
    assert bars.sum() > 1000  # the attrition's bars are to be seen, in their colour
