"""How an element begins: file meta, transfer syntaxes, tags, VRs and lengths as they stand in bytes. Compiled.

Source: DICOM PS3.5 sections 6.2 and 7.1, PS3.10 section 7.1.
"""

import numpy as np

from smi_spark.dicom import layout as at
from smi_spark.dicom.compiled import inner


@inner
def wrong(s, what):  # type: ignore[no-untyped-def]
    s[at.STATUS] = at.MALFORMED
    s[at.WHAT] = what
    return False


@inner
def need(s, count):  # type: ignore[no-untyped-def]
    """Whether ``count`` bytes are at hand; else the state says that more are needed, or that there are no more."""
    if s[at.END] - s[at.POS] >= count:
        return True
    if s[at.FILE] + count > s[at.SIZE]:
        s[at.STATUS] = at.CUT
    else:
        s[at.STATUS] = at.MORE
        s[at.WANT] = count
    return False


@inner
def find_start(buffer, s):  # type: ignore[no-untyped-def]
    """Find the first element: behind preamble and DICM, or at the start where something like one stands."""
    p = s[at.POS]
    have = s[at.END] - p
    if (
        have >= 132
        and buffer[p + 128] == 68
        and buffer[p + 129] == 73
        and buffer[p + 130] == 67
        and buffer[p + 131] == 77
    ):
        s[at.POS] += 132
        s[at.FILE] += 132
        s[at.PHASE] = at.META
    elif have >= 8 and _like_an_element(buffer, p):
        s[at.PHASE] = at.META
    else:
        s[at.STATUS] = at.NOT_DICOM


@inner
def _like_an_element(buffer, p):  # type: ignore[no-untyped-def]
    group = _u16(buffer, p, False)
    if group == 2 or group == 8 or group == 0x0800:
        if _letter(buffer[p + 4]) and _letter(buffer[p + 5]):
            return True
        return group == 8 and buffer[p + 3] <= 1 and _u32(buffer, p + 4, False) <= 64
    return False


@inner
def _letter(byte):  # type: ignore[no-untyped-def]
    return byte >= 65 and byte <= 90


@inner
def _u16(buffer, p, big):  # type: ignore[no-untyped-def]
    if big:
        return np.int64(buffer[p]) << 8 | np.int64(buffer[p + 1])
    return np.int64(buffer[p]) | np.int64(buffer[p + 1]) << 8


@inner
def _u32(buffer, p, big):  # type: ignore[no-untyped-def]
    if big:
        return _u16(buffer, p, True) << 16 | _u16(buffer, p + 2, True)
    return _u16(buffer, p, False) | _u16(buffer, p + 2, False) << 16


@inner
def read_element_header(buffer, s, level):  # type: ignore[no-untyped-def]
    """Tag, VR (0 where the file gives none), length and size of the header of the element that begins here."""
    if s[at.PHASE] == at.META and not _still_meta(buffer, s, level):
        return False
    p = s[at.POS]
    big = s[at.BIG] == 1
    s[at.TAG] = _u16(buffer, p, big) << 16 | _u16(buffer, p + 2, big)
    s[at.HEAD] = 8
    s[at.VR] = 0
    s[at.FALLBACK] = 0
    if level[at.L_KIND] != at.ITEM or s[at.TAG] >> 16 == 0xFFFE:
        s[at.LENGTH] = _u32(buffer, p + 4, big)
        return True
    letters = _letter(buffer[p + 4]) and _letter(buffer[p + 5])
    if level[at.L_FRESH] == 1:
        # Items may be implicit within explicit data; and transfer syntaxes lie, so the first element decides.
        level[at.L_FRESH] = 0
        if not letters:
            level[at.L_IMPLICIT] = 1
        elif s[at.DEPTH] == 0:
            level[at.L_IMPLICIT] = 0
    if level[at.L_IMPLICIT] == 1 or not letters:
        s[at.FALLBACK] = 1 - level[at.L_IMPLICIT]
        s[at.LENGTH] = _u32(buffer, p + 4, big)
        return True
    s[at.VR] = np.int64(buffer[p + 4]) << 8 | np.int64(buffer[p + 5])
    if at.VR_KIND[vr_index(s[at.VR])] & at.IS_LONG == 0:
        s[at.LENGTH] = _u16(buffer, p + 6, big)
        return True
    if not need(s, 12):
        return False
    s[at.HEAD] = 12
    s[at.LENGTH] = _u32(buffer, p + 8, big)
    return True


@inner
def vr_index(vr):  # type: ignore[no-untyped-def]
    """The place of a VR in the tables of ``layout``."""
    return (vr >> 3) & 0x3E0 | vr & 31


@inner
def pack(length, vr, big):  # type: ignore[no-untyped-def]
    """Length, VR and byte order of a value found as one number; 0 is none of them."""
    return (length + 2) << 17 | vr << 1 | big


@inner
def packed_length(packed):  # type: ignore[no-untyped-def]
    return (packed >> 17) - 2


@inner
def packed_vr(packed):  # type: ignore[no-untyped-def]
    return (packed >> 1) & 0xFFFF


@inner
def _still_meta(buffer, s, level):  # type: ignore[no-untyped-def]
    """Whether the file meta goes on; where it ends, the data set's encoding is settled."""
    p = s[at.POS]
    group = _u16(buffer, p, False)
    if group == 2:
        return True
    s[at.PHASE] = at.DATASET
    level[at.L_FRESH] = 1
    if s[at.SYNTAX] == at.UNKNOWN:
        explicit = _letter(buffer[p + 4]) and _letter(buffer[p + 5])
        s[at.BIG] = 1 if explicit and group >= 1024 else 0
    else:
        s[at.BIG] = 1 if s[at.SYNTAX] == at.EXPLICIT_BE else 0
        level[at.L_IMPLICIT] = 1 if s[at.SYNTAX] == at.IMPLICIT_LE else 0
    if s[at.SYNTAX] == at.DEFLATED_LE:
        s[at.STATUS] = at.DEFLATED
        return False
    return True


@inner
def read_meta(buffer, s):  # type: ignore[no-untyped-def]
    """What the file meta says of the file: its transfer syntax, and whether it is a DICOMDIR."""
    p = s[at.POS] + s[at.HEAD]
    if s[at.TAG] == 0x00020002 and _is_uid(buffer, p, s[at.LENGTH], at.DICOMDIR):
        s[at.STATUS] = at.DIRECTORY
    if s[at.TAG] == 0x00020010:
        if _is_uid(buffer, p, s[at.LENGTH], at.IMPLICIT_UID):
            s[at.SYNTAX] = at.IMPLICIT_LE
        elif _is_uid(buffer, p, s[at.LENGTH], at.BIG_UID):
            s[at.SYNTAX] = at.EXPLICIT_BE
        elif _is_uid(buffer, p, s[at.LENGTH], at.DEFLATE_UID):
            s[at.SYNTAX] = at.DEFLATED_LE
        elif s[at.LENGTH] > 0:
            s[at.SYNTAX] = at.EXPLICIT_LE


@inner
def _is_uid(buffer, p, length, uid):  # type: ignore[no-untyped-def]
    """Whether the value is this UID, padded or not."""
    if length < len(uid):
        return False
    for i in range(length):
        if i < len(uid):
            if buffer[p + i] != uid[i]:
                return False
        elif buffer[p + i] != 0 and buffer[p + i] != 32:
            return False
    return True
