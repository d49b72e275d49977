"""Rejection rules as conditions of a selection: what ``rejection.reason`` says of one row, of all images at once."""

from collections.abc import Callable, Iterator
from functools import reduce
from operator import and_

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.listed import LISTED, rows_of
from smi_spark.analysis.rejection import MODALITY, NUMBERS, TEXTS, Condition, Rejection, Rule
from smi_spark.schema import load_schema

Image = Callable[[str], Column]  # name → that column of the images


def kept_by(rejection: Rejection, image: Image) -> dict[str, Column]:
    """Name of each rule, in order → the condition that is true for the images that it does not reject, never null.

    The first that is false of an image says why it is rejected. A list of UIDs becomes a join with a broadcast frame,
    so that the UIDs do not stand in the plan, however many there are.
    """
    return {name: ~_rejected(rejection, name, image) for name in rejection.names}


def _rejected(rejection: Rejection, name: str, image: Image) -> Column:
    """Whether the rule of that name, as it is for the image's modality, rejects it."""
    otherwise = _rejects(rejection.rule_for(name, None), rejection, image)
    cases = F.lit(None).cast("boolean")
    for modality in rejection.modalities:
        rule = rejection.rule_for(name, modality)
        if rule != rejection.rule_for(name, None):
            cases = F.when(image(MODALITY) == modality, _rejects(rule, rejection, image)).otherwise(cases)
    return F.coalesce(cases, otherwise)


def _rejects(rule: Rule | None, rejection: Rejection, image: Image) -> Column:
    if rule is None:
        return F.lit(False)
    answers = [
        said
        for column, condition in rule.when.items()
        for said in _answers(column, condition, rejection, image)
    ]  # fmt: skip
    return F.coalesce(reduce(and_, answers), F.lit(rule.unknown == "reject"))


def _answers(column: str, condition: Condition, rejection: Rejection, image: Image) -> Iterator[Column]:
    """What each part of a condition says of the column; null where it has no value."""
    kind = load_schema("images").column(column).type
    value = _value(image(column), kind)
    if condition.present is not None:
        yield value.isNotNull() == F.lit(condition.present)
    if condition.is_ is not None:
        yield value == F.lit(condition.is_)
    is_list = kind.startswith("array")
    if condition.any_of is not None:
        yield F.arrays_overlap(value, _array(condition.any_of)) if is_list else value.isin(*condition.any_of)
    if condition.all_of is not None:
        lacking = F.array_except(_array(condition.all_of), value if is_list else F.array(value))
        yield F.when(value.isNotNull(), F.array_size(lacking) == 0)
    if condition.none_of is not None:
        yield ~F.arrays_overlap(value, _array(condition.none_of)) if is_list else ~value.isin(*condition.none_of)
    if condition.at_least is not None:
        yield value >= F.lit(condition.at_least)
    if condition.at_most is not None:
        yield value <= F.lit(condition.at_most)
    if condition.listed_in is not None:
        uids = F.broadcast(rows_of(sorted(rejection.uids(condition.listed_in)), SparkSession.active()))
        is_listed = uids.where(F.col(LISTED) == _value(image(column).outer(), kind)).exists()
        yield F.when(value.isNotNull(), is_listed)


def _value(column: Column, kind: str) -> Column:
    """A value, texts in capitals without blanks around them; null for what says nothing."""
    if kind == TEXTS[0]:
        return _text(column)
    if kind.startswith("array"):
        parts = F.transform(column, _text) if kind in TEXTS else column
        some = F.filter(parts, lambda part: part.isNotNull())
        return F.when(F.array_size(some) > 0, some)
    return F.nullif(column, F.lit(float("nan"))) if kind == NUMBERS[-1] else column


def _text(text: Column) -> Column:
    return F.nullif(F.upper(F.trim(text)), F.lit(""))


def _array(texts: tuple[str, ...]) -> Column:
    return F.array(*map(F.lit, texts))
