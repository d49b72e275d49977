"""What a Parquet file holds, decompressed: pages and dictionaries as they lie there, values and statistics as text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CODECS = {1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
BLOOM_FILTER = 14  # fields of ColumnMetaData
TOTAL_SIZE, FIRST_DATA, DICTIONARY, CODEC = 7, 9, 11, 4


def parquet_parts(path: Path) -> Iterator[bytes]:
    """Pages, dictionary pages among them, decompressed; the distinct values of each column and its bounds, as text."""
    content = path.read_bytes()
    for column in column_metadata(content):
        yield from _pages(content, column)
    file = pq.ParquetFile(path)
    yield "\n".join(_bounds(file.metadata)).encode()
    for values in file.read().columns:
        yield from _texts(values)


def column_metadata(content: bytes) -> Iterator[dict[int, Any]]:
    """ColumnMetaData of each column chunk, by the numbers of its fields. Source: parquet.thrift of Parquet 2.11."""
    footer = int.from_bytes(content[-8:-4], "little")
    file = _Thrift(content, len(content) - 8 - footer).struct()
    for group in file.get(4, []):
        for chunk in group[1]:
            yield chunk[3]


def _pages(content: bytes, column: dict[int, Any]) -> Iterator[bytes]:
    place = min(column.get(DICTIONARY) or column[FIRST_DATA], column[FIRST_DATA])
    end = place + column[TOTAL_SIZE]
    while place < end:
        reader = _Thrift(content, place)
        header = reader.struct()
        page = content[reader.place : reader.place + header[3]]
        place = reader.place + header[3]
        yield from _decompressed(page, header, column[CODEC])


def _decompressed(page: bytes, header: dict[int, Any], codec: int) -> Iterator[bytes]:
    second = header.get(8, {})  # DataPageHeaderV2: levels lie before the values, never compressed
    levels = second.get(5, 0) + second.get(6, 0)
    if codec not in CODECS or second.get(7) is False or header[2] == levels:
        yield page
    else:
        yield page[:levels]
        yield pa.Codec(CODECS[codec]).decompress(page[levels:], header[2] - levels).to_pybytes()


def _bounds(metadata: Any) -> Iterator[str]:
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            statistics = metadata.row_group(group).column(column).statistics
            if statistics is not None and statistics.has_min_max:
                yield f"{statistics.min} {statistics.max}"


def _texts(values: Any) -> Iterator[bytes]:
    """Distinct values of the innermost columns, one a line: dates and numbers are found only so."""
    kind = values.type
    if pa.types.is_struct(kind):
        for column in values.combine_chunks().flatten() if len(values) else ():
            yield from _texts(pa.chunked_array([column]))
    elif pa.types.is_map(kind):
        for chunk in values.chunks:
            yield from _texts(pa.chunked_array([chunk.keys]))
            yield from _texts(pa.chunked_array([chunk.items]))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _texts(pc.list_flatten(values))
    else:
        distinct = pc.unique(values).drop_null()
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            yield b"\n".join(distinct.to_pylist())
        else:
            yield "\n".join(map(str, distinct.cast(pa.string()).to_pylist())).encode()


class _Thrift:
    """Reads structures of Thrift's compact protocol as dictionaries, number of the field → value."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content, self.place = content, place

    def struct(self) -> dict[int, Any]:
        fields, number = {}, 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 0xF
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (1, 2, 3):  # a boolean within a list has a byte of its own
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind in (9, 10):
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._varint()
            return [self._value(head & 0xF) for _ in range(size)]
        if kind == 12:
            return self.struct()
        assert kind in (7, 8), f"Parquet has no value of Thrift's kind {kind}"
        return self._bytes(8 if kind == 7 else self._varint())

    def _bytes(self, size: int) -> bytes:
        self.place += size
        return self._content[self.place - size : self.place]

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def _signed(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
