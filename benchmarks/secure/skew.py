"""Patients with very many images: how evenly Spark's shuffles by patient and by study spread the rows all the same."""

from measures import line
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from secure.ground import Ground

PATIENTS, IMAGES = 5_400_000, 10_000_000_000  # Scotland's; ten billion files
FEW, THEIRS = 0.01, 0.30  # this share of the patients holds this share of the images
IMAGES_A_STUDY = 175  # 10 billion in 57 million studies
PARTITIONS = (200, 2_000, 20_000)


def skew(ground: Ground) -> list[str]:
    """Rows that each partition of a shuffle would get, by Spark's own hash; no image is made."""
    patients, images = ground.count(PATIENTS), ground.count(IMAGES)
    lines = ["", f"skew: {FEW:.0%} of {patients:,} patients hold {THEIRS:.0%} of {images:,} images"]
    with ground.session({}) as spark:
        held = _patients(spark, patients, images)
        for parts in PARTITIONS:
            lines.append(line(f"fullest of {parts:,} partitions by patient, to the mean", _worst(held, parts), None))
        most = PARTITIONS[-1]
        lines.append(line(f"the same of {most:,} by study", _worst(_studies(held), most), None))
    return lines


def _patients(spark: SparkSession, patients: int, images: int) -> DataFrame:
    """A row a patient: key, images."""
    few = round(patients * FEW)
    many = F.when(F.col("id") < few, images * THEIRS / few).otherwise(images * (1 - THEIRS) / (patients - few))
    return spark.range(patients).select(F.sha2(F.col("id").cast("string"), 256).alias("key"), many.alias("images"))


def _studies(held: DataFrame) -> DataFrame:
    """A row a study: key, images."""
    count = F.ceil(F.col("images") / IMAGES_A_STUDY).cast("int")
    studies = held.select("key", F.explode(F.sequence(F.lit(1), count)).alias("number"))
    return studies.select(F.concat_ws(".", "key", "number").alias("key"), F.lit(IMAGES_A_STUDY).alias("images"))


def _worst(held: DataFrame, parts: int) -> float:
    """Images of the fullest partition, by those of the mean one."""
    by_hash = held.groupBy(F.pmod(F.hash("key"), F.lit(parts)).alias("part")).agg(F.sum("images").alias("images"))
    return float(by_hash.agg(F.max("images") / F.sum("images") * parts).collect()[0][0])
