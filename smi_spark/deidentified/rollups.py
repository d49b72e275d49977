"""Series and studies, rolled up from the images of zone 2 or 3."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.deidentified.labels import UNKNOWN
from smi_spark.secure import rollups


def roll_up_series(images: DataFrame) -> DataFrame:
    """One row a series (schemas/series.yaml) of ``images`` (columns as in deidentified/images)."""
    label = F.coalesce(F.mode(_known_label(), deterministic=True), F.lit(UNKNOWN))
    return rollups.roll_up_series(images, "deidentified", {"patient_id": F.min("patient_id"), "body_part_label": label})


def roll_up_studies(images: DataFrame) -> DataFrame:
    """One row a study (schemas/studies.yaml) of ``images`` (columns as in deidentified/images)."""
    further = {
        "patient_id": F.min("patient_id"),
        "age_at_study": F.min("age_at_study"),
        "body_part_labels": F.sort_array(F.collect_set("body_part_label")),
    }
    return rollups.roll_up_studies(images, "deidentified", further)


def _known_label() -> Column:
    return F.when(F.col("body_part_label") != UNKNOWN, F.col("body_part_label"))
