"""Which images a definition means, as one Spark plan, and how many are left after each of its steps."""

from collections.abc import Mapping
from functools import reduce
from itertools import groupby
from operator import and_
from typing import NamedTuple

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.controls import MATCHED_BY, images_of, match_controls
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.image_steps import IMAGE, Step, image_column, image_steps
from smi_spark.analysis.listed import is_listed, tell_unknown
from smi_spark.analysis.one_per_patient import keep_one
from smi_spark.analysis.record_rules import event_days, record_steps
from smi_spark.analysis.rejection_steps import kept_by
from smi_spark.analysis.step_counts import (
    FILE_SIZE,
    SERIES,
    STUDY,
    Extent,
    added_up,
    extents,
    judge,
    keys_of,
    left_of,
)


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
    A required rule becomes a semi-join and an excluded one an anti-join: never null, for persons without rows too. For
    a count of each series or study, and for one set a patient, their images come together: they are read once.
    """
    steps = groupby(plan_steps(images, records, definition), lambda step: step.of_each in ("image", "day"))
    rows = images.alias(IMAGE)
    for is_alone, several in steps:
        rows = (
            rows.where(reduce(and_, (step.condition for step in several)))
            if is_alone
            else reduce(_counted, several, rows)
        )
    rows = rows.select(f"{IMAGE}.*")
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
    """One row: for each step k the columns patients_k, studies_k and images_k (long) of what it left.

    One pass over the images: see ``step_counts``.
    """
    steps = plan_steps(images, records, definition)
    return added_up(judge(images, steps, keys_of(steps)))


def attrition(
    images: DataFrame, records: Mapping[str, DataFrame], definition: Definition, chosen: Chosen | None = None
) -> tuple[Left, ...]:
    """What is left after each step; then of one set a patient, then with controls. See ``measure_steps``.

    chosen: what ``choose`` gave for the same, where that is there.
    """
    measured = measure_steps(images, records, definition, matches=chosen and chosen.matches)
    steps = enumerate(measured, start=1)
    return tuple(Left(k, rule, left.patients, left.studies, left.images) for k, (rule, left) in steps)


def measure_steps(
    images: DataFrame, records: Mapping[str, DataFrame], definition: Definition, *, sized: bool = False,
    matches: DataFrame | None = None,
) -> list[tuple[str, Extent]]:  # fmt: skip
    """The rule of each step, of one set a patient and of controls, and what it left; ``sized``: with series, and
    the bytes of the files of what is left at the end. matches: who is whose control, where that is known.

    One pass over the images, and where controls are wanted one over those of the candidates: all else is asked of the
    studies or series that these have.
    """
    steps = plan_steps(images, records, definition)
    one, controls = definition.one_per_patient, definition.controls
    of_candidates = plan_steps(images, records, definition.of_candidates()) if controls else []
    keys = keys_of([*steps, *of_candidates], sized or (one is not None and one.set == "series"))
    further = [*([FILE_SIZE] if sized else []), *(MATCHED_BY if controls else ())]
    groups = judge(images, steps, keys, further)
    rules = [step.rule for step in steps]
    if one is None and controls is None:
        return list(zip(rules, extents(groups), strict=True))
    with tables.held(groups):
        found = extents(groups)
        cases = left_of(groups)
        if one is not None:
            cases = keep_one(cases, one, None if one.to is None else event_days(records, one.to))
            rules, found = [*rules, str(one)], [*found, *extents(cases)]
        if controls is not None:
            candidates = tables.worked_out(left_of(judge(images, of_candidates, keys, further)))
            pairs = match_controls(cases, candidates, controls) if matches is None else matches
            both = cases.unionByName(images_of(pairs, candidates))
            rules, found = [*rules, f"with {controls}"], [*found, *extents(both)]
    return list(zip(rules, found, strict=True))


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


def _counted(rows: DataFrame, step: Step) -> DataFrame:
    keys = SERIES if step.of_each == "series" else STUDY
    group = Window.partitionBy(*map(image_column, keys))
    of_series = F.coalesce(image_column("SeriesInstanceUID"), F.lit(""))
    counts = {"images": F.count("*").over(group), "series": F.size(F.collect_set(of_series).over(group))}
    return rows.withColumns(counts).where(step.condition).drop(*counts)
