"""``secure/submissions``: the extracts that were loaded, by their content, and how good their CHI numbers are."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, BinaryIO, cast

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import TableSchema
from smi_spark.secure.csv_pieces import WHOLE, Piece, cut, piece_size
from smi_spark.secure.extracts import Extract, can_be_cut, open_bytes, size_of
from smi_spark.secure.row_counts import OF_CHI, FileCounts
from smi_spark.secure.runs import newest_run

_NUMBERS = ("rows", "added", "corrected", "quarantined")
_BLOCK = 1 << 20  # bytes hashed at once
_PIECE = [pa.field(name, pa.int64()) for name in ("offset", "size", "rows_before")]
_TEXTS = [pa.field(name, pa.string()) for name in ("source", "path", "checksum")]
_CUT = [pa.field("size", pa.int64()), pa.field("pieces", pa.list_(pa.struct(_PIECE)))]
_EXAMINED = pa.schema(cast("list[pa.Field[Any]]", [*_TEXTS, *_CUT]))


def with_checksums(spark: SparkSession, extracts: Sequence[Extract]) -> list[Extract]:
    """The extracts with SHA-256 and size of their bytes, and where they can be cut: read in the executors."""
    places = [(extract.source, extract.path) for extract in extracts]

    def examine(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = [_examine(*places[row["id"]]) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(found, _EXAMINED)

    files = spark.range(0, len(places), 1, len(places))
    examined = files.mapInArrow(examine, from_arrow_schema(_EXAMINED))
    content = {(row["source"], row["path"]): row for row in examined.collect()}  # as many as files
    found = []
    for extract in extracts:
        row = content[extract.source, extract.path]
        pieces = tuple(Piece(*piece) for piece in row["pieces"])
        found.append(replace(extract, checksum=row["checksum"], size=row["size"], pieces=pieces))
    return found


def not_loaded(spark: SparkSession, config: Config, table: str, extracts: Iterable[Extract]) -> list[Extract]:
    """Those whose bytes were not loaded into ``table`` yet; of several with the same bytes the first."""
    rows = tables.read_or_empty(spark, _submissions(config)).where(F.col("table") == table)
    seen = {row["checksum"] for row in rows.select("checksum").distinct().collect()}  # as many as files
    waiting: dict[str, Extract] = {}
    for extract in extracts:
        if extract.checksum not in seen:
            waiting.setdefault(extract.checksum, extract)
    return list(waiting.values())


def loaded_up_to(spark: SparkSession, config: Config, table: str) -> str:
    """The newest load of ``table`` that was completed: all its rows, and older ones, are there. Empty for none."""
    rows = tables.read_or_empty(spark, _submissions(config)).where(F.col("table") == table)
    return newest_run(rows)


def record_submissions(
    spark: SparkSession,
    config: Config,
    schema: TableSchema,
    extracts: Sequence[Extract],
    files: FileCounts,
    run_id: str,
) -> None:
    """Say that the extracts are loaded, with what came of their rows: 0 where a file has none."""
    target = _submissions(config)
    rows = []
    for extract in extracts:
        counts = files.get((extract.source, extract.path), {})
        numbers = (counts.get(name, 0) for name in _NUMBERS)
        chi = [(name, *(counts.get(f"{name}.{of}", 0) for of in OF_CHI)) for name in schema.chi_columns]
        rows.append((extract.source, extract.path, extract.checksum, extract.size, *numbers, chi))
    given = ("source", "path", "checksum", "size", *_NUMBERS, "chi")
    fields = {field.name: field for field in target.schema.spark()}
    loaded = spark.createDataFrame(rows, StructType([fields[name] for name in given]))
    stamps = {"table": F.lit(schema.table), "loaded_at": F.current_timestamp(), "run_id": F.lit(run_id)}
    tables.append(tables.completed(loaded, target, **stamps), target)


def register_chi_quality(spark: SparkSession, config: Config) -> DataFrame:
    """Make ``chi_quality`` known to SQL: how good the CHI numbers of each table are, as its submissions gave them.

    Columns: table, column, given, in_order, second_check, not_ten_digits, wrong_date, wrong_check, restored; one row a
    table and column that holds CHI numbers. The name lasts as long as the session.
    """
    submissions = tables.read_or_empty(spark, _submissions(config))
    chi = submissions.select("table", F.explode("chi").alias("chi")).select("table", "chi.*")
    quality = chi.groupBy("table", "column").agg(*(F.sum(name).alias(name) for name in OF_CHI))
    quality.createOrReplaceTempView("chi_quality")
    return quality


def _examine(source: str, path: str) -> dict[str, Any]:
    digest, size = hashlib.sha256(), size_of(source, path)

    def blocks(stream: BinaryIO) -> Iterator[bytes]:
        while block := stream.read(_BLOCK):
            digest.update(block)
            yield block

    with open_bytes(source, path) as stream:
        pieces = cut(blocks(stream), piece_size(size)) if can_be_cut(path) and piece_size(size) < size else [WHOLE]
        for _ in blocks(stream):
            pass  # what was not read for the pieces
    content = {"source": source, "path": path, "checksum": digest.hexdigest(), "size": size}
    return content | {"pieces": [asdict(piece) for piece in pieces]}


def _submissions(config: Config) -> tables.Table:
    return tables.table(config, "secure/submissions")
