"""The tokeniser: walks headers, element by element, over a buffer that holds many of them. Compiled.

One row a header. Its place is an array of numbers, so that a walk stops wherever bytes are missing and goes on when
they have come: ``state[row]`` holds the fields below, ``levels[:, row]`` the open sequences and items. Containers end
at offsets in the file, never in the buffer: bytes that were stepped over change nothing. No byte outside
``buffer[POS:END]`` of a row is touched, whatever the header says.

``found`` is what a walk finds: ``places`` and ``packed`` by slot and row for values of the data set itself, and three
tables that grow: spans (values in items of sequences), gaps (values left out) and pieces (the bytes that are kept).
Source: DICOM PS3.5 section 7 (data set encoding), PS3.10 section 7 (file meta information).
"""

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import compiled, inner
from smi_spark.dicom.skim import skim
from smi_spark.dicom.syntax import find_start, need, pack, read_element_header, read_meta, vr_index, wrong


@compiled
def walk(buffer, rows, begin, state, levels, plan, dictionary, limits, stored, found):  # type: ignore[no-untyped-def]
    """Walk each of ``rows`` from number ``begin`` on as far as its bytes go.

    Gives how many are done. Fewer than all: a table is full; give it room and call again with that number.
    """
    for i in range(begin, len(rows)):
        if not walk_row(buffer, rows[i], state, levels, plan, dictionary, limits, stored, found):
            return i
    return len(rows)


@inner
def walk_row(buffer, row, state, levels, plan, dictionary, limits, stored, found):  # type: ignore[no-untyped-def]
    """Walk one header as far as its bytes go. False: a table is full; give it room and call again."""
    places, packed, spans, gaps, pieces, counts = found
    s = state[row]
    if s[at.STATUS] == at.RUNNING and s[at.PHASE] == at.START:
        find_start(buffer, s)
    while s[at.STATUS] == at.RUNNING:
        if counts[0] == spans.shape[1] or counts[1] == gaps.shape[1] or counts[2] + 1 >= pieces.shape[1]:
            return False
        level = levels[s[at.DEPTH], row]
        skim(buffer, row, s, level, plan, limits, stored, places, packed)
        if _at_value(buffer, row, s, levels, level, plan, dictionary, limits, stored):
            _value(buffer, row, s, level, limits, dictionary, stored, found)
    if counts[2] == pieces.shape[1]:
        return False
    _keep(row, s, min(s[at.POS], s[at.END]), pieces, counts)
    return True


@inner
def _at_value(buffer, row, s, levels, level, plan, dictionary, limits, stored):  # type: ignore[no-untyped-def]
    """Whether a value follows here; sequences, items and their ends are taken on the way."""
    if not _here(buffer, s, level) or not read_element_header(buffer, s, level):
        return False
    if level[at.L_KIND] == at.ITEM:
        if _is_delimiter(s, level):
            return False
        _find(s, level, plan)
        return not _stops(s) and not _opens(row, s, levels, level, limits, dictionary, stored)
    if s[at.TAG] == at.SEQUENCE_TAG_END:
        _close(s, 8)
        return False
    if s[at.TAG] != at.ITEM_TAG or (level[at.L_KIND] == at.FRAGMENTS and s[at.LENGTH] == at.UNDEFINED):
        return wrong(s, at.W_NO_ITEM)
    if level[at.L_KIND] == at.SEQUENCE:
        _open(row, s, levels, level, at.ITEM, s[at.LENGTH], level[at.L_NODE])
        return False
    return True


@inner
def _keep(row, s, to, pieces, counts):  # type: ignore[no-untyped-def]
    """Note the bytes from the last piece to ``to`` as part of the stored header."""
    if s[at.LEAVE] >= 0 and to > s[at.PIECE]:
        pieces[0, counts[2]] = row
        pieces[1, counts[2]] = s[at.PIECE]
        pieces[2, counts[2]] = to - s[at.PIECE]
        counts[2] += 1
    s[at.PIECE] = max(s[at.PIECE], to)


@inner
def _here(buffer, s, level):  # type: ignore[no-untyped-def]
    """Whether an element may begin here: containers that end here are closed, and 8 bytes are at hand."""
    left = level[at.L_END] - s[at.FILE] if level[at.L_END] != at.NOTHING else level[at.L_BOUND] - s[at.FILE]
    if left >= 8:
        return need(s, 8)
    if level[at.L_END] != at.NOTHING and left == 0:
        if s[at.DEPTH] == 0:
            s[at.STATUS] = at.DONE
        else:
            s[at.DEPTH] -= 1
        return False
    if s[at.DEPTH] == 0:
        if need(s, left):
            s[at.STATUS] = at.DONE if _only_zeros(buffer, s, left) else at.CUT
    elif level[at.L_BOUND] >= s[at.SIZE] and level[at.L_END] == at.NOTHING:
        s[at.STATUS] = at.CUT
    else:
        wrong(s, at.W_UNENDED)
    return False


@inner
def _only_zeros(buffer, s, left):  # type: ignore[no-untyped-def]
    for i in range(s[at.POS], s[at.POS] + left):  # noqa: SIM110
        if buffer[i] != 0:
            return False
    return True


@inner
def _is_delimiter(s, level):  # type: ignore[no-untyped-def]
    """Whether a delimiter stood here, and was taken. A stray one outside all sequences is stepped over."""
    if s[at.TAG] >> 16 != 0xFFFE:
        return False
    if s[at.DEPTH] == 0 or (s[at.TAG] == at.ITEM_TAG_END and level[at.L_END] != at.NOTHING):
        s[at.POS] += 8
        s[at.FILE] += 8
    elif s[at.TAG] == at.ITEM_TAG_END:
        _close(s, 8)
    else:
        wrong(s, at.W_STRAY)
    return True


@inner
def _close(s, head):  # type: ignore[no-untyped-def]
    s[at.POS] += head
    s[at.FILE] += head
    s[at.DEPTH] -= 1


@inner
def _open(row, s, levels, level, kind, length, node):  # type: ignore[no-untyped-def]
    """Go down into a sequence or an item that begins behind the header just read."""
    start = s[at.FILE] + s[at.HEAD]
    end = at.NOTHING if length == at.UNDEFINED else start + length
    if end > level[at.L_BOUND]:
        if end > s[at.SIZE] and s[at.FALLBACK] == 0:
            s[at.STATUS] = at.CUT
        else:
            wrong(s, at.W_OVERRUN)
        return
    if s[at.DEPTH] + 1 >= at.MAX_DEPTH:
        wrong(s, at.W_DEEP)
        return
    s[at.POS] += s[at.HEAD]
    s[at.FILE] = start
    s[at.DEPTH] += 1
    inner = levels[s[at.DEPTH], row]
    inner[at.L_END] = end
    inner[at.L_BOUND] = level[at.L_BOUND] if end == at.NOTHING else end
    inner[at.L_KIND] = kind
    inner[at.L_NODE] = node
    inner[at.L_CURSOR] = 0
    inner[at.L_IMPLICIT] = level[at.L_IMPLICIT]
    inner[at.L_FRESH] = 1 if kind == at.ITEM else 0
    inner[at.L_CHARSET] = level[at.L_CHARSET]
    inner[at.L_CHARSET_SIZE] = level[at.L_CHARSET_SIZE]


@inner
def _find(s, level, plan):  # type: ignore[no-untyped-def]
    """Look the tag up among those wanted at this level. Tags ascend, so the cursor seldom goes back."""
    first, tags, nodes, slots, vrs = plan
    s[at.CHILD] = at.NOTHING
    s[at.SLOT] = at.NOTHING
    node = level[at.L_NODE]
    if node == at.NOTHING:
        return
    start, stop = first[node], first[node + 1]
    i = max(level[at.L_CURSOR], start)
    if i > start and tags[i - 1] >= s[at.TAG]:
        i = start
    while i < stop and tags[i] < s[at.TAG]:
        i += 1
    level[at.L_CURSOR] = i
    if i < stop and tags[i] == s[at.TAG]:
        s[at.CHILD] = nodes[i]
        s[at.SLOT] = slots[i]
        s[at.CHILD_VR] = vrs[i]


@inner
def _stops(s):  # type: ignore[no-untyped-def]
    """Whether the header ends here: pixel data, or a DICOMDIR."""
    if s[at.DEPTH] != 0 or s[at.TAG] < 0x7FE00008 or s[at.TAG] > 0x7FE00010:
        return False
    if s[at.TAG] != 0x7FE00008 and s[at.TAG] != 0x7FE00009 and s[at.TAG] != 0x7FE00010:
        return False
    length = 8 if s[at.LENGTH] == at.UNDEFINED else s[at.LENGTH]
    s[at.STATUS] = at.PIXELS_CUT if s[at.FILE] + s[at.HEAD] + length > s[at.SIZE] else at.DONE
    return True


@inner
def _opens(row, s, levels, level, limits, dictionary, stored):  # type: ignore[no-untyped-def]
    """Whether the element is a sequence (or fragments) that has been gone down into.

    A short sequence of defined length in which nothing is wanted is taken like any value.
    """
    if (
        s[at.LENGTH] != at.UNDEFINED
        and s[at.LENGTH] <= limits[2]
        and s[at.CHILD] == at.NOTHING
        and (s[at.SLOT] == at.NOTHING or s[at.VR] != at.SQ)
        and not _holds_gap(s, stored)
    ):
        return False
    vr = s[at.VR]
    if vr == 0 or vr == at.UN:
        known = at.SQ if s[at.CHILD] != at.NOTHING else _dictionary_vr(s[at.TAG], dictionary)
        if s[at.LENGTH] == at.UNDEFINED:
            vr = known if _fragmented(known) else at.SQ
        elif vr == 0 or s[at.CHILD] != at.NOTHING:
            vr = known
    if s[at.LENGTH] != at.UNDEFINED:
        if vr == at.SQ and s[at.LENGTH] > 0:
            _open(row, s, levels, level, at.SEQUENCE, s[at.LENGTH], s[at.CHILD])
            return True
        return False
    if vr == at.SQ:
        _open(row, s, levels, level, at.SEQUENCE, at.UNDEFINED, s[at.CHILD])
    elif _fragmented(vr):
        _open(row, s, levels, level, at.FRAGMENTS, at.UNDEFINED, at.NOTHING)
    else:
        wrong(s, at.W_UNDEFINED)
    return True


@inner
def _fragmented(vr):  # type: ignore[no-untyped-def]
    """Whether a value of undefined length comes in fragments."""
    return vr in (at.OB, at.OW)


@inner
def _holds_gap(s, stored):  # type: ignore[no-untyped-def]
    """Whether a value within this element was left out of the stored header."""
    return s[at.GAP] < s[at.GAPS_END] and stored[0, s[at.GAP]] < s[at.FILE] + s[at.HEAD] + s[at.LENGTH]


@inner
def _dictionary_vr(tag, dictionary):  # type: ignore[no-untyped-def]
    """The VR that PS3.6 gives a tag; UN for one that it does not know."""
    tags, vrs = dictionary
    low, high = 0, len(tags)
    while low < high:
        middle = (low + high) // 2
        if tags[middle] < tag:
            low = middle + 1
        else:
            high = middle
    if low < len(tags) and tags[low] == tag:
        return vrs[low]
    group = tag >> 16
    return at.OW if 0x5000 <= group <= 0x60FF and group & 1 == 0 and tag & 0xFFFF == 0x3000 else at.UN


@inner
def _limit(s, level, limits, dictionary):  # type: ignore[no-untyped-def]
    """The longest value of this VR that is kept."""
    if level[at.L_KIND] == at.FRAGMENTS:
        return limits[0]
    vr = s[at.VR] if s[at.VR] != 0 and s[at.VR] != at.UN else _dictionary_vr(s[at.TAG], dictionary)
    return limits[0] if at.VR_KIND[vr_index(vr)] & at.IS_BINARY else limits[1]


@inner
def _value(buffer, row, s, level, limits, dictionary, stored, found):  # type: ignore[no-untyped-def]
    """Take one value: note its place where a column wants it, and leave it out where it is long."""
    if level[at.L_KIND] != at.ITEM:
        s[at.SLOT] = at.NOTHING
    total = s[at.HEAD] + s[at.LENGTH]
    if s[at.FILE] + total > level[at.L_BOUND]:
        if s[at.FILE] + total > s[at.SIZE] and s[at.FALLBACK] == 0:
            s[at.STATUS] = at.CUT
        else:
            wrong(s, at.W_NO_VR if s[at.FALLBACK] == 1 else at.W_OVERRUN)
        return
    if s[at.GAP] < s[at.GAPS_END] and stored[0, s[at.GAP]] == s[at.FILE] + s[at.HEAD]:
        s[at.GAP] += 1
        if stored[1, s[at.GAP] - 1] != s[at.LENGTH]:
            wrong(s, at.W_OVERRUN)
            return
        _note(row, s, level, at.LEFT_OUT, found)
        s[at.POS] += s[at.HEAD]
        s[at.FILE] += total
        return
    if (
        s[at.LEAVE] == 1
        and s[at.LENGTH] > min(limits[0], limits[1])
        and s[at.LENGTH] > _limit(s, level, limits, dictionary)
    ):
        _leave_out(row, s, level, found)
        return
    if not need(s, total):
        return
    if s[at.PHASE] == at.META:
        read_meta(buffer, s)
    _note(row, s, level, s[at.LENGTH], found)
    s[at.POS] += total
    s[at.FILE] += total


@inner
def _note(row, s, level, length, found):  # type: ignore[no-untyped-def]
    """Note a wanted value. Of several in the data set itself the first stands; items may each have one."""
    slot = s[at.SLOT]
    if slot == at.NOTHING:
        return
    places, packed, spans, _, _, counts = found
    place = s[at.POS] + s[at.HEAD]
    known = pack(length, s[at.CHILD_VR] if s[at.VR] == 0 or s[at.VR] == at.UN else s[at.VR], s[at.BIG])
    if s[at.DEPTH] == 0:
        if packed[slot, row] == 0:
            places[slot, row] = place
            packed[slot, row] = known
        return
    if s[at.TAG] == 0x00080005:
        level[at.L_CHARSET] = place
        level[at.L_CHARSET_SIZE] = max(length, 0)
        if slot == at.ITEM_CHARSET:
            return
    i = counts[0]
    spans[at.SPAN_SLOT, i] = slot
    spans[at.SPAN_ROW, i] = row
    spans[at.SPAN_PLACE, i] = place
    spans[at.SPAN_PACKED, i] = known
    spans[at.SPAN_CHARSET, i] = level[at.L_CHARSET]
    spans[at.SPAN_CHARSET_SIZE, i] = level[at.L_CHARSET_SIZE]
    counts[0] += 1


@inner
def _leave_out(row, s, level, found):  # type: ignore[no-untyped-def]
    """Step over a long value: its header is kept, its bytes are not read."""
    _, _, _, gaps, pieces, counts = found
    _note(row, s, level, at.LEFT_OUT, found)
    i = counts[1]
    gaps[0, i] = row
    gaps[1, i] = s[at.TAG]
    gaps[2, i] = s[at.FILE] + s[at.HEAD]
    gaps[3, i] = s[at.LENGTH]
    counts[1] += 1
    _keep(row, s, s[at.POS] + s[at.HEAD], pieces, counts)
    s[at.POS] += s[at.HEAD] + s[at.LENGTH]
    s[at.FILE] += s[at.HEAD] + s[at.LENGTH]
    s[at.PIECE] = s[at.POS]
