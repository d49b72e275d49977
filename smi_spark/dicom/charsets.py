"""Text in the charsets of DICOM → UTF-8, where it is more than ASCII.

Source: DICOM PS3.3 C.12.1.1.2 (Specific Character Set), PS3.5 section 6.1, by pydicom's tables.
"""

import codecs
import warnings
from functools import lru_cache

from pydicom.charset import convert_encodings, decode_bytes, default_encoding, python_encoding
from pydicom.valuerep import CUSTOMIZABLE_CHARSET_VR, TEXT_VR_DELIMS

from smi_spark.dicom.arena import Arena
from smi_spark.dicom.gather import beyond_ascii
from smi_spark.dicom.layout import vr_code
from smi_spark.dicom.plan import CHARSET, Numbers

_CODECS = frozenset(codecs.lookup(name).name for name in python_encoding.values())
_VRS = frozenset(vr_code(str(vr)) for vr in CUSTOMIZABLE_CHARSET_VR)


def recode(arena: Arena, spans: Numbers, starts: Numbers, slots: set[int]) -> None:
    """Let the spans of ``slots`` that hold more than ASCII point at the same text in UTF-8.

    A charset that is not known, and bytes that it does not have, become what pydicom makes of them.
    """
    found = [i for slot in slots for i in _beyond_ascii(arena, spans, starts, slot)]
    if not found:
        return
    charsets = {
        int(spans[1, i]): _bytes(arena, spans, i) for i in reversed(range(starts[CHARSET], starts[CHARSET + 1]))
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in found:
            charset = charsets.get(int(spans[1, i]), b"") if int(spans[4, i]) in _VRS else b""
            data = _utf8(_bytes(arena, spans, i), encodings(charset))
            spans[2, i], spans[3, i] = arena.append(data), len(data)


def _beyond_ascii(arena: Arena, spans: Numbers, starts: Numbers, slot: int) -> list[int]:
    found, count = beyond_ascii(arena.content, spans, starts[slot], starts[slot + 1])
    return [int(i) for i in found[:count]]


@lru_cache(1024)
def encodings(charset: bytes) -> tuple[str, ...]:
    """Python's names for the value of SpecificCharacterSet, misspelled ones too; Latin 1 for what is no charset."""
    names = [name.strip(" \0") for name in charset.decode("latin-1").split("\\")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = tuple(convert_encodings(names))
            # A file may name any codec of Python's; those of DICOM alone are let in.
            return found if {codecs.lookup(name).name for name in found} <= _CODECS else (default_encoding,)
        except (LookupError, ValueError):
            return (default_encoding,)


def _utf8(raw: bytes, names: tuple[str, ...]) -> bytes:
    try:
        text = decode_bytes(raw, names, TEXT_VR_DELIMS)
    except (LookupError, ValueError):
        text = raw.decode(default_encoding)
    return text.encode("utf-8", "replace")


def _bytes(arena: Arena, spans: Numbers, i: int) -> bytes:
    place, length = int(spans[2, i]), max(0, int(spans[3, i]))
    return arena.content[place : place + length].tobytes()
