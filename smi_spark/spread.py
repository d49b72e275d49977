"""In how many files each partition of a version is written, and which of them a row goes to."""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

_MOST_IN_ONE = 1.4  # times the size wanted is still one file; with more it is two, of 0.7 times each
_ROW_AT_MOST = 512  # bytes of Parquet that a row can take: of synthetic images 22 (PT) to 84 (CR) do
_DIGITS = 8
_FIRST, _NUMBER = "first_file", "number_of_files"

Values = tuple[Any, ...]  # values of the partition columns; of a table without any, none


def fits_one_file(rows: int, file_bytes: int) -> bool:
    """Whether so many rows are one file, however long they are."""
    return rows * _ROW_AT_MOST <= file_bytes


def files_for(size: float, file_bytes: int) -> int:
    """In how many files so many bytes are written, all of them as large: where there are several of 0.7 to 1.4 times
    ``file_bytes``.
    """
    return max(1, math.ceil(size / file_bytes - _MOST_IN_ONE + 1))


def count_rows(rows: DataFrame, partition_by: Sequence[str]) -> dict[Values, int]:
    """The rows of each partition, by a job that works out no other columns than say which rows these are."""
    counted = rows.groupBy(*partition_by).agg(F.count("*").alias("rows")).collect()  # as many as partitions
    return {tuple(row[name] for name in partition_by): row["rows"] for row in counted}


def brought_together(
    rows: DataFrame, partition_by: Sequence[str], by: str, files: Mapping[Values, int] | None = None
) -> DataFrame:
    """``rows``, those of a file in one task.

    files: in how many files each partition is written; one, where nothing is said of it. A file of several has the
    rows whose ``by`` lies in a range of its own. ``by`` begins with hexadecimal digits of which all are as frequent, as
    a keyed hash has: so the ranges are told without a look at the rows, and hold as many.
    """
    if files is None:
        return rows.repartition(*partition_by) if partition_by else rows.repartition(1)
    if not partition_by:
        (number,) = files.values()
        return rows.repartitionById(number, _range(by, F.lit(number)))
    firsts = accumulate(files.values(), initial=0)
    places = [(*values, first, number) for (values, number), first in zip(files.items(), firsts, strict=False)]
    fields = [
        *(rows.schema[name] for name in partition_by),
        *(StructField(n, IntegerType()) for n in (_FIRST, _NUMBER)),
    ]
    known = F.broadcast(rows.sparkSession.createDataFrame(places, StructType(fields)))
    task = F.coalesce(F.col(_FIRST) + _range(by, F.col(_NUMBER)), F.lit(0))
    placed = rows.join(known, list(partition_by), "left")
    return placed.repartitionById(max(1, sum(files.values())), task).select(*rows.columns)


def _range(by: str, number: Column) -> Column:
    """Which of so many ranges, in order, the value lies in: from 0 on."""
    share = F.conv(F.substring(by, 1, _DIGITS), 16, 10).cast("double") / float(16**_DIGITS)
    return F.coalesce(F.least(F.floor(share * number).cast("int"), number - 1), F.lit(0))
