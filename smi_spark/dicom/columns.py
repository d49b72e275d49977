"""Which values of a header become which columns, and the columns of what the engine gives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pyarrow as pa
from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_dict, tag_for_keyword

from smi_spark.errors import InputError, nearest
from smi_spark.schema import load_schema, parse_type

_TYPES: dict[str, str] = {
    **dict.fromkeys(("AE", "AS", "AT", "CS", "DT", "LO", "LT", "PN", "SH"), "string"),
    **dict.fromkeys(("ST", "TM", "UC", "UI", "UN", "UR", "UT"), "string"),
    **dict.fromkeys(("DS", "FD", "FL"), "double"),
    **dict.fromkeys(("IS", "US", "UL", "UV", "SS", "SL", "SV"), "long"),
    "DA": "date",
}  # fmt: skip

STORED = ("size", "bytes_read", "requests", "header", "left_out")  # columns of the headers table


@dataclass(frozen=True)
class HeaderColumn:
    """One column that is read from headers.

    ``path`` holds the tags from the data set down to the value; ``vr`` is what the dictionary says of the last one.
    """

    name: str
    path: tuple[int, ...]
    vr: str
    type: pa.DataType

    @property
    def is_list(self) -> bool:
        return bool(pa.types.is_list(self.type))

    @property
    def item_type(self) -> pa.DataType:
        """The type of one value."""
        kind: Any = self.type
        item: pa.DataType = kind.value_type if self.is_list else kind
        return item


def plan_columns(columns: Mapping[str, str] | None = None, *, as_text: bool = False) -> tuple[HeaderColumn, ...]:
    """The columns to read, from name → keyword or path (default: those of ``schemas/images.yaml``).

    A part of a path is a keyword, ``(gggg,eeee)`` or eight hexadecimal digits. A path that the schema knows has the
    schema's type; another one follows its VR: DA date, DS FD FL double, IS US UL SS SL long, AT ``(gggg,eeee)``, other
    text string, and a list where the dictionary allows several values or the path leads through a sequence. A private
    element is named by its tag as it stands in the files, block and all; its binary numbers are text.
    ``as_text``: every column is text, several values of an element joined by backslashes as in the file; a list, one
    text a value, where the path leads through a sequence.
    Raises InputError for what is not in the dictionary or holds no value that a column can have.
    """
    planned = _plan_columns(None if columns is None else tuple(columns.items()))
    if not as_text:
        return planned
    return tuple(replace(c, type=parse_type("array<string>" if len(c.path) > 1 else "string")) for c in planned)


@cache
def _plan_columns(columns: tuple[tuple[str, str], ...] | None) -> tuple[HeaderColumn, ...]:
    types = {c.tag: c.arrow_type for c in load_schema("images").columns if c.tag is not None}
    wanted = tuple(load_schema("images").tags().items()) if columns is None else columns
    return tuple(_plan_column(name, path, types.get(path)) for name, path in wanted)


def batch_schema(columns: Mapping[str, str] | None = None, *, with_header: bool = False) -> pa.Schema:
    """The schema of what ``read_headers`` gives for the same arguments."""
    fields: list[Any] = [pa.field("source", pa.string())]
    fields += [pa.field(column.name, column.type) for column in plan_columns(columns)]
    fields += [value_errors_field(), pa.field("reason", pa.string()), pa.field("detail", pa.string())]
    if with_header:
        stored = load_schema("headers")
        fields += [
            pa.field(n, stored.column(n).arrow_type) for n in ("size", "bytes_read", "requests", "header", "left_out")
        ]
    return pa.schema(fields)


@cache
def value_errors_field() -> Any:
    """``value_errors`` as the images table has it: one struct of tag, raw value and reason a bad value."""
    return pa.field("value_errors", load_schema("images").column("value_errors").arrow_type)


def written(tag: int) -> str:
    """A tag as people write it.

    >>> written(0x00100010)
    '(0010,0010)'
    """
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _plan_column(name: str, path: str, known: pa.DataType | None) -> HeaderColumn:
    tags = tuple(_tag(part, name, path) for part in path.split("."))
    vr = dictionary_vr(tags[-1])
    if vr not in _TYPES:
        raise InputError(
            f"column {name}: {path} has the value representation {vr}, which is no column. "
            "Name an element with text, numbers or a date; through a sequence with dots (Sequence.Keyword)."
        )
    several = len(tags) > 1 or _allows_several(tags[-1])
    return HeaderColumn(name, tags, vr, known or parse_type(f"array<{_TYPES[vr]}>" if several else _TYPES[vr]))


def _tag(part: str, name: str, path: str) -> int:
    digits = re.fullmatch(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?", part.strip())
    if digits:
        return int(digits[1] + digits[2], 16)
    tag = tag_for_keyword(part)
    if tag is None:
        raise InputError(
            f"column {name}: {part} in {path} is not a DICOM keyword. Write keywords as PS3.6 does, joined by dots, "
            f"or a tag as (gggg,eeee).{nearest(part, keyword_dict)}"
        )
    return int(tag)


def dictionary_vr(tag: int) -> str:
    """The VR that PS3.6 gives; UN for a private or unknown tag; the first where there is a choice."""
    if tag & 0xFFFF == 0:
        return "UL"  # a group's length
    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "UN"


def is_us_or_ss(tag: int) -> bool:
    """Whether the VR of an element follows PixelRepresentation (PS3.5 section 7.3, note on US or SS)."""
    try:
        return dictionary_VR(tag).startswith("US or SS")
    except KeyError:
        return False


def _allows_several(tag: int) -> bool:
    try:
        return dictionary_VM(tag) != "1"
    except KeyError:
        return False
