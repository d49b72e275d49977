"""How a version of a table is laid out in files."""

from itertools import pairwise
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.snapshot import write_table
from smi_spark.config import Config, Maintenance
from smi_spark.spread import brought_together

ROWS = {"CT": 4000, "MR": 1000, "US": 200}
ASKED = 60_000  # bytes


def test_a_partition_is_one_file_or_several_of_the_size_asked_for(spark: SparkSession, config: Config) -> None:
    """All rows come in one piece, with ids as a project's are; a row of MR is three times as long as one of CT."""
    zone_2 = tables.table(config, "deidentified/series")
    target = tables.table(config, "analysis/demo/head_ct/series", schema="series")
    tables.append(tables.completed(series(spark), zone_2), zone_2)
    rows = tables.completed(series(spark), target)
    asked = config.model_copy(update={"maintenance": Maintenance(file_bytes=ASKED)})

    one = write_table(config, target, "series", rows, sum(ROWS.values()))
    several = write_table(asked, target, "series", rows, sum(ROWS.values()))

    assert (one, several) == (("series", 0, 5200), ("series", 1, 5200))
    first, second = (tables.read(spark, target, version) for version in (0, 1))
    assert {kind: len(files) for kind, files in files_of(first).items()} == {"CT": 1, "MR": 1, "US": 1}
    sizes = {kind: [file.stat().st_size for file in files] for kind, files in files_of(second).items()}
    assert {kind: len(files) for kind, files in sizes.items()} == {"CT": 3, "MR": 2, "US": 1}
    assert all(ASKED / 2 < size < ASKED * 2 for size in (*sizes["CT"], *sizes["MR"]))
    patients = [patients_of(spark, file) for file in files_of(second)["CT"]]
    assert all(file == sorted(file) for file in patients)
    ranges = sorted((file[0], file[-1]) for file in patients)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    assert first.exceptAll(second).isEmpty()
    assert [field.metadata for field in tables.read(spark, target).schema if field.name == "plane_label"] == [
        {"comment": "Plane, as in images"}
    ]
    properties = tables.properties(spark, target)
    assert properties["delta.deletedFileRetentionDuration"] == tables.HUNDRED_YEARS
    assert properties["delta.enableDeletionVectors"] == "false"


def test_a_table_without_partitions_is_spread_by_patient(spark: SparkSession) -> None:
    task = F.spark_partition_id().alias("task")
    spread = brought_together(series(spark).select("patient_id"), (), "patient_id", {(): 4}).groupBy(task)
    beginnings = F.array_sort(F.collect_set(F.substring("patient_id", 1, 1)))
    found = spread.agg(F.count("*").alias("rows"), F.array_join(beginnings, "").alias("beginnings")).orderBy("task")
    rows, of = zip(*((row["rows"], row["beginnings"]) for row in found.collect()), strict=True)
    assert of == ("0123", "4567", "89ab", "cdef")
    assert all(1200 < count < 1400 for count in rows)


def series(spark: SparkSession) -> DataFrame:
    numbers = spark.range(sum(ROWS.values()), numPartitions=1)
    number, text = F.col("id"), F.sha2(F.col("id").cast("string"), 512)
    kind = F.when(number < ROWS["CT"], "CT").when(number < ROWS["CT"] + ROWS["MR"], "MR").otherwise("US")
    uid = F.substring(text, 1, 32)
    return numbers.select(
        kind.alias("modality"), F.lit(2020).alias("year"), uid.alias("SeriesInstanceUID"), uid.alias("patient_id"),
        F.when(kind == "MR", text).alias("SeriesDescription"),
    )  # fmt: skip


def files_of(rows: DataFrame) -> dict[str, list[Path]]:
    """The data files of a table by modality."""
    files = [Path(file.removeprefix("file:")) for file in rows.inputFiles()]
    kinds = sorted({file.parent.parent.name.removeprefix("modality=") for file in files})
    return {kind: [file for file in files if file.parent.parent.name == f"modality={kind}"] for kind in kinds}


def patients_of(spark: SparkSession, file: Path) -> list[str]:
    return [row[0] for row in spark.read.parquet(str(file)).select("patient_id").collect()]
