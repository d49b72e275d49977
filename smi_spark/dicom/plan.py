"""What the tokeniser looks for: the wanted paths as a tree of tags in arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from pydicom._dicom_dict import DicomDictionary

from smi_spark.dicom.columns import HeaderColumn, dictionary_vr, is_us_or_ss, plan_columns
from smi_spark.dicom.layout import ITEM_CHARSET, NOTHING, XS, vr_code
from smi_spark.dicom.private import creator_of

Numbers = npt.NDArray[np.int64]

# Looked for in every header, whatever columns are wanted. A slot is the number of a path.
CHARSET, STUDY, SERIES, SOP, PIXEL_REPRESENTATION = range(5)
ALWAYS = ((0x00080005,), (0x0020000D,), (0x0020000E,), (0x00080018,), (0x00280103,))


@dataclass(frozen=True)
class Plan:
    """Columns with the slot of each, and the tree.

    ``tree``: children of node n stand at ``first[n]:first[n + 1]`` of the arrays tags (ascending), nodes (the child's
    own node), slots and vrs; NOTHING where there is none. In items SpecificCharacterSet has the slot ITEM_CHARSET.
    ``creators``: the slot of a private element → that of the element beside it that says whose it is. ``as_text``:
    texts are taken unchecked.
    """

    columns: tuple[HeaderColumn, ...]
    slots: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]
    tree: tuple[Numbers, Numbers, Numbers, Numbers, Numbers]
    creators: Mapping[int, int]
    as_text: bool = False


def make_plan(columns: Mapping[str, str] | None, *, as_text: bool = False) -> Plan:
    """The plan for columns as ``read_headers`` is given them."""
    return _make_plan(None if columns is None else tuple(columns.items()), as_text)


@cache
def _make_plan(columns: tuple[tuple[str, str], ...] | None, as_text: bool) -> Plan:
    planned = plan_columns(None if columns is None else dict(columns), as_text=as_text)
    creators = {column.path: creator for column in planned if (creator := creator_of(column.path))}
    paths = tuple(dict.fromkeys([*ALWAYS, *(column.path for column in planned), *creators.values()]))
    slots = {path: slot for slot, path in enumerate(paths)}
    of_slots = {slots[path]: slots[creator] for path, creator in creators.items()}
    return Plan(planned, tuple(slots[c.path] for c in planned), paths, _tree(paths), of_slots, as_text)


@cache
def dictionary() -> tuple[Numbers, Numbers]:
    """Tags of PS3.6 in order, and their VRs."""
    tags = np.array(sorted(DicomDictionary), np.int64)
    vrs = np.array([vr_code(dictionary_vr(int(tag))) for tag in tags], np.int64)
    return tags, vrs


def _implicit_vr(tag: int) -> int:
    """The VR of an element that says none; XS for those that are US or SS after PixelRepresentation."""
    return XS if is_us_or_ss(tag) else vr_code(dictionary_vr(tag))


def _tree(paths: tuple[tuple[int, ...], ...]) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
    inner = sorted({path[:depth] for path in paths for depth in range(len(path))}, key=lambda p: (len(p), p))
    node = {prefix: number for number, prefix in enumerate(inner)}
    slot = {path: number for number, path in enumerate(paths)}
    slot = {(*prefix, *ALWAYS[CHARSET]): ITEM_CHARSET for prefix in inner if prefix} | slot
    first, rows = [0], []
    for prefix in inner:
        depth = len(prefix)
        below = sorted({path[depth] for path in slot if len(path) > depth and path[:depth] == prefix})
        for tag in below:
            child = (*prefix, tag)
            rows.append((tag, node.get(child, NOTHING), slot.get(child, NOTHING), _implicit_vr(tag)))
        first.append(len(rows))
    tags, nodes, slots, vrs = np.array(rows, np.int64).T.copy()
    return np.array(first, np.int64), tags, nodes, slots, vrs
