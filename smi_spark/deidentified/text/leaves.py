"""The texts in an Arrow column, however deep they stand in lists and structures."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Leaf(NamedTuple):
    """Texts of one place: ``column``, a field behind a dot, and for each text the row that it stands in."""

    column: str
    texts: "pa.Array[Any]"
    rows: "pa.Array[Any]"


def text_leaves(name: str, values: "pa.Array[Any]") -> Iterator[Leaf]:
    """Every text of the column: strings, lists and structures of them at any depth; other types have none."""
    return _leaves(name, values, pa.array(np.arange(len(values))))


def holds_text(kind: pa.DataType) -> bool:
    """Whether a column of that type has texts."""
    if pa.types.is_struct(kind):
        return any(holds_text(field.type) for field in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return holds_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _leaves(name: str, values: Any, rows: "pa.Array[Any]") -> Iterator[Leaf]:
    kind = values.type
    if not holds_text(kind):
        return
    if pa.types.is_struct(kind):
        for place, field in enumerate(kind):
            yield from _leaves(f"{name}.{field.name}", pc.struct_field(values, [place]), rows)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parents = pc.list_parent_indices(values)
        yield from _leaves(name, pc.list_flatten(values), rows.take(parents))
    else:
        yield Leaf(name, values.cast(pa.string()), rows)
