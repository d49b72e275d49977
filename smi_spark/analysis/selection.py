"""Which images a definition means, as one Spark plan, and how many are left after each of its steps."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Literal, NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.analysis.controls import images_of, match_controls
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.image_steps import IMAGE, Step, image_column, image_steps
from smi_spark.analysis.listed import is_listed, tell_unknown
from smi_spark.analysis.one_per_patient import keep_one
from smi_spark.analysis.record_rules import event_days, record_steps
from smi_spark.analysis.rejection_steps import kept_by

STUDY = ("patient_id", "StudyInstanceUID")  # a study that stands under two patients is a study of each
SERIES = (*STUDY, "SeriesInstanceUID")


class Left(NamedTuple):
    """What was left after a step: patients, studies of a patient, images; none where it is hidden (``shown``)."""

    step: int
    rule: str
    patients: int | None
    studies: int | None
    images: int | None


class Chosen(NamedTuple):
    """Images that a definition means: those of cases, and all. ``matches``: who is whose control, for those who are."""

    cases: DataFrame
    images: DataFrame
    matches: DataFrame | None = None


def select_images(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> DataFrame:
    """The rows of ``images`` (columns as in deidentified/images) that the definition means, each as often as it was.

    An image is judged by its own patient_id and StudyDate, so that all images of a study fare alike.
    records: short name of a table → its rows, columns as in deidentified/records/<name>.
    A required rule becomes a semi-join and an excluded one an anti-join: never null, for persons without rows too. So
    does a count of each series or study, for which the columns that it needs are read a second time.
    """
    steps = plan_steps(images, records, definition)
    rows = reduce(_narrowed, steps, images.alias(IMAGE)).select(f"{IMAGE}.*")
    wanted = definition.one_per_patient
    if wanted is None:
        return rows
    return keep_one(rows, wanted, None if wanted.to is None else event_days(records, wanted.to))


def choose(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> Chosen:
    """The images of the cases, as ``select_images`` gives them, and with them those of their controls.

    Where controls are wanted, jobs run that say who they are, as ``match_controls`` does.
    """
    cases = select_images(images, records, definition)
    if definition.controls is None:
        return Chosen(cases, cases)
    candidates = select_images(images, records, definition.of_candidates())
    pairs = match_controls(cases, candidates, definition.controls)
    return Chosen(cases, cases.unionAll(images_of(pairs, candidates)), pairs)


def count_steps(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> DataFrame:
    """One row: for each step k, the columns patients_k, studies_k and images_k (long) of what it left.

    One pass over the images and one shuffle of them by patient and study: each image gets the number of steps that it
    passed by itself; series, then studies, then patients add up how many of their images passed each step.
    """
    steps = plan_steps(images, records, definition)
    numbers = range(1, len(steps) + 1)
    counted = any(step.of_each != "image" for step in steps)
    narrowed = images.alias(IMAGE).where(steps[0].condition)
    keys = SERIES if counted else STUDY
    judged = narrowed.select(*(f"{IMAGE}.{key}" for key in keys), _passed(steps).alias("passed"))
    groups = judged.groupBy(*keys).agg(*(F.count_if(F.col("passed") >= k).alias(f"images_{k}") for k in numbers))
    if counted:
        series = _with_enough(groups, steps, "series")
        groups = _with_enough(_added_up(series, STUDY, "series", numbers), steps, "study")
    patients = _added_up(groups, ("patient_id",), "studies", numbers)
    return patients.agg(
        *(F.count_if(F.col(f"images_{k}") > 0).alias(f"patients_{k}") for k in numbers),
        *(F.coalesce(F.sum(f"{of}_{k}"), F.lit(0)).alias(f"{of}_{k}") for of in ("studies", "images") for k in numbers),
    )


def attrition(
    images: DataFrame, records: Mapping[str, DataFrame], definition: Definition, chosen: Chosen | None = None
) -> tuple[Left, ...]:
    """What is left after each step, by running ``count_steps`` once; then of one set a patient, then with controls.

    chosen: what ``choose`` gave for the same, where that is there.
    """
    steps = plan_steps(images, records, definition)
    counts = count_steps(images, records, definition).first()
    assert counts is not None  # an aggregate without groups has one row
    left = tuple(
        Left(k, step.rule, counts[f"patients_{k}"], counts[f"studies_{k}"], counts[f"images_{k}"])
        for k, step in enumerate(steps, start=1)
    )
    if definition.one_per_patient is None and definition.controls is None:
        return left
    cases, both, _ = chosen or choose(images, records, definition)
    if definition.one_per_patient is not None:
        left += (count_left(cases, len(left) + 1, str(definition.one_per_patient)),)
    if definition.controls is not None:
        left += (count_left(both, len(left) + 1, f"with {definition.controls}"),)
    return left


def count_left(images: DataFrame, step: int, rule: str) -> Left:
    """What is left where these images are."""
    distinct = F.count_distinct("patient_id"), F.count_distinct(*STUDY), F.count("*")
    counts = images.agg(*(count.alias(name) for count, name in zip(distinct, "psi", strict=True))).first()
    assert counts is not None  # an aggregate without groups has one row
    return Left(step, rule, counts["p"], counts["s"], counts["i"])


def unknown_ids(images: DataFrame, definition: Definition, write: bool) -> str:
    """How many ids of the definition's list none of the images has that its first step leaves, in words; or nothing.

    With ``write`` they are written beside the list.
    """
    listed, first = definition.images.from_list, image_steps(definition.images)[0]
    if listed is None:
        return ""
    among = images.alias(IMAGE).where(first.condition).select(f"{IMAGE}.*")
    return tell_unknown(listed, among, first.rule, write)


def plan_steps(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> list[Step]:
    """The steps in order: partitions, ids, conditions on the image, rejection rules, counts of each series and study,
    records. What is rejected is not counted.
    """
    first, *others = image_steps(definition.images)
    ids = definition.images.from_list
    return [
        first,
        *([Step(str(ids), is_listed(image_column(ids.column), ids, images.sparkSession))] if ids else []),
        *(step for step in others if step.of_each == "image"),
        *_rejection_steps(definition),
        *(step for step in others if step.of_each != "image"),
        *record_steps(records, definition),
    ]


def _rejection_steps(definition: Definition) -> list[Step]:
    kept = {} if definition.rejection is None else kept_by(definition.rejection, image_column)
    return [Step(f"not rejected: {reason}", condition) for reason, condition in kept.items()]


def _narrowed(rows: DataFrame, step: Step) -> DataFrame:
    if step.of_each == "image":
        return rows.where(step.condition)
    keys = SERIES if step.of_each == "series" else STUDY
    groups = rows.groupBy(*map(image_column, SERIES)).agg(F.count("*").alias("images"))
    if step.of_each == "study":
        groups = groups.groupBy(*STUDY).agg(F.sum("images").alias("images"), F.count("*").alias("series"))
    kept = groups.where(step.condition).select(*(F.col(key).alias(f"kept_{key}") for key in keys))
    return rows.join(kept, reduce(and_, (image_column(key).eqNullSafe(F.col(f"kept_{key}")) for key in keys)), "semi")


def _passed(steps: Sequence[Step]) -> Column:
    """How many steps an image passed before the first that it failed by itself; a null condition counts as failed."""
    passed = F.lit(len(steps))
    for number, step in reversed(list(enumerate(steps))):
        if step.of_each == "image":
            passed = F.when(step.condition, passed).otherwise(F.lit(number))
    return passed


def _with_enough(groups: DataFrame, steps: Sequence[Step], of_each: Literal["series", "study"]) -> DataFrame:
    """``groups`` (images_k and, of studies, series_k) with 0 for each step that is about them and that they failed,
    and for all after it.
    """
    for number, step in enumerate(steps, start=1):
        if step.of_each != of_each:
            continue
        counts = ("images",) if of_each == "series" else ("images", "series")
        after = [f"images_{k}" for k in range(number, len(steps) + 1)]
        judged = groups.withColumns({what: F.col(f"{what}_{number - 1}") for what in counts})
        groups = judged.withColumns({name: F.when(step.condition, F.col(name)).otherwise(0) for name in after})
    return groups


def _added_up(groups: DataFrame, keys: Sequence[str], what: str, numbers: range) -> DataFrame:
    """One row for the groups of ``keys``: images_k of them all, and in ``what``_k how many had images left."""
    return groups.groupBy(*keys).agg(
        *(F.sum(f"images_{k}").alias(f"images_{k}") for k in numbers),
        *(F.count_if(F.col(f"images_{k}") > 0).alias(f"{what}_{k}") for k in numbers),
    )
