"""Columns that zone 1 has since: images that zone 2 held before gain their values."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.pseudonymise import run
from smi_spark.secure.promotion import UNFINISHED

pytestmark = pytest.mark.long


def test_a_column_that_was_promoted_later_is_filled_in_zone_2(spark: SparkSession, copied: Config) -> None:
    source, target = (tables.table(copied, f"{zone}/images") for zone in ("secure", "deidentified"))

    def echo_times() -> list[float | None]:
        return [row[0] for row in tables.read(spark, target).orderBy("EchoTime").select("EchoTime").collect()]

    before = tables.read(spark, target).drop("EchoTime").localCheckpoint()
    writer = before.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.partitionBy("modality", "year").save(target.uri)
    given = tables.read(spark, source).where("path = 'a'").withColumn("EchoTime", F.lit(4.5)).localCheckpoint()
    tables.merge(given, source, ["SOPInstanceUID"])
    tables.set_property(spark, source, UNFINISHED, "run EchoTime")  # as while its partitions are filled

    assert run(spark, copied).filled == 0
    assert set(echo_times()) == {None}
    tables.set_property(spark, source, UNFINISHED, None)
    filled = run(spark, copied)

    assert filled.filled == 1
    assert "with values of new columns: images 1; " in str(filled)
    assert [time for time in echo_times() if time is not None] == [4.5]
    left = tables.read(spark, target).drop("EchoTime").select(*before.columns)
    assert sorted(left.collect(), key=str) == sorted(before.collect(), key=str)
    versions = tables.versions_below(Path(copied.root))
    assert run(spark, copied).filled == 0
    assert tables.versions_below(Path(copied.root)) == versions
