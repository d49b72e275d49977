"""Values of extracts: from text to a column's type, a column at once.

Most values are written plainly and go the fast way. The others are looked at one by one, each way of writing once.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smi_spark.errors import ConfigError, unknown_name
from smi_spark.schema import Column, parse_type
from smi_spark.secure.dates import layouts, parse_dates
from smi_spark.secure.letters import Array, Letters

Parser = Callable[[Array], Array]

_BLANK = "".join(map(chr, [*range(33), 127]))
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,19})")
_TRUE, _FALSE = ("t", "true", "y", "yes", "1"), ("f", "false", "n", "no", "0")


def trimmed(texts: Array) -> Array:
    """Without blanks on either side; null where nothing is left."""
    letters = Letters.of(texts)
    some = letters.lengths > 0
    starts = letters.starts[some]
    ends = starts + letters.lengths[some] - 1
    if ((letters.data[starts] == 32) | (letters.data[ends] == 32)).any():
        return _without_empty(pc.ascii_trim(texts, " "))
    return texts if (letters.lengths != 0).all() else _without_empty(texts)


@cache
def parser(column: Column) -> Parser:
    """How texts (``trimmed``) become values of a column: null where one does not fit, or is null.

    date: in one of the column's formats or as ISO writes it; double: a decimal number, also with an exponent; int,
    long; boolean: true, t, yes, y, 1 and their opposites; timestamp: as ISO writes it, UTC where no zone is given.
    Raises ConfigError for a column of another type, or a date format that is none.
    """
    if column.type == "string":
        return lambda texts: texts
    if column.type == "date":
        return partial(parse_dates, ways=layouts(column.formats))
    if column.type not in _PARSERS:
        told = unknown_name(f"column {column.name} of an extract", column.type, "type", ["string", "date", *_PARSERS])
        raise ConfigError(told)
    return _PARSERS[column.type]


def _without_empty(texts: Any) -> Any:
    return pc.if_else(pc.equal(texts, pa.scalar("")), pa.scalar(None, pa.string()), texts)


def _numbers(texts: Array, kind: pa.DataType, letters: bytes, plain: str, exact: Callable[[str], Any]) -> Array:
    """Where all values are made of ``letters``, Arrow's reading, else that of those which look ``plain``."""
    if Letters.of(texts).are_all_among(letters):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            pass  # one is none
    is_plain: Array = pc.match_substring_regex(texts, plain)
    read: Array = pc.if_else(is_plain, texts, pa.scalar(None, pa.string()))
    read = read.cast(kind)
    return _with_others(texts, pc.fill_null(is_plain, True), read, exact)


def _one_by_one(texts: Array, kind: Any, exact: Callable[[str], Any]) -> Array:
    return _with_others(texts, texts.is_null(), pa.nulls(len(texts), kind), exact)


def _with_others(texts: Array, is_read: Any, read: Any, exact: Callable[[str], Any]) -> Array:
    """``read``, and what ``exact`` says of the texts that were not."""
    others = pc.invert(is_read)
    written = texts.filter(others).dictionary_encode()
    values = pa.array([exact(text) for text in written.dictionary.to_pylist()], read.type)
    return pc.replace_with_mask(read, others, values.take(written.indices))


def _integer(text: str, bits: int) -> int | None:
    match = _INTEGER.fullmatch(text.strip(_BLANK))
    if match is None:
        return None
    value = int(match[2]) * (-1 if match[1] == "-" else 1)
    return value if -(1 << bits - 1) <= value < 1 << bits - 1 else None


def _decimal(text: str) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text) else None


def _boolean(text: str) -> bool | None:
    word = text.strip(_BLANK).lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _timestamp(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip(_BLANK))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_PARSERS: dict[str, Parser] = {
    "int": partial(
        _numbers, kind=pa.int32(), letters=b"-0123456789", plain="^-?[0-9]{1,9}$", exact=partial(_integer, bits=32)
    ),
    "long": partial(
        _numbers, kind=pa.int64(), letters=b"-0123456789", plain="^-?[0-9]{1,18}$", exact=partial(_integer, bits=64)
    ),
    "double": partial(
        _numbers, kind=pa.float64(), letters=b"-.0123456789", plain=r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$", exact=_decimal
    ),
    "boolean": partial(_one_by_one, kind=pa.bool_(), exact=_boolean),
    "timestamp": partial(_one_by_one, kind=parse_type("timestamp"), exact=_timestamp),
}
