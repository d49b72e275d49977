"""The job that a Spark user would write with pydicom: ``mapInPandas``, one data set a file, the columns of images."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd
import pydicom
from pydicom.dataset import Dataset
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from smi_spark.schema import load_schema
from smi_spark.secure.partitions import placed

_OURS = ("source", "path", "value_errors")  # beside those that headers say
_READ: dict[str, Callable[[Any], Any]] = {
    "string": str,
    "long": int,
    "double": float,
    "date": lambda value: datetime.strptime(str(value), "%Y%m%d").date(),
}


def images(files: DataFrame) -> DataFrame:
    """Files (source, path) → the columns of ``schemas/images.yaml`` in the secure zone."""
    schema = load_schema("images")
    columns = [c for c in schema.in_zone("secure") if c.tag is not None or c.name in _OURS]
    fields = schema.spark("secure")
    tags = {c.name: (c.tag.split("."), c.type) for c in columns if c.tag is not None}

    def read(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            rows = [_row(source, path, tags) for source, path in zip(frame["source"], frame["path"], strict=True)]
            yield pd.DataFrame(rows, columns=[c.name for c in columns], dtype=object)

    rows = files.mapInPandas(read, StructType([fields[c.name] for c in columns]))
    return placed(rows).withColumn("run_id", F.lit("pydicom"))


def _row(source: str, path: str, tags: dict[str, tuple[list[str], str]]) -> dict[str, Any]:
    wanted: list[Any] = [trail[0] for trail, _ in tags.values()]
    ds = pydicom.dcmread(f"{source}/{path}", stop_before_pixels=True, specific_tags=wanted)
    found: dict[str, Any] = {"source": source, "path": path, "value_errors": []}
    for name, (trail, kind) in tags.items():
        found[name] = _typed(_follow(ds.file_meta if trail[0] == "TransferSyntaxUID" else ds, trail), kind)
    return found


def _follow(ds: Dataset, trail: list[str]) -> Any:
    """The value, or those of all items, of a keyword or a path of keywords."""
    value = ds.get(trail[0])
    if len(trail) == 1 or value is None:
        return value
    return [_follow(item, trail[1:]) for item in value]


def _typed(value: Any, kind: str) -> str | int | float | date | list[Any] | None:
    if value is None or value == "":
        return None
    several = isinstance(value, list | pydicom.multival.MultiValue)
    if kind.startswith("array"):
        return [_typed(one, kind[6:-1]) for one in (value if several else [value])]
    return _READ[kind]("\\".join(map(str, value)) if several else value)
