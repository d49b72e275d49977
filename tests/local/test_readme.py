"""The Python of the README, and of the page about reading without Spark, runs as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import synthetic, tables
from smi_spark.analysis import open_cohort
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import read_definition
from smi_spark.config import Config
from tests.conftest import make_config
from tests.notebook import DEFINITION, fill_zone_2

ROOT = Path(__file__).parents[2]
READMES_COHORT = "head_ct_after_drug_then_admitted"


def code_of(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def config(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """An installation with the README's cohort, in ``data`` below its folder, and a small archive of files."""
    place = tmp_path_factory.mktemp("readme")
    config = make_config(place)
    fill_zone_2(spark, config)
    build_cohort(spark, config, read_definition(DEFINITION, "test.yaml"))
    synthetic.write_archive(place / "data" / "demo", patients=2, seed=1)
    (place / "conf").mkdir()
    (place / "conf" / "local.yaml").write_text(config.model_dump_json(exclude_none=True))  # JSON is YAML
    return config


@pytest.fixture
def place(config: Config, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a user would be."""
    folder = Path(config.root).parent
    monkeypatch.chdir(folder)
    return folder


def test_the_first_queries_answer(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = code_of("README.md")

    names: dict[str, object] = {}
    exec(first, names)
    shown = capsys.readouterr().out
    assert "|MAIN_CONDITION|" in shown
    assert shown.count("null") + shown.count("NULL") >= 3  # three patients, no condition written

    exec(second.replace("data/demo", str(place / "data" / "demo")), names)  # Spark's own folder is another
    assert "|Modality|count|" in capsys.readouterr().out


def test_a_snapshot_is_read_without_spark_as_with_it(spark: SparkSession, config: Config, place: Path) -> None:
    names: dict[str, Any] = {}
    for code in code_of("docs/without-spark.md"):
        exec(code, names)

    cohort = open_cohort(spark, config, "demo", READMES_COHORT)
    for name in (table.name for table in cohort.entry.tables):
        rows = names["table"](name).to_pyarrow_table()
        expected = cohort.table(name).toPandas()
        assert rows.num_rows == len(expected) > 0, name
        assert rows.column_names == list(expected.columns), name
        assert sorted(rows["patient_id"].to_pylist()) == sorted(expected["patient_id"]), name
    assert sorted(names["patients"]["patient_id"]) == sorted(cohort.patients.toPandas()["patient_id"])
    assert len(names["scans"]) == names["by_maker"]["images"].sum() == 9
    assert [days for _, days in names["after"]] == [10, 20, 90]


def test_a_snapshot_asks_for_nothing_that_such_readers_lack(spark: SparkSession, config: Config, place: Path) -> None:
    for name in (table.name for table in open_cohort(spark, config, "demo", READMES_COHORT).entry.tables):
        table = tables.table(config, f"analysis/demo/{READMES_COHORT}/{name}", schema=name)
        detail = spark.sql(f"DESCRIBE DETAIL delta.`{table.uri}`").collect()[0]
        assert (detail["minReaderVersion"], detail["minWriterVersion"]) == (1, 2), name
        assert sorted(detail["tableFeatures"]) == ["appendOnly", "invariants"], name
        assert detail["properties"].get("delta.columnMapping.mode") is None
        assert not any("variant" in field.dataType.simpleString() for field in tables.read(spark, table).schema)
