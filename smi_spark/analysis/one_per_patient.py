"""``one_per_patient``: of all studies, or series, of a patient that were selected, the images of one."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from smi_spark.analysis.patients_wanted import OnePerPatient
from smi_spark.deidentified.actions import PATIENT_ID

_FURTHER = ("set_day", "event_patient", "event_days", "distance")
_UID = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID"}


def keep_one(images: DataFrame, wanted: OnePerPatient, events: DataFrame | None = None) -> DataFrame:
    """The rows of ``images`` that belong to the one study, or series, that each patient keeps.

    Its date is the earliest StudyDate of its images. Of two that are alike the earlier one is kept, then that of the
    lesser UID. A patient with none that has a date, or with no event in the window around any, keeps nothing.
    events: for ``nearest``, the records of the event: patient_id and ``event_date`` (date), any number of each.

    The images are read once: those of a patient come together, and each looks at the others.
    """
    uid, rows = F.col(_UID[wanted.set]), images
    if wanted.keep != "first":  # of which the earliest image tells by itself
        day = F.min("StudyDate").over(Window.partitionBy(PATIENT_ID, _UID[wanted.set]))
        rows = rows.withColumn("set_day", day)
    if wanted.to is not None:
        assert events is not None  # as ``to`` names their table
        rows = _with_distance(rows, wanted, events)
    rank = _ORDERS[wanted.keep]()
    least = F.min(F.when(rank[0].isNotNull(), F.struct(*rank, uid.alias("uid"))))
    kept = least.over(Window.partitionBy(PATIENT_ID))["uid"]
    is_kept = F.col(PATIENT_ID).isNotNull() & (F.col("kept") == uid)
    return rows.withColumn("kept", kept).where(is_kept).drop("kept", *_FURTHER)


def _with_distance(rows: DataFrame, wanted: OnePerPatient, events: DataFrame) -> DataFrame:
    """``rows`` and how many days the nearest event in the window around their set's day lies from it; null for none."""
    assert wanted.to is not None
    window, day = wanted.to.window, F.col("set_day")
    patient = F.col(PATIENT_ID).alias("event_patient")
    days = events.groupBy(patient).agg(F.collect_set("event_date").alias("event_days"))
    near = F.filter("event_days", lambda event: window.holds(event, day))
    distance = F.array_min(F.transform(near, lambda event: F.abs(F.datediff(event, day))))
    return rows.join(days, F.col(PATIENT_ID) == F.col("event_patient"), "inner").withColumn("distance", distance)


_ORDERS: dict[str, Callable[[], list[Column]]] = {
    "first": lambda: [F.col("StudyDate")],
    "last": lambda: [-F.unix_date("set_day")],
    "nearest": lambda: [F.col("distance"), F.col("set_day")],
}
