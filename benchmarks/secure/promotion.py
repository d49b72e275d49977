"""A new column of images out of stored headers, against Spark rewriting images."""

import statistics

from measures import line
from pyspark.sql import SparkSession

from secure.ground import Ground, timed
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import load_schema
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.promotion import decode_new, promote_columns

FILES, ROUNDS, CORES = 200_000, 3, 2
_LATER = ("SliceThickness", "SeriesDescription", "PixelSpacing", "BodyPartExamined")  # one a round, after a warm-up


def promotion(ground: Ground) -> list[str]:
    """Rounds take turns with the rewriting; the first does not count, the median does."""
    count = ground.count(FILES)
    with ground.session({}) as spark:
        config = ground.config("promotion")
        ingest_headers(spark, config, [ground.files(count)])
        _without(spark, config, _LATER)
        decoding = [timed(lambda: _decode(spark, config, _LATER[0]))[0] for _ in range(ROUNDS + 1)]
        ours, floor, parted = [], [], []
        for name in _LATER:
            seconds, done = timed(lambda n=name: promote_columns(spark, config, [n]))
            if done.images != count:
                raise RuntimeError(f"{done.images} of {count} images were filled")
            ours.append(seconds)
            floor.append(timed(lambda: _rewrite(spark, config))[0])
            parted.append(timed(lambda: _rewrite_by_partition(spark, config))[0])
    each, whole, plain, by_partition = (statistics.median(times[1:]) for times in (decoding, ours, floor, parted))
    rate = count / each / CORES
    return [
        "",
        f"promotion of one column: {count:,} images in {done.partitions} partitions, local[2], driver 6g",
        line("headers decoded a second and core, nothing written, thousands", rate / 1000, 20, "k"),
        f"  promote_columns {whole:.1f} s; Spark reads and overwrites images in one job {plain:.1f} s, "
        f"partition by partition {by_partition:.1f} s",
        line("the whole against Spark rewriting images in one job", whole / plain, 1.5, at_most=True),
        line("the whole against Spark rewriting it by partition, as promotion does", whole / by_partition, None),
    ]


def _decode(spark: SparkSession, config: Config, name: str) -> None:
    headers = tables.read(spark, tables.table(config, "secure/headers")).where("reason IS NULL")
    decode_new(headers, {name: load_schema("images").tags()[name]}).write.format("noop").mode("overwrite").save()


def _without(spark: SparkSession, config: Config, columns: tuple[str, ...]) -> None:
    """Images as an older schema left them."""
    images = tables.table(config, "secure/images")
    older = tables.read(spark, images).drop(*columns).write.format("delta").mode("overwrite")
    older.option("overwriteSchema", "true").partitionBy(*images.schema.partition_by).save(images.uri)


def _rewrite(spark: SparkSession, config: Config) -> None:
    images = tables.table(config, "secure/images")
    tables.read(spark, images).write.format("delta").mode("overwrite").save(images.uri)


def _rewrite_by_partition(spark: SparkSession, config: Config) -> None:
    images = tables.table(config, "secure/images")
    rows = tables.read(spark, images)
    for modality, year in rows.select("modality", "year").distinct().collect():
        where = f"modality = '{modality}' AND year = {year}"
        tables.rewrite(rows.where(where), images, where=where, note="")
