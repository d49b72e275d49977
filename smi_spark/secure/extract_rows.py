"""The rows of extracts, read and typed in the executors: a frame of all, and what they are in short."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_type
from pyspark.sql.types import LongType, StringType, StructField, StructType

from smi_spark.schema import TableSchema, parse_type
from smi_spark.secure.csv_pieces import WHOLE, Piece
from smi_spark.secure.extracts import PARQUET_ENDING, Extract, decoded, filesystem, record_columns, unreadable
from smi_spark.secure.record_rows import LISTS, typed_rows
from smi_spark.secure.row_counts import ADDED, COUNTS, count_rows
from smi_spark.secure.settling import shared_out
from smi_spark.secure.values import parser

_BLOCK = 1 << 20  # bytes of CSV parsed at once; a row must fit
_ROWS = 65_536  # rows of Parquet read at once
_SHARE = 64 << 20  # bytes of extracts whose keys are looked through at once: a million rows, or ten where packed
_LINE = 1_000  # characters kept of a row with the wrong number of fields


def read_extracts(spark: SparkSession, extracts: Sequence[Extract], schema: TableSchema) -> DataFrame:
    """All rows of the extracts, typed, one task a piece; what is no UTF-8 is read as latin-1.

    Columns as of ``record_rows.typed_rows``; the first row of data is 1. Raises ConfigError where the schema has a
    column that no text becomes; InputError in the task that cannot read its extract.
    """
    kinds = {field.name: field.dataType for field in schema.spark("secure")}
    numbers = [StructField(name, LongType()) for name in ("row_number", "key_hash")]
    texts = [StructField(name, StringType()) for name in ("source", "path")]
    lists = [StructField(name, from_arrow_type(parse_type(kind))) for name, kind in LISTS.items()]
    columns = [StructField(column.name, kinds[column.name]) for column in record_columns(schema)]
    for column in record_columns(schema):
        parser(column)
    fields = StructType([*texts, numbers[0], *columns, *lists, numbers[1]])
    return _of_pieces(spark, extracts, schema, fields, lambda rows: rows)


def survey_extracts(spark: SparkSession, extracts: Sequence[Extract], schema: TableSchema) -> DataFrame:
    """What the rows of the extracts are, some thousand at once: COUNTS, as if none contradicted another one, nor the
    table had any; and ``keys``, the ``key_hash`` of the good ones, shared out by what they are (``repeated_keys``).
    """
    shares = 1 + sum(extract.size for extract in extracts) // _SHARE

    def survey(rows: pa.RecordBatch) -> pa.RecordBatch:
        is_good = rows["problems"].is_null()
        outcome = pc.if_else(is_good, ADDED, pa.scalar(None, pa.string()))
        counts = count_rows(rows.append_column("outcome", outcome), schema.chi_columns)
        place = {name: rows[name].slice(0, 1) for name in ("source", "path")}
        keys = shared_out(rows["key_hash"].drop_null().to_numpy(), shares)
        lists = {"keys": pa.array([keys], pa.list_(pa.binary()))}
        maps = {"counts": pa.array([list(counts.items())], pa.map_(pa.string(), pa.int64()))}
        return pa.RecordBatch.from_pydict({**place, **maps, **lists})

    return _of_pieces(spark, extracts, schema, f"{COUNTS}, keys array<binary>", survey)


def _of_pieces(
    spark: SparkSession,
    extracts: Sequence[Extract],
    schema: TableSchema,
    fields: StructType | str,
    made: Callable[[pa.RecordBatch], pa.RecordBatch],
) -> DataFrame:
    """What is ``made`` of each batch of typed rows of the extracts."""
    names = [column.name for column in record_columns(schema)]
    pieces = [(extract, piece) for extract in extracts for piece in extract.pieces]

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.to_pylist():
                extract, piece = pieces[row["id"]]
                for rows in read_piece(extract.source, extract.path, extract.fields, piece, names):
                    if rows.num_rows:
                        yield made(typed_rows(rows, schema))

    # A range has its numbers one a task, where rows that are dealt out meet in some.
    return spark.range(0, len(pieces), 1, len(pieces)).mapInArrow(read, fields)


def read_piece(
    source: str, path: str, fields: Sequence[str | None], piece: Piece, names: list[str]
) -> Iterator[pa.RecordBatch]:
    """The rows of one piece of an extract as text, null where empty; InputError when it cannot be read.

    Columns: source, path, row_number, field_count and line (both null unless the row has more or fewer fields than its
    header), then ``names``.
    """
    is_parquet = path.lower().endswith(PARQUET_ENDING)
    try:
        for rows in _read_parquet(source, path, fields) if is_parquet else _read_csv(source, path, fields, piece):
            size = len(rows["row_number"])
            place = {"source": pa.repeat(source, size), "path": pa.repeat(path, size)}
            yield _batch(place | rows, size, ["source", "path", "row_number", "field_count", "line", *names])
    except (OSError, pa.ArrowException) as error:
        raise unreadable(f"{source}/{path}", error) from None


def _batch(columns: dict[str, Any], size: int, names: list[str]) -> pa.RecordBatch:
    types = {"row_number": pa.int64(), "field_count": pa.int64()}
    arrays = []
    for name in names:
        kind = types.get(name, pa.string())
        values = columns.get(name)
        arrays.append(pa.nulls(size, kind) if values is None else pa.array(values, kind))
    return pa.RecordBatch.from_arrays(arrays, names)


def _read_csv(source: str, path: str, fields: Sequence[str | None], piece: Piece) -> Iterator[dict[str, Any]]:
    wrong: dict[int, pa_csv.InvalidRow] = {}
    with _opened(source, path, piece) as stream:
        following = max(piece.rows_before, 1)  # the header is none
        for batch in _batches(stream, fields, piece, wrong):
            numbers = _numbers(following, batch.num_rows, wrong)
            following = int(numbers[-1]) + 1 if batch.num_rows else following
            yield {"row_number": numbers, **dict(zip(batch.schema.names, batch.columns, strict=True))}
    if wrong:
        yield {
            "row_number": list(wrong),
            "field_count": [row.actual_columns for row in wrong.values()],
            "line": [row.text[:_LINE] for row in wrong.values()],
        }


def _opened(source: str, path: str, piece: Piece) -> Any:
    files, base = filesystem(source)
    if piece == WHOLE:
        return files.open_input_stream(f"{base}/{path}")
    with files.open_input_file(f"{base}/{path}") as file:
        file.seek(piece.offset)
        return pa.BufferReader(file.read(piece.size))


def _batches(
    stream: BinaryIO, fields: Sequence[str | None], piece: Piece, wrong: dict[int, pa_csv.InvalidRow]
) -> Iterable[pa.RecordBatch]:
    """The good rows of a piece; those with more or fewer fields than the header go to ``wrong``, by their number."""
    headers = int(piece.offset == 0)
    before = max(piece.rows_before - 1, 0) - headers  # rows of data before those that the reader counts

    def keep_aside(row: pa_csv.InvalidRow) -> Literal["skip"]:
        wrong[(row.number or 0) + before] = row
        return "skip"

    labels = [name or f"ignored {place}" for place, name in enumerate(fields)]
    wanted = [name for name in fields if name is not None]
    reading = pa_csv.ReadOptions(
        use_threads=False, block_size=_BLOCK, column_names=labels, skip_rows_after_names=headers
    )  # threads would lose the row numbers
    parsing = pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep_aside)
    converting = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted, null_values=[""],
        strings_can_be_null=True,
    )  # fmt: skip
    return cast(
        Iterable[pa.RecordBatch], pa_csv.open_csv(cast(BinaryIO, _AsUtf8(stream)), reading, parsing, converting)
    )


class _AsUtf8(io.BufferedIOBase):
    """A stream of CSV in UTF-8, or latin-1 in the lines that are none: pyarrow tells of wrong rows in UTF-8 alone."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._rest, self._ready = stream, b"", b""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = size if size is not None and size >= 0 else sys.maxsize
        while len(self._ready) < wanted and (block := self._stream.read(_BLOCK)):
            whole, newline, self._rest = (self._rest + block).rpartition(b"\n")
            self._ready += _utf8(whole + newline)
        if len(self._ready) < wanted:
            self._ready, self._rest = self._ready + _utf8(self._rest), b""
        given, self._ready = self._ready[:wanted], self._ready[wanted:]
        return given


def _utf8(lines: bytes) -> bytes:
    if lines.isascii():
        return lines
    try:
        lines.decode()
    except UnicodeDecodeError:
        return b"".join(decoded(line).encode() for line in lines.splitlines(keepends=True))
    return lines


def _numbers(start: int, count: int, taken: Iterable[int]) -> Any:
    """The numbers of the next ``count`` rows, from ``start``, without those of the rows kept aside."""
    ahead = [number for number in taken if number >= start]
    if not ahead:
        return np.arange(start, start + count)
    return np.setdiff1d(np.arange(start, start + count + len(ahead)), ahead)[:count]


def _read_parquet(source: str, path: str, fields: Sequence[str | None]) -> Iterator[dict[str, Any]]:
    files, base = filesystem(source)
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
