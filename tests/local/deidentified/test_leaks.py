"""Nothing that zone 1 knows of somebody stands in a file of zone 2, decompressed and in any encoding."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.pseudonymise import Counts
from tests.leaks import find_tokens
from tests.rows import frame
from tests.zone_one import CHI, planted_texts


@pytest.fixture(scope="module")
def secrets(done: tuple[Config, Counts]) -> list[bytes]:
    archive, projects = (load_key(source) for source in (done[0].keys.archive, done[0].keys.projects))
    return [archive, projects, project_key(projects, "demo")]


def test_every_planted_identity_stands_in_zone_one(done: tuple[Config, Counts]) -> None:
    texts = planted_texts()
    found = {token for _, token, _ in find_tokens(Path(done[0].secure), texts)}
    assert set(texts) - found == {"19310203"}, "a date is written with hyphens there"


def test_no_planted_identity_and_no_key_stands_in_zone_two(done: tuple[Config, Counts], secrets: list[bytes]) -> None:
    assert find_tokens(Path(done[0].deidentified), [*planted_texts(), *secrets]) == []


def test_no_key_stands_in_zone_one(done: tuple[Config, Counts], secrets: list[bytes]) -> None:
    assert find_tokens(Path(done[0].secure), secrets) == []


def test_one_chi_leaked_on_purpose_is_found(spark: SparkSession, copied: Config) -> None:
    leaking = frame(spark, "images", [{"SOPInstanceUID": "2.25.1", "patient_id": CHI, "year": 0}], "deidentified")
    tables.append(leaking, tables.table(copied, "deidentified/images"))

    leaks = find_tokens(Path(copied.deidentified), planted_texts())

    assert {(leak.token, leak.encoding) for leak in leaks} == {(CHI, "text"), (CHI[1:], "text")}
    places = {leak.file.rsplit(".", 1)[-1] for leak in leaks}
    assert places == {"parquet", "json"}, "the value, and its statistics in Delta's log"
