"""The file system at hand: listing. Folders and paths are as ``names`` writes them."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime

from smi_spark.dicom import names
from smi_spark.errors import SourceError


def level(folder: str) -> tuple[list[str], list[str]]:
    """Folders and other entries at the first level of a folder, by name; SourceError when it cannot be listed."""
    folders: list[str] = []
    others: list[str] = []
    for entry in _entries(names.opened(folder)):
        (folders if entry.is_dir(follow_symlinks=False) else others).append(names.written(entry.name))
    return folders, others


def files(folder: str, prefix: str) -> Iterator[tuple[str, int, datetime]]:
    """The files below a prefix (``""`` or with ``/`` at its end: those directly in it): path, bytes, time of last
    change; in order of name, folder by folder.

    A link to a file stands for the file. A link to a folder within the root is passed over: what it leads to is listed
    by its own name. A link that leads nowhere, or out of the root, stands for itself, and is refused when it is read.
    """
    root = names.opened(folder)
    for path, entry in _below(root, *_start(prefix)):
        regular = entry.is_file(follow_symlinks=False)
        size, modified = _known(entry.stat()) if regular else _of_link(entry.path, root)
        yield names.written(path), size, modified


def paths(folder: str, prefix: str) -> Iterator[str]:
    """The paths alone that ``files`` gives, without a look at each file."""
    return (names.written(path) for path, _ in _below(names.opened(folder), *_start(prefix)))


def state(folder: str, path: str) -> tuple[int, datetime] | None:
    """Bytes and time of last change of what is at a path, as ``files`` gives them; none where nothing is."""
    root = names.opened(folder)
    place = os.path.join(root, names.opened(path))  # noqa: PTH118
    try:
        found = os.lstat(place)
        return _of_link(place, root) if stat.S_ISLNK(found.st_mode) else _known(found)
    except (OSError, ValueError):
        return None


def _start(prefix: str) -> tuple[str, bool]:
    """The folder to begin in, and whether to go on below it."""
    return names.opened(prefix.rstrip("/")), prefix != "" and not prefix.endswith("/")


def _below(root: str, prefix: str, deep: bool) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files, folder by folder in order of name, with their paths below the root."""
    for entry in _entries(os.path.join(root, prefix)):  # noqa: PTH118
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_file(follow_symlinks=False):
            yield path, entry
        elif entry.is_dir(follow_symlinks=False):
            if deep:
                yield from _below(root, path, deep)
        elif not entry.is_dir() or names.leads_out(entry.path, root):
            yield path, entry


def _of_link(place: str, root: str) -> tuple[int, datetime]:
    """What a link leads to; where that is nothing, or beyond the root, the link itself."""
    if not names.leads_out(place, root) and os.path.exists(place):  # noqa: PTH110
        return _known(os.stat(place))  # noqa: PTH116
    return _known(os.lstat(place))


def _known(found: os.stat_result) -> tuple[int, datetime]:
    return found.st_size, datetime.fromtimestamp(found.st_mtime_ns // 1000 / 1e6, UTC)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SourceError(
            f"folder {names.written(folder)} cannot be listed: {error.strerror}. Check its rights on every node."
        ) from None
