"""Tables that are worked out anew as a whole, or a partition of one."""

from pyspark.sql import DataFrame

from smi_spark import tables
from smi_spark.tables import Table


def put_changed(found: DataFrame, target: Table, where: str | None = None) -> None:
    """Put ``found`` in place of the table's rows, or of those of the partition that ``where`` names.

    Nothing is written where they are the same.
    """
    now, before = tables.completed(found, target), tables.read_or_empty(found.sparkSession, target)
    if where is not None:
        before = before.where(where)
    if not (now.exceptAll(before).isEmpty() and before.exceptAll(now).isEmpty()):
        tables.replace(now, target, where=where)
