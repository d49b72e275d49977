"""Roots of files: a folder, a file or a glob on disk, or a prefix of an object store. Listed by executors in parts."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from smi_spark.dicom import archives, stores
from smi_spark.errors import SourceError

Listed = tuple[str, int, datetime]


@dataclass(frozen=True)
class Root:
    """A root as given, taken apart: the folder that paths are relative to, and the glob below it, if any."""

    folder: str
    glob: str | None = None

    def takes(self, path: str) -> bool:
        """Whether the glob matches the path or a folder above it."""
        return self.glob is None or _expression(self.glob).fullmatch(path) is not None

    def takes_folder(self, name: str) -> bool:
        """Whether the first part of the glob matches a folder at the first level."""
        first, _, rest = (self.glob or "**").partition("/")
        return first == "**" or (_expression(first).fullmatch(name) is not None and (bool(rest) or self.takes(name)))


def open_root(root: str) -> Root:
    """Take a root apart.

    A folder or prefix stands for every file below it, a glob (``*`` ``?`` ``[…]`` ``**``) for every file that it
    matches and every file below a folder that it matches; a name that exists is no glob.
    Raises SourceError when there is nothing at the root.
    """
    root = root.removeprefix("file://").rstrip("/") or "/"
    if stores.is_remote(root):
        return _glob_root(root) if set("*?[") & set(root) else Root(stores.normal(root))
    path = Path(root).absolute()
    if path.is_dir():
        return Root(str(path))
    if path.exists():
        return Root(str(path.parent), _escaped(path.name))
    if set("*?[") & set(root):
        found = _glob_root(str(path))
        if Path(found.folder).is_dir():
            return found
    raise SourceError(
        f"source {root} does not exist here. Give a folder, a file or a glob that every node can see, or an s3:// URI."
    )


def list_prefixes(root: str) -> list[str]:
    """The parts of a root that can be listed apart from each other, in order: folders of the first level.

    ``""`` stands for the files directly at the root. A root with one folder and nothing else is entered.
    Raises SourceError for a root that is not there or cannot be listed.
    """
    opened = open_root(root)
    if stores.is_remote(opened.folder):
        folders, files = stores.level(opened.folder)
        return ([""] if files else []) + [name for name in folders if opened.takes_folder(name)]
    prefix = ""
    while True:
        entries = _entries(Path(opened.folder, prefix))
        folders = [os.path.join(prefix, e.name) for e in entries if e.is_dir(follow_symlinks=False)]  # noqa: PTH118
        if not prefix:
            folders = [name for name in folders if opened.takes_folder(name)]
        if len(folders) != 1 or len(entries) != 1:
            return ([prefix and prefix + "/"] if len(folders) < len(entries) else []) + folders
        prefix = folders[0]


def list_files(root: str, prefix: str) -> Iterator[Listed]:
    """The files of one prefix: path relative to the root's folder, size in bytes, time of last change in UTC.

    In order of name, folder by folder. Members of zip and tar archives stand for the archive, as ``a.zip!b.dcm`` with
    their own size and the archive's time. Links to folders are not followed. A file whose state cannot be read is given
    with what its link says, so that reading it fails and is recorded. Raises SourceError for a folder that cannot be
    listed.
    """
    opened = open_root(root)
    if stores.is_remote(opened.folder):
        listed = stores.files(opened.folder, prefix)
    elif prefix == "" or prefix.endswith("/"):
        listed = _files_of(opened.folder, prefix.rstrip("/"), deep=False)
    else:
        listed = _files_of(opened.folder, prefix, deep=True)
    return (found for entry in listed for found in _with_members(opened.folder, entry) if opened.takes(found[0]))


def list_paths(root: str, prefix: str) -> Iterator[str]:
    """The paths alone that ``list_files`` gives, without a look at each file."""
    opened = open_root(root)
    if stores.is_remote(opened.folder):
        return (path for path, _, _ in list_files(root, prefix))
    return _paths_of(opened, prefix.rstrip("/"), deep=prefix != "" and not prefix.endswith("/"))


def addresses(root: str, paths: Iterable[str]) -> list[str]:
    """What ``read_headers`` opens for paths that ``list_files`` gave, in their order."""
    folder = open_root(root).folder.rstrip("/")
    return [f"{folder}/{path}" for path in paths]


def _paths_of(root: Root, prefix: str, *, deep: bool) -> Iterator[str]:
    now = datetime.now(UTC)
    for path, _ in _entries_below(root.folder, prefix, deep=deep):
        if root.glob is None and not archives.is_archive(path):
            yield _listed(path)
        else:
            yield from (one for one, _, _ in _with_members(root.folder, (_listed(path), 0, now)) if root.takes(one))


def _with_members(folder: str, entry: Listed) -> Iterator[Listed]:
    """A file; of an archive its members, in its place. One that is broken stays, as ``archive.zip!``, to be told."""
    path, _, modified = entry
    if not archives.is_archive(path):
        yield entry
        return
    try:
        for name, size in archives.members(f"{folder.rstrip('/')}/{path}"):
            yield f"{path}!{name}", size, modified
    except OSError:
        yield f"{path}!", entry[1], modified


def _files_of(folder: str, prefix: str, *, deep: bool) -> Iterator[Listed]:
    for path, entry in _entries_below(folder, prefix, deep=deep):
        state = _state(entry)
        yield _listed(path), state.st_size, datetime.fromtimestamp(state.st_mtime_ns // 1000 / 1e6, UTC)


def _entries_below(folder: str, prefix: str, *, deep: bool) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files, folder by folder in order of name, with their paths."""
    for entry in _entries(Path(folder, prefix)):
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_file(follow_symlinks=False):
            yield path, entry
        elif entry.is_dir(follow_symlinks=False):
            if deep:
                yield from _entries_below(folder, path, deep=True)
        elif not entry.is_dir():
            yield path, entry


def _listed(path: str) -> str:
    """A name that is no UTF-8 fits no table; it is listed as it can be written, and cannot be opened."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def _state(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SourceError(
            f"folder {folder} cannot be listed: {error.strerror}. Check its rights on every node."
        ) from None


def _glob_root(root: str) -> Root:
    """The longest part without a wildcard, and the rest as glob."""
    parts = root.split("/")
    first = next(i for i, part in enumerate(parts) if set("*?[") & set(part))
    return Root("/".join(parts[:first]) or "/", "/".join(parts[first:]))


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _expression(glob: str) -> re.Pattern[str]:
    """The glob as an expression for paths and whatever lies below them."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.findall(r"\*\*/|\*\*|\*|\?|\[[^]]+\]|.", glob, re.DOTALL)
    return re.compile("".join(words.get(p) or _one(p) for p in parts) + "(?:[/!].*)?", re.DOTALL)


def _one(part: str) -> str:
    """A set of characters or a character of a glob, for an expression."""
    if len(part) == 1:
        return re.escape(part)
    inside = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
    return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
