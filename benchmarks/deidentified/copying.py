"""pseudonymise over images that are all new, against Spark copying the columns of theirs that zone 2 keeps."""

import shutil
from pathlib import Path

from measures import line
from pyspark.sql import SparkSession
from secure.ground import Ground

from deidentified.ground import Cost, cost, installation
from deidentified.rows import append_images
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.pseudonymise import run
from smi_spark.schema import load_schema

IMAGES = 10_000_000
_RUN = "20260101T000000.000000Z-0000"


def copy(ground: Ground) -> list[str]:
    """Both twice in one session, the first time with a tenth of the images, for the JVM to compile what they need."""
    count = ground.count(IMAGES, 1_000)
    with ground.session({}) as spark:
        _both(spark, ground, "first", count // 10)
        copied, whole = _both(spark, ground, "copy", count)
    return [
        "",
        f"pseudonymise over {count:,} new images, local[2], driver 6g; images, links, series and studies",
        f"  Spark copies the columns {copied.of(count)}; the job {whole.of(count)}",
        line("the job against the copy, seconds", whole.wall / copied.wall, 2, at_most=True),
        line("the job against the copy, CPU", whole.cpu / copied.cpu, 2, at_most=True),
    ]


def _both(spark: SparkSession, ground: Ground, name: str, count: int) -> tuple[Cost, Cost]:
    """What so many images cost to copy, and to pseudonymise: read from, and written to, the same partitions."""
    config = installation(ground, name)
    append_images(spark, config, 0, count, _RUN)
    return cost(spark, lambda: _copied(spark, config)), cost(spark, lambda: run(spark, config))


def _copied(spark: SparkSession, config: Config) -> None:
    kept = set(load_schema("images").spark("deidentified").names)
    rows = tables.read(spark, tables.table(config, "secure/images"))
    _write(rows.select(*(name for name in rows.columns if name in kept)), config)


def _write(rows: tables.DataFrame, config: Config) -> None:
    place = Path(config.root, "copy")
    rows.write.format("delta").partitionBy(*load_schema("images").partition_by).save(str(place))
    shutil.rmtree(place)
