"""DICOM files for tests, written by pydicom."""

import warnings
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

UIDS = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4", "SOPInstanceUID": "1.2.3.4.5"}


def dataset(**values: Any) -> Dataset:
    """A data set with its three UIDs and these values; None leaves one out."""
    ds = Dataset()
    for keyword, value in {"SOPClassUID": CTImageStorage, **UIDS, **values}.items():
        if value is not None:
            setattr(ds, keyword, value)
    return ds


def write(path: Path, ds: Dataset, syntax: str = ExplicitVRLittleEndian, *, pixels: int | None = 64) -> Path:
    """A file of this data set, with so many bytes of pixel data."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.get("SOPClassUID") or CTImageStorage
    meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID") or "1.2"
    meta.TransferSyntaxUID = syntax
    if pixels is not None:
        ds.add_new(0x7FE00010, "OW", bytes(pixels))
    ds.file_meta, ds.preamble = meta, bytes(128)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.save_as(path, enforce_file_format=True)
    return path


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One element in explicit VR little endian, as it stands in a file; ``length`` may lie."""
    length = len(value) if length is None else length
    head = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + vr.encode()
    if vr in ("OB", "OW", "SQ", "UN", "UT"):
        return head + bytes(2) + length.to_bytes(4, "little") + value
    return head + length.to_bytes(2, "little") + value


def raw_file(path: Path, *elements: bytes) -> Path:
    """A file of these elements behind preamble, file meta and the three UIDs."""
    meta = element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")
    uids = (
        element(0x00080018, "UI", b"1.2.3.4.5\0"),
        element(0x0020000D, "UI", b"1.2.3\0"),
        element(0x0020000E, "UI", b"1.2.3.4\0"),
    )
    path.write_bytes(bytes(128) + b"DICM" + meta + b"".join([*uids, *elements]))
    return path
