"""Dates beyond zone 1: ages in place of birth dates, and a project's shift of whole weeks."""

import hmac
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.config import KeySource
from smi_spark.deidentified.pseudonyms import in_worker, map_distinct, worker_key

MAX_SHIFT_WEEKS = 26
AGE_CAP = 90


def shift_weeks(key: bytes, patient_id: str) -> int:
    """Whole weeks, −26 to 26 and each as likely, by which a project with this key moves the patient's dates.

    From HMAC-SHA256 over ``shift|<patient_id>``, the id being that of zone 2: the same in images and records.
    """
    number = int.from_bytes(hmac.digest(key, f"shift|{patient_id}".encode(), "sha256"), "big")
    return number % (2 * MAX_SHIFT_WEEKS + 1) - MAX_SHIFT_WEEKS


def with_shift_days(df: DataFrame, key: KeySource, project: str) -> DataFrame:
    """``df`` and an int column ``shift_days`` (whole weeks, in days) for its ``patient_id`` of zone 2.

    Add it to dates with ``date_add``: every interval of a patient survives. Null where patient_id is.
    """
    return df.withColumn("shift_days", shifting(key, project)(F.col("patient_id")))


def shifting(key: KeySource, project: str) -> Callable[[Column], Column]:
    """The column function from patient_id of zone 2 to the days (int) by which a project moves the patient's dates."""

    def shifts(patients: "pa.Array[Any]") -> "pa.Array[Any]":
        secret = worker_key(key, project)
        return map_distinct(patients, lambda patient: 7 * shift_weeks(secret, patient), pa.int32())

    return in_worker(shifts, "int")


def age_in_years(birth: Column, event: Column) -> Column:
    """Whole years (int) from ``birth`` to ``event``; null where the event comes first.

    Who is born on 29 February comes of age on 1 March in other years.
    Source: Age of Legal Capacity (Scotland) Act 1991, section 6.
    """
    before_birthday = F.month(event) * 100 + F.day(event) < F.month(birth) * 100 + F.day(birth)
    years = F.year(event) - F.year(birth) - before_birthday.cast("int")
    return F.when(event >= birth, years)


def years_of_age_string(text: Column) -> Column:
    """Whole years (int) of a DICOM age such as ``045Y``, ``018M``, ``003W``, ``010D``; null for any other text.

    Source: DICOM PS3.5 section 6.2 (AS).
    """
    stripped = F.trim(text)
    number = F.substring(stripped, 1, 3).try_cast("int")
    days = F.when(stripped.endswith("W"), number * 7).otherwise(number)
    years = (
        F.when(stripped.endswith("Y"), number)
        .when(stripped.endswith("M"), F.floor(number / 12))
        .otherwise(F.floor(days / 365.25))
    )
    return F.when(stripped.rlike("^[0-9]{3}[DWMY]$"), years.cast("int"))


def capped_age(years: Column) -> Column:
    """``years``, with 90 standing for 90 and over: beyond it, age alone may tell who somebody is."""
    return F.when(years.isNotNull(), F.least(years, F.lit(AGE_CAP)))
