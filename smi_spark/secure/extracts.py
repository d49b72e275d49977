"""Extracts of health records, CSV or Parquet: found, their headers understood, read in the executors as text.

Nothing is typed here: a value stays as the file has it, so that quarantine can show it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType

from smi_spark.errors import InputError, SourceError
from smi_spark.objectstore import open_files
from smi_spark.schema import Column, TableSchema

CSV_ENDINGS = (".csv", ".csv.gz")
PARQUET_ENDING = ".parquet"
OURS = ("source", "path", "run_id")  # columns of a record table that no extract has

_BLOCK = 1 << 20  # bytes of CSV parsed at once; a row must fit
_ROWS = 65_536  # rows of Parquet read at once
_LINE = 1_000  # characters kept of a row with the wrong number of fields


@dataclass(frozen=True)
class Extract:
    """One file: its root, its path below it, and for each of its fields the table's column, or none."""

    source: str
    path: str
    fields: tuple[str | None, ...]
    ignored: tuple[str, ...]


def record_columns(schema: TableSchema) -> tuple[Column, ...]:
    """The columns of a record table that come from extracts."""
    return tuple(column for column in schema.in_zone("secure") if column.name not in OURS)


def find_extracts(uri: str, schema: TableSchema) -> list[Extract]:
    """The extracts at a file, a folder (walked) or a glob, sorted by path, each with its header understood.

    Raises SourceError when nothing is there, InputError when a header lacks a column that the schema requires.
    """
    source, files = _list(uri)
    return [_extract(source, path, schema) for path in files]


def read_extracts(spark: SparkSession, extracts: Sequence[Extract], schema: TableSchema) -> DataFrame:
    """All rows of the extracts, one task a file.

    Columns: source, path, row_number (the first row of data is 1), field_count and line (both null unless the row
    has more or fewer fields than its header), then the table's columns as strings, null where empty.
    """
    names = [column.name for column in record_columns(schema)]
    place = [StructField("source", StringType()), StructField("path", StringType())]
    files = StructType([*place, StructField("fields", ArrayType(StringType()))])
    counts = [StructField("row_number", LongType()), StructField("field_count", LongType())]
    texts = StructType([*place, *counts, *(StructField(name, StringType()) for name in ("line", *names))])
    rows = [(extract.source, extract.path, list(extract.fields)) for extract in extracts]

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for file in batch.to_pylist():
                yield from _read(file["source"], file["path"], file["fields"], names)

    return spark.createDataFrame(rows, files).repartition(len(rows)).mapInArrow(read, texts)


def match_fields(schema: TableSchema, fields: Sequence[str], place: str) -> tuple[str | None, ...]:
    """For each field of a header the column it fills, by name or alias, capitals and outer blanks aside.

    Raises InputError when a required column is missing or two fields claim one column.
    """
    known = {_plain(name): column.name for column in record_columns(schema) for name in (column.name, *column.aliases)}
    columns = tuple(known.get(_plain(field)) for field in fields)
    claimed = [column for column in columns if column is not None]
    for column in record_columns(schema):
        accepted = " or ".join((column.name, *column.aliases))
        if column.required and column.name not in claimed:
            raise InputError(
                f"{place} has no column {accepted}, which {schema.table} requires. It has: {', '.join(fields)}. "
                f"Name it so, or add its name to aliases in schemas/{schema.table}.yaml."
            )
        if claimed.count(column.name) > 1:
            raise InputError(f"{place} has {column.name} more than once ({accepted}). Leave one of them.")
    return columns


def _plain(name: str) -> str:
    return name.strip().casefold()


def _extract(source: str, path: str, schema: TableSchema) -> Extract:
    place = f"{source}/{path}"
    try:
        fields = _header(source, path)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise _unreadable(place, error) from None
    if not fields:
        raise InputError(f"{place} is empty: the first line must name the columns.")
    columns = match_fields(schema, fields, place)
    ignored = tuple(field for field, column in zip(fields, columns, strict=True) if column is None)
    return Extract(source, path, columns, ignored)


def _list(uri: str) -> tuple[str, list[str]]:
    """The root, and below it the paths of extracts."""
    root, pattern = _root_and_pattern(uri)
    try:
        files, base = _filesystem(root)
        info = files.get_file_info(base)
        if info.type == FileType.File:
            return root.rpartition("/")[0], [root.rpartition("/")[2]]
        found = files.get_file_info(FileSelector(base, recursive=True)) if info.type == FileType.Directory else []
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{uri} cannot be listed: {error}. Give a file, a folder or a glob.") from None
    paths = sorted(info.path[len(base.rstrip("/")) + 1 :] for info in found if _is_extract(info))
    paths = [path for path in paths if pattern is None or fnmatchcase(path, pattern)]
    if not paths:
        raise SourceError(
            f"{uri} holds no extract. Give a file, a folder or a glob of {', '.join((*CSV_ENDINGS, PARQUET_ENDING))}."
        )
    return root, paths


def _is_extract(info: FileInfo) -> bool:
    named = str(info.base_name).lower().endswith((*CSV_ENDINGS, PARQUET_ENDING))
    return bool(info.type == FileType.File and named and not info.base_name.startswith((".", "_")))


def _root_and_pattern(uri: str) -> tuple[str, str | None]:
    place = uri if "://" in uri else str(Path(uri).expanduser().absolute())
    place = place.rstrip("/") or "/"
    wild = next((i for i, letter in enumerate(place) if letter in "*?["), None)
    if wild is None or ("://" not in place and Path(place).exists()):
        return place, None
    root = place[:wild].rpartition("/")[0]
    return root, place[len(root) + 1 :]


def _filesystem(root: str) -> tuple[FileSystem, str]:
    if "://" not in root:
        return LocalFileSystem(), root
    return open_files(root)


def _header(source: str, path: str) -> list[str]:
    files, base = _filesystem(source)
    if path.lower().endswith(PARQUET_ENDING):
        with files.open_input_file(f"{base}/{path}") as file:
            return list(pa_parquet.read_schema(file).names)
    with files.open_input_stream(f"{base}/{path}") as stream:
        text = io.TextIOWrapper(cast(BinaryIO, stream), encoding="utf-8-sig", newline="")
        return next(csv.reader(text), [])


def _read(source: str, path: str, fields: list[str | None], names: list[str]) -> Iterator[pa.RecordBatch]:
    read = _read_parquet if path.lower().endswith(PARQUET_ENDING) else _read_csv
    try:
        for rows in read(source, path, fields):
            size = len(rows["row_number"])
            columns = {"source": [source] * size, "path": [path] * size, **rows}
            yield _batch(columns, size, ["source", "path", "row_number", "field_count", "line", *names])
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(f"{source}/{path}", error) from None


def _batch(columns: dict[str, Any], size: int, names: list[str]) -> pa.RecordBatch:
    types = {"row_number": pa.int64(), "field_count": pa.int64()}
    arrays = []
    for name in names:
        kind = types.get(name, pa.string())
        values = columns.get(name)
        arrays.append(pa.nulls(size, kind) if values is None else pa.array(values, kind))
    return pa.RecordBatch.from_arrays(arrays, names)


def _read_csv(source: str, path: str, fields: list[str | None]) -> Iterator[dict[str, Any]]:
    wrong: dict[int, pa_csv.InvalidRow] = {}

    def keep_aside(row: pa_csv.InvalidRow) -> Literal["skip"]:
        wrong[(row.number or 0) - 1] = row  # its number counts the header
        return "skip"

    labels = [name or f"ignored {place}" for place, name in enumerate(fields)]
    wanted = [name for name in fields if name is not None]
    files, base = _filesystem(source)
    with files.open_input_stream(f"{base}/{path}") as stream:
        batches = pa_csv.open_csv(
            cast(BinaryIO, stream),
            pa_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK, column_names=labels, skip_rows_after_names=1
            ),  # threads would lose the row numbers
            pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep_aside),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted,
                null_values=[""], strings_can_be_null=True,
            ),
        )  # fmt: skip
        following = 1
        for batch in batches:
            numbers = _numbers(following, batch.num_rows, wrong)
            following = int(numbers[-1]) + 1 if batch.num_rows else following
            yield {"row_number": numbers, **dict(zip(batch.schema.names, batch.columns, strict=True))}
    if wrong:
        yield {
            "row_number": list(wrong),
            "field_count": [row.actual_columns for row in wrong.values()],
            "line": [row.text[:_LINE] for row in wrong.values()],
        }


def _numbers(start: int, count: int, taken: Iterable[int]) -> Any:
    """The numbers of the next ``count`` rows, from ``start``, without those of the rows kept aside."""
    ahead = [number for number in taken if number >= start]
    return np.setdiff1d(np.arange(start, start + count + len(ahead)), ahead)[:count]


def _read_parquet(source: str, path: str, fields: list[str | None]) -> Iterator[dict[str, Any]]:
    files, base = _filesystem(source)
    with files.open_input_file(f"{base}/{path}") as file:
        start = 1
        for batch in pa_parquet.ParquetFile(file).iter_batches(_ROWS):
            texts = {
                name: _as_text(values) for name, values in zip(fields, batch.columns, strict=True) if name is not None
            }
            yield {"row_number": np.arange(start, start + batch.num_rows), **texts}
            start += batch.num_rows


def _as_text(values: Any) -> Any:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("s"), safe=False)
    return values.cast(pa.string())


def _unreadable(place: str, error: Exception) -> InputError:
    told = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{place} cannot be read: {told}. Extracts are CSV in UTF-8 (also .gz) or Parquet.")
