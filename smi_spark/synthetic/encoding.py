"""Data elements as bytes (PS3.5 section 7), and files of one series that differ in few of them (PS3.10 section 7)."""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_VR, tag_for_keyword

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4.50"
ENCAPSULATED = frozenset({RLE, JPEG})  # pixel data in fragments, the rest as in EXPLICIT

_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})  # length in 4 bytes
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_IN_CHARSET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_CODECS = {"": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_PREAMBLE = bytes(128) + b"DICM"
PIXEL_DATA = 0x7FE00010


class Element(NamedTuple):
    """VR and value: a text, a number, bytes, a list of several; of a sequence a list of ``Elements``."""

    vr: str
    value: Any


Elements = dict[int, Element]  # by tag, in any order


@cache
def known(keyword: str) -> tuple[int, str]:
    """Tag and VR of a keyword (PS3.6); of several VRs the unsigned one."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return tag, dictionary_VR(tag).split(" or ")[0]


def data_set(values: Mapping[str, Any]) -> Elements:
    """Elements of keywords; a list of mappings is a sequence."""
    found: Elements = {}
    for keyword, value in values.items():
        tag, vr = known(keyword)
        found[tag] = Element(vr, [data_set(item) for item in value] if vr == "SQ" else value)
    return found


@dataclass(frozen=True)
class Encoding:
    """How elements are written; ``undefined``: sequences and their items end by delimiters."""

    syntax: str
    charset: str = ""
    undefined: bool = False

    @property
    def explicit(self) -> bool:
        return self.syntax != IMPLICIT

    @property
    def order(self) -> str:
        return ">" if self.syntax == BIG_ENDIAN else "<"

    def elements(self, elements: Elements) -> bytes:
        """The elements in the order of their tags."""
        return b"".join([self.element(tag, elements[tag]) for tag in sorted(elements)])

    def element(self, tag: int, element: Element) -> bytes:
        """One element: tag, VR where it is explicit, length, value of even length."""
        vr = element.vr
        if tag == PIXEL_DATA and self.syntax in ENCAPSULATED:
            fragments: bytes = element.value
            return self._head(tag, "OB", _UNDEFINED) + fragments + self._mark(_SEQUENCE_END)
        if vr == "SQ":
            return self._sequence(tag, element.value)
        value = self._value(vr, element.value)
        return self._head(tag, vr, len(value)) + value

    def _head(self, tag: int, vr: str, length: int) -> bytes:
        group, number = tag >> 16, tag & 0xFFFF
        if not self.explicit:
            return struct.pack("<HHI", group, number, length)
        if vr in _LONG:
            return struct.pack(f"{self.order}HH2sHI", group, number, vr.encode(), 0, length)
        return struct.pack(f"{self.order}HH2sH", group, number, vr.encode(), length)

    def _mark(self, mark: tuple[int, int], length: int = 0) -> bytes:
        return struct.pack(f"{self.order}HHI", *mark, length)

    def _sequence(self, tag: int, items: list[Elements]) -> bytes:
        written = [self.elements(item) for item in items]
        if self.undefined:
            begin, end = self._mark(_ITEM, _UNDEFINED), self._mark(_ITEM_END)
            content = b"".join([begin + item + end for item in written])
            return self._head(tag, "SQ", _UNDEFINED) + content + self._mark(_SEQUENCE_END)
        content = b"".join([self._mark(_ITEM, len(item)) + item for item in written])
        return self._head(tag, "SQ", len(content)) + content

    def _value(self, vr: str, value: Any) -> bytes:
        if isinstance(value, bytes):
            return value + b"\0" * (len(value) % 2)
        parts = value if isinstance(value, list) else [value]
        if vr in _NUMBERS:
            return struct.pack(f"{self.order}{len(parts)}{_NUMBERS[vr]}", *parts)
        if vr == "AT":
            halves = [half for tag in parts for half in divmod(tag, 1 << 16)]
            return struct.pack(f"{self.order}{len(halves)}H", *halves)
        text = "\\".join(map(str, parts)).encode(_CODECS[self.charset] if vr in _IN_CHARSET else "ascii")
        return text + (b"\0" if vr == "UI" else b" ") * (len(text) % 2)


class Files:
    """Files that share ``elements`` and ``meta``, and have values of their own for ``varying`` tags.

    What they share is encoded once, in pieces that are joined with what each file has.
    """

    def __init__(self, elements: Elements, meta: Mapping[str, Any], varying: Iterable[int], encoding: Encoding) -> None:
        self._encoding = encoding
        self._varying = sorted(varying)
        self._meta = data_set(meta)
        bounds = [-1, *self._varying, 1 << 32]
        own = set(self._varying)
        shared = [(tag, encoding.element(tag, elements[tag])) for tag in sorted(elements.keys() - own)]
        self._pieces = [
            b"".join([content for tag, content in shared if low < tag < high]) for low, high in pairwise(bounds)
        ]

    def file(self, sop_uid: str, own: Elements) -> bytes:
        """One file, preamble and file meta included; ``own`` has an element for each varying tag."""
        encoding = self._encoding
        parts = [self._pieces[0]]
        for tag, piece in zip(self._varying, self._pieces[1:], strict=True):
            parts += (encoding.element(tag, own[tag]), piece)
        content = b"".join(parts)
        return _PREAMBLE + self._file_meta(sop_uid) + (_deflate(content) if encoding.syntax == DEFLATED else content)

    def _file_meta(self, sop_uid: str) -> bytes:
        plain = Encoding(EXPLICIT)
        content = plain.elements({**self._meta, known("MediaStorageSOPInstanceUID")[0]: Element("UI", sop_uid)})
        return plain.element(0x00020000, Element("UL", len(content))) + content


def _deflate(content: bytes) -> bytes:
    """RFC 1951 without a header, padded to even length (PS3.5 section A.5)."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = compressor.compress(content) + compressor.flush()
    return deflated + b"\0" * (len(deflated) % 2)
