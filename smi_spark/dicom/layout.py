"""Where the tokeniser keeps its place: the numbers of ``state[row]`` and ``levels[row, depth]``, and their values."""

import numpy as np

# state[row]
POS, END, FILE, SIZE, DEPTH, STATUS, WANT, TAG, PIECE, PHASE, BIG, SYNTAX = range(12)
GAP, GAPS_END, LEAVE, VR, LENGTH, HEAD, WHAT, CHILD, SLOT, CHILD_VR, FALLBACK = range(12, 23)
STATE_WIDTH = 23
# levels[row, depth]
L_END, L_BOUND, L_KIND, L_NODE, L_CURSOR, L_IMPLICIT, L_FRESH = range(7)
LEVEL_WIDTH = 7
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
LEFT_OUT = -1  # length of a span whose value was left out


def vr_code(vr: str) -> int:
    """Two letters as one number, as they stand in a file."""
    return ord(vr[0]) << 8 | ord(vr[1])


SQ, UN, OW = vr_code("SQ"), vr_code("UN"), vr_code("OW")
_LONG_FORM = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")  # 32-bit lengths
_BINARY = ("AT", "FD", "FL", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SQ", "SS", "SV", "UL", "UN", "US", "UV")
LONG_FORM = np.array([vr_code(vr) for vr in _LONG_FORM], np.int64)
FRAGMENTED = np.array([vr_code("OB"), vr_code("OW")], np.int64)
BINARY = np.array([vr_code(vr) for vr in _BINARY], np.int64)
ITEM_TAG, ITEM_TAG_END, SEQUENCE_TAG_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
DICOMDIR = np.frombuffer(b"1.2.840.10008.1.3.10", np.uint8)
IMPLICIT_UID = np.frombuffer(b"1.2.840.10008.1.2", np.uint8)
BIG_UID = np.frombuffer(b"1.2.840.10008.1.2.2", np.uint8)
DEFLATE_UID = np.frombuffer(b"1.2.840.10008.1.2.1.99", np.uint8)
