"""Ids that others stand for since: what is recorded, and the first id behind each."""

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.replaced import first_ids, note_replaced, read_replaced, record_replaced

ROWS = "n int, patient_id string, uid string, references array<string>, number string"


def test_the_first_id_is_found_behind_every_later_one(spark: SparkSession, config: Config) -> None:
    target, images = (tables.table(config, name) for name in ("secure/replaced", "deidentified/images"))
    tables.create(spark, images)
    assert read_replaced(spark, config, [images]) is None

    def record(run_id: str, *rows: tuple[str, str, str]) -> int:
        return record_replaced(spark.createDataFrame(list(rows), "kind string, old string, new string"), config, run_id)

    note_replaced(spark, images, "run-1")
    once = (("patient", "a", "b"), ("patient", "same", "same"), ("uid", "2.25.1", "2.25.2"), ("accession", "a", "z"))
    assert record("run-1", *once) == 3
    assert record("run-1", *once) == 0, "the run was killed and runs again"
    assert (
        record(
            "run-2", ("patient", "b", "c"), ("patient", "b", "c"), ("patient", "x", "c"), ("uid", "2.25.2", "2.25.1")
        )
        == 3
    )
    assert tables.latest_version(spark, target) == 2, "made, and two commits"

    replaced = read_replaced(spark, config, [images])
    rows = spark.createDataFrame(
        [(1, "c", "2.25.1", ["2.25.2", "2.25.9"], "z"), (2, "b", None, None, "a"), (3, "a", "2.25.9", [], None)], ROWS
    )
    first = first_ids(
        rows, {"patient_id": "patient", "uid": "uid", "references": "uid", "number": "accession"}, ["n"], replaced
    )

    expected = spark.createDataFrame(
        [(1, "a", "2.25.1", ["2.25.1", "2.25.9"], "a"), (2, "a", None, None, "a"), (3, "a", "2.25.9", [], None)], ROWS
    )
    assert_df_equality(first, expected, ignore_row_order=True)
    assert first_ids(rows, {"patient_id": "patient"}, ["n"], None) is rows
