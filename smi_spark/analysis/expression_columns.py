"""Expressions as Spark decides them: its columns, built node by node of a tree that ``where`` has nothing against."""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark.analysis.expressions import Expression, Name, Part, Value
from smi_spark.schema import load_schema


def expression_column(where: Expression, column: Callable[[str], Column]) -> Column:
    """The expression as Spark decides it, null where it is neither true nor false; built node by node.

    column: the Column of a name of the schema. The expression is one of which ``wrong_parts`` says nothing.
    """
    return _build(where.tree, column)


def _long(function: Callable[..., Column]) -> Callable[..., Column]:
    """What Spark counts in 32 bits, in 64: no sum of it is too great."""
    return lambda *parts: function(*parts).cast("long")


def _absolute(number: Column) -> Column:
    return F.when(number < 0, F.try_subtract(F.lit(0).cast("long"), number)).otherwise(number)


# What would end the run by an error is null: a sum that is too great, a division by 0, an element that is not there.
OPERATIONS: Mapping[str, Callable[..., Column]] = {
    "and": lambda *parts: reduce(and_, parts),
    "or": lambda *parts: reduce(or_, parts),
    "not": lambda part: ~part,
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "between": lambda part, least, most: (part >= least) & (part <= most),
    "in": lambda part, *values: part.isin(*values),
    "like": lambda text, pattern: F.like(text, F.replace(pattern, F.lit("\\"), F.lit("\\\\"))),
    "is null": lambda part: part.isNull(),
    "+": F.try_add,
    "-": F.try_subtract,
    "*": F.try_multiply,
    "/": F.try_divide,
    "negative": lambda part: F.try_subtract(F.lit(0).cast("long"), part),
}
FUNCTIONS: Mapping[str, Callable[..., Column]] = {
    "lower": F.lower,
    "upper": F.upper,
    "trim": F.trim,
    "length": _long(F.length),
    "startswith": F.startswith,
    "endswith": F.endswith,
    "contains": F.contains,
    "abs": _absolute,
    "coalesce": F.coalesce,
    "year": _long(F.year),
    "month": _long(F.month),
    "day": _long(F.day),
    "datediff": _long(F.datediff),
    "array_contains": F.array_contains,
    "element_at": lambda several, number: F.try_element_at(several, number.cast("int")),
    "size": _long(F.array_size),
}


def _build(tree: Part, column: Callable[[str], Column]) -> Column:
    if isinstance(tree, Value):
        return F.lit(tree.value).cast("long") if type(tree.value) is int else F.lit(tree.value)
    if isinstance(tree, Name):
        is_short = load_schema("images").column(tree.name).type == "int"
        return column(tree.name).cast("long") if is_short else column(tree.name)
    built = (FUNCTIONS if tree.is_function else OPERATIONS)[tree.operation]
    return built(*(_build(part, column) for part in tree.parts))
