"""How a version of a table is laid out in files."""

from collections import Counter
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import storage, tables
from smi_spark.config import Config

ROWS = {"CT": 4000, "MR": 1000}


def test_a_partition_is_one_file_or_several_of_the_size_asked_for(spark: SparkSession, config: Config) -> None:
    """Rows that eight tasks hold in any order; a UID each, which does not compress."""
    target = tables.table(config, "analysis/demo/head_ct/series", schema="series")
    numbers = spark.range(sum(ROWS.values()), numPartitions=8).withColumn(
        "text", F.sha2(F.col("id").cast("string"), 256)
    )
    series = numbers.select(
        F.when(F.col("id") < ROWS["CT"], "CT").otherwise("MR").alias("modality"), F.lit(2020).alias("year"),
        F.col("text").alias("SeriesInstanceUID"), F.col("text").alias("patient_id"),
    )  # fmt: skip
    rows = tables.completed(series, target)

    one = storage.write_version(rows, target, 1 << 30, ["patient_id"])
    several = storage.write_version(rows, target, 20_000, ["patient_id"])

    assert (one, several) == ((0, 5000), (1, 5000))
    first, second = (tables.read(spark, target, version) for version in (0, 1))
    assert Counter(partition_of(file) for file in first.inputFiles()) == {"modality=CT": 1, "modality=MR": 1}
    files = Counter(partition_of(file) for file in second.inputFiles())
    assert files["modality=CT"] > 3
    assert files["modality=MR"] < files["modality=CT"]
    for file in (file for rows in (first, second) for file in rows.inputFiles()):
        patients = [row[0] for row in spark.read.parquet(file).select("patient_id").collect()]
        assert patients == sorted(patients)
    assert first.exceptAll(second).isEmpty()
    assert [field.metadata for field in tables.read(spark, target).schema if field.name == "plane_label"] == [
        {"comment": "Plane, as in images"}
    ]
    properties = tables.properties(spark, target)
    assert properties["delta.deletedFileRetentionDuration"] == tables.HUNDRED_YEARS
    assert properties["delta.enableDeletionVectors"] == "false"


def partition_of(file: str) -> str:
    return Path(file).parent.parent.name
