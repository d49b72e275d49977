"""Series and studies, rolled up from the images of zone 2."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.deidentified.labels import UNKNOWN


def roll_up_series(images: DataFrame) -> DataFrame:
    """One row a series (schemas/series.yaml) of ``images`` (columns as in deidentified/images)."""
    return images.groupBy("SeriesInstanceUID").agg(
        F.mode("modality", deterministic=True).alias("modality"),
        _earliest_year().alias("year"),
        F.min("StudyInstanceUID").alias("StudyInstanceUID"),
        F.min("patient_id").alias("patient_id"),
        F.min("StudyDate").alias("StudyDate"),
        F.coalesce(F.mode(_known_label(), deterministic=True), F.lit(UNKNOWN)).alias("body_part_label"),
        F.mode("Manufacturer", deterministic=True).alias("Manufacturer"),
        F.mode("ManufacturerModelName", deterministic=True).alias("ManufacturerModelName"),
        F.count(F.lit(1)).alias("image_count"),
    )


def roll_up_studies(images: DataFrame) -> DataFrame:
    """One row a study (schemas/studies.yaml) of ``images`` (columns as in deidentified/images)."""
    return images.groupBy("StudyInstanceUID").agg(
        F.mode("modality", deterministic=True).alias("modality"),
        _earliest_year().alias("year"),
        F.min("patient_id").alias("patient_id"),
        F.min("AccessionNumber").alias("AccessionNumber"),
        F.min("StudyDate").alias("StudyDate"),
        F.mode("PatientSex", deterministic=True).alias("PatientSex"),
        F.min("age_at_study").alias("age_at_study"),
        F.sort_array(F.collect_set("modality")).alias("modalities"),
        F.sort_array(F.collect_set("body_part_label")).alias("body_part_labels"),
        F.count_distinct("SeriesInstanceUID").alias("series_count"),
        F.count(F.lit(1)).alias("image_count"),
    )


def _earliest_year() -> Column:
    """Year 0 stands for none: it counts only where no image has one."""
    return F.coalesce(F.min(F.when(F.col("year") > 0, F.col("year"))), F.lit(0))


def _known_label() -> Column:
    return F.when(F.col("body_part_label") != UNKNOWN, F.col("body_part_label"))
