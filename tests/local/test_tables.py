import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import TableError
from smi_spark.tables import Table
from tests.rows import frame

LINKS = (
    "SOPInstanceUID string, original_sop_instance_uid string, source string, path string, image_run_id string, "
    "key_id string, run_id string"
)


def links(spark: SparkSession, *uids: str, run: str = "run-1") -> DataFrame:
    rows = [(f"2.25.{uid}", uid, "/archive", f"{uid}.dcm", "run-0", "k1", run) for uid in uids]
    return spark.createDataFrame(rows, LINKS)


@pytest.fixture
def table(config: Config) -> Table:
    return tables.table(config, "secure/links")


def uids(df: DataFrame) -> list[str]:
    return sorted(row.original_sop_instance_uid for row in df.select("original_sop_instance_uid").collect())


def test_what_is_appended_is_read_back_with_the_schemas_columns(spark: SparkSession, table: Table) -> None:
    shuffled = links(spark, "1", "2").select(
        "run_id", "path", "source", "key_id", "image_run_id", *LINKS.split()[0:3:2]
    )

    assert tables.append(shuffled, table) == 2

    read = tables.read(spark, table)
    assert read.columns == table.columns
    assert_df_equality(read, links(spark, "1", "2"), ignore_row_order=True, ignore_metadata=True)


def test_rows_that_are_there_are_not_added_again_and_no_version_is_made(spark: SparkSession, table: Table) -> None:
    assert tables.append_missing(links(spark, "1", "2"), table, ["SOPInstanceUID"]) == 2
    before = tables.latest_version(spark, table)

    assert tables.append_missing(links(spark, "1", "2", run="run-2"), table, ["SOPInstanceUID"]) == 0
    assert tables.latest_version(spark, table) == before

    assert tables.append_missing(links(spark, "2", "3"), table, ["SOPInstanceUID"]) == 1
    assert uids(tables.read(spark, table)) == ["1", "2", "3"]


def test_a_merge_reads_no_data_file_that_can_hold_none_of_the_keys_and_says_no_number(
    spark: SparkSession, config: Config
) -> None:
    def people(*numbers: str, run: str = "run-1") -> DataFrame:
        rows: list[dict[str, object]] = [{"chi": chi, "person": "p", "run_id": run} for chi in numbers]
        return frame(spark, "people", rows)

    table = tables.table(config, "secure/people")
    tables.append(people("0101031234", "0112031234").coalesce(1), table)
    (untouched,) = tables.read(spark, table).inputFiles()
    tables.append(people("0201031234", "0512035678").coalesce(1), table)
    Path(unquote(urlsplit(untouched).path)).write_bytes(b"not to be read")

    assert tables.merge(people("0201031234", "0512031234", run="run-2"), table, on=["chi"]) == 2

    newer = tables.read(spark, table).where("chi > '0112031234'")
    assert sorted((row.chi, row.run_id) for row in newer.collect()) == [
        ("0201031234", "run-2"), ("0512031234", "run-2"), ("0512035678", "run-1"),
    ]  # fmt: skip
    merge = max((Path(table.uri) / "_delta_log").glob("*.json")).read_text().splitlines()
    (predicate,) = (json.loads(line)["commitInfo"]["operationParameters"]["predicate"]
                    for line in merge if "commitInfo" in line)  # fmt: skip
    assert re.findall(r"\d{4,}", re.sub(r"#\d+", "", predicate)) == ["0201", "0512"]


def test_a_merge_finds_keys_of_any_length(spark: SparkSession, config: Config) -> None:
    table = tables.table(config, "secure/people")
    numbers = ["7", "AZ", "ABxx", "Ü9", "\U0010ffffA"]
    for run in ("run-1", "run-2"):
        rows: list[dict[str, object]] = [{"chi": chi, "person": "p", "run_id": run} for chi in numbers]
        tables.merge(frame(spark, "people", rows), table, on=["chi"])
    assert sorted((row.chi, row.run_id) for row in tables.read(spark, table).collect()) == [
        (chi, "run-2") for chi in sorted(numbers)
    ]


def test_an_older_version_is_read_as_it_was(spark: SparkSession, table: Table) -> None:
    tables.append(links(spark, "1"), table)
    first = tables.latest_version(spark, table)
    tables.replace(links(spark, "2", "3"), table)

    assert uids(tables.read(spark, table, version=first)) == ["1"]
    assert uids(tables.read(spark, table)) == ["2", "3"]


@pytest.mark.parametrize("version", [7, -1])
def test_a_version_that_is_not_there_is_told_with_those_that_are(
    spark: SparkSession, table: Table, version: int
) -> None:
    tables.append(links(spark, "1"), table)
    with pytest.raises(TableError) as caught:
        tables.read(spark, table, version=version)
    assert str(caught.value) == (
        f"secure/links has no version {version}; it has 0–1. Open one of these, or leave version out for the newest."
    )


def test_a_table_that_is_not_there_is_told_or_read_as_empty(spark: SparkSession, table: Table) -> None:
    with pytest.raises(TableError) as caught:
        tables.read(spark, table)
    assert str(caught.value) == (
        f"secure/links does not exist in {table.uri}. Run the job that fills it first."
    )  # fmt: skip
    assert_df_equality(tables.read_or_empty(spark, table), links(spark), ignore_metadata=True)


def test_rows_that_lack_a_column_are_refused(spark: SparkSession, table: Table) -> None:
    with pytest.raises(TableError) as caught:
        tables.append(links(spark, "1").drop("path", "key_id"), table)
    assert str(caught.value) == "secure/links: the rows lack path, key_id, which schemas/ gives the table."


def test_rows_of_another_type_are_refused(spark: SparkSession, table: Table) -> None:
    with pytest.raises(TableError) as caught:
        tables.append(links(spark, "1").selectExpr("* except (path)", "1 as path"), table)
    assert str(caught.value) == "secure/links: path is int, not string. Cast them before writing."


@pytest.mark.parametrize("name", ["links", "vault/links", "secure/"])
def test_a_name_that_is_no_table_is_refused(config: Config, name: str) -> None:
    with pytest.raises(TableError) as caught:
        tables.table(config, name)
    assert str(caught.value) == (
        f"{name} is not a table name. Write <zone>/<table>, the zone one of secure, deidentified, analysis."
    )


def test_partitions_that_are_named_are_replaced_and_the_others_stay(spark: SparkSession, config: Config) -> None:
    series = tables.table(config, "deidentified/series")
    empty = spark.createDataFrame([], series.schema.spark("deidentified"))

    def row(modality: str, uid: str) -> DataFrame:
        values = {"modality": modality, "year": 2020, "SeriesInstanceUID": uid}
        return spark.createDataFrame([tuple(values.get(name) for name in empty.columns)], empty.schema)

    tables.append(row("CT", "2.25.1").union(row("MR", "2.25.2")), series)
    tables.replace(row("CT", "2.25.3"), series, where="modality = 'CT' AND year = 2020")

    kept = tables.read(spark, series).select("SeriesInstanceUID").collect()
    assert sorted(found.SeriesInstanceUID for found in kept) == ["2.25.2", "2.25.3"]


def test_a_table_that_keeps_its_versions_says_so_in_its_properties(spark: SparkSession, table: Table) -> None:
    tables.create(spark, table, keep_versions=True)
    properties = spark.sql(f"SHOW TBLPROPERTIES delta.`{table.uri}`")  # the place of this test's own table
    found = {row.key: row.value for row in properties.collect()}

    assert found["delta.deletedFileRetentionDuration"] == "interval 36500 days"
    assert found["delta.logRetentionDuration"] == "interval 36500 days"
    assert found["delta.enableDeletionVectors"] == "false"


def test_the_versions_of_all_tables_below_a_folder_are_read_off_their_logs(
    spark: SparkSession, table: Table, config: Config
) -> None:
    assert tables.versions_below(Path(config.root)) == {}
    tables.append(links(spark, "1"), table)
    assert tables.versions_below(Path(config.root)) == {"secure/links": tables.latest_version(spark, table)}
