import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.deidentified.pseudonymise import Counts, run
from tests.conftest import make_config
from tests.two_people import fill_two_people
from tests.zone_one import fill_zone_one


@pytest.fixture(scope="session")
def done(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Counts]:
    """An installation whose zone 1 was pseudonymised once. Tests that change it take a copy."""
    config = make_config(tmp_path_factory.mktemp("pseudonymise"))
    fill_zone_one(spark, config)
    return config, run(spark, config)


@pytest.fixture
def copied(done: tuple[Config, Counts], tmp_path: Path) -> Config:
    shutil.copytree(done[0].root, tmp_path / "data")
    return make_config(tmp_path)


@pytest.fixture(scope="session")
def two_people(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """An installation with the images and records of two people, pseudonymised once. Tests that change it copy it."""
    place = tmp_path_factory.mktemp("two_people")
    config = make_config(place)
    fill_two_people(spark, config, place)
    run(spark, config)
    return config
