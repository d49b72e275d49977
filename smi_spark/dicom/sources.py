"""Roots of files: a folder, a file or a glob on disk, a prefix of an object store, an archive by days, a list.

Listed by executors in parts. Paths are written as ``names`` says.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from smi_spark.dicom import archives, disk, lists, names, pacs, stores
from smi_spark.dicom.globs import expression, has_wildcard, split_glob
from smi_spark.dicom.places import address, climbs
from smi_spark.errors import SourceError

Listed = tuple[str, int | None, datetime | None]
_LIST, _PACS = "list:", "pacs:"


@dataclass(frozen=True)
class Root:
    """A root as given, taken apart: the folder or URI that paths are relative to, and what below it is meant.

    ``glob``: what it matches; ``days``: those of a PACS layout, listed day by day; ``list``: what that file names.
    """

    folder: str
    glob: str | None = None
    days: pacs.Days | None = None
    list: str | None = None

    @property
    def place(self) -> str:
        """The folder or URI as it is opened."""
        return self.folder if stores.is_remote(self.folder) else names.opened(self.folder)

    @property
    def bounds(self) -> tuple[str, str] | None:
        """From which path on and before which one everything is listed; none where a file that is not listed may be
        there all the same. Of a PACS layout those between the two that ``pacs.FITS``.
        """
        if self.glob is not None or self.list is not None:
            return None
        return (self.days or pacs.Days()).bounds

    def takes(self, path: str) -> bool:
        """Whether the glob matches the path or a folder above it."""
        return self.glob is None or expression(self.glob).fullmatch(path) is not None

    def takes_folder(self, name: str) -> bool:
        """Whether the first part of the glob matches a folder at the first level."""
        first, _, rest = (self.glob or "**").partition("/")
        return first == "**" or (expression(first).fullmatch(name) is not None and (bool(rest) or self.takes(name)))


def open_root(root: "str | Root") -> Root:
    """Take a root apart.

    A folder or prefix stands for every file below it, a glob (``*`` ``?`` ``[…]`` ``**``) for every file that it
    matches and every file below a folder that it matches; a name that exists is no glob.
    ``pacs:/archive`` is an archive laid out ``YYYY/MM/DD/ACCESSION/``, ``pacs:/archive@2026-11-01..2026-11-24`` days of
    it. ``list:/lists/night.txt@/archive`` is what the lines of a file name, paths below ``/archive``.
    Raises SourceError when there is nothing at the root, or its span of days is none.
    """
    if isinstance(root, Root):
        return root
    if root.startswith(_LIST):
        file, folder = _cut(root.removeprefix(_LIST))
        if not file or not folder:
            raise SourceError(f"source {root} lacks its list or its folder. Write list:/lists/night.txt@/archive.")
        return Root(_open_folder(folder), list=_absolute(file))
    if root.startswith(_PACS):
        folder, span = _cut(root.removeprefix(_PACS))
        if not folder or "/" in span:  # which is of the folder's own name
            return Root(_open_folder(root.removeprefix(_PACS)), days=pacs.Days())
        return Root(_open_folder(folder), days=pacs.days_of(span))
    return _open_tree(root)


def list_prefixes(root: str | Root) -> list[str]:
    """The parts of a root that can be listed apart from each other, in order: folders of the first level.

    ``""``, or a prefix with ``/`` at its end, stands for the files directly there. A root with one folder and nothing
    else is entered. Of a PACS layout the parts are days, of a list ranges of its bytes.
    Raises SourceError for a root that is not there or cannot be listed.
    """
    opened = open_root(root)
    if opened.list is not None:
        return lists.parts(opened.list)
    if opened.days is not None:
        return pacs.prefixes(opened.folder, opened.days)
    prefix = ""
    while True:
        folders, files = stores.level(f"{opened.folder.rstrip('/')}/{prefix}".rstrip("/") or "/")
        if not prefix:
            folders = [name for name in folders if opened.takes_folder(name)]
        if len(folders) != 1 or files:
            return ([prefix] if files else []) + [f"{prefix}{name}" for name in folders]
        prefix += f"{folders[0]}/"


def list_files(root: str | Root, prefix: str) -> Iterator[Listed]:
    """The files of one part: path relative to the root's folder, size in bytes, time of last change in UTC.

    In order of name, folder by folder; of a list, in its order. Members of zip and tar archives stand for the archive,
    as ``a.zip!b.dcm`` with their own size and the archive's time. What a list names and is not there has neither.
    Links: ``disk.files``. Raises SourceError for a folder or list that cannot be read.
    """
    opened = open_root(root)
    if opened.list is not None:
        entries: Iterator[Listed] = (
            (path, *(state or (None, None))) for path, state in lists.files(opened.folder, opened.list, prefix)
        )
    else:
        entries = iter(stores.files(opened.folder, prefix))
    return (found for entry in entries for found in _with_members(opened.folder, entry) if opened.takes(found[0]))


def list_paths(root: str | Root, prefix: str) -> Iterator[str]:
    """The paths alone that ``list_files`` gives, without a look at each file."""
    opened = open_root(root)
    if stores.is_remote(opened.folder) or opened.list is not None:
        yield from (path for path, _, _ in list_files(opened, prefix))
        return
    now = datetime.now(UTC)
    for path in disk.paths(opened.folder, prefix):
        if opened.glob is None and not archives.is_archive(path):
            yield path
        else:
            yield from (one for one, _, _ in _with_members(opened.folder, (path, 0, now)) if opened.takes(one))


def addresses(root: str | Root, paths: Iterable[str]) -> list[str]:
    """What ``read_headers`` opens for paths that ``list_files`` gave, in their order."""
    folder = open_root(root).folder
    return [address(folder, path) for path in paths]


def _with_members(folder: str, entry: Listed) -> Iterator[Listed]:
    """A file; of an archive its members, in its place. One that is broken stays, as ``archive.zip!``, to be told; one
    beyond its root is not opened.
    """
    path, size, modified = entry
    if not archives.is_archive(path) or climbs(path):
        yield entry
        return
    place = address(folder, path)
    if not stores.is_remote(folder) and names.leads_out(place, names.opened(folder)):
        yield entry
        return
    try:
        for name, length in archives.members(place):
            yield f"{path}!{names.written(name)}", length, modified
    except OSError:
        yield f"{path}!", size, modified


def _open_tree(root: str) -> Root:
    root = root.removeprefix("file://").rstrip("/") or "/"
    if stores.is_remote(root):
        return Root(*split_glob(root)) if has_wildcard(root) else Root(stores.normal(root))
    path = Path(names.opened(_absolute(root)))
    if path.is_dir():
        return Root(names.written(str(path)))
    if path.exists():
        return Root(names.written(str(path.parent)), re.sub(r"([*?[])", r"[\1]", names.written(path.name)))
    if has_wildcard(root):
        found = Root(*split_glob(names.written(str(path))))
        if Path(names.opened(found.folder)).is_dir():
            return found
    raise SourceError(
        f"source {root} does not exist here. Give a folder, a file or a glob that every node can see, or an s3:// URI."
    )


def _open_folder(folder: str) -> str:
    opened = _open_tree(folder)
    if opened.glob is not None:
        raise SourceError(
            f"source {folder} is no folder. Behind list: and pacs: stands the folder that paths are below."
        )
    return opened.folder


def _absolute(place: str) -> str:
    if stores.is_remote(place):
        return stores.normal(place)
    path = Path(names.opened(place.removeprefix("file://")))
    return names.written(str(path.resolve() if ".." in path.parts else path.absolute()))


def _cut(text: str) -> tuple[str, str]:
    """What stands before and behind the last ``@`` that is none of a URI's (``abfss://container@account``)."""
    for at in reversed([found.start() for found in re.finditer("@", text)]):
        if not re.search(r"://[^/@]*$", text[:at]):
            return text[:at], text[at + 1 :]
    return "", text
