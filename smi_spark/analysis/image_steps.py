"""What a definition asks of images, as steps of the selection: each image by itself, then series, then studies."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark.analysis.column_conditions import holds
from smi_spark.analysis.conditions import any_of
from smi_spark.analysis.expression_columns import expression_column
from smi_spark.analysis.images_wanted import ONE_OF, Count, Images, OfAnImage
from smi_spark.analysis.where import told
from smi_spark.schema import load_schema

IMAGE = "image"  # alias of the images: what a rule says of the image has to be told from the record's columns


@dataclass(frozen=True)
class Step:
    """One narrowing: its words in the attrition, and the condition that is true for what it keeps.

    The condition is of each image (its columns, by the alias ``image``), of its patient's day (patient_id and StudyDate
    of the image, and no other column of it), or of each series or study: then of the columns ``images`` and ``series``,
    how many of these are left in it.
    """

    rule: str
    condition: Column
    of_each: Literal["image", "day", "series", "study"] = "image"


def image_steps(wanted: Images) -> list[Step]:
    """The steps in order. The first is decided by partitions alone, so that the rest of the archive is never read."""
    alone = (Step(words, condition) for words, condition in _conditions(wanted))
    where = [Step(told(wanted.where), expression_column(wanted.where, image_column))] if wanted.where else []
    return [_partitions(wanted), *alone, *_kinds(wanted), *where, *_counts(wanted)]


def image_column(name: str) -> Column:
    """A column of the image."""
    return F.col(f"{IMAGE}.{name}")


def _partitions(wanted: Images) -> Step:
    words, condition = "images", F.lit(True)
    if wanted.modality:
        words = f"{' or '.join(wanted.modality)} images"
        condition = condition & image_column("modality").isin(*wanted.modality)
    dates = wanted.study_date
    if dates and dates.start:
        words += f", {dates.start.year} or later"
        condition = condition & (image_column("year") >= dates.start.year)
    if dates and dates.until:
        words += f", {dates.until.year} or earlier"
        condition = condition & (image_column("year") <= dates.until.year)
    return Step(words if words != "images" else "all images", condition)


def _conditions(wanted: OfAnImage) -> Iterator[tuple[str, Column]]:
    """Words and condition for each field but the modality; null is false, so that files can be skipped by it."""
    for field, name in ONE_OF.items():
        values = getattr(wanted, field)
        if values and field not in ("modality", "sex"):
            yield f"{field.replace('_', ' ')} {any_of(values)}", image_column(name).isin(*values)
    if wanted.study_date:
        dates = wanted.study_date
        yield f"study date {dates}", _between("StudyDate", dates.start, dates.until)
    if wanted.sex:
        yield f"sex {' or '.join(wanted.sex)}", image_column(ONE_OF["sex"]).isin(*wanted.sex)
    if wanted.age:
        yield f"age {wanted.age}", _between("age_at_study", wanted.age.min, wanted.age.max)
    for name, condition in sorted((wanted.having or {}).items()):
        column = load_schema("images").column(name)
        yield f"{name} {condition.in_words(column.unit)}", holds(image_column(name), column, condition)


def _kinds(wanted: Images) -> Iterator[Step]:
    if wanted.any_of:
        words, conditions = zip(*map(_kind, wanted.any_of), strict=True)
        yield Step(f"any of ({'; '.join(words)})", reduce(or_, conditions))
    if wanted.none_of:
        words, conditions = zip(*map(_kind, wanted.none_of), strict=True)
        yield Step(f"none of ({'; '.join(words)})", ~F.coalesce(reduce(or_, conditions), F.lit(False)))


def _kind(kind: OfAnImage) -> tuple[str, Column]:
    told = list(_conditions(kind))
    if kind.modality:
        told.insert(0, (any_of(kind.modality), image_column("modality").isin(*kind.modality)))
    return ", ".join(words for words, _ in told), reduce(and_, (condition for _, condition in told))


def _counts(wanted: Images) -> Iterator[Step]:
    if wanted.each_series:
        yield _count(wanted.each_series.images, "images", "series")
    if wanted.each_study:
        for what, count in (("series", wanted.each_study.series), ("images", wanted.each_study.images)):
            if count:
                yield _count(count, what, "study")


def _count(count: Count, what: str, of_each: Literal["series", "study"]) -> Step:
    condition = F.lit(True)
    if count.at_least is not None:
        condition = condition & (F.col(what) >= count.at_least)
    if count.at_most is not None:
        condition = condition & (F.col(what) <= count.at_most)
    return Step(f"{count} {what} a {of_each}", condition, of_each)


def _between(name: str, least: object, most: object) -> Column:
    condition = image_column(name).isNotNull()
    if least is not None:
        condition = condition & (image_column(name) >= F.lit(least))
    if most is not None:
        condition = condition & (image_column(name) <= F.lit(most))
    return condition
