"""Which rows of a load are new, correct an older one, are already there or contradict each other."""

from functools import reduce
from operator import and_
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.reasons import Reason
from smi_spark.schema import TableSchema
from smi_spark.secure.chi import Check, ChiFlag
from smi_spark.secure.extracts import record_columns
from smi_spark.secure.record_rows import PLACE
from smi_spark.secure.row_counts import ADDED, CORRECTED, KNOWN


def with_second_check(rows: DataFrame, schema: TableSchema, second: Check) -> DataFrame:
    """``chi_flags`` with the site's own check: a CHI that fails modulus 11 and passes that is no failure."""
    passing = F.array_compact(F.array(*(F.when(second(F.col(name)), F.lit(name)) for name in schema.chi_columns)))

    def judged(entry: Column) -> Column:
        passes = (entry["flag"] == str(ChiFlag.WRONG_CHECK)) & F.array_contains(passing, entry["column"])
        other = F.struct(entry["column"].alias("column"), F.lit(str(ChiFlag.SECOND_CHECK)).alias("flag"))
        return F.when(passes, other).otherwise(entry)

    return rows.withColumn("chi_flags", F.transform("chi_flags", judged))


def shared_out(keys: Any, shares: int) -> list[bytes]:
    """Numbers (int64) in so many shares, equal ones in the same."""
    share = keys.view(np.uint64) % np.uint64(shares)
    order = np.argsort(share, kind="stable")
    ends = np.cumsum(np.bincount(share.astype(np.int64), minlength=shares))[:-1]
    return [part.tobytes() for part in np.split(keys[order], ends)]


def repeated_keys(survey: DataFrame) -> DataFrame | None:
    """key_hash: of keys that several rows have (``extract_rows.survey_extracts``), and hardly any other; none for none.

    What is not none lies on the executors.
    """

    def repeated(shares: pa.Table) -> pa.Table:
        given: Any = shares["keys"]
        keys = np.sort(np.frombuffer(b"".join(given.to_pylist()), np.int64))
        several: Any = np.unique(keys[1:][keys[1:] == keys[:-1]])
        return pa.table({"key_hash": several})

    shares = survey.select(F.posexplode("keys").alias("share", "keys")).groupBy("share")
    found = tables.worked_out(shares.applyInArrow(repeated, "key_hash bigint"))
    return None if found.isEmpty() else found


def settle_keys(
    rows: DataFrame, several: DataFrame | None, present: DataFrame | None, schema: TableSchema
) -> DataFrame:
    """What becomes of each row: adds ``outcome``, and a problem where a row of the load contradicts another one.

    ``added``: the key is new; ``corrected``: ``present`` (the table so far, if it has rows) has it with another
    content; ``known``: with the same content, or an earlier row of the load has; null where there is a problem. Of rows
    of one load with one key and different contents the first stays, by source, path and row number. ``several``:
    ``repeated_keys`` of the load.
    """
    content = [column.name for column in record_columns(schema)]
    is_good, outcome = F.col("problems").isNull(), F.lit(ADDED)
    if several is not None:
        rows = _with_repeats(rows, several, schema, content)
        is_good &= F.col("repeats").isNull()
    if present is not None:
        known = present.select(F.struct(*content).alias("present"))
        same_key = reduce(and_, (F.col(name) == F.col(f"present.{name}") for name in schema.key))
        same = F.struct(*content).eqNullSafe(F.col("present"))
        rows = rows.join(known, same_key & is_good, how="left")
        outcome = F.when(F.col("present").isNull(), ADDED).when(same, KNOWN).otherwise(CORRECTED)
    outcome = F.when(is_good, outcome)
    if several is not None:
        outcome = outcome.when(F.col("repeats"), KNOWN)
        contradicts = F.when(~F.col("repeats"), F.array(_duplicate(schema)))
        rows = rows.withColumn("problems", F.coalesce(contradicts, "problems"))
    return rows.withColumn("outcome", outcome).drop("present", "repeats", "key_hash")


def bad_rows(rows: DataFrame) -> DataFrame:
    """One row a problem: source, path, row_number, column, reason, detail, value."""
    problems = rows.where(F.col("problems").isNotNull()).withColumn("problem", F.explode("problems"))
    return problems.select("source", "path", "row_number", "problem.*")


def _with_repeats(rows: DataFrame, several: DataFrame, schema: TableSchema, content: list[str]) -> DataFrame:
    """``rows``, and whether an earlier good row of the load with the key has its content too; null where none has."""
    ordered = Window.partitionBy(*schema.key).orderBy(*PLACE)
    ranked = rows.join(several, "key_hash", "left_semi").select(
        *PLACE, F.struct(*content).alias("content"), F.row_number().over(ordered).alias("rank"),
        F.first(F.struct(*content)).over(ordered).alias("first"),
    )  # fmt: skip
    later = ranked.where("rank > 1").select(*PLACE, F.col("content").eqNullSafe(F.col("first")).alias("repeats"))
    return rows.join(later, list(PLACE), "left")


def _duplicate(schema: TableSchema) -> Column:
    return F.struct(
        F.lit(", ".join(schema.key)).alias("column"),
        F.lit(str(Reason.DUPLICATE_KEY)).alias("reason"),
        F.lit("an earlier row of this load has this key, and another content").alias("detail"),
        F.concat_ws(", ", *(F.col(name).cast("string") for name in schema.key)).alias("value"),
    )
