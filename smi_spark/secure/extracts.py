"""Extracts of health records, CSV or Parquet: found, and their headers understood."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pa_parquet
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem

from smi_spark.errors import InputError, SourceError
from smi_spark.objectstore import open_files
from smi_spark.schema import Column, TableSchema
from smi_spark.secure.csv_pieces import WHOLE, Piece

CSV_ENDINGS = (".csv", ".csv.gz")
PARQUET_ENDING = ".parquet"
OURS = ("chi_flags", "source", "path", "run_id")  # columns of a record table that no extract has


@dataclass(frozen=True)
class Extract:
    """One file: its root, its path below it, and for each of its fields the table's column, or none.

    ``checksum`` (SHA-256 of its bytes), ``size`` and ``pieces`` are told by ``submissions.with_checksums``.
    """

    source: str
    path: str
    fields: tuple[str | None, ...]
    ignored: tuple[str, ...]
    checksum: str = ""
    size: int = 0
    pieces: tuple[Piece, ...] = (WHOLE,)


def record_columns(schema: TableSchema) -> tuple[Column, ...]:
    """The columns of a record table that come from extracts."""
    return tuple(column for column in schema.in_zone("secure") if column.name not in OURS)


def find_extracts(uri: str, schema: TableSchema) -> list[Extract]:
    """The extracts at a file, a folder (walked) or a glob, sorted by path, each with its header understood.

    Raises SourceError when nothing is there, InputError when a header lacks a column that the schema requires.
    """
    source, files = list_extracts(uri)
    return [_extract(source, path, schema) for path in files]


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
                f"{place} has no column {accepted}, which {schema.table} requires. {_told(fields, columns)} "
                f"Name it so, or add its name to aliases in schemas/{schema.table}.yaml."
            )
        if claimed.count(column.name) > 1:
            raise InputError(f"{place} has {column.name} more than once ({accepted}). Leave one of them.")
    return columns


def _told(fields: Sequence[str], columns: Sequence[str | None]) -> str:
    """The fields that are known. Of others only the number: the first line of a file without header is a person's."""
    known = [field for field, column in zip(fields, columns, strict=True) if column is not None]
    unknown = len(fields) - len(known)
    others = f"{unknown:,} that no column or alias is called" if unknown else ""
    return f"It has: {', '.join(filter(None, [*known, others]))}."


def _plain(name: str) -> str:
    return name.strip().casefold()


def _extract(source: str, path: str, schema: TableSchema) -> Extract:
    place = f"{source}/{path}"
    try:
        fields = read_header(source, path)
    except (OSError, csv.Error, pa.ArrowException) as error:
        raise unreadable(place, error) from None
    if not fields:
        raise InputError(f"{place} is empty: the first line must name the columns.")
    columns = match_fields(schema, fields, place)
    ignored = tuple(field for field, column in zip(fields, columns, strict=True) if column is None)
    return Extract(source, path, columns, ignored)


def list_extracts(uri: str) -> tuple[str, list[str]]:
    """The root, and below it the paths of extracts; SourceError where there is none."""
    root, pattern = _root_and_pattern(uri)
    try:
        files, base = filesystem(root)
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


def can_be_cut(path: str) -> bool:
    """Whether an extract's rows can be read from the middle: neither packed nor Parquet."""
    return path.lower().endswith(".csv")


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


def filesystem(root: str) -> tuple[FileSystem, str]:
    """The file system of a root, and the root's path in it."""
    if "://" not in root:
        return LocalFileSystem(), root
    return open_files(root)


def open_bytes(source: str, path: str) -> BinaryIO:
    """The bytes of an extract as they lie there, packed or not."""
    files, base = filesystem(source)
    return cast(BinaryIO, files.open_input_stream(f"{base}/{path}", compression=None))


def size_of(source: str, path: str) -> int:
    """Bytes of an extract."""
    files, base = filesystem(source)
    return int(files.get_file_info(f"{base}/{path}").size or 0)


def read_header(source: str, path: str) -> list[str]:
    """The names that an extract gives its columns; none of an empty one. Raises what the storage or Arrow raises."""
    files, base = filesystem(source)
    if path.lower().endswith(PARQUET_ENDING):
        with files.open_input_file(f"{base}/{path}") as file:
            return list(pa_parquet.read_schema(file).names)
    with files.open_input_stream(f"{base}/{path}") as stream:
        raw = io.TextIOWrapper(cast(BinaryIO, stream), encoding="latin-1", newline="")  # any bytes, one letter each
        fields = next(csv.reader(raw), [])
    return [
        decoded(field.encode("latin-1").removeprefix(b"\xef\xbb\xbf" if place == 0 else b""))
        for place, field in enumerate(fields)
    ]


def decoded(value: bytes) -> str:
    """UTF-8, or where it is none, latin-1: what is written in latin-1 and has a letter beyond ASCII is no UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def unreadable(place: str, error: Exception) -> InputError:
    """What is said of an extract that is not what it is called."""
    told = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{place} cannot be read: {told}. Extracts are CSV in UTF-8 or latin-1 (also .gz) or Parquet.")
