"""``controls``: for each case patients who are none, alike in sex, year of the study and age.

Matching on exact values, within a caliper of age, without replacement, greedy: pairs of the same age first, then those
a year apart, and so on. Source: Stuart, Matching methods for causal inference, Statistical Science 25 (2010) 1–21, doi
10.1214/09-STS313, which tells exact, caliper and nearest neighbour matching, ratios and replacement apart.
"""

from collections.abc import Iterator, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.patients_wanted import Controls
from smi_spark.deidentified.actions import PATIENT_ID

MATCHED = "matched_patient_id"
MATCHED_BY = ("PatientSex", "age_at_study")  # columns of images, beside the date and ids

_STUDY = "StudyInstanceUID"


def match_controls(cases: DataFrame, candidates: DataFrame, wanted: Controls) -> DataFrame:
    """A row a control: patient_id, StudyInstanceUID (the study that was matched), matched_patient_id (its case).

    cases, candidates: images. A case counts by its first study (by date, then UID), a candidate by the one of the least
    UID of those that have the exact values of any case. Who is a case is no candidate; nobody is a control twice. Where
    a value to match on is null nobody is matched. Of those that fit as well a hash of the patient's id decides, and
    each case gets its first control before any gets its second, age by age. So the same rows give the same pairs.
    Work is done now, a small job for each year of age: the pairs of one round say who is left for the next.
    """
    keys: list[str] = [*wanted.match]
    index = tables.worked_out(_first_studies(cases).dropna(subset=keys))
    alike = tables.worked_out(_candidates(candidates, cases, index, keys))
    pairs = alike.select(PATIENT_ID, _STUDY, F.col(PATIENT_ID).alias(MATCHED)).where(F.lit(False))
    for years in _differences(wanted):
        slots = _ranked(_slots(index, pairs, wanted.ratio, years), keys, "slot", _order(MATCHED), MATCHED)
        free = alike.join(pairs, PATIENT_ID, "left_anti")
        found = slots.join(_ranked(free, keys, _order(PATIENT_ID), PATIENT_ID), [*keys, "rank"])
        pairs = pairs.unionAll(tables.worked_out(found.select(PATIENT_ID, _STUDY, MATCHED)))
    return pairs


def images_of(pairs: DataFrame, candidates: DataFrame) -> DataFrame:
    """The rows of ``candidates`` (images) that belong to the matched studies."""
    return candidates.join(pairs, [PATIENT_ID, _STUDY], "left_semi")


def count_matched(cases: DataFrame, pairs: DataFrame, ratio: int, minimum_cell: int) -> str:
    """How many cases got how many controls, in words: ``controls: 3 for 40 cases, 2 for 15, none for 11``.

    cases: images. Not told where any of the numbers is one of fewer cases than the minimum.
    """
    got = pairs.groupBy(F.col(MATCHED).alias(PATIENT_ID)).agg(F.count("*").alias("controls"))
    of_cases = cases.select(PATIENT_ID).distinct().join(got, PATIENT_ID, "left")
    counted = (
        of_cases.groupBy(F.coalesce("controls", F.lit(0)).alias("controls")).count().collect()
    )  # ratio + 1 at most
    by_number = {row["controls"]: row["count"] for row in counted}
    if any(cases < minimum_cell for cases in by_number.values()):
        return (
            f"controls: how many each case got is not told, of which one is a number of fewer than {minimum_cell} cases"
        )
    told = [f"{number or 'none'} for {by_number[number]:,}" for number in range(ratio, -1, -1) if number in by_number]
    return "controls: " + (", ".join([f"{told[0]} cases", *told[1:]]) if told else "no cases")


def _differences(wanted: Controls) -> Iterator[int]:
    """By how many years a control is older than its case, the least first: 0, -1, 1, -2, 2 …"""
    yield 0
    for years in range(1, wanted.age_within + 1):
        yield from (-years, years)


def _studies(images: DataFrame) -> DataFrame:
    """One row a patient and study: day, sex, year, age."""
    by_study = images.groupBy(PATIENT_ID, _STUDY).agg(
        F.min("StudyDate").alias("day"), F.min("PatientSex").alias("sex"), F.min("age_at_study").alias("age")
    )
    return by_study.withColumn("year", F.year("day"))


def _first_studies(cases: DataFrame) -> DataFrame:
    """One row a case: matched_patient_id, sex, year, age, of its first study that has a date, else of any."""
    order = F.struct(F.col("day").isNull(), "day", _STUDY)
    first = F.min_by(F.struct("sex", "year", "age"), order).alias("first")
    return _studies(cases).groupBy(F.col(PATIENT_ID).alias(MATCHED)).agg(first).select(MATCHED, "first.*")


def _candidates(images: DataFrame, cases: DataFrame, index: DataFrame, keys: Sequence[str]) -> DataFrame:
    """One row a patient who is no case: patient_id, StudyInstanceUID, sex, year, age."""
    exact = [key for key in keys if key != "age"]
    studies = _studies(images).dropna(subset=list(keys))
    if exact:
        studies = studies.join(F.broadcast(index.select(*exact).distinct()), exact, "left_semi")
    others = studies.join(cases.select(PATIENT_ID).distinct(), PATIENT_ID, "left_anti")
    one = F.min_by(F.struct(_STUDY, "sex", "year", "age"), _STUDY).alias("one")
    return others.groupBy(PATIENT_ID).agg(one).select(PATIENT_ID, "one.*")


def _slots(index: DataFrame, pairs: DataFrame, ratio: int, years: int) -> DataFrame:
    """One row for each control that a case lacks: matched_patient_id, slot (from 1), sex, year, age of the control."""
    got = pairs.groupBy(MATCHED).agg(F.count("*").alias("got"))
    lacking = index.join(got, MATCHED, "left").withColumn("got", F.coalesce("got", F.lit(0)))
    slots = F.explode(F.sequence(F.col("got") + 1, F.lit(ratio).cast("long"))).alias("slot")
    age = (F.col("age") + years).alias("age")
    return lacking.where(F.col("got") < ratio).select(MATCHED, slots, "sex", "year", age)


def _ranked(rows: DataFrame, keys: Sequence[str], *order: Column | str) -> DataFrame:
    """The rows and ``rank``, from 1 within those of the same keys; of what both sides have, the keys alone."""
    kept = [name for name in (PATIENT_ID, _STUDY, MATCHED) if name in rows.columns]
    rank = F.row_number().over(Window.partitionBy(*keys).orderBy(*order)).alias("rank")
    return rows.select(*kept, *keys, rank)


def _order(patient: str) -> Column:
    """An order that says nothing of who somebody is, also where a site gives ids out by number."""
    return F.sha2(F.concat(F.lit("controls|"), patient), 256)
