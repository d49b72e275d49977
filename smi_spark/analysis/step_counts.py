"""How many patients, studies, series and images each step of a selection leaves: one pass over the images.

What a rule on records says of an image follows from its patient and its StudyDate. So images are counted first, those
of a study or series that fare alike in one row, and records are joined with these rows: there are far fewer of them.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from smi_spark.analysis.image_steps import IMAGE, Step, image_column

STUDY = ("patient_id", "StudyInstanceUID")  # a study that stands under two patients is a study of each
SERIES = (*STUDY, "SeriesInstanceUID")
FILE_SIZE = "file_size"
_LEVELS = (("series", STUDY), ("studies", STUDY[:1]), ("patients", ()))
_SIZES = ("file_bytes", "unsized")


class Extent(NamedTuple):
    """What is left: patients, studies of a patient, series of these, images. Where it was asked for: series, the bytes
    of the images' files, and how many images there are of whose file nobody knows the size.
    """

    patients: int
    studies: int
    series: int | None
    images: int
    file_bytes: int | None = None
    unsized: int | None = None


def keys_of(steps: Sequence[Step], in_series: bool = False) -> tuple[str, ...]:
    """By what images have to be counted: by series where a step, or who asks, looks at series, else by study."""
    return SERIES if in_series or any(step.of_each in ("series", "study") for step in steps) else STUDY


def judge(images: DataFrame, steps: Sequence[Step], keys: Sequence[str], further: Sequence[str] = ()) -> DataFrame:
    """One row a group of images (``keys``, as ``keys_of`` gives them) that the first step leaves: keys, for each step k
    how many images of it that left (``images_k``, long); of the images that the last one left the earliest StudyDate,
    the least values of ``further`` columns, and where ``file_size`` is among these ``file_bytes`` and ``unsized``,
    images of unknown size.
    """
    least = [name for name in ("StudyDate", *further) if name != FILE_SIZE]
    narrowed = images.alias(IMAGE).where(steps[0].condition)
    own = narrowed.select(
        *map(image_column, dict.fromkeys((*keys, "StudyDate", *further))), _passed(steps, "image").alias("passed")
    )
    alike = own.groupBy(*keys, *least, "passed").agg(F.count("*").alias("images"), *_sizes(further))
    if any(step.of_each == "day" for step in steps):
        both = F.least(image_column("passed"), _passed(steps, "day"))
        alike = alike.alias(IMAGE).withColumn("passed", both)
    passed, images_ = F.col("passed"), F.col("images")
    is_left = passed >= len(steps)
    groups = alike.groupBy(*keys).agg(
        *(F.sum(F.when(passed >= k, images_).otherwise(0)).alias(f"images_{k}") for k in range(1, len(steps) + 1)),
        *(F.min(F.when(is_left, F.col(name))).alias(name) for name in least),
        *(F.sum(F.when(is_left, F.col(name))).alias(name) for name in _SIZES if name in alike.columns),
    )
    return reduce(lambda rows, number: _with_enough(rows, steps, number), range(len(steps)), groups)


def left_of(groups: DataFrame) -> DataFrame:
    """The rows of ``judge`` of which the last step left images, and of those how many (``images_1``)."""
    numbers = [name for name in groups.columns if name.startswith("images_")]
    others, left = [name for name in groups.columns if name not in numbers], F.col(numbers[-1])
    return groups.where(left > 0).select(*others, left.alias("images_1"))


def added_up(groups: DataFrame) -> DataFrame:
    """One row: for each step k of ``groups`` (as ``judge`` gives them) patients_k, studies_k and images_k (long), and
    of series series_k; of the last step file_bytes and unsized where the groups have these.
    """
    numbers = [name.removeprefix("images_") for name in groups.columns if name.startswith("images_")]
    sizes = [name for name in _SIZES if name in groups.columns]
    is_left = F.col(f"images_{numbers[-1]}") > 0
    rows = groups.withColumns({name: F.when(is_left, F.col(name)) for name in sizes})
    sums = [*(f"images_{k}" for k in numbers), *sizes]
    for what, keys in _LEVELS if SERIES[-1] in groups.columns else _LEVELS[1:]:
        rows = rows.groupBy(*keys).agg(
            *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in sums),
            *(F.count_if(F.col(f"images_{k}") > 0).alias(f"{what}_{k}") for k in numbers),
        )
        sums += [f"{what}_{k}" for k in numbers]
    return rows


def extents(groups: DataFrame) -> list[Extent]:
    """What each step of ``groups`` left, by running ``added_up``; sizes with the last."""
    counts = added_up(groups).first()
    assert counts is not None  # an aggregate without groups has one row
    found = counts.asDict()
    last = len([name for name in found if name.startswith("images_")])
    left = [
        Extent(found[f"patients_{k}"], found[f"studies_{k}"], found.get(f"series_{k}"), found[f"images_{k}"])
        for k in range(1, last + 1)
    ]
    return [*left[:-1], left[-1]._replace(**{name: found[name] for name in _SIZES if name in found})]


def _passed(steps: Sequence[Step], of_each: str) -> Column:
    """How many steps stand before the first of that kind that an image fails; a null condition counts as failed."""
    passed = F.lit(len(steps))
    for number, step in reversed(list(enumerate(steps))):
        if step.of_each == of_each:
            passed = F.when(step.condition, passed).otherwise(F.lit(number))
    return passed


def _with_enough(groups: DataFrame, steps: Sequence[Step], place: int) -> DataFrame:
    """``groups`` (series) with no images left by the step in that place, and all after it, where it is about series
    or studies and they failed it.
    """
    step, before = steps[place], F.col(f"images_{place}")
    if step.of_each not in ("series", "study"):
        return groups
    study = Window.partitionBy(*STUDY)
    judged = {"images": before}
    if step.of_each == "study":
        judged = {"images": F.sum(before).over(study), "series": F.count_if(before > 0).over(study)}
    after = [f"images_{k}" for k in range(place + 1, len(steps) + 1)]
    counted = groups.withColumns(judged)
    return counted.withColumns({k: F.when(step.condition, F.col(k)).otherwise(0) for k in after}).drop(*judged)


def _sizes(further: Sequence[str]) -> list[Column]:
    if FILE_SIZE not in further:
        return []
    return [F.sum(FILE_SIZE).alias("file_bytes"), F.count_if(F.col(FILE_SIZE).isNull()).alias("unsized")]
