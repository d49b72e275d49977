"""Everything that files say, taken apart and searched for what they must not."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from numba import njit

from tests.parquet_parts import parquet_parts

SHORTEST = 6  # shorter texts stand in compressed bytes by chance
LONGEST_NUMBER = 20  # any ten digits stand somewhere within the thirty-nine of a UID, and say nothing there

_ENDS = (SHORTEST, 8)  # bytes by whose hash the end of a needle is known
_MARKS = 1 << 20
_PIECE = 1 << 24  # bytes read at a time


class Leak(NamedTuple):
    """A token in a file, and the way it is written there."""

    file: str
    token: str | bytes
    encoding: str


def find_tokens(root: Path, tokens: Iterable[str | bytes]) -> list[Leak]:
    """Where ``tokens`` (texts, keys as bytes) stand in the files below ``root``, or in that file, each once.

    Searched are names, bytes, and what Parquet files hold when decompressed: pages, dictionaries, values, statistics,
    metadata; as text and hex in capitals or not, as UTF-16, as in a URL, and as base64 of any alignment.
    """
    search, found = Search(tokens), []
    for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
        name = path.relative_to(root).as_posix() if root.is_dir() else root.name
        contents = [name.encode(), *([] if path.is_dir() else _contents(path, search.longest))]
        found += [Leak(name, *leak) for leak in dict.fromkeys(leak for part in contents for leak in search(part))]
    return found


def key_tokens(key: bytes) -> list[str | bytes]:
    """Either half of a key: itself, its digits, and as HMAC takes it in, with one padding or the other (RFC 2104)."""
    halves = key[: len(key) // 2], key[len(key) // 2 :]
    padded = [bytes(byte ^ padding for byte in half) for half in halves for padding in (0x36, 0x5C)]
    return [*halves, *(half.hex() for half in halves), *padded]


class Search:
    """Finds tokens in bytes: a compiled pass marks the places where the end of one may stand, and each is looked at."""

    def __init__(self, tokens: Iterable[str | bytes]) -> None:
        self._needles: dict[bytes, list[tuple[bytes, str | bytes, str]]] = defaultdict(list)
        self._marks = np.zeros((len(_ENDS), _MARKS), np.bool_)
        self.longest = 0
        for token in set(tokens):
            assert len(token) >= SHORTEST, f"{token!r} is too short to search for"
            for encoding, written in _encodings(token):
                self._add(written, token, encoding)

    def __call__(self, content: bytes) -> Iterator[tuple[str | bytes, str]]:
        """Token and encoding of each place where one stands."""
        small = content.lower()
        for place in _marked(np.frombuffer(small, np.uint8), *self._marks).tolist():
            for size in _ENDS:
                for written, token, encoding in self._needles.get(small[max(0, place - size) : place], ()):
                    start = place - len(written)
                    read = content if encoding == "base64" else small
                    if start >= 0 and read.startswith(written, start) and not _in_number(small, start, place):
                        yield token, encoding

    def _add(self, written: bytes, token: str | bytes, encoding: str) -> None:
        size = max(size for size in _ENDS if size <= len(written))
        end = written[-size:].lower()
        self._needles[end].append((written, token, encoding))
        self._marks[_ENDS.index(size), list(_hashes(np.uint64(int.from_bytes(end, "little"))))] = True
        self.longest = max(self.longest, len(written))


def _encodings(token: str | bytes) -> Iterator[tuple[str, bytes]]:
    """Each way in which it may be written, in small letters but for base64."""
    text = token.encode() if isinstance(token, str) else token
    yield "text", text.lower()
    yield "hex", text.hex().encode()
    if isinstance(token, str):
        utf_16 = token.encode("utf-16-le")
        yield "utf-16", utf_16.lower()
        yield "hex of utf-16", utf_16.hex().encode()
        if quote(token, safe="") != token:
            yield "url", quote(token, safe="").lower().encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + text)
        # characters that hang on the neighbours of the token too are left out at both ends
        start, end = (0, 2, 3)[shift], (0, 3, 2)[(shift + len(text)) % 3]
        yield "base64", encoded[start : len(encoded) - end]


def _in_number(content: bytes, start: int, end: int) -> bool:
    """Whether the digits there are within a longer number than any that says who somebody is."""
    if not content[start:end].isdigit():
        return False
    before = content[max(0, start - LONGEST_NUMBER) : start]
    after = content[end : end + LONGEST_NUMBER]
    digits = b"0123456789"
    around = len(before) - len(before.rstrip(digits)) + len(after) - len(after.lstrip(digits))
    return end - start + around > LONGEST_NUMBER


@njit(cache=True)
def _hashes(end: np.uint64) -> tuple[np.uint64, np.uint64]:
    mixed = end * np.uint64(0x9E3779B97F4A7C15)
    return mixed >> np.uint64(44), mixed >> np.uint64(24) & np.uint64(_MARKS - 1)


@njit(cache=True)
def _is_marked(marks: Any, end: np.uint64) -> bool:
    first, second = _hashes(end)
    return marks[first] and marks[second]


@njit(cache=True)
def _marked(content: Any, short: Any, long: Any) -> Any:
    """The places behind ends that may be those of a needle."""
    places = np.empty(1024, np.int64)
    count = 0
    end = np.uint64(0)
    for place in range(len(content)):
        end = end >> np.uint64(8) | np.uint64(content[place]) << np.uint64(56)
        if _is_marked(short, end >> np.uint64(16)) or _is_marked(long, end):
            if count == len(places):
                places = np.append(places, np.empty(count, np.int64))
            places[count] = place + 1
            count += 1
    return places[:count]


def _contents(path: Path, overlap: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        before = b""
        while piece := file.read(_PIECE):
            yield before + piece
            before = piece[-overlap:]
    if path.name.endswith(".parquet"):
        yield from parquet_parts(path)
