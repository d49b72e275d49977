"""HDFS, through pyarrow.fs and libhdfs: listing, and ranges of files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from smi_spark.errors import SourceError

SCHEMES = ("hdfs://", "viewfs://")


def level(folder: str) -> tuple[list[str], list[str]]:
    """Folders and files at the first level below a URI, by name; SourceError when it cannot be listed."""
    found = _infos(folder, "", deep=False)
    folders = sorted(info.base_name for info in found if not info.is_file)
    return folders, sorted(info.base_name for info in found if info.is_file)


def files(folder: str, prefix: str) -> Iterator[tuple[str, int, datetime]]:
    """The files below a prefix (``""`` or with ``/`` at its end: those directly in it): path, bytes, time of change."""
    _, base = _system(folder)
    cut = len(base.rstrip("/")) + 1
    deep = prefix != "" and not prefix.endswith("/")
    for info in sorted(_infos(folder, prefix, deep=deep), key=lambda info: str(info.path)):
        if info.is_file:
            yield info.path[cut:], *_known(info)


def state(source: str) -> tuple[int, datetime] | None:
    """Bytes and time of last change of a file; none where it is not there. SourceError where nobody answers."""
    system, path = _system(source)
    try:
        info = system.get_file_info(path)
    except pa_errors() as error:
        raise SourceError(
            f"source {source} cannot be looked at: {_said(error)}. Check the URI and its rights."
        ) from None
    return _known(info) if info.is_file else None


def read_range(source: str, offset: int, length: int) -> tuple[bytes, int]:
    """Up to ``length`` bytes from ``offset``, and the file's size.

    Raises OSError when the file is not there or the cluster does not answer.
    """
    try:
        system, path = _system(source)
        with system.open_input_file(path) as file:
            size = int(file.size())
            return file.read_at(max(0, min(length, size - offset)), offset), size
    except SourceError as error:
        raise OSError(str(error)) from None
    except pa_errors() as error:
        raise OSError(_said(error)) from None


def pa_errors() -> tuple[type[Exception], ...]:
    """What pyarrow raises for a file system that fails."""
    import pyarrow as pa

    return OSError, pa.ArrowException


def _known(info: Any) -> tuple[int, datetime]:
    return info.size, (info.mtime or datetime.fromtimestamp(0, UTC)).astimezone(UTC)


def _infos(folder: str, prefix: str, *, deep: bool) -> list[Any]:
    from pyarrow import fs

    system, base = _system(folder)
    place = f"{base.rstrip('/')}/{prefix.rstrip('/')}".rstrip("/") or "/"
    try:
        return list(system.get_file_info(fs.FileSelector(place, recursive=deep)))
    except pa_errors() as error:
        raise SourceError(f"source {folder} cannot be listed: {_said(error)}. Check the URI and its rights.") from None


def _system(uri: str) -> tuple[Any, str]:
    """The file system of a URI, and the path in it."""
    scheme, _, rest = uri.partition("://")
    name, slash, path = rest.partition("/")
    return _connected(f"{scheme}://{name}"), slash + path


@cache
def _connected(authority: str) -> Any:
    from pyarrow import fs

    try:
        return fs.FileSystem.from_uri(f"{authority}/")[0]
    except pa_errors() as error:
        raise SourceError(
            f"{authority} cannot be reached: {_said(error)}. HDFS needs libhdfs on every node: set HADOOP_HOME and "
            "CLASSPATH (hadoop classpath --glob), and ARROW_LIBHDFS_DIR where libhdfs.so lies elsewhere."
        ) from None


def _said(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
