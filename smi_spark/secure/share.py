"""What a table holds of people: its rows out, then the data files and what the log told of them."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession

from smi_spark import purge, tables
from smi_spark.tables import Table


@dataclass(frozen=True)
class Share:
    """The rows of a table that are theirs.

    theirs: of rows of the table those that are, told by ``columns`` alone, so that they are found in its data files
    too. on: the columns that say which row it is. where: finds the partitions in which they stand; none for any.
    left: what stays in place of the rows, in all columns; none where nothing does.
    """

    table: Table
    columns: tuple[str, ...]
    theirs: Callable[[DataFrame], DataFrame]
    on: tuple[str, ...]
    where: Column | None = None
    left: Callable[[DataFrame], DataFrame] | None = None


def take(spark: SparkSession, share: Share) -> int:
    """Let the rows leave, in one commit, none where there are none; gives their number."""
    if not tables.exists(spark, share.table):
        return 0
    rows = tables.read(spark, share.table)
    found = share.theirs(rows if share.where is None else rows.where(share.where))
    keys = (*share.on, *share.table.schema.partition_by)
    leaving = tables.worked_out(found.select(*keys) if share.left is None else share.left(found))
    count = leaving.count()
    if count and share.left is None:
        tables.delete(leaving.distinct(), share.table, share.on)
    elif count:
        among = leaving if share.table.schema.partition_by else None
        tables.merge(leaving, share.table, share.on, among=among, insert=False)
    return count


def clear(spark: SparkSession, share: Share) -> int:
    """Let no data file hold the rows that left, and the log say nothing of such files; gives how many went.

    Data files that the newest version does not need are searched, those of killed runs too; others stay.
    """
    if not tables.exists(spark, share.table):
        return 0
    return purge.drop_files(spark, share.table, purge.files_with(spark, share.table, share.columns, share.theirs))
