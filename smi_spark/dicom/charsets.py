"""Text in the charsets of DICOM → UTF-8, where it is more than ASCII.

Source: DICOM PS3.3 C.12.1.1.2 (Specific Character Set), PS3.5 section 6.1, by pydicom's tables.
"""

import codecs
import re
import warnings
from functools import lru_cache

from pydicom.charset import convert_encodings, decode_bytes, default_encoding, python_encoding
from pydicom.valuerep import CUSTOMIZABLE_CHARSET_VR, PN_DELIMS, TEXT_VR_DELIMS

from smi_spark.dicom import layout as at
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.gather import texts_beyond_ascii
from smi_spark.dicom.layout import vr_code
from smi_spark.dicom.plan import Numbers

# What is written for a defined term in files that were seen, by letters and digits alone
_MEANT = {
    **dict.fromkeys(("UTF8", "UNICODE", "UNICODE11UTF8", "UNICODE11", "ISO10646"), "IR192"),
    **dict.fromkeys(("ISO88591", "LATIN1", "ISO885915LATIN1", "CP1252", "WINDOWS1252"), "IR100"),
    **{f"ISO8859{part}": f"IR{term}" for part, term in
       (("2", 101), ("3", 109), ("4", 110), ("5", 144), ("6", 127), ("7", 126), ("8", 138), ("9", 148), ("15", 203))},
    **dict.fromkeys(("ASCII", "USASCII"), "IR6"), "ISO2022GBK": "GBK", "ISO202258": "2022IR58",
}  # fmt: skip
_OUTSIDE = dict.fromkeys(("ISO_IR 203", "ISO 2022 IR 203"), "iso8859_15")  # Latin 9, which pydicom does not know
_CODECS = frozenset(codecs.lookup(name).name for name in python_encoding.values())
_SWITCH = re.compile("\x1b[ -/]+[0-~]")
_PN = vr_code("PN")
_VRS = frozenset(vr_code(str(vr)) for vr in CUSTOMIZABLE_CHARSET_VR)


def recode(arena: Arena, rows: Numbers, places: Numbers, packed: Numbers, charset: tuple[Numbers, Numbers]) -> None:
    """Let the values of a slot at ``rows`` point at the same text in UTF-8.

    ``places`` and ``packed`` hold the values by row, ``charset`` the same of SpecificCharacterSet. A charset that is
    not known, and bytes that it does not have, become what pydicom makes of them.
    """
    for row in rows:
        names = _text(arena, charset[0][row], charset[1][row])
        places[row], packed[row] = _recoded(arena, places[row], packed[row], names)


def recode_spans(arena: Arena, spans: Numbers, charset: tuple[Numbers, Numbers]) -> None:
    """The same for values in items that hold more than ASCII.

    An item's own SpecificCharacterSet stands for it and what is in it, else that of the data set.
    """
    for i in texts_beyond_ascii(arena.content, spans[at.SPAN_PLACE], spans[at.SPAN_PACKED]):
        row, own, size = spans[at.SPAN_ROW, i], spans[at.SPAN_CHARSET, i], spans[at.SPAN_CHARSET_SIZE, i]
        if own == at.NOTHING:
            names = _text(arena, charset[0][row], charset[1][row])
        else:
            names = arena.content[own : own + size].tobytes()
        place, known = _recoded(arena, spans[at.SPAN_PLACE, i], spans[at.SPAN_PACKED, i], names)
        spans[at.SPAN_PLACE, i], spans[at.SPAN_PACKED, i] = place, known


def _recoded(arena: Arena, place: int, packed: int, charset: bytes) -> tuple[int, int]:
    """Where the same text stands in UTF-8, and its length, VR and byte order."""
    vr = (int(packed) >> 1) & 0xFFFF
    names = encodings(charset if vr in _VRS else b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = _utf8(_text(arena, place, packed), names, PN_DELIMS if vr == _PN else TEXT_VR_DELIMS)
    return arena.append(data), (len(data) + 2) << 17 | int(packed) & 0x1FFFF


def _text(arena: Arena, place: int, packed: int) -> bytes:
    """The bytes of a value; none of one that is not there or was left out."""
    return arena.content[place : place + max(0, (int(packed) >> 17) - 2)].tobytes()


@lru_cache(1024)
def encodings(charset: bytes) -> tuple[str, ...]:
    """Python's names for the value of SpecificCharacterSet, misspelled ones too; Latin 1 for what is no charset."""
    names = [_defined_term(name) for name in charset.decode("latin-1").split("\\")]
    if names[0] in _OUTSIDE:
        return (_OUTSIDE[names[0]],)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = tuple(convert_encodings(names))
            # A file may name any codec of Python's; those of DICOM alone are let in.
            return found if {codecs.lookup(name).name for name in found} <= _CODECS else (default_encoding,)
        except (LookupError, ValueError):
            return (default_encoding,)


def _defined_term(name: str) -> str:
    """The defined term that is meant.

    >>> _defined_term("iso-ir_100 "), _defined_term("ISO2022 IR87"), _defined_term("UTF-8")
    ('ISO_IR 100', 'ISO 2022 IR 87', 'ISO_IR 192')
    """
    plain = re.sub(r"[^A-Z0-9]", "", name.upper())
    plain = _MEANT.get(plain, plain)
    found = re.fullmatch(r"(?:ISO)?(2022)?IR(\d+)", plain)
    if found:
        return f"ISO 2022 IR {found[2]}" if found[1] and found[2] != "192" else f"ISO_IR {found[2]}"
    return plain if plain in ("GB18030", "GBK") else name.strip(" \0")


def _utf8(raw: bytes, names: tuple[str, ...], delimiters: set[int]) -> bytes:
    try:
        text = decode_bytes(raw, names, delimiters)
    except (LookupError, ValueError):
        text = raw.decode(default_encoding)
    if len(names) > 1:
        text = _SWITCH.sub("", text)  # codecs leave those that they do not need
    return text.encode("utf-8", "replace")
