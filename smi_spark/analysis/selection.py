"""Which images a definition means, as one Spark plan, and how many are left after each of its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.analysis.definition import Definition, Images, Rule, record_schema
from smi_spark.analysis.windows import Window
from smi_spark.deidentified.events import begins_with

IMAGE = "image"  # alias of the images: what a rule says of the image has to be told from the record's columns


@dataclass(frozen=True)
class Step:
    """One narrowing: its words in the attrition, and the condition that is true for what it keeps."""

    rule: str
    condition: Column


class Left(NamedTuple):
    """What was left after a step: patients, studies of a patient, images."""

    step: int
    rule: str
    patients: int
    studies: int
    images: int


def select_images(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> DataFrame:
    """The rows of ``images`` (columns as in deidentified/images) that the definition means, each as often as it was.

    An image is judged by its own patient_id and StudyDate, so that all images of a study fare alike.
    records: short name of a table → its rows, columns as in deidentified/records/<name>.
    A required rule becomes a semi-join and an excluded one an anti-join: never null, for persons without rows too.
    """
    steps = plan_steps(records, definition)
    return reduce(lambda rows, step: rows.where(step.condition), steps, images.alias(IMAGE)).select(f"{IMAGE}.*")


def count_steps(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> DataFrame:
    """One row: for each step k, the columns patients_k, studies_k and images_k (long) of what it left.

    One pass over the images and one shuffle of them by patient: each image gets the number of steps that it passed,
    each study and patient the most of any of its images. A study that stands under two patients counts for each.
    """
    steps = plan_steps(records, definition)
    numbers = range(1, len(steps) + 1)
    narrowed = images.alias(IMAGE).where(steps[0].condition)
    judged = narrowed.select(f"{IMAGE}.patient_id", f"{IMAGE}.StudyInstanceUID", _passed(steps).alias("passed"))
    studies = judged.groupBy("patient_id", "StudyInstanceUID").agg(
        F.max("passed").alias("passed"), *(F.count_if(F.col("passed") >= k).alias(f"images_{k}") for k in numbers)
    )
    patients = studies.groupBy("patient_id").agg(
        F.max("passed").alias("passed"),
        *(F.count_if(F.col("passed") >= k).alias(f"studies_{k}") for k in numbers),
        *(F.sum(f"images_{k}").alias(f"images_{k}") for k in numbers),
    )
    return patients.agg(
        *(F.count_if(F.col("passed") >= k).alias(f"patients_{k}") for k in numbers),
        *(F.coalesce(F.sum(f"{of}_{k}"), F.lit(0)).alias(f"{of}_{k}") for of in ("studies", "images") for k in numbers),
    )


def attrition(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> tuple[Left, ...]:
    """What is left after each step, by running ``count_steps`` once."""
    steps = plan_steps(records, definition)
    counts = count_steps(images, records, definition).first()
    assert counts is not None  # an aggregate without groups has one row
    return tuple(
        Left(k, step.rule, counts[f"patients_{k}"], counts[f"studies_{k}"], counts[f"images_{k}"])
        for k, step in enumerate(steps, start=1)
    )


def plan_steps(records: Mapping[str, DataFrame], definition: Definition) -> list[Step]:
    """The steps in order: partitions, conditions on the image, a date to count from, records required and excluded.

    The first one is decided by partitions alone, so that the rest of the archive is never read.
    """
    rules = (*definition.records.required, *definition.records.excluded)
    steps = [_partitions(definition.images), *_image_steps(definition.images)]
    if any(rule.window != Window() for rule in rules):
        steps.append(Step("with a study date", _image("StudyDate").isNotNull()))
    steps += [Step(str(rule), _has_record(records[rule.table], rule)) for rule in definition.records.required]
    steps += [Step(f"no {rule}", ~_has_record(records[rule.table], rule)) for rule in definition.records.excluded]
    return steps


def matching_records(records: DataFrame, rule: Rule) -> DataFrame:
    """The rows whose codes the rule names; all rows where it names none."""
    if not rule.codes:
        return records
    matches = [
        begins_with(F.col(column), starts)
        for where, starts in rule.codes.items()
        for column in rule.code_columns(where)
    ]
    return records.where(reduce(lambda left, right: left | right, matches))


def _has_record(records: DataFrame, rule: Rule) -> Column:
    # The image's columns are named by its alias: a bare outer("patient_id") would silently mean the record's own.
    event = F.col(str(record_schema(rule.table).event_date))
    same_patient = F.col("patient_id") == _image("patient_id").outer()
    in_window = rule.window.holds(event, _image("StudyDate").outer())
    return matching_records(records, rule).where(same_patient & in_window).exists()


def _partitions(wanted: Images) -> Step:
    words, condition = "images", F.lit(True)
    if wanted.modality:
        words = f"{' or '.join(wanted.modality)} images"
        condition = condition & _image("modality").isin(*wanted.modality)
    dates = wanted.study_date
    if dates and dates.start:
        words += f", {dates.start.year} or later"
        condition = condition & (_image("year") >= dates.start.year)
    if dates and dates.until:
        words += f", {dates.until.year} or earlier"
        condition = condition & (_image("year") <= dates.until.year)
    return Step(words if words != "images" else "all images", condition)


def _image_steps(wanted: Images) -> list[Step]:
    steps = []
    if wanted.body_part:
        steps.append(
            Step(f"body part {' or '.join(wanted.body_part)}", _image("body_part_label").isin(*wanted.body_part))
        )
    if wanted.study_date:
        steps.append(
            Step(
                f"study date {wanted.study_date}",
                _between("StudyDate", wanted.study_date.start, wanted.study_date.until),
            )
        )
    if wanted.sex:
        steps.append(Step(f"sex {' or '.join(wanted.sex)}", _image("PatientSex").isin(*wanted.sex)))
    if wanted.age:
        steps.append(Step(f"age {wanted.age}", _between("age_at_study", wanted.age.min, wanted.age.max)))
    return steps


def _between(name: str, least: object, most: object) -> Column:
    condition = _image(name).isNotNull()
    if least is not None:
        condition = condition & (_image(name) >= F.lit(least))
    if most is not None:
        condition = condition & (_image(name) <= F.lit(most))
    return condition


def _passed(steps: Sequence[Step]) -> Column:
    """How many steps an image passed before the first that it failed; a condition that is null counts as failed."""
    passed = F.lit(len(steps))
    for number, step in reversed(list(enumerate(steps))):
        passed = F.when(step.condition, passed).otherwise(F.lit(number))
    return passed


def _image(name: str) -> Column:
    return F.col(f"{IMAGE}.{name}")
