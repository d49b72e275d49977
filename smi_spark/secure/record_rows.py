"""Rows of health records: from text to the table's types, and which of them are new, already there or wrong."""

import re
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from smi_spark.errors import ConfigError, unknown_name
from smi_spark.reasons import Reason
from smi_spark.schema import Column as SchemaColumn
from smi_spark.schema import TableSchema
from smi_spark.secure.chi import chi_is_valid, restore_chi
from smi_spark.secure.extracts import record_columns

ISO_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")  # never ambiguous, and how dates of Parquet look as text

_PATTERNS = {"%Y": "yyyy", "%m": "MM", "%d": "dd", "%b": "MMM", "%B": "MMMM", "%H": "HH", "%M": "mm", "%S": "ss"}
_DECIMAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def typed_records(rows: DataFrame, schema: TableSchema) -> DataFrame:
    """Text → the table's types.

    ``rows`` is what ``read_extracts`` gives. The result has source, path, row_number, the table's columns, null where
    a value does not fit, and ``problems``: an array of (column, reason, detail, value), empty for a good row.
    CHI numbers of nine digits get their zero back.
    """
    columns = record_columns(schema)
    texts = {c.name: F.nullif(F.trim(F.col(c.name)), F.lit("")) for c in columns}
    fields = F.format_string("%s fields, not as many as the header", F.col("field_count").cast("string"))
    wrong_count = F.array(_problem(None, Reason.WRONG_FIELD_COUNT, fields, F.col("line")))
    found = F.array_compact(F.array(*(_value_problem(c, texts[c.name]) for c in columns)))
    return rows.select(
        "source", "path", "row_number",
        *(typed_value(c, texts[c.name]).alias(c.name) for c in columns),
        F.when(F.col("field_count").isNotNull(), wrong_count).otherwise(found).alias("problems"),
    )  # fmt: skip


def typed_value(column: SchemaColumn, text: Column) -> Column:
    """A value's text (trimmed, null when empty) in its column's type; null when it does not fit."""
    if column.type == "date":
        patterns = dict.fromkeys(date_pattern(written) for written in (*column.formats, *ISO_DATES))
        return F.coalesce(*(F.try_to_date(text, pattern) for pattern in patterns))
    if column.type == "double":
        return F.when(text.rlike(_DECIMAL), text.try_cast("double"))
    if column.type == "string":
        return restore_chi(text) if column.deidentify == "pseudonym" else text
    return text.try_cast(column.type)


def date_pattern(written: str) -> str:
    """A date format in strftime letters, as Spark writes it; ConfigError for a letter without a counterpart.

    >>> date_pattern("%d-%b-%Y")
    'dd-MMM-yyyy'
    """
    parts = re.findall(r"%.|[^%]+", written)
    for part in parts:
        if part.startswith("%") and part not in _PATTERNS:
            raise ConfigError(unknown_name(f"date format {written}", part, "letter", _PATTERNS))
    return "".join(_PATTERNS.get(part, re.sub("([A-Za-z]+)", r"'\1'", part)) for part in parts)


def settle_keys(rows: DataFrame, present: DataFrame, schema: TableSchema) -> DataFrame:
    """Which good rows are new: adds ``is_new``, and a problem where a row's key stands for something else already.

    Of the rows with one key the first stays, by source, path and row number. ``present`` is the table so far: the same
    content under the same key is neither new nor a problem.
    """
    content = [column.name for column in record_columns(schema)]
    good = F.size("problems") == 0
    first = Window.partitionBy(good, *schema.key).orderBy("source", "path", "row_number")
    known = present.select(F.struct(*content).alias("present"))
    same_key = reduce(and_, (F.col(name).eqNullSafe(F.col(f"present.{name}")) for name in schema.key))
    differs = F.col("present").isNotNull() & ~F.struct(*content).eqNullSafe(F.col("present"))
    joined = rows.withColumn("place", F.row_number().over(first)).join(known, same_key, how="left")
    in_load = F.col("place") > 1
    problem = F.when(good & (in_load | differs), F.array(_duplicate(schema, in_load)))
    return (
        joined.withColumn("problems", F.coalesce(problem, "problems"))
        .withColumn("is_new", good & F.col("present").isNull())
        .drop("place", "present")
    )  # fmt: skip


def bad_rows(rows: DataFrame) -> DataFrame:
    """One row a problem: source, path, row_number, column, reason, detail, value."""
    problems = rows.where(F.size("problems") > 0).withColumn("problem", F.explode("problems"))
    return problems.select("source", "path", "row_number", "problem.*")


def fails_chi_check(schema: TableSchema) -> Column:
    """Whether any CHI of the row (the patient's, a baby's) does not pass its check."""
    chis = [column.name for column in record_columns(schema) if column.deidentify == "pseudonym"]
    return F.exists(F.array(*chis), lambda chi: F.coalesce(~chi_is_valid(chi), F.lit(False))) if chis else F.lit(False)


def _value_problem(column: SchemaColumn, text: Column) -> Column:
    """The problem with one value, or null."""
    kind = f"date written as {' or '.join(column.formats or ISO_DATES)}" if column.type == "date" else column.type
    bad = _problem(column.name, Reason.BAD_VALUE, F.lit(f"not a {kind}"), text)
    problem = F.when(text.isNotNull() & typed_value(column, text).isNull(), bad)
    if column.required:
        missing = _problem(column.name, Reason.MISSING_VALUE, F.lit("required and empty"), F.lit(None))
        problem = problem.when(text.isNull(), missing)
    return problem


def _duplicate(schema: TableSchema, in_load: Column) -> Column:
    key = F.concat_ws(", ", *(F.col(name).cast("string") for name in schema.key))
    detail = F.when(in_load, "an earlier row of this load has this key").otherwise("the table has this key otherwise")
    return _problem(", ".join(schema.key), Reason.DUPLICATE_KEY, detail, key)


def _problem(column: str | None, reason: Reason, detail: Column, value: Column) -> Column:
    return F.struct(
        F.lit(column).cast("string").alias("column"),
        F.lit(str(reason)).alias("reason"),
        detail.cast("string").alias("detail"),
        value.cast("string").alias("value"),
    )
