"""Where the tokeniser keeps its place: the numbers of ``state[row]`` and ``levels[depth, row]``, and their values."""

from string import ascii_uppercase
from typing import Any

import numpy as np

# state[row]
POS, END, FILE, SIZE, DEPTH, STATUS, WANT, TAG, PIECE, PHASE, BIG, SYNTAX = range(12)
GAP, GAPS_END, LEAVE, VR, LENGTH, HEAD, WHAT, CHILD, SLOT, CHILD_VR, FALLBACK = range(12, 23)
STATE_WIDTH = 23
# levels[depth, row]
L_END, L_BOUND, L_KIND, L_NODE, L_CURSOR, L_IMPLICIT, L_FRESH, L_CHARSET, L_CHARSET_SIZE = range(9)
LEVEL_WIDTH = 9
MAX_DEPTH = 128
ITEM, SEQUENCE, FRAGMENTS = 0, 1, 2
# STATUS
RUNNING, MORE, DONE, CUT, MALFORMED, NOT_DICOM, DIRECTORY, DEFLATED, PIXELS_CUT = range(9)
# PHASE
START, META, DATASET = range(3)
# SYNTAX
UNKNOWN, IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE = range(5)
# WHAT was wrong
W_NONE, W_NO_VR, W_OVERRUN, W_DEEP, W_NO_ITEM, W_UNENDED, W_STRAY, W_UNDEFINED = range(8)

UNDEFINED = 0xFFFFFFFF
NOTHING = -1
NO_LIMIT = 1 << 62
ITEM_CHARSET = -2  # slot of SpecificCharacterSet within an item
LEFT_OUT = -1  # length of a value that was left out

# spans[field, number]: values found in items of sequences, several of one path a row
SPAN_SLOT, SPAN_ROW, SPAN_PLACE, SPAN_PACKED, SPAN_CHARSET, SPAN_CHARSET_SIZE = range(6)
SPAN_WIDTH = 6


def vr_code(vr: str) -> int:
    """Two letters as one number, as they stand in a file."""
    return ord(vr[0]) << 8 | ord(vr[1])


SQ, UN, OB, OW, AT, CS, US, SS = (vr_code(vr) for vr in ("SQ", "UN", "OB", "OW", "AT", "CS", "US", "SS"))
XS = vr_code("XS")  # US or SS: not settled yet
LONG_FORM = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")  # 32-bit lengths
BINARY = ("AT", "FD", "FL", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SQ", "SS", "SV", "UL", "UN", "US", "UV")


def vr_table(*kinds: tuple[int, tuple[str, ...]]) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Numbers by ``vr_index``: for each of ``kinds`` its number at its VRs, added up."""
    table = np.zeros(1024, np.uint8)
    for number, vrs in kinds:
        for vr in vrs:
            table[vr_index(vr_code(vr))] += number
    return table


def vr_index(vr: int) -> int:
    """The place of a VR of two capital letters in a table of 1024."""
    return (vr >> 3) & 0x3E0 | vr & 31


# What VR_KIND says of a VR: two capital letters, 32-bit length, binary value
IS_VR, IS_LONG, IS_BINARY = 1, 2, 4
_ALL = tuple(a + b for a in ascii_uppercase for b in ascii_uppercase)
VR_KIND = vr_table((IS_VR, _ALL), (IS_LONG, LONG_FORM), (IS_BINARY, BINARY))
ITEM_TAG, ITEM_TAG_END, SEQUENCE_TAG_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
DICOMDIR = np.frombuffer(b"1.2.840.10008.1.3.10", np.uint8)
IMPLICIT_UID = np.frombuffer(b"1.2.840.10008.1.2", np.uint8)
BIG_UID = np.frombuffer(b"1.2.840.10008.1.2.2", np.uint8)
DEFLATE_UID = np.frombuffer(b"1.2.840.10008.1.2.1.99", np.uint8)
