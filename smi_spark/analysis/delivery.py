"""Zone 2 rows as a project receives them: the project's own ids, dates as its policy has them."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from smi_spark.analysis.windows import Window
from smi_spark.config import KeySource
from smi_spark.deidentified.actions import DOMAINS, PATIENT_ID
from smi_spark.deidentified.dates import DatePolicy, with_policy
from smi_spark.deidentified.pseudonyms import Domain, pseudonymise
from smi_spark.deidentified.replaced import first_ids
from smi_spark.schema import DATES, TableSchema


def for_project(
    df: DataFrame, schema: TableSchema, key: KeySource, project: str, policy: DatePolicy = "shift",
    replaced: DataFrame | None = None,
) -> DataFrame:  # fmt: skip
    """``df`` (columns of ``schema`` in zone 2, patient_id among them) with the project's ids and dates.

    Shifted, a patient's dates all move by the same whole weeks, in images and records alike, so that every interval
    stays. ``year``, where the table has it, becomes the year of the delivered StudyDate, 0 where there is none; another
    year, which would tell the shift, that of the shifted date, null where there is none.
    Ids and shifts are derived from the ids of zone 2 as they were first: replaced, ``secure/replaced``, says which.
    """
    columns = [column for column in schema.in_zone("analysis") if column.name in df.columns]
    dates = [column.name for column in columns if column.deidentify in DATES]
    ids: dict[str, Domain] = {c.name: DOMAINS[c.deidentify] for c in columns if c.deidentify in DOMAINS}
    ids[PATIENT_ID] = "patient"
    df = first_ids(df, ids, schema.key_in("deidentified"), replaced)
    moved = with_policy(df, dates, policy, key, project)
    if policy == "shift":
        years = {column.name: F.year(column.year_of) for column in columns if column.year_of}
        moved = moved.withColumns(years)
    delivered = pseudonymise(moved, ids, key, project)
    if "year" in df.columns:
        delivered = delivered.withColumn("year", F.coalesce(F.year("StudyDate"), F.lit(0)))
    return delivered.select(*(column.name for column in columns))


def patients_for_project(
    patients: DataFrame, key: KeySource, project: str, replaced: DataFrame | None = None
) -> DataFrame:
    """``patients`` with the project's ids in place of the ``patient_id`` of zone 2, as ``for_project`` gives them."""
    ids: dict[str, Domain] = {PATIENT_ID: "patient"}
    return pseudonymise(first_ids(patients, ids, [PATIENT_ID], replaced), ids, key, project)


def records_of(records: DataFrame, studies: DataFrame, event_date: str, window: Window) -> DataFrame:
    """The rows of ``records`` within the window around any study of the same patient, each once.

    studies: patient_id and StudyDate of the selected images.
    """
    record, study = records.alias("record"), studies.alias("study")
    in_window = window.holds(F.col(f"record.{event_date}"), F.col("study.StudyDate"))
    same_patient = F.col("record.patient_id") == F.col("study.patient_id")
    return record.join(study, same_patient & in_window, "left_semi")


def naming_only(records: DataFrame, patients: DataFrame, columns: Sequence[str]) -> DataFrame:
    """``records`` where an id in ``columns``, which name others than the patient, is null if not among ``patients``
    (patient_id, each once): a mother's record names her baby where the cohort has images of both.
    """
    for column in columns:
        known = patients.select(F.col("patient_id").alias("among"))
        joined = records.join(known, F.col(column) == F.col("among"), "left")
        records = joined.withColumn(column, F.col("among")).drop("among")
    return records
