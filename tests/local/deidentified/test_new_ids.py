"""Rows of zone 2 with another key's ids, and rows for a project that do not show it: the transforms of a rotation."""

from datetime import date
from pathlib import Path

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from smi_spark.analysis.delivery import for_project
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.actions import deidentify
from smi_spark.deidentified.keys import create_key
from smi_spark.deidentified.rotation import Keys, replacements, with_new_ids
from smi_spark.deidentified.swappers import Keyed
from smi_spark.schema import load_schema
from tests.rows import frame

CHI, BABY, OTHER = "0101031234", "0303030076", "0202020052"
RECORDS = [
    {"EPISODE_RECORD_KEY": "e1", "UPI_NUMBER": CHI, "ADMISSION_DATE": date(2020, 1, 1), "MAIN_CONDITION": "O80",
     "BABY_CI_CHI_NUMBER_BABY_1": BABY},
    {"EPISODE_RECORD_KEY": None, "UPI_NUMBER": OTHER, "ADMISSION_DATE": None, "MAIN_CONDITION": "O81"},
]  # fmt: skip
GONE = {"EPISODE_RECORD_KEY": "nobody's", "MAIN_CONDITION": "O82"}


@pytest.fixture
def keys(config: Config, tmp_path: Path) -> Keys:
    new = KeySource(file=str(tmp_path / "keys" / "new.key"))
    create_key(str(new.file))
    return Keys(Keyed(config.keys.archive), Keyed(new), "former", "new")


def test_rows_get_the_ids_of_the_new_key_and_projects_see_the_former_ones(
    spark: SparkSession, config: Config, keys: Keys
) -> None:
    schema, people = load_schema("records/smr02"), spark.createDataFrame([(OTHER, CHI)], "chi string, person string")
    source = frame(spark, "records/smr02", RECORDS)
    before, after = (deidentify(source, schema, key, people).cache() for key in (keys.former, keys.new))
    gone = frame(spark, "records/smr02", [GONE], "deidentified")

    renewed = with_new_ids(before.unionByName(gone), source, schema, keys, people).cache()
    assert_df_equality(renewed, after, ignore_row_order=True, ignore_nullable=True, ignore_metadata=True)
    again = with_new_ids(renewed, source, schema, keys, people)
    assert_df_equality(again, after, ignore_row_order=True, ignore_nullable=True, ignore_metadata=True)

    ids = [("patient", CHI), ("patient", BABY), ("patient", OTHER), ("accession", "e1"), ("uid", "1.2.840.10008.1.2")]
    pairs = replacements(spark.createDataFrame(ids, "kind string, id string"), keys)
    assert pairs.where("old = new").select("old").collect() == [("1.2.840.10008.1.2",)], "UIDs of the standard stay"
    replaced = pairs.selectExpr("kind", "old", "new", "old AS first", "'run-1' AS run_id")
    one = for_project(before, schema, config.keys.projects, "demo")
    other = for_project(after, schema, config.keys.projects, "demo", replaced=replaced)
    assert_df_equality(other, one, ignore_row_order=True, ignore_nullable=True, ignore_metadata=True)
    for rows in (before, after, renewed):
        rows.unpersist()
