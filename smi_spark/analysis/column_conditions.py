"""Conditions on columns, as Spark decides them; null is false, so that files can be skipped by them."""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import and_
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark.analysis.conditions import Condition, value_type
from smi_spark.deidentified.events import begins_with
from smi_spark.schema import Column as SchemaColumn
from smi_spark.schema import TableSchema


def all_hold(conditions: Mapping[str, Condition], schema: TableSchema) -> Column:
    """Whether all conditions hold of a row."""
    return reduce(and_, (holds(F.col(name), schema.column(name), of) for name, of in conditions.items()))


def holds(value: Column, column: SchemaColumn, condition: Condition) -> Column:
    """Whether a condition holds of a value of that column; of one of the values where it has several."""
    if not column.type.startswith("array<"):
        return _holds_of_one(value, column, condition)
    if condition.present is False:
        return value.isNull() | (F.size(value) == 0)
    return F.exists(value, lambda one: _holds_of_one(one, column, condition))


def _holds_of_one(value: Column, column: SchemaColumn, condition: Condition) -> Column:
    if condition.present is False:
        return value.isNull()
    held = [value.isNotNull()]
    if condition.one_of is not None:
        held.append(value.isin(*(_literal(one, column) for one in condition.one_of)))
    if condition.begins_with is not None:
        held.append(begins_with(value, condition.begins_with))
    if condition.at_least is not None:
        held.append(value >= F.lit(_literal(condition.at_least, column)))
    if condition.at_most is not None:
        held.append(value <= F.lit(_literal(condition.at_most, column)))
    return reduce(and_, held)


def _literal(value: Any, column: SchemaColumn) -> Any:
    return date.fromisoformat(value) if value_type(column) == "date" else value
