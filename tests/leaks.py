"""Everything that the files of a zone say, searched for what they must not."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

Needles = dict[bytes, list[tuple[bytes, str | bytes, str]]]

SHORTEST = 5  # shorter texts stand in compressed bytes by chance


class Leak(NamedTuple):
    """A token in a file, and the way it is written there."""

    file: str
    token: str | bytes
    encoding: str


def find_tokens(root: Path, tokens: Iterable[str | bytes]) -> list[Leak]:
    """Where ``tokens`` (texts, keys as bytes) stand in the files below ``root``, each once.

    Searched are names, bytes, and what Parquet files hold when decompressed: values, statistics, metadata; as text,
    UTF-16, hex or base64 of any alignment, capitals or not.
    """
    needles = _needles(tokens)
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        content = b"\n".join([name.encode(), *(_contents(path) if path.is_file() else ())])
        found += [Leak(name, *leak) for leak in _search(content.lower(), needles)]
    return found


def _needles(tokens: Iterable[str | bytes]) -> Needles:
    """First bytes → (all bytes, token, encoding), in small letters."""
    needles = defaultdict(list)
    for token in set(tokens):
        assert len(token) >= SHORTEST, f"{token!r} is too short to search for"
        for encoding, written in _encodings(token):
            needles[written[:SHORTEST].lower()].append((written.lower(), token, encoding))
    return needles


def _encodings(token: str | bytes) -> Iterator[tuple[str, bytes]]:
    text = token.encode() if isinstance(token, str) else token
    yield "text", text
    yield "hex", text.hex().encode()
    if isinstance(token, str):
        yield "utf-16", token.encode("utf-16-le")
        yield "hex of utf-16", token.encode("utf-16-le").hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + text)
        # characters that hang on the neighbours of the token too are left out at both ends
        start, end = (0, 2, 3)[shift], (0, 3, 2)[(shift + len(text)) % 3]
        yield "base64", encoded[start : len(encoded) - end]


def _search(content: bytes, needles: Needles) -> list[tuple[str | bytes, str]]:
    found = {}
    for place in range(len(content) - SHORTEST + 1):
        for written, token, encoding in needles.get(content[place : place + SHORTEST], ()):
            if content.startswith(written, place):
                found[token, encoding] = None
    return list(found)


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield from _parquet(pq.ParquetFile(path))


def _parquet(file: pq.ParquetFile) -> Iterator[bytes]:
    for key, value in (file.metadata.metadata or {}).items():
        yield key + b" " + value
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            statistics = file.metadata.row_group(group).column(column).statistics
            if statistics is not None and statistics.has_min_max:
                yield f"{statistics.min} {statistics.max}".encode()
    for column in file.read().columns:
        yield from {_as_bytes(value) for value in column if value.is_valid}


def _as_bytes(value: pa.Scalar) -> bytes:
    given = value.as_py()
    return given if isinstance(given, bytes) else str(given).encode()
