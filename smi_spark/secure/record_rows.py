"""Rows of health records: from text to the table's types, and which of them are new, already there or wrong."""

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.errors import ConfigError, unknown_name
from smi_spark.reasons import Reason
from smi_spark.schema import Column as SchemaColumn
from smi_spark.schema import TableSchema
from smi_spark.secure.chi import FAILURES, Check, ChiFlag, chi_fault, chi_number, is_short, restore_chi
from smi_spark.secure.extracts import record_columns

ISO_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")  # never ambiguous, and how dates of Parquet look as text

ADDED, CORRECTED, KNOWN = "added", "corrected", "known"  # what becomes of a good row
PLACE = ("source", "path", "row_number")

_PROBLEMS = "array<struct<column:string,reason:string,detail:string,value:string>>"

_PATTERNS = {"%Y": "yyyy", "%m": "MM", "%d": "dd", "%b": "MMM", "%B": "MMMM", "%H": "HH", "%M": "mm", "%S": "ss"}
_DECIMAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def typed_records(rows: DataFrame, schema: TableSchema, second: Check | None = None) -> DataFrame:
    """Text → the table's types.

    ``rows`` is what ``read_extracts`` gives. The result has source, path, row_number, the table's columns, null where
    a value does not fit, and ``problems``: an array of (column, reason, detail, value), empty for a good row.
    CHI numbers of nine digits get their zero back; that, and numbers that fail their checks (``second`` is the site's
    own, beside modulus 11), stand in ``chi_flags``.
    """
    columns, chis = record_columns(schema), schema.chi_columns
    texts = {c.name: F.nullif(F.trim(F.col(c.name)), F.lit("")) for c in columns}
    kept = [c.name for c in columns if c.type != "string" or c.name in chis]
    typed = rows.select(
        *PLACE, "field_count", "line",
        *(typed_value(c, texts[c.name], c.name in chis).alias(c.name) for c in columns),
        *(texts[name].alias(_text(name)) for name in kept),
        *(chi_number(restore_chi(texts[name])).alias(_number(name)) for name in chis),
    )  # fmt: skip
    faults = {_fault(name): chi_fault(F.col(name), F.col(_number(name)), second) for name in chis}
    return typed.withColumns(faults).select(
        *PLACE, *(c.name for c in columns), _chi_flags(chis).alias("chi_flags"), _problems(columns).alias("problems")
    )


def _text(name: str) -> str:
    """The column that holds a value as it was written, beside the one that has it typed."""
    return f"text of {name}"


def _number(name: str) -> str:
    """The column that holds a CHI as a number."""
    return f"number of {name}"


def _fault(name: str) -> str:
    """The column that says what a CHI number fails."""
    return f"fault of {name}"


def typed_value(column: SchemaColumn, text: Column, is_chi: bool = False) -> Column:
    """A value's text (trimmed, null when empty) in its column's type; null when it does not fit."""
    if column.type == "date":
        patterns = dict.fromkeys(date_pattern(written) for written in (*column.formats, *ISO_DATES))
        return F.coalesce(*(F.try_to_date(text, pattern) for pattern in patterns))
    if column.type == "double":
        return F.when(text.rlike(_DECIMAL), text.try_cast("double"))
    if column.type == "string":
        return restore_chi(text) if is_chi else text
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
    """What becomes of each row: adds ``outcome``, and a problem where a row of the load contradicts another one.

    ``added``: the key is new; ``corrected``: ``present`` (the table so far) has it with another content;
    ``known``: with the same content, or an earlier row of the load has; null where there is a problem. Of rows of one
    load with one key and different contents the first stays, by source, path and row number.
    """
    content = [column.name for column in record_columns(schema)]
    judged = _with_repeats(rows, schema, content)
    known = present.select(F.struct(*content).alias("present"))
    good = (F.size("problems") == 0) & F.col("repeats").isNull()
    same_key = reduce(and_, (F.col(name) == F.col(f"present.{name}") for name in schema.key))
    contradicts = F.col("repeats").eqNullSafe(False)
    same = F.struct(*content).eqNullSafe(F.col("present"))
    outcome = F.when(F.col("present").isNull(), ADDED).when(same, KNOWN).otherwise(CORRECTED)
    return (
        judged.join(known, same_key & good, how="left")
        .withColumn("outcome", F.when(good, outcome).when(F.col("repeats"), KNOWN))
        .withColumn("problems", F.when(contradicts, F.array(_duplicate(schema))).otherwise(F.col("problems")))
        .drop("present", "repeats")
    )


def _with_repeats(rows: DataFrame, schema: TableSchema, content: list[str]) -> DataFrame:
    """``rows``, and whether an earlier good row of the load with the key has its content too; null where none has."""
    good = rows.where(F.size("problems") == 0)
    several = tables.worked_out(good.groupBy(*schema.key).count().where("count > 1").drop("count"))
    if several.isEmpty():  # mostly: no row is moved then
        return rows.withColumn("repeats", F.lit(None).cast("boolean"))
    ordered = Window.partitionBy(*schema.key).orderBy(*PLACE)
    ranked = good.join(several, list(schema.key), "left_semi").select(
        *PLACE, F.struct(*content).alias("content"), F.row_number().over(ordered).alias("rank"),
        F.first(F.struct(*content)).over(ordered).alias("first"),
    )  # fmt: skip
    later = ranked.where("rank > 1").select(*PLACE, F.col("content").eqNullSafe(F.col("first")).alias("repeats"))
    return rows.join(later, list(PLACE), "left")


def bad_rows(rows: DataFrame) -> DataFrame:
    """One row a problem: source, path, row_number, column, reason, detail, value."""
    problems = rows.where(F.size("problems") > 0).withColumn("problem", F.explode("problems"))
    return problems.select("source", "path", "row_number", "problem.*")


def fails_chi_check() -> Column:
    """Whether any CHI of the row (the patient's, a baby's) fails a check."""
    return F.exists(F.coalesce("chi_flags", F.array()), lambda entry: entry["flag"].isin(*map(str, FAILURES)))


def _chi_flags(chis: Sequence[str]) -> Column:
    """What is amiss with the row's CHI numbers, by column; null where nothing is."""
    if not chis:
        return F.lit(None)
    flags, any_flag = [], F.lit(False)
    for name in chis:
        is_restored, fault = is_short(F.col(_text(name))), F.col(_fault(name))
        flags += [_flag(name, F.when(is_restored, str(ChiFlag.RESTORED))), _flag(name, fault)]
        any_flag |= F.coalesce(is_restored, F.lit(False)) | fault.isNotNull()
    return F.when(any_flag, F.array_compact(F.array(*flags)))  # lists are slow, and mostly there is nothing to list


def _flag(column: str, flag: Column) -> Column:
    return F.when(flag.isNotNull(), F.struct(F.lit(column).alias("column"), flag.alias("flag")))


def _problems(columns: Sequence[SchemaColumn]) -> Column:
    """The problems of a row whose values are typed, beside their texts; empty for a good one."""
    fields = F.format_string("%s fields, not as many as the header", F.col("field_count").cast("string"))
    wrong_count = F.array(_problem(None, Reason.WRONG_FIELD_COUNT, fields, F.col("line")))
    found, any_problem = [], F.lit(False)
    for column in columns:
        for is_amiss, problem in _value_problems(column):
            found.append(F.when(is_amiss, problem))
            any_problem |= is_amiss
    none = F.array().cast(_PROBLEMS)
    of_values = F.when(any_problem, F.array_compact(F.array(*found))) if found else none
    return F.when(F.col("field_count").isNotNull(), wrong_count).otherwise(F.coalesce(of_values, none))


def _value_problems(column: SchemaColumn) -> Iterator[tuple[Column, Column]]:
    """What can be amiss with one value: whether it is, never null, and the problem."""
    value = F.col(column.name)
    if column.required:
        is_missing = F.col(_text(column.name)).isNull() if column.type != "string" else value.isNull()
        yield is_missing, _problem(column.name, Reason.MISSING_VALUE, F.lit("required and empty"), F.lit(None))
    if column.type != "string":
        kind = f"date written as {' or '.join(column.formats or ISO_DATES)}" if column.type == "date" else column.type
        text = F.col(_text(column.name))
        bad = _problem(column.name, Reason.BAD_VALUE, F.lit(f"not a {kind}"), text)
        yield text.isNotNull() & value.isNull(), bad


def _duplicate(schema: TableSchema) -> Column:
    key = F.concat_ws(", ", *(F.col(name).cast("string") for name in schema.key))
    detail = F.lit("an earlier row of this load has this key, and another content")
    return _problem(", ".join(schema.key), Reason.DUPLICATE_KEY, detail, key)


def _problem(column: str | None, reason: Reason, detail: Column, value: Column) -> Column:
    return F.struct(
        F.lit(column).cast("string").alias("column"),
        F.lit(str(reason)).alias("reason"),
        detail.cast("string").alias("detail"),
        value.cast("string").alias("value"),
    )
