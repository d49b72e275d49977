"""Two versions of a cohort: who and what came and went, and what of the recipe differs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.registry import Registered, read_table
from smi_spark.analysis.selection import Left
from smi_spark.analysis.shown import told_count
from smi_spark.config import Config
from smi_spark.errors import TableError

CAME, WENT, CHANGED = "came", "went", "changed"
LEVELS: Mapping[str, tuple[str, ...]] = {
    "patients": ("patient_id",),
    "studies": ("patient_id", "StudyInstanceUID"),
    "images": ("patient_id", "StudyInstanceUID", "SOPInstanceUID"),
}
_TERMS = ("approval", "profile", "dates", "licence", "software_version")
_NAMED = 5  # columns


class Count(NamedTuple):
    """How many came, went and stayed; of images that stayed, how many have another value in any column."""

    came: int
    went: int
    stayed: int
    changed: int


class Stage(NamedTuple):
    """A step of either selection, or of both, with what it left: none where a version has no such step."""

    rule: str
    old: Left | None
    new: Left | None


@dataclass(frozen=True)
class Comparison:
    """How version ``new`` of a cohort differs from version ``old``. As text: counts, what caused it, both attritions.

    Counts are exact, small ones too: what leaves the safe haven has to be checked for them.
    counts: ``patients``, ``studies`` and ``images``. causes: what of the recipe differs, a line each; empty where
    nothing does. attrition: the steps of both, those with the same rule side by side.
    images: change (came, went, changed), patient_id, StudyInstanceUID, SOPInstanceUID, one row an image that did not
    stay as it was; patients, studies: change (came, went) and their ids, likewise.
    """

    old: Registered
    new: Registered
    counts: Mapping[str, Count]
    causes: tuple[str, ...]
    attrition: tuple[Stage, ...]
    patients: DataFrame
    studies: DataFrame
    images: DataFrame

    @property
    def first_step(self) -> str | None:
        """The rule of the first step that is of one version alone, or is known to have left other counts in the two."""
        for stage in self.attrition:
            if stage.old is None or stage.new is None:
                return stage.rule
            if any(
                old != new and None not in (old, new) for old, new in zip(stage.old[2:], stage.new[2:], strict=True)
            ):
                return stage.rule
        return None

    def __str__(self) -> str:
        days = [f"({one.built_at:%Y-%m-%d})" for one in (self.old, self.new)]
        lines = [f"{self.old.place} {days[0]} → version {self.new.version} {days[1]}"]
        lines += [f"{'':10}{'came':>10}{'went':>10}{'stayed':>10}{'changed':>10}"]
        lines += [
            f"{level:10}{count.came:>10,}{count.went:>10,}{count.stayed:>10,}"
            + (f"{count.changed:>10,}" if level == "images" else "")
            for level, count in self.counts.items()
        ]
        lines += ["what differs:", *(f"  {cause}" for cause in self.causes or ("nothing",))]
        lines += [f"first step that tells them apart: {self.first_step}"] if self.first_step else []
        lines += [f"patients, studies and images left, version {self.old.version} → {self.new.version}:"]
        return "\n".join([*lines, *map(_stage, self.attrition)])


def compare_versions(spark: SparkSession, config: Config, old: Registered, new: Registered) -> Comparison:
    """Compare two versions of a cohort, or of two cohorts of a project; see ``Comparison``.

    The ids of both images tables are read, and all their columns to tell which of those that stayed are as they were.
    Raises TableError where they are of different projects, or of different keys of one: their ids have nothing to do
    with each other.
    """
    if (old.project, old.key_id) != (new.project, new.key_id):
        raise TableError(
            f"{old.place} and {new.place} have ids of different keys ({old.key_id}, {new.key_id}): nobody can be found "
            "in both. Compare versions that were built with the same key of the same project."
        )
    images = tables.worked_out(_changes(*(read_table(spark, config, one, "images") for one in (old, new))))
    levels = {level: _of_level(images, ids) for level, ids in LEVELS.items()}
    counts = {level: _count(rows) for level, rows in levels.items()}
    moved = {level: rows.where(F.col("change").isNotNull()) for level, rows in levels.items()}
    return Comparison(old, new, counts, causes(old, new), side_by_side(old.attrition, new.attrition), **moved)


def patients_moved(old: DataFrame, new: DataFrame) -> Count:
    """The patients of two versions, of their ids alone. old, new: the images of each."""
    sides = (
        rows.select("patient_id", F.lit(is_new).alias("after"), F.lit(not is_new).alias("before"))
        for rows, is_new in ((old, False), (new, True))
    )
    return _count(_of_level(reduce(DataFrame.unionAll, sides), LEVELS["patients"]))


def causes(old: Registered, new: Registered) -> tuple[str, ...]:
    """What differs between two versions that their content follows from: definition, inputs, terms, software."""
    definitions = differences(json.loads(old.definition), json.loads(new.definition), "definition")
    inputs = differences(dict(old.inputs), dict(new.inputs), "input", joint=" ")
    before, now = ({name: getattr(one, name) for name in _TERMS} for one in (old, new))
    terms = differences(before, now, "")
    return (*definitions, *inputs, *terms, *_columns(old, new))


def differences(old: Any, new: Any, place: str, joint: str = ".") -> Iterator[str]:
    """What differs between two values as JSON has them, a line each: ``definition.images.age.min: 40 → 50``.

    Of lists, what one has and the other has not.
    """
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from differences(old.get(name), new.get(name), f"{place}{joint}{name}" if place else name, joint)
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        yield from (f"{place}: no longer {_said(one)}" for one in old if one not in new)
        yield from (f"{place}: now {_said(one)}" for one in new if one not in old)
    else:
        yield f"{place}: {_said(old)} → {_said(new)}"


def side_by_side(old: Sequence[Left], new: Sequence[Left]) -> tuple[Stage, ...]:
    """The steps of two selections in order, those with the same rule beside each other."""
    before, now = ([left.rule for left in steps] for steps in (old, new))
    stages: list[Stage] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if kind == "equal":
            stages += [Stage(one.rule, one, two) for one, two in zip(old[a:b], new[c:d], strict=True)]
        else:
            stages += [Stage(one.rule, one, None) for one in old[a:b]]
            stages += [Stage(two.rule, None, two) for two in new[c:d]]
    return tuple(stages)


def _columns(old: Registered, new: Registered) -> Iterator[str]:
    """Columns that the terms let through in one of the versions alone, a line a table."""
    hidden = [{one: one.rpartition(".")[0] for one in entry.left_out} for entry in (old, new)]
    for table in sorted({*hidden[0].values(), *hidden[1].values()}):
        gone, back = ([one for one in a if a[one] == table and one not in b] for a, b in (hidden[::-1], hidden))
        for what, columns in (("left out", gone), ("left out no longer", back)):
            if columns:
                names = [one.rpartition(".")[2] for one in columns]
                more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
                yield f"columns of {table} {what}: {', '.join(names[:_NAMED])}{more}"


def _changes(old: DataFrame, new: DataFrame) -> DataFrame:
    """before, after (whether a version has the image), change, and the ids of images: one row each."""
    both = sorted(set(old.columns) & set(new.columns))
    before, after = (
        rows.select(*LEVELS["images"], F.xxhash64(F.to_json(F.struct(*both))).alias(name))
        for rows, name in ((old, "before"), (new, "after"))
    )
    joined = before.join(after, list(LEVELS["images"]), "full_outer")
    change = _change(F.col("before").isNotNull(), F.col("after").isNotNull())
    changed = F.when(F.col("before") != F.col("after"), F.lit(CHANGED))
    return joined.select(
        F.coalesce(change, changed).alias("change"), *LEVELS["images"],
        F.col("before").isNotNull().alias("before"), F.col("after").isNotNull().alias("after"),
    )  # fmt: skip


def _of_level(images: DataFrame, ids: Sequence[str]) -> DataFrame:
    if "SOPInstanceUID" in ids:
        return images.drop("before", "after")
    held = images.groupBy(*ids).agg(F.bool_or("before").alias("before"), F.bool_or("after").alias("after"))
    return held.select(_change(F.col("before"), F.col("after")).alias("change"), *ids)


def _change(before: Column, after: Column) -> Column:
    return F.when(~before, CAME).when(~after, WENT)


def _count(rows: DataFrame) -> Count:
    counted = {row["change"]: row["count"] for row in rows.groupBy("change").count().collect()}
    changed = counted.get(CHANGED, 0)
    return Count(counted.get(CAME, 0), counted.get(WENT, 0), counted.get(None, 0) + changed, changed)


def _said(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _stage(stage: Stage) -> str:
    counts = (_left(stage, name) for name in ("patients", "studies", "images"))
    return "".join(f"{text:>20}" for text in counts) + f"  {stage.rule}"


def _left(stage: Stage, name: str) -> str:
    sides = ["–" if left is None else told_count(getattr(left, name)) for left in (stage.old, stage.new)]
    return sides[0] if sides[0] == sides[1] else " → ".join(sides)
