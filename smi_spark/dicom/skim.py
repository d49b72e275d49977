"""The quick way through plain elements: skipped, or noted for their column, without the general walk. Compiled.

Nearly all elements of nearly all headers are plain: little endian, whole at hand, short, and no sequence that has to
be gone down into. What is not plain ends the run, and the walk looks at it.
"""

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import inner
from smi_spark.dicom.eights import eight_bytes
from smi_spark.dicom.syntax import pack, vr_index

_PAST_ALL = 1 << 40


@inner
def skim(buffer, row, s, level, plan, limits, stored, places, packed):  # type: ignore[no-untyped-def]
    """Take the plain elements that follow in this data set or item."""
    if level[at.L_KIND] != at.ITEM or level[at.L_FRESH] == 1 or s[at.BIG] == 1:
        return
    first, tags, nodes, slots, vrs = plan
    top = s[at.DEPTH] == 0
    meta = s[at.PHASE] == at.META
    keep = min(limits[0], limits[1])
    implicit = level[at.L_IMPLICIT] == 1
    pos = begin = s[at.POS]
    stop = _stop(s, level, stored)
    node = level[at.L_NODE]
    start = end = cursor = 0
    if node != at.NOTHING:
        start, end = first[node], first[node + 1]
        cursor = max(level[at.L_CURSOR], start)
    before, want = _around(tags, cursor, start, end)
    while pos + 12 <= stop:
        header = eight_bytes(buffer, pos)
        tag = (header & 0xFFFF) << 16 | (header >> 16) & 0xFFFF
        if tag >= 0x7FE00000 or (meta and (tag >> 16 != 2 or tag == 0x00020002 or tag == 0x00020010)):
            break
        vr, head, length = 0, 8, (header >> 32) & 0xFFFFFFFF
        if not implicit:
            vr = (length & 0xFF) << 8 | (length >> 8) & 0xFF
            kind = at.VR_KIND[vr_index(vr)] if vr & 0xE0E0 == 0x4040 else 0
            if kind == 0:
                break
            length >>= 16
            if kind & at.IS_LONG:
                head, length = 12, eight_bytes(buffer, pos + 4) >> 32 & 0xFFFFFFFF
        after = pos + head + length
        if length > limits[2] or after > stop:
            break
        if tag <= before or tag >= want:
            cursor = _seek(tags, tag, cursor, start, end)
            before, want = _around(tags, cursor, start, end)
            if tag == want:
                if not top or length > keep or nodes[cursor] != at.NOTHING or vr == at.SQ:
                    break
                slot = slots[cursor]
                if packed[slot, row] == 0:
                    places[slot, row] = pos + head
                    packed[slot, row] = pack(length, vrs[cursor] if vr == 0 or vr == at.UN else vr, 0)
        pos = after
    level[at.L_CURSOR] = cursor
    s[at.POS] = pos
    s[at.FILE] += pos - begin


@inner
def _stop(s, level, stored):  # type: ignore[no-untyped-def]
    """Where in the buffer the bytes at hand, the data set or item, or the bytes before the next gap end."""
    ahead = level[at.L_END] if level[at.L_END] != at.NOTHING else level[at.L_BOUND]
    if s[at.GAP] < s[at.GAPS_END]:
        ahead = min(ahead, stored[0, s[at.GAP]])
    return min(s[at.END], s[at.POS] + ahead - s[at.FILE])


@inner
def _around(tags, cursor, start, end):  # type: ignore[no-untyped-def]
    """The wanted tag before the cursor, and the one at it."""
    before = tags[cursor - 1] if cursor > start else -1
    return before, tags[cursor] if cursor < end else _PAST_ALL


@inner
def _seek(tags, tag, cursor, start, end):  # type: ignore[no-untyped-def]
    """The first wanted tag that is not less. Tags ascend, so the cursor seldom goes back."""
    if cursor > start and tags[cursor - 1] >= tag:
        cursor = start
    while cursor < end and tags[cursor] < tag:
        cursor += 1
    return cursor
