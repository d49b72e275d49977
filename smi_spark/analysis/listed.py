"""What a list of ids keeps of images, and which of its ids no image has."""

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.id_list import IdList

_LISTED = "listed"


def is_listed(value: Column, ids: IdList, spark: SparkSession) -> Column:
    """Whether an id (string, of the row outside) is in the list; false for null."""
    return rows_of(ids, spark).where(F.col(_LISTED) == value.outer()).exists()


def tell_unknown(ids: IdList, images: DataFrame, among: str, write: bool) -> str:
    """How many ids none of ``images`` has, and on which lines, told and written as ``IdList.tell`` does.

    among: the images in words.
    """
    have = images.select(F.col(ids.column).alias(_LISTED))
    missing = rows_of(ids, images.sparkSession).join(have, _LISTED, "left_anti")
    told = ids.tell([row[_LISTED] for row in missing.collect()], write)  # no more than the file has
    return f"not found among {among}: {told}" if told else ""


def rows_of(ids: IdList, spark: SparkSession) -> DataFrame:
    """``listed`` (string): each id once."""
    return spark.createDataFrame(pa.table({_LISTED: pa.array(list(ids.ids()), pa.string())}))
