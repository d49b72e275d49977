"""``secure/images``: headers → typed columns, one row a SOP instance. No file is opened here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from smi_spark.dicom import decode_headers
from smi_spark.schema import load_schema
from smi_spark.secure.partitions import placed
from smi_spark.secure.runs import LINEAGE, Stamps, as_columns

_GIVEN = ("source", "path", "file_size")
_HEADER = ("header", "left_out")
_OURS = (*LINEAGE, "filled_from")


def decode_images(headers: DataFrame, stamped: Stamps) -> DataFrame:
    """Rows of ``secure/headers`` → the columns of ``schemas/images.yaml`` in the secure zone, one row a file.

    Each stands in the partition that its header stands in. All columns are made in one step: of two hundred and more,
    each further step of Spark would copy every row.
    """
    schema = load_schema("images")
    columns = [column.name for column in schema.in_zone("secure")]
    given = (*_GIVEN, *schema.partition_by)
    return decode_columns(_renamed(headers), given, columns, same={**stamped, "filled_from": None})


def decode_files(headers: DataFrame) -> DataFrame:
    """Headers → source, path and what images hold of the file, one row a file."""
    schema = load_schema("images")
    columns = [c.name for c in schema.in_zone("secure") if c.name not in (*schema.partition_by, *_OURS)]
    return decode_columns(_renamed(headers), _GIVEN, columns)


def decode_columns(
    headers: DataFrame, given: Sequence[str], columns: Sequence[str], tags: Mapping[str, str] | None = None,
    same: Mapping[str, object] | None = None,
) -> DataFrame:  # fmt: skip
    """Headers → ``columns`` of images, in order: those of ``given`` as the rows have them, the others decoded.

    tags: name → keyword or path of what is decoded; default all that ``schemas/images.yaml`` names.
    same: name → value of columns that are the same in all rows.
    """
    arrow = pa.schema([pa.field(name, load_schema("images").column(name).arrow_type) for name in columns])
    values = {name: pa.scalar(value, arrow.field(name).type) for name, value in (same or {}).items()}

    def decode(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            header, left_out = (cast(Any, batch.column(name)) for name in _HEADER)
            found = decode_headers(header, left_out, tags)
            known = {name: batch.column(name) for name in given}
            known |= {name: pa.repeat(value, len(header)) for name, value in values.items()}
            arrays = [known[name] if name in known else found.column(name) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, schema=arrow)

    return headers.select(*given, *_HEADER).mapInArrow(decode, from_arrow_schema(arrow))


def as_images(rows: DataFrame, stamped: Stamps) -> DataFrame:
    """Rows with what is read from headers → the columns of images: the partition, its lineage, and ``filled_from``."""
    filled_from = F.col("filled_from") if "filled_from" in rows.columns else F.lit(None)
    kind = load_schema("images").spark("secure")["filled_from"].dataType
    columns = [column.name for column in load_schema("images").in_zone("secure")]
    complete = placed(rows).withColumns({**as_columns(stamped), "filled_from": filled_from.cast(kind)})
    return complete.select(*columns)


def _renamed(headers: DataFrame) -> DataFrame:
    return headers.withColumnRenamed("size", "file_size")
