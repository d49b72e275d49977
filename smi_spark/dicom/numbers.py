"""Binary numbers and attribute tags that a column holds as text, which private elements often are.

Source: DICOM PS3.5 section 6.2 (value representations).
"""

from typing import Any

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.columns import written
from smi_spark.dicom.plan import Numbers

_TYPES = {"US": "u2", "SS": "i2", "UL": "u4", "SL": "i4", "UV": "u8", "SV": "i8", "FL": "f4", "FD": "f8", "AT": "u2"}
_TYPE_OF = {at.vr_code(vr): kind for vr, kind in _TYPES.items()}
_CODES = np.array(sorted(_TYPE_OF), np.int64)


def numbers_among(packed: Numbers) -> Numbers:
    """Which values are binary numbers or tags."""
    return np.flatnonzero(np.isin((packed >> 1) & 0xFFFF, _CODES))


def write_numbers(arena: Arena, places: Numbers, packed: Numbers, rows: Numbers) -> bool:
    """Let those of ``rows`` that are binary numbers or tags point at the same as text: as Python writes numbers, tags
    as ``(gggg,eeee)``, several joined by backslashes. Whatever else stays as it is. Whether there was any.
    """
    done = False
    for row in rows:
        vr, length = int(packed[row] >> 1) & 0xFFFF, (int(packed[row]) >> 17) - 2
        kind = _TYPE_OF.get(vr)
        width = 4 if vr == at.AT else int(kind[1]) if kind else 0
        if kind is None or length <= 0 or length % width:
            continue
        content = arena.content[places[row] : places[row] + length]
        numbers: list[Any] = content.view((">" if packed[row] & 1 else "<") + kind).tolist()
        if vr == at.AT:
            numbers = [written(group << 16 | one) for group, one in zip(numbers[::2], numbers[1::2], strict=True)]
        data = "\\".join(map(str, numbers)).encode()
        places[row], packed[row] = arena.append(data), (len(data) + 2) << 17 | at.CS << 1
        done = True
    return done
