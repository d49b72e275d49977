"""``secure/images``: headers → typed columns, one row a SOP instance. No file is opened here."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from smi_spark.dicom import decode_headers
from smi_spark.reasons import Reason
from smi_spark.schema import load_schema
from smi_spark.secure.partitions import placed

_DECODED = ("source", "path", "header", "left_out")


def unpromoted(headers: DataFrame, images: DataFrame) -> DataFrame:
    """Source and path of the file that becomes the image, for each SOP instance that ``images`` does not have.

    Of several good files with one SOP Instance UID it is the first by source and path.
    """
    good = headers.where(F.col("reason").isNull()).select("SOPInstanceUID", "source", "path")
    new = good.join(images.select("SOPInstanceUID"), "SOPInstanceUID", "left_anti")
    first = new.groupBy("SOPInstanceUID").agg(F.min(F.struct("source", "path")).alias("file"))
    return first.select("file.*")


def decode_images(headers: DataFrame, run_id: str) -> DataFrame:
    """Headers (source, path, header, left_out) → the columns of ``schemas/images.yaml`` in the secure zone."""
    schema = load_schema("images")
    decoded = [c for c in schema.in_zone("secure") if c.name not in (*schema.partition_by, "run_id")]
    arrow = pa.schema([pa.field(c.name, c.arrow_type) for c in decoded])

    def decode(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            header, left_out = (cast(Any, batch.column(name)) for name in ("header", "left_out"))
            found = decode_headers(header, left_out)
            arrays = [(batch if c.name in _DECODED else found).column(c.name) for c in decoded]
            yield pa.RecordBatch.from_arrays(arrays, schema=arrow)

    rows = headers.select(*_DECODED).mapInArrow(decode, from_arrow_schema(arrow))
    return placed(rows).withColumn("run_id", F.lit(run_id))


def left_over(headers: DataFrame, images: DataFrame) -> DataFrame:
    """The files that did not become images: source, path, reason, detail and the UIDs that are known.

    A good file among them has the SOP instance of another one, which ``images`` holds.
    """
    twice = F.when(F.col("reason").isNull(), "another file holds this SOP instance")
    rest = headers.join(images.select("source", "path"), ["source", "path"], "left_anti")
    return rest.select(
        "source",
        "path",
        F.coalesce("reason", F.lit(str(Reason.DUPLICATE_SOP_INSTANCE))).alias("reason"),
        F.coalesce(twice, "detail").alias("detail"),
        "SOPInstanceUID",
        "StudyInstanceUID",
    )
