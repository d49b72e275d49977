"""Which store a URI names: an object store or HDFS; no store names the file system at hand."""

from collections.abc import Iterator
from datetime import datetime

from smi_spark.dicom import disk, hdfs, remote

SCHEMES = (*remote.SCHEMES, *hdfs.SCHEMES)
State = tuple[int, datetime]  # bytes, time of last change in UTC


def is_remote(source: str) -> bool:
    return source.startswith(SCHEMES)


def normal(root: str) -> str:
    """The URI without a trailing slash, in the scheme that the store's own tools use."""
    return remote.normal(root)


def level(folder: str) -> tuple[list[str], list[str]]:
    """Folders and files at the first level below a folder or URI, by name; SourceError when it cannot be listed."""
    if folder.startswith(hdfs.SCHEMES):
        return hdfs.level(folder)
    return remote.level(folder) if is_remote(folder) else disk.level(folder)


def files(folder: str, prefix: str) -> Iterator[tuple[str, int, datetime]]:
    """The files below a prefix of a folder or URI: path below the folder, bytes, time of last change in UTC.

    ``""``, or a prefix with ``/`` at its end: those directly in it.
    """
    if folder.startswith(hdfs.SCHEMES):
        return hdfs.files(folder, prefix)
    return remote.files(folder, prefix) if is_remote(folder) else disk.files(folder, prefix)


def state(folder: str, path: str) -> State | None:
    """Bytes and time of last change of one file below a folder or URI; none where it is not there."""
    if folder.startswith(hdfs.SCHEMES):
        return hdfs.state(f"{folder}/{path}")
    return remote.state(f"{folder}/{path}") if is_remote(folder) else disk.state(folder, path)


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
