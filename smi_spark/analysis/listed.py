"""What a list of ids keeps of images, and which of its ids no image has."""

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.id_list import IdList

LISTED = "listed"


def is_listed(value: Column, ids: IdList, spark: SparkSession) -> Column:
    """Whether an id (string, of the row outside) is in the list; false for null."""
    return rows_of(ids.ids(), spark).where(F.col(LISTED) == value.outer()).exists()


def tell_unknown(ids: IdList, images: DataFrame, among: str, write: bool) -> str:
    """How many ids none of ``images`` has, and on which lines, told and written as ``IdList.tell`` does.

    among: the images in words.
    """
    have = images.select(F.col(ids.column).alias(LISTED))
    missing = rows_of(ids.ids(), images.sparkSession).join(have, LISTED, "left_anti")
    told = ids.tell([row[LISTED] for row in missing.collect()], write)  # no more than the file has
    return f"not found among {among}: {told}" if told else ""


def rows_of(ids: Iterable[str], spark: SparkSession) -> DataFrame:
    """``listed`` (string): a row an id."""
    return spark.createDataFrame(pa.table({LISTED: pa.array(list(ids), pa.string())}))
