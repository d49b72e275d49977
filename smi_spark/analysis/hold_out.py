"""``hold_out``: a share of a project's patients set apart, the same ones in every cohort and version of it."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.deidentified.actions import PATIENT_ID

HELD_OUT = "held_out"
_DIGITS = 8  # hexadecimal, of a hash
_NUMBERS = 1 << 4 * _DIGITS


def with_held_out(rows: DataFrame, share: float | None) -> DataFrame:
    """``rows`` of a snapshot and ``held_out`` (boolean): whether their patient is one of those set apart.

    rows: patient_id as the project has it. Null in all rows where nobody is to be set apart.
    A patient is held out whose number is below the share, and a greater share holds the same people out and others: so
    nobody changes sides between versions, or cohorts, but who gets another id (by a CHI number that was merged).
    """
    held = F.lit(None).cast("boolean") if share is None else _number(F.col(PATIENT_ID)) < threshold(share)
    return rows.withColumn(HELD_OUT, held)


def count_held_out(images: DataFrame, minimum_cell: int) -> str:
    """How many patients of a snapshot's images are held out, in words, where not fewer than the minimum are."""
    count = images.where(HELD_OUT).select(PATIENT_ID).distinct().count()
    return f"held out: {f'{count:,}' if count >= minimum_cell else f'fewer than {minimum_cell}'} patients"


def threshold(share: float) -> int:
    """The first number that is not held out, of 2³² that are all as likely."""
    return round(share * _NUMBERS)


def _number(patient_id: Column) -> Column:
    """The first 32 bits of SHA-256 over ``held_out|<patient_id>``."""
    # The project's ids are keyed already, also where a site gives ids out by number: no further key is needed.
    digits = F.substring(F.sha2(F.concat(F.lit(f"{HELD_OUT}|"), patient_id), 256), 1, _DIGITS)
    return F.conv(digits, 16, 10).cast("long")
