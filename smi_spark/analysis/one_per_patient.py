"""``one_per_patient``: of all studies, or series, of a patient that were selected, the images of one."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.analysis.patients_wanted import OnePerPatient
from smi_spark.deidentified.actions import PATIENT_ID

_UID = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID"}


def keep_one(images: DataFrame, wanted: OnePerPatient, events: DataFrame | None = None) -> DataFrame:
    """The rows of ``images`` that belong to the one study, or series, that each patient keeps.

    Its date is the earliest StudyDate of its images. Of two that are alike the earlier one is kept, then that of the
    lesser UID. A patient with none that has a date, or with no event in the window around any, keeps nothing.
    events: for ``nearest``, the records of the event: patient_id and ``event_date`` (date), any number of each.
    """
    uid = _UID[wanted.set]
    sets = images.groupBy(PATIENT_ID, uid).agg(F.min("StudyDate").alias("day")).where("day is not null")
    if wanted.to is not None:
        assert events is not None  # as ``to`` names their table
        near = sets.join(events.select(PATIENT_ID, "event_date"), PATIENT_ID)
        near = near.where(wanted.to.window.holds(F.col("event_date"), F.col("day")))
        distance = F.min(F.abs(F.datediff("event_date", "day")))
        sets = near.groupBy(PATIENT_ID, uid, "day").agg(distance.alias("distance"))
    kept = sets.groupBy(PATIENT_ID).agg(F.min_by(uid, F.struct(*_ORDERS[wanted.keep](), uid)).alias(uid))
    return images.join(kept, [PATIENT_ID, uid], "left_semi")


_ORDERS: dict[str, Callable[[], list[Column]]] = {
    "first": lambda: [F.col("day")],
    "last": lambda: [-F.unix_date("day")],
    "nearest": lambda: [F.col("distance"), F.col("day")],
}
