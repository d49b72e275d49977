"""Pseudonyms, shifted dates and capped ages as column functions: for DataFrames, and in SQL after ``register``.

The worker loads the key itself, from its ``KeySource``: no expression and no plan holds it. With ``project`` it is the
project's own key, which follows from that one.
"""

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from smi_spark.config import KeySource
from smi_spark.deidentified.dates import AGE_CAP, FIRST_DAY, LAST_DAY, capped_age, shifted_by, shifting
from smi_spark.deidentified.pseudonyms import Domain, replacing

__all__ = ["capped_age", "pseudonym", "pseudonymous_uid", "register", "shifted_date"]

_DOMAINS: dict[str, Domain] = {"pseudonym": "patient", "pseudonymous_uid": "uid", "accession_pseudonym": "accession"}
# In SQL ``least`` passes over nulls.
_CAPPED = f"""
CREATE OR REPLACE TEMPORARY FUNCTION capped_age(years INT)
RETURNS INT RETURN if(years IS NULL, NULL, least(years, {AGE_CAP}))
"""
_SHIFTED = f"""
CREATE OR REPLACE TEMPORARY FUNCTION shifted_date(day DATE, patient_id STRING)
RETURNS DATE RETURN if(day BETWEEN DATE'{FIRST_DAY}' AND DATE'{LAST_DAY}', date_add(day, shift_days(patient_id)), NULL)
"""


def pseudonym(
    values: Column | str, key: KeySource, project: str | None = None, *, domain: Domain = "patient"
) -> Column:
    """32 hexadecimal digits (string) for each id (string) of ``domain``; null for null and blank.

    Raises KeyFileError in the worker when it has no such key.
    """
    return replacing(domain, key, project)(_column(values))


def pseudonymous_uid(uids: Column | str, key: KeySource, project: str | None = None) -> Column:
    """``2.25.…`` (string) for each UID (string); those of the standard itself stay; null for null and blank.

    Raises KeyFileError in the worker when it has no such key. Source: DICOM PS3.5 annex B.2.
    """
    return replacing("uid", key, project)(_column(uids))


def shifted_date(day: Column | str, patient_id: Column | str, key: KeySource, project: str) -> Column:
    """``day`` (date) as the project has it: moved by whole weeks, the same for all dates of a patient of zone 2.

    Null where either is, and for days before 1910 or after 2090, which stand for none. Raises KeyFileError in the
    worker when it has no such key.
    """
    return shifted_by(_column(day), shifting(key, project)(_column(patient_id)))


def register(spark: SparkSession, key: KeySource, project: str | None = None) -> None:
    """Make ``pseudonym(id)``, ``pseudonymous_uid(uid)``, ``accession_pseudonym(number)`` and ``capped_age(years)``
    known to the session's SQL, all with this key; with ``project`` also ``shifted_date(day, patient_id)``.
    """
    for name, domain in _DOMAINS.items():
        spark.udf.register(name, replacing(domain, key, project))
    spark.sql(_CAPPED)
    if project is not None:
        spark.udf.register("shift_days", shifting(key, project))
        spark.sql(_SHIFTED)


def _column(given: Column | str) -> Column:
    return F.col(given) if isinstance(given, str) else given
