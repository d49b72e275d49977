"""Images that waited in quarantine for a patient id: their rows leave it when they are let in, or gone."""

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.images import settle_quarantine
from tests.rows import fill

WAITING = {"table": "deidentified/images", "source": "/pacs", "column": "PatientID", "reason": "not_in_mapping"}


def test_rows_from_before_an_image_was_let_in_go_to_the_history(spark: SparkSession, config: Config) -> None:
    fill(spark, config, "quarantine", [
        WAITING | {"path": "let in", "SOPInstanceUID": "1", "run_id": "1"},
        WAITING | {"path": "let in", "SOPInstanceUID": "1", "run_id": "1", "table": "images"},
        WAITING | {"path": "since", "SOPInstanceUID": "2", "run_id": "2"},
        WAITING | {"path": "waits", "SOPInstanceUID": "3", "run_id": "1"},
    ])  # fmt: skip
    images = spark.createDataFrame([("1", "3"), ("2", "1")], "SOPInstanceUID string, settled_by string")

    settle_quarantine(images, config, "3")

    quarantine = tables.table(config, "secure/quarantine")
    left = tables.read(spark, quarantine).orderBy("path", "table").select("path", "table").collect()
    assert left == [("let in", "images"), ("since", "deidentified/images"), ("waits", "deidentified/images")]
    past = tables.read(spark, tables.history_of(quarantine)).select("path", "table", "replaced_by").collect()
    assert past == [("let in", "deidentified/images", "3")]
