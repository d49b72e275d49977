"""Everything that the files of a zone say, searched for what they must not."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq


class Leak(NamedTuple):
    """A token in a file, and the way it is written there."""

    file: str
    token: str
    encoding: str


def find_tokens(root: Path, tokens: Iterable[str]) -> list[Leak]:
    """Where ``tokens`` stand in the files below ``root``: in their names, their bytes, and the decompressed values,
    statistics and metadata of Parquet files; as text, UTF-16, hex or base64 (any alignment), capitals or not."""
    needles = [(token, encoding, needle) for token in tokens for encoding, needle in _encodings(token)]
    found = []
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        for text in (name.encode(), *(_contents(path) if path.is_file() else ())):
            folded = text.lower()
            found += [Leak(name, token, encoding) for token, encoding, needle in needles if needle in folded]
    return list(dict.fromkeys(found))


def _encodings(token: str) -> Iterator[tuple[str, bytes]]:
    """Every needle in small letters: what is searched is folded too."""
    raw = token.encode()
    yield "text", raw.lower()
    yield "utf-16", token.lower().encode("utf-16-le")
    yield "hex", raw.hex().encode()
    yield "hex of utf-16", token.encode("utf-16-le").hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw)
        # the first and the last characters hang on the neighbours of the token
        yield "base64", encoded[(0, 2, 3)[shift] : len(encoded) - (0, 4, 4)[len(bytes(shift) + raw) % 3]].lower()


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield from _parquet(path)


def _parquet(path: Path) -> Iterator[bytes]:
    file = pq.ParquetFile(path)
    metadata = file.metadata
    for key, value in (metadata.metadata or {}).items():
        yield key + b" " + value
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            if chunk.statistics is not None and chunk.statistics.has_min_max:
                yield f"{chunk.statistics.min} {chunk.statistics.max}".encode()
    for column in file.read().columns:
        yield from _values(column)


def _values(column: pa.ChunkedArray) -> Iterator[bytes]:
    for value in column.unique() if _is_flat(column.type) else column:
        yield value.as_py() if pa.types.is_binary(column.type) and value.is_valid else str(value.as_py()).encode()


def _is_flat(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(kind)
