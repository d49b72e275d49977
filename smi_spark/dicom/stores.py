"""Which store a URI names: an object store or HDFS; no store names the file system at hand."""

from collections.abc import Iterator
from datetime import datetime

from smi_spark.dicom import hdfs, remote

SCHEMES = (*remote.SCHEMES, *hdfs.SCHEMES)


def is_remote(source: str) -> bool:
    return source.startswith(SCHEMES)


def normal(root: str) -> str:
    """The URI without a trailing slash, in the scheme that the store's own tools use."""
    return remote.normal(root)


def level(folder: str) -> tuple[list[str], list[str]]:
    """Folders and files at the first level below a URI, by name; SourceError when it cannot be listed."""
    return hdfs.level(folder) if folder.startswith(hdfs.SCHEMES) else remote.level(folder)


def files(folder: str, prefix: str) -> Iterator[tuple[str, int, datetime]]:
    """The files below a prefix of the URI (``""``: those directly at it): path, bytes, time of last change."""
    return hdfs.files(folder, prefix) if folder.startswith(hdfs.SCHEMES) else remote.files(folder, prefix)


def read_range(source: str, offset: int, length: int) -> tuple[bytes, int]:
    """Up to ``length`` bytes from ``offset``, and the size of the whole; OSError where it cannot be read."""
    if source.startswith(hdfs.SCHEMES):
        return hdfs.read_range(source, offset, length)
    if is_remote(source):
        return remote.read_range(source, offset, length)
    with open(source.removeprefix("file://"), "rb", buffering=0) as file:  # noqa: PTH123
        size = file.seek(0, 2)
        file.seek(offset)
        return file.read(max(0, min(length, size - offset))), size
