"""The tables of a snapshot that are rolled up from its images: series, studies and patients."""

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.hold_out import with_held_out
from smi_spark.deidentified.rollups import count_alike, roll_up_series, roll_up_studies
from smi_spark.secure import rollups
from smi_spark.tables import Table

_OF_PATIENTS = (
    "patient_id", "PatientSex", "age_at_study", "StudyDate", "modality", "body_part_label", "StudyInstanceUID",
    "SeriesInstanceUID",
)  # fmt: skip


def roll_up_patients(images: DataFrame) -> DataFrame:
    """One row a patient (schemas/patients.yaml) of ``images`` (columns as in images of zone 3, or of ``counted``)."""
    return (
        rollups.count_alike(images, _OF_PATIENTS)
        .groupBy("patient_id")
        .agg(
            rollups.most("PatientSex").alias("PatientSex"),
            F.min("age_at_study").alias("age_at_first_study"),
            F.min("StudyDate").alias("first_study_date"),
            F.max("StudyDate").alias("last_study_date"),
            F.sort_array(F.collect_set("modality")).alias("modalities"),
            F.sort_array(F.collect_set("body_part_label")).alias("body_part_labels"),
            F.count_distinct("StudyInstanceUID").alias("study_count"),
            F.count_distinct("SeriesInstanceUID").alias("series_count"),
            F.sum(rollups.IMAGE_COUNT).alias(rollups.IMAGE_COUNT),
        )
    )


ROLL_UPS: Mapping[str, Callable[[DataFrame], DataFrame]] = {
    "series": roll_up_series,
    "studies": roll_up_studies,
    "patients": roll_up_patients,
}


def counted(images: DataFrame, whole: Table) -> DataFrame:
    """A row and its ``image_count`` for the images that are alike in all that is rolled up of them.

    whole: the images' table with all columns of its schema; those that ``images`` lack count as null.
    """
    return count_alike(tables.completed(images, whole))


def roll_up(name: str, images: DataFrame, target: Table, hold_out: float | None) -> DataFrame:
    """The rows of ``target``, a table of a snapshot whose name is in ``ROLL_UPS``.

    images: of the snapshot, as ``counted`` gives them. hold_out: the share of patients that the definition sets apart.
    """
    return with_held_out(ROLL_UPS[name](images), hold_out).select(*target.columns)
