"""Private blocks (PS3.5 section 7.8): creators, values of many kinds, the makers' large blobs; names leak into them."""

import random
from functools import cache

from pydicom.datadict import private_dictionary_VR

from smi_spark.synthetic.encoding import Element, Elements
from smi_spark.synthetic.series import Content, Series
from smi_spark.synthetic.studies import Study

BLOB_SIZES = (9_216, 61_440)  # over the keep limit of binary values, 4 KiB
PADDING = (8, 3_000)  # many values below the limit in a header longer than 16 KiB
_WORDS = ("NORMAL", "RAW", "1.0", "HEAD_A1", "SENSE", "")


_VRS = ("LO", "LO", "SH", "IS", "DS", "SL", "US", "FD", "OB")  # of values whose maker does not say


def private_elements(study: Study, series: Series, rng: random.Random) -> Elements:
    """The scanner's private blocks; a value of each holds the patient's name."""
    blocks = _Blocks()
    for group, creator, count in study.scanner.private:
        for offset in range(1, count):
            vr = _known_vr(group, creator, offset) or rng.choice(_VRS)
            value = _value(vr, rng)
            if value is not None:
                blocks.add(group, creator, offset, Element(vr, value))
        blocks.add(group, creator, 0xFE, Element("LO", f"{study.person.surname} {study.accession}"))
    if has_blobs(study):
        for offset, size in zip((0x10, 0x20), BLOB_SIZES, strict=True):
            blocks.add(0x0029, "SIEMENS CSA HEADER", offset, Element("OB", _blob(study, size, rng)))
    if has_padding(study) and series.content is Content.IMAGES:
        for offset in range(PADDING[0]):
            blocks.add(0x2005, "Philips MR Imaging DD 005", 0xE0 + offset, Element("OB", rng.randbytes(PADDING[1])))
    return blocks.elements


class _Blocks:
    """Private elements in blocks that their creators reserve, from 10 on in each group."""

    def __init__(self) -> None:
        self.elements: Elements = {}
        self._reserved: dict[tuple[int, str], int] = {}

    def add(self, group: int, creator: str, offset: int, element: Element) -> None:
        if (group, creator) not in self._reserved:
            block = 0x10 + sum(of == group for of, _ in self._reserved)
            self._reserved[group, creator] = block
            self.elements[group << 16 | block] = Element("LO", creator)
        self.elements[group << 16 | self._reserved[group, creator] << 8 | offset] = element


def has_blobs(study: Study) -> bool:
    """Whether the study's files hold values over the keep limit."""
    return study.scanner.blob


def has_padding(study: Study) -> bool:
    """Whether the headers of the study's images are long without any long value."""
    return study.modality == "MR" and study.scanner.family == "PHILIPS"


def _value(vr: str, rng: random.Random) -> str | int | float | bytes | None:
    """A value of that VR; none of a VR that is not made here."""
    match vr:
        case "LO" | "SH":
            return rng.choice(_WORDS)
        case "CS":
            return rng.choice(("Y", "N", "UNKNOWN"))
        case "IS":
            return str(rng.randrange(1000))
        case "DS":
            return f"{rng.uniform(-90, 90):.4f}"
        case "SL" | "SS":
            return rng.randrange(-1000, 1000)
        case "US" | "UL":
            return rng.randrange(60000)
        case "FL":
            return rng.randrange(64) / 4
        case "FD":
            return rng.random()
        case "OB":
            return rng.randbytes(64)
    return None


@cache
def _known_vr(group: int, creator: str, offset: int) -> str:
    """The VR that the maker gives the element, where that is known."""
    try:
        return private_dictionary_VR(group << 16 | 0x1000 | offset, creator)
    except KeyError:
        return ""


def _blob(study: Study, size: int, rng: random.Random) -> bytes:
    """Like a CSA header: a magic word, the patient's name somewhere in it, padding."""
    start = b"SV10\x04\x03\x02\x01" + study.person.pn.encode() + rng.randbytes(256)
    return start + bytes(size - len(start))
