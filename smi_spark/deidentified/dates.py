"""Dates beyond zone 1: ages in place of birth dates, and what a project's policy makes of the dates of events."""

import hmac
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal, get_args

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType

from smi_spark.config import KeySource
from smi_spark.deidentified.pseudonyms import in_worker, map_distinct, worker_key

DatePolicy = Literal["shift", "truncate", "keep"]
POLICIES: tuple[DatePolicy, ...] = get_args(DatePolicy)
MAX_SHIFT_WEEKS = 26
# Days outside are nobody's event but what systems write for none (1900-01-01, 9999-12-31): moved, they tell the shift.
FIRST_DAY, LAST_DAY = date(1910, 1, 1), date(2090, 12, 31)
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
    load = worker_key(key, project)

    def shifts(patients: "pa.Array[Any]") -> "pa.Array[Any]":
        secret = load()
        return map_distinct(patients, lambda patient: 7 * shift_weeks(secret, patient), pa.int32())

    return in_worker(shifts, "int")


def mover(policy: DatePolicy, key: bytes, patient_id: str) -> Callable[[date], date | None]:
    """What the policy makes of one date of a patient (id of zone 2); ``key`` is the project's. See ``with_policy``."""
    if policy == "keep":
        return lambda day: day
    if policy == "truncate":
        return lambda day: day.replace(day=1)
    shift = timedelta(weeks=shift_weeks(key, patient_id))
    return lambda day: day + shift if FIRST_DAY <= day <= LAST_DAY else None


def with_policy(df: DataFrame, columns: Sequence[str], policy: DatePolicy, key: KeySource, project: str) -> DataFrame:
    """``df`` (patient_id of zone 2) with the dates in ``columns`` (date, array of date) as the project receives them.

    ``shift``: all of a patient's by the same whole weeks (``shift_weeks``), null for days before 1910 or after 2090;
    ``truncate``: the first of their month; ``keep``: as they are.
    """
    if policy == "keep" or not columns:
        return df
    if policy == "truncate":
        return df.withColumns({name: _each(df, name, lambda day: F.trunc(day, "month")) for name in columns})
    shifted, move = with_shift_days(df, key, project), partial(shifted_by, days=F.col("shift_days"))
    return shifted.withColumns({name: _each(df, name, move) for name in columns}).drop("shift_days")


def shifted_by(day: Column, days: Column) -> Column:
    """``day`` moved by so many days; null before 1910 and after 2090."""
    return F.when(day.between(F.lit(FIRST_DAY), F.lit(LAST_DAY)), F.date_add(day, days))


def _each(df: DataFrame, name: str, move: Callable[[Column], Column]) -> Column:
    column = F.col(f"`{name}`")
    # A lambda of one parameter is all that Spark takes.
    several = isinstance(df.schema[name].dataType, ArrayType)
    return F.transform(column, lambda day: move(day)) if several else move(column)


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
