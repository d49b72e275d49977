"""Which study or series each patient keeps, against a twin in plain Python."""

from datetime import date, timedelta
from functools import reduce
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.selection import Left, attrition, select_images

IMAGE_COLUMNS = (
    "SOPInstanceUID string, patient_id string, StudyInstanceUID string, SeriesInstanceUID string, StudyDate date, "
    "modality string, year int"
)
START = date(2020, 1, 30)
Image = tuple[str | None, str, str, date | None]  # patient, study, series, date


def asking(**wanted: Any) -> Definition:
    content = {"cohort": "c", "project": "p", "question": "Who?", "one_per_patient": wanted}
    return read_definition(content, "test.yaml")


EVENT = {"table": "smr01", "window": {"from": "-20 days", "until": "10 days"}}
ASKED = [
    {"set": kind, "keep": keep} | ({"to": EVENT} if keep == "nearest" else {})
    for kind in ("study", "series") for keep in ("first", "last", "nearest")
]  # fmt: skip


def twin(images: list[Image], events: list[tuple[str, date]], wanted: dict[str, Any]) -> set[int]:
    """The numbers of the images that stay."""
    place = 1 if wanted["set"] == "study" else 2
    kept: set[int] = set()
    for patient in {image[0] for image in images} - {None}:
        ranks = []
        for uid in {image[place] for image in images if image[0] == patient}:
            days = [image[3] for image in images if image[0] == patient and image[place] == uid and image[3]]
            if not days:
                continue
            day = min(days)
            if wanted["keep"] == "nearest":
                near = [
                    abs((event - day).days)
                    for who, event in events
                    if who == patient and day - timedelta(20) <= event <= day + timedelta(10)
                ]
                if near:
                    ranks.append((min(near), day.toordinal(), uid))
            else:
                ranks.append((day.toordinal() * (-1 if wanted["keep"] == "last" else 1), 0, uid))
        if ranks:
            uid = min(ranks)[2]
            kept |= {n for n, image in enumerate(images) if image[0] == patient and image[place] == uid}
    return kept


DAYS = st.integers(0, 45).map(lambda days: START + timedelta(days))
PEOPLE = st.sampled_from("abc")
# Series in several studies, studies of two patients, several dates in one: all that archives have.
IMAGES = st.tuples(PEOPLE, st.sampled_from(["1", "2", "3"]), st.sampled_from(["1", "2", "3"]), st.none() | DAYS)
WORLDS = st.lists(
    st.tuples(st.lists(IMAGES, max_size=8), st.lists(st.tuples(PEOPLE, DAYS), max_size=5)), min_size=15, max_size=30
)


def frames(spark: SparkSession, images: list[Image], events: list[tuple[str, date]]) -> tuple[DataFrame, DataFrame]:
    rows = [(str(n), *image, "CT", 2020) for n, image in enumerate(images)]
    return (
        spark.createDataFrame(rows, IMAGE_COLUMNS).coalesce(1),
        spark.createDataFrame(events, "patient_id string, ADMISSION_DATE date").coalesce(1),
    )


@settings(
    max_examples=1, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(worlds=WORLDS)
def test_a_twin_in_plain_python_keeps_the_same(spark: SparkSession, worlds: list[Any]) -> None:
    images = [(f"{w}{who}", f"{w}-{study}", f"{w}-{series}", day) for w, (rows, _) in enumerate(worlds)
              for who, study, series, day in rows]  # fmt: skip
    images.append((None, "of-nobody", "of-nobody", START))
    events = [(f"{w}{who}", day) for w, (_, rows) in enumerate(worlds) for who, day in rows]
    zone_2, admissions = frames(spark, images, [*events, ("nobody", START)])
    kept = [select_images(zone_2, {"smr01": admissions}, asking(**wanted)) for wanted in ASKED]
    assert [rows.columns for rows in kept] == [zone_2.columns] * len(ASKED)
    named = [rows.select(F.lit(n).alias("n"), "SOPInstanceUID") for n, rows in enumerate(kept)]
    rows = reduce(DataFrame.unionAll, named).collect()
    for n, wanted in enumerate(ASKED):
        assert {int(row["SOPInstanceUID"]) for row in rows if row["n"] == n} == twin(images, events, wanted), wanted


def test_the_attrition_ends_with_the_sets_that_were_kept(spark: SparkSession) -> None:
    images: list[Image] = [
        ("ann", "1", "1.1", START), ("ann", "1", "1.1", START), ("ann", "1", "1.2", START), ("ann", "2", "2.1", START),
        ("bob", "3", "3.1", START + timedelta(9)), ("cat", "4", "4.1", None),
    ]  # fmt: skip
    zone_2, admissions = frames(spark, images, [("bob", START)])
    assert attrition(zone_2, {}, asking(keep="first")) == (
        Left(1, "all images", 3, 4, 6),
        Left(2, "the first study of each patient", 2, 2, 4),
    )
    nearest = asking(set="series", keep="nearest", to=EVENT)
    rule = "the nearest series of each patient to smr01: any record, from -20 days until 10 days"
    assert attrition(zone_2, {"smr01": admissions}, nearest)[-1] == Left(2, rule, 1, 1, 1)
