"""Series and studies, rolled up from the images of zone 2 or 3."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.deidentified.label_rules import RISKS, UNKNOWN, labellers, risk_labellers
from smi_spark.secure import rollups

_OF_MOST = ("is_original", "is_primary", "label_confidence", "label_rules")


def roll_up_series(images: DataFrame) -> DataFrame:
    """One row a series (schemas/series.yaml) of ``images`` (columns as in deidentified/images).

    A label is that of most images which have a known one, a risk the highest of any.
    """
    further = {"patient_id": F.min("patient_id")}
    further |= {labeller.column: _most_known(labeller.column) for labeller in labellers()}
    further |= {name: F.mode(name, deterministic=True) for name in _OF_MOST}
    for risk in risk_labellers():
        highest = _highest(risk.column, risk.reason)
        further |= {risk.column: highest[risk.column], risk.reason: highest[risk.reason]}
    return rollups.roll_up_series(images, "deidentified", further)


def roll_up_studies(images: DataFrame) -> DataFrame:
    """One row a study (schemas/studies.yaml) of ``images`` (columns as in deidentified/images)."""
    further = {
        "patient_id": F.min("patient_id"),
        "age_at_study": F.min("age_at_study"),
        "body_part_labels": F.sort_array(F.collect_set("body_part_label")),
        "mr_sequence_labels": F.sort_array(F.collect_set("mr_sequence_label")),
    }
    further |= {risk.column: _highest(risk.column)[risk.column] for risk in risk_labellers()}
    return rollups.roll_up_studies(images, "deidentified", further)


def _most_known(label: str) -> Column:
    """The known label that most rows have, of several the least; ``unknown`` or null where none is known."""
    known = F.mode(F.when(F.col(label) != UNKNOWN, F.col(label)), deterministic=True)
    return F.coalesce(known, F.max(label))


def _highest(risk: str, *further: str) -> Column:
    """The struct of the highest risk and ``further`` columns of its row."""
    height = F.array_position(F.array(*map(F.lit, RISKS)), F.col(risk))
    return F.max(F.when(F.col(risk).isNotNull(), F.struct(height.alias("height"), risk, *further)))
