"""``spark.read.format("dicom")``: a folder of files as a DataFrame, for people who have one at hand.

The nightly jobs do not go through here: they keep what they have read.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc
from pydicom.datadict import keyword_dict, tag_for_keyword
from pyspark.sql import datasource as ds
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from smi_spark.dicom.arrow import text_array
from smi_spark.dicom.columns import batch_schema
from smi_spark.dicom.engine import BATCH, read_headers
from smi_spark.dicom.sources import addresses, list_paths, list_prefixes, open_root
from smi_spark.errors import InputError, nearest
from smi_spark.schema import load_schema


class DicomDataSource(ds.DataSource):
    """Headers of DICOM files, one row a file: source, path, the columns, value_errors, reason and detail.

    ``load`` takes a folder, a file, a glob, an ``s3://`` URI, or several of them. Option ``columns``: names of image
    columns, DICOM keywords, or ``name=path`` entries, separated by commas (default: all image columns). Naming few is
    what makes reading cheap: Spark does not tell a Python source which columns a query selects.
    Partitions are the folders at the first level of each root, which executors list; where they are fewer than
    ``tasks`` (option; default: the driver's cores), each is listed by several tasks that share its files.
    ``readStream`` gives each file below the roots once: ``smi_spark.datasource.stream``.
    Raises InputError for an unknown column, SourceError for a root that is not there.
    """

    @classmethod
    def name(cls) -> str:
        return "dicom"

    def schema(self) -> StructType:
        return from_arrow_schema(_schema(_columns(self.options)))

    def reader(self, schema: StructType) -> ds.DataSourceReader:  # noqa: ARG002
        # Spark refuses a reader that takes filters while its pushdown is off, and has a worker of its own to ask one.
        kind = FilteringReader if _asked_for_filters() else HeaderReader
        return kind(_roots(self.options), _columns(self.options), tasks=_tasks(self.options))

    def streamReader(self, schema: StructType) -> ds.DataSourceStreamReader:  # noqa: ARG002, N802
        from smi_spark.datasource.stream import HeaderStream, stream_options

        roots = _roots(self.options)
        for root in roots:
            open_root(root)
        return HeaderStream(roots, _columns(self.options), stream_options(dict(self.options)))


@dataclass
class Part(ds.InputPartition):
    """Files below one prefix of one root: those whose path falls to ``share`` of ``shares``."""

    root: str
    prefix: str
    share: int
    shares: int

    def takes(self, path: str) -> bool:
        return self.shares == 1 or crc32(path.encode()) % self.shares == self.share


@dataclass
class HeaderReader(ds.DataSourceReader):
    """Reads the headers of roots, a batch at a time."""

    roots: list[str]
    columns: dict[str, str] | None
    filters: list[ds.Filter] = field(default_factory=list)
    tasks: int = 1

    def partitions(self) -> list[Part]:
        places = [(root, prefix) for root in self.roots for prefix in list_prefixes(root)]
        shares = -(-self.tasks // max(1, len(places)))
        return [Part(*place, share, shares) for place in places for share in range(shares)]

    def read(self, partition: Part) -> Iterator[pa.RecordBatch]:  # type: ignore[override]  # gets what partitions gives
        if partition.root is None:
            return
        paths = filter(partition.takes, list_paths(partition.root, partition.prefix))
        while batch := list(islice(paths, BATCH)):
            yield self._filtered(with_path(partition.root, batch, self.columns))

    def _filtered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for one in self.filters:
            batch = batch.filter(_holds(one, batch))
        return batch


class FilteringReader(HeaderReader):
    """The same, dropping rows before Spark sees them."""

    def pushFilters(self, filters: list[ds.Filter]) -> Iterable[ds.Filter]:  # noqa: N802
        for one in filters:
            if _can_hold(one):
                self.filters.append(one)
            else:
                yield one


_COMPARISONS: dict[type[ds.Filter], Callable[[Any, Any], Any]] = {
    ds.EqualTo: pc.equal,
    ds.GreaterThan: pc.greater,
    ds.GreaterThanOrEqual: pc.greater_equal,
    ds.LessThan: pc.less,
    ds.LessThanOrEqual: pc.less_equal,
    ds.StringStartsWith: lambda column, value: pc.starts_with(column, value.as_py()),
    ds.StringEndsWith: lambda column, value: pc.ends_with(column, value.as_py()),
    ds.StringContains: lambda column, value: pc.match_substring(column, value.as_py()),
}


def _can_hold(one: ds.Filter) -> bool:
    known = isinstance(one, (*_COMPARISONS, ds.In, ds.IsNull, ds.IsNotNull))
    return known and len(one.attribute) == 1  # type: ignore[attr-defined]  # these all have it, Filter itself not


def _holds(one: Any, batch: pa.RecordBatch) -> Any:
    """For which rows the filter is true; what is unknown, as a comparison with null, is dropped."""
    column = batch[one.attribute[0]]
    if isinstance(one, ds.IsNull):
        return pc.is_null(column)
    if isinstance(one, ds.IsNotNull):
        return pc.is_valid(column)
    if isinstance(one, ds.In):
        return pc.is_in(column, pa.array([v for v in one.value if v is not None], column.type))
    return _COMPARISONS[type(one)](column, pa.scalar(one.value, column.type))


def _asked_for_filters() -> bool:
    worker = "pyspark.sql.worker.data_source_pushdown_filters"
    main = getattr(sys.modules["__main__"], "__spec__", None)
    return worker in sys.modules or getattr(main, "name", None) == worker


def with_path(root: str, paths: list[str], columns: dict[str, str] | None) -> pa.RecordBatch:
    """The headers of files at their paths below a root: source, path, the columns, value_errors, reason and detail."""
    opened = open_root(root)
    read = read_headers(addresses(opened, paths), columns, within=opened.place)
    found = dict(zip(read.schema.names, read.columns, strict=True))
    found |= {"source": text_array([root] * len(paths)), "path": text_array(paths)}
    schema = _schema(columns)
    return pa.RecordBatch.from_arrays([found[name] for name in schema.names], schema=schema)


def _schema(columns: dict[str, str] | None) -> pa.Schema:
    return batch_schema(columns).insert(1, pa.field("path", pa.string()))


def _roots(options: Mapping[str, str]) -> list[str]:
    """The roots given to ``load``: one as ``path``, several as JSON in ``paths``."""
    roots = json.loads(options["paths"]) if "paths" in options else [options["path"]] if "path" in options else []
    if not roots:
        raise InputError('format("dicom") was given nothing to load. Write .load(folder), a glob, or a list of them.')
    return [str(root) for root in roots]


def _tasks(options: Mapping[str, str]) -> int:
    given = options.get("tasks", str(os.cpu_count() or 1))
    if not given.isdecimal() or int(given) == 0:
        raise InputError(f"option tasks is the least number of tasks, 1 or more, not {given}.")
    return int(given)


def _columns(options: Mapping[str, str]) -> dict[str, str] | None:
    """Name → path of the columns option; none for all image columns."""
    if "columns" not in options:
        return None
    known = load_schema("images").tags()
    columns = {}
    for entry in filter(None, (entry.strip() for entry in options["columns"].split(","))):
        name, given, path = entry.partition("=")
        if not given and name not in known and tag_for_keyword(name) is None:
            raise InputError(
                f"option columns: {name} is neither a column of schemas/images.yaml nor a DICOM keyword. "
                f"Name one, or write name=path.{nearest(name, [*known, *keyword_dict])}"
            )
        columns[name.strip()] = path.strip() if given else known.get(name, name)
    return columns
