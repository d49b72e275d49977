"""Whom rows of zone 1 name: in columns of patient ids, and anywhere in a text."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.reasons import Reason
from smi_spark.secure.chi import LENGTH, identity_fault, ids_named

_NUMBER = r"(?<![0-9])[0-9]{9,10}(?![0-9])"


def naming(
    rows: DataFrame, columns: Sequence[str], numbers: DataFrame, ids: Callable[[Column], Column] = ids_named
) -> DataFrame:
    """The rows that name one of ``numbers`` (chi) in one of the columns, alone or among several (``A\\\\B``).

    ids: which ids a text names, an array. It is asked once for each text that the columns have; rows are then found by
    their texts.
    """
    marked, marks = _marked(rows, columns, numbers, ids)
    return marked.where(reduce(or_, (F.col(mark).isNotNull() for mark in marks.values()))).select(*rows.columns)


def unnamed(rows: DataFrame, columns: Sequence[str], numbers: DataFrame) -> DataFrame:
    """``rows`` where a value in one of the columns is null if it names one of ``numbers`` (chi)."""
    marked, marks = _marked(rows, columns, numbers, ids_named)
    kept = {column: F.when(F.col(mark).isNull(), F.col(column)) for column, mark in marks.items()}
    return marked.withColumns(kept).select(*rows.columns)


def naming_nobody(rows: DataFrame, column: str, nobody: Sequence[str]) -> DataFrame:
    """The rows with a patient id in the column behind which nobody can be found: blank, or one that stands for none."""
    faults = (str(Reason.NO_PATIENT_ID), str(Reason.DEFAULT_PATIENT_ID))
    return rows.where(identity_fault(F.col(column), nobody).isin(*faults))


def numbers_in(text: Column) -> Column:
    """What may be CHI numbers anywhere in a text, as an array: nine digits are one that lost its zero, and spaces may
    stand between digits.
    """
    found = (F.regexp_extract_all(one, F.lit(_NUMBER), F.lit(0)) for one in (text, F.regexp_replace(text, " ", "")))
    return F.transform(F.array_distinct(F.concat(*found)), lambda number: F.lpad(number, LENGTH, "0"))


def _marked(
    rows: DataFrame, columns: Sequence[str], numbers: DataFrame, ids: Callable[[Column], Column]
) -> tuple[DataFrame, dict[str, str]]:
    """The rows, and for each of the columns another one that is null where its text names none of the numbers."""
    texts = rows.select(F.explode(F.array(*columns)).alias("text")).distinct()
    each = texts.select("text", F.explode(ids(F.col("text"))).alias("chi"))
    found = F.broadcast(each.join(F.broadcast(numbers), "chi", "left_semi").select("text").distinct())
    marks = {column: f"found_{place}" for place, column in enumerate(columns)}
    for column, mark in marks.items():
        rows = rows.join(found.withColumnRenamed("text", mark), F.col(column) == F.col(mark), "left")
    return rows, marks
