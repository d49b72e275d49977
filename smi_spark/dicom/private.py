"""Private elements whose VR the file does not say: it follows from their creator, where pydicom's list knows it.

Source: DICOM PS3.5 section 7.8 (private data elements), by pydicom's dictionary of private elements.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.datadict import private_dictionary_VR

from smi_spark.dicom import layout as at

_NOT_SAID = np.array([0, at.UN])
_PLACES = 40  # bits of a place: no batch holds a terabyte
_WITHOUT_COLUMN = ("SQ", "OB", "OD", "OF", "OL", "OV", "OW")


def creator_of(path: tuple[int, ...]) -> tuple[int, ...] | None:
    """The path of the element that says whose the private element at ``path`` is; none for other elements.

    >>> [f"{tag:08X}" for tag in creator_of((0x00191002,)) or ()]
    ['00190010']
    """
    group, element = path[-1] >> 16, path[-1] & 0xFFFF
    return (*path[:-1], group << 16 | element >> 8) if group & 1 and element >= 0x1000 else None


def name_vrs(
    content: Any,
    tag: int,
    packed: npt.NDArray[np.int64],
    creators: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> None:
    """Put the VR into those of ``packed`` that lack it. ``creators``: place and packed number of each one's creator."""
    for i in np.flatnonzero((packed != 0) & np.isin((packed >> 1) & 0xFFFF, _NOT_SAID)):
        place, length = int(creators[0][i]), (int(creators[1][i]) >> 17) - 2
        vr = _known_vr(tag, content[place : place + max(length, 0)].tobytes())
        if vr:
            packed[i] = packed[i] & ~(0xFFFF << 1) | vr << 1


def nearest_before(
    rows: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    of_rows: npt.NDArray[np.int64],
    of_places: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """For each value, by row and place, the last of the other values that stands before it in its row; -1 for none.

    There is at least one of the others, and they are sorted by row and, within it, place.
    """
    found = np.searchsorted(of_rows << _PLACES | of_places, rows << _PLACES | places) - 1
    return np.where((found >= 0) & (of_rows[np.maximum(found, 0)] == rows), found, -1)


@lru_cache(4096)
def _known_vr(tag: int, creator: bytes) -> int:
    try:
        vr = private_dictionary_VR(tag, creator.decode("latin-1").strip(" \0"))[:2]
    except KeyError:
        return 0
    return 0 if vr in _WITHOUT_COLUMN else at.vr_code(vr)
