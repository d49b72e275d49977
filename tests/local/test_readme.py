"""The Python of the README runs as it stands there."""

import re
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from smi_spark import synthetic
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import read_definition
from smi_spark.config import Config
from tests.notebook import DEFINITION, fill_zone_2

README = Path(__file__).parents[2] / "README.md"


def test_the_first_queries_answer(
    spark: SparkSession, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    fill_zone_2(spark, config)
    build_cohort(spark, config, read_definition(DEFINITION, "test.yaml"))
    synthetic.write_archive(tmp_path / "data" / "demo", patients=2, seed=1)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "local.yaml").write_text(config.model_dump_json(exclude_none=True))  # JSON is YAML
    monkeypatch.chdir(tmp_path)
    first, second = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)

    names: dict[str, object] = {}
    exec(first, names)
    shown = capsys.readouterr().out
    assert "|MAIN_CONDITION|" in shown
    assert shown.count("null") + shown.count("NULL") >= 3  # three patients, no condition written

    exec(second.replace("data/demo", str(tmp_path / "data" / "demo")), names)  # Spark's own folder is another
    assert "|Modality|count|" in capsys.readouterr().out
