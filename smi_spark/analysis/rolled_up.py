"""The tables of a snapshot that are rolled up from its images: series, studies and patients."""

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.hold_out import with_held_out
from smi_spark.deidentified.rollups import roll_up_series, roll_up_studies
from smi_spark.tables import Table


def roll_up_patients(images: DataFrame) -> DataFrame:
    """One row a patient (schemas/patients.yaml) of ``images`` (columns as in images of zone 3)."""
    return images.groupBy("patient_id").agg(
        F.mode("PatientSex", deterministic=True).alias("PatientSex"),
        F.min("age_at_study").alias("age_at_first_study"),
        F.min("StudyDate").alias("first_study_date"),
        F.max("StudyDate").alias("last_study_date"),
        F.sort_array(F.collect_set("modality")).alias("modalities"),
        F.sort_array(F.collect_set("body_part_label")).alias("body_part_labels"),
        F.count_distinct("StudyInstanceUID").alias("study_count"),
        F.count_distinct("SeriesInstanceUID").alias("series_count"),
        F.count(F.lit(1)).alias("image_count"),
    )


ROLL_UPS: Mapping[str, Callable[[DataFrame], DataFrame]] = {
    "series": roll_up_series,
    "studies": roll_up_studies,
    "patients": roll_up_patients,
}


def roll_up(name: str, images: DataFrame, whole: Table, target: Table, hold_out: float | None) -> DataFrame:
    """The rows of ``target``, a table of a snapshot whose name is in ``ROLL_UPS``, of its images.

    whole: the images' table with all columns of its schema; those that ``images`` lack count as null. hold_out: the
    share of patients that the definition sets apart.
    """
    return with_held_out(ROLL_UPS[name](tables.completed(images, whole)), hold_out).select(*target.columns)
