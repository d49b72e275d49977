"""One Spark session for all tests, and an installation of its own for each."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from smi_spark.config import Config, Ingest, Keys, KeySource
from smi_spark.session import get_session

SPARK = {
    "spark.master": "local[2]",
    "spark.driver.memory": "3g",
    "spark.sql.shuffle.partitions": "2",  # frames of five rows
    "spark.databricks.delta.snapshotPartitions": "1",  # likewise for Delta's log
    # Short queries: compiling well does not pay, the quick code of so many fills more than the 48 MB that it gets, and
    # collecting garbage in parallel takes the cores from the other session.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC",
    "spark.sql.codegen.wholeStage": "false",  # nor does making code for a plan that runs once
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def make_config(root: Path) -> Config:
    """An installation below ``root`` with two keys known to the tests."""
    keys = root / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    for name in ("archive", "projects"):
        file = keys / f"{name}.key"
        file.touch(mode=0o600)
        # Without a pattern: 32 equal bytes stand in a page of packed bits by chance.
        file.write_text(hashlib.sha256(f"a key that a test knows: {name}".encode()).hexdigest() + "\n")
    return Config(
        root=str(root / "data"),
        keys=Keys(
            archive=KeySource(file=str(keys / "archive.key")), projects=KeySource(file=str(keys / "projects.key"))
        ),
        cards=False,  # but where they are what is tested
        ingest=Ingest(max_bad_fraction=1.0),
        spark=SPARK,
    )


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(tmp_path)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    place = tmp_path_factory.mktemp("spark")
    settings = {**SPARK, "spark.sql.warehouse.dir": str(place / "warehouse"), "spark.local.dir": str(place / "local")}
    session = get_session(make_config(place).model_copy(update={"spark": settings}))
    yield session
    session.stop()
