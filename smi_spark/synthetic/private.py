"""Private blocks (PS3.5 section 7.8): creators, values of many kinds, the makers' large blobs; names leak into them."""

import random

from pydicom.datadict import private_dictionary_VR
from pydicom.dataset import Dataset, PrivateBlock

from smi_spark.synthetic.studies import Study

BLOB_SIZES = (9_216, 61_440)  # over the keep limit of binary values, 4 KiB
PADDING = (8, 3_000)  # many values below the limit in a header longer than 16 KiB
_WORDS = ("NORMAL", "RAW", "1.0", "HEAD_A1", "SENSE", "")


def add_private(header: Dataset, study: Study, rng: random.Random) -> None:
    """Add the scanner's private blocks to ``header``; a value of each holds the patient's name."""
    for group, creator, count in study.scanner.private:
        block = header.private_block(group, creator, create=True)
        for offset in range(1, count):
            _add(block, offset, rng)
        block.add_new(0xFE, "LO", f"{study.person.surname} {study.accession}")
    if has_blobs(study):
        block = header.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        for offset, size in zip((0x10, 0x20), BLOB_SIZES, strict=True):
            block.add_new(offset, "OB", _blob(study, size, rng))
    if has_padding(study):
        block = header.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        for offset in range(PADDING[0]):
            block.add_new(0xE0 + offset, "OB", rng.randbytes(PADDING[1]))


def has_blobs(study: Study) -> bool:
    """Whether the study's files hold values over the keep limit."""
    return study.scanner.blob


def has_padding(study: Study) -> bool:
    """Whether the study's headers are long without any long value."""
    return study.modality == "MR" and study.scanner.maker.startswith("Philips")


def _add(block: PrivateBlock, offset: int, rng: random.Random) -> None:
    """Add one value, of the VR that the maker gives it where that is known."""
    values = {
        "LO": rng.choice(_WORDS),
        "SH": rng.choice(_WORDS),
        "CS": rng.choice(("Y", "N", "UNKNOWN")),
        "IS": str(rng.randrange(1000)),
        "DS": f"{rng.uniform(-90, 90):.4f}",
        "SL": rng.randrange(-1000, 1000),
        "SS": rng.randrange(-1000, 1000),
        "US": rng.randrange(60000),
        "UL": rng.randrange(60000),
        "FL": rng.randrange(64) / 4,
        "FD": rng.random(),
        "OB": rng.randbytes(64),
    }
    vr = _known_vr(block, offset) or rng.choice(("LO", "LO", "SH", "IS", "DS", "SL", "US", "FD", "OB"))
    if vr in values:
        block.add_new(offset, vr, values[vr])


def _known_vr(block: PrivateBlock, offset: int) -> str:
    try:
        return private_dictionary_VR(block.get_tag(offset), block.private_creator)
    except KeyError:
        return ""


def _blob(study: Study, size: int, rng: random.Random) -> bytes:
    """Like a CSA header: a magic word, the patient's name somewhere in it, padding."""
    start = b"SV10\x04\x03\x02\x01" + study.person.pn.encode() + rng.randbytes(256)
    return start + bytes(size - len(start))
