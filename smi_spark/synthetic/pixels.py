"""Small pictures that look like something: bodies as discs, heads with a face; and how pixels are compressed.

All is reckoned in whole numbers, so that it is the same on every machine.
"""

import random
import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder

from smi_spark.synthetic.encoding import BIG_ENDIAN, JPEG, RLE

Pixels = npt.NDArray[np.integer]  # frames, rows, columns; of colour pictures samples behind

_BLOCK = 8  # JPEG's blocks, each of one grey here


def body(rows: int, columns: int, place: int, depth: int, rng: random.Random) -> npt.NDArray[np.uint16]:
    """A slice through a body of ``depth`` slices: a disc, widest in the middle, in noise; 12 bits."""
    inside = _disc(rows, columns, _width(place, depth))
    return np.where(inside, np.uint16(1080), np.uint16(0)) + _noise(inside, rng)


def head(rows: int, columns: int, place: int, depth: int, rng: random.Random) -> npt.NDArray[np.uint16]:
    """An axial slice through a head of ``depth`` slices, its face on top: skull, brain, eyes, nose; 12 bits."""
    wide = _width(place, depth) * 4 // 5
    skin, brain = _disc(rows, columns, wide), _disc(rows, columns, wide * 8 // 10)
    picture = np.where(brain, np.uint16(1060), np.where(skin, np.uint16(1900), np.uint16(0)))
    part = 100 * place // max(1, depth)  # in hundredths of the way up
    across, down = np.abs(2 * np.arange(columns) - columns + 1)[None, :], np.arange(rows)[:, None]
    top = int(np.argmax(skin.any(axis=1)))
    if 35 <= part < 65:
        length = rows * (65 - part) // 150 + 1
        picture[(across <= 2 * (down - top + length)) & (down < top + 2) & (across < columns // 5)] = 1040
    if 50 <= part < 75:
        eyes = (abs(across - columns // 3) < columns // 10) & (abs(down - top - rows // 8) < rows // 12)
        picture[eyes] = 700
    return picture + _noise(skin, rng)


def scan_of_probe(rows: int, columns: int, rng: random.Random) -> npt.NDArray[np.uint8]:
    """An ultrasound picture: a fan of speckle, each four pixels wide; 8 bits, columns a multiple of 4."""
    across, down = np.abs(2 * np.arange(columns) - columns + 1)[None, :], np.arange(rows)[:, None]
    fan = across <= down + 2
    speckle = _noise(fan[:, ::4], rng).astype(np.uint8).repeat(4, axis=1)
    return fan * (64 + 4 * speckle)


def _width(place: int, depth: int) -> int:
    """The disc's diameter in hundredths of the picture's."""
    off = abs(2 * place - depth - 1)
    return 88 - 30 * off // max(depth, off, 1)


def _disc(rows: int, columns: int, wide: int) -> npt.NDArray[np.bool_]:
    across, down = 2 * np.arange(columns)[None, :] - columns + 1, 2 * np.arange(rows)[:, None] - rows + 1
    return (across * across * rows**2 + down * down * columns**2) * 10_000 <= (rows * columns * wide) ** 2


def _noise(like: npt.NDArray[np.bool_], rng: random.Random) -> npt.NDArray[np.uint16]:
    return (np.frombuffer(rng.randbytes(like.size), np.uint8) & 31).astype(np.uint16).reshape(like.shape)


def encoded(frames: Pixels, syntax: str) -> bytes:
    """The value of Pixel Data (7FE0,0010), of frames of 8 or 16 bits, one sample or three (PS3.5 sections 8 and A.4).

    Native frames have the byte order of the syntax, padded to even length; compressed ones come in a fragment each,
    with a basic offset table.
    """
    if syntax == RLE:
        return encapsulate([_run_lengths(frame) for frame in frames])
    if syntax == JPEG:
        return encapsulate([jpeg(frame) for frame in frames])
    order = ">" if syntax == BIG_ENDIAN else "<"
    if frames.dtype.itemsize == 1:  # in words, whose bytes a big endian file has the other way round
        content = frames.tobytes() + b"\0" * (frames.size % 2)
        return np.frombuffer(content, "<u2").astype(f"{order}u2").tobytes()
    return frames.astype(f"{order}u2").tobytes()


def _run_lengths(frame: Pixels) -> bytes:
    rows, columns = frame.shape[:2]
    samples = 1 if frame.ndim == 2 else frame.shape[2]
    return RLELosslessEncoder.encode(
        frame.astype(frame.dtype.newbyteorder("<")).tobytes(),
        rows=rows, columns=columns, samples_per_pixel=samples, number_of_frames=1, pixel_representation=0,
        bits_allocated=8 * frame.dtype.itemsize, bits_stored=8 * frame.dtype.itemsize,
        photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2", planar_configuration=0,
    )  # fmt: skip


def jpeg(frame: Pixels) -> bytes:
    """A grey picture of 8 bits as JPEG baseline (ISO 10918-1), each block of 8 by 8 in its mean grey.

    Rows and columns are multiples of 8. With 8 as quantum the coefficient of a block is its grey less 128, exactly.
    """
    rows, columns = frame.shape
    blocks = frame.reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK).astype(np.int64)
    greys = (blocks.sum(axis=(1, 3)) // _BLOCK**2 - 128).ravel()
    bits = "".join(_scan([int(grey) for grey in greys]))
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    segments = (
        (0xDB, b"\x00" + bytes([8] * 64)),  # quanta
        (0xC0, struct.pack(">BHHBBBB", 8, rows, columns, 1, 1, 0x11, 0)),  # one component
        (0xC4, b"\x00" + bytes([0, 0, 0, 9] + [0] * 12) + bytes(range(9))),  # sizes of coefficients: 4 bits each
        (0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\x00"),  # one bit: nothing else in the block
        (0xDA, bytes([1, 1, 0x00, 0, 63, 0])),
    )
    head = b"".join(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments)
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


def _scan(greys: list[int]) -> Iterator[str]:
    """Of each block the size of the difference to the one before, the difference, and the end."""
    before = 0
    for grey in greys:
        change, before = grey - before, grey
        size = abs(change).bit_length()
        yield f"{size:04b}"
        if size:
            yield f"{change if change > 0 else change + (1 << size) - 1:0{size}b}"
        yield "0"
