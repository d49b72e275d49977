"""Where files and roots lie: folders, URIs, and paths below them, as tables write them."""

import os
import re
from collections.abc import Iterator

from smi_spark.dicom import archives, names, stores

_UP = re.compile(r"(?:^|/)\.\.(?:/|\Z)")
_UP_OR_TOP = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|\Z)|^(?:[A-Za-z]:)?[/\\]")


def address(folder: str, path: str) -> str:
    """What opens the file at a path below a folder or URI."""
    if not stores.is_remote(folder):
        return f"{names.opened(folder).rstrip('/')}/{names.opened(path)}"
    member = archives.split(path) if "\\x" in path and "!" in path else None
    return f"{folder}/{member[0]}!{names.opened(member[1])}" if member else f"{folder}/{path}"


def climbs(path: str) -> bool:
    """Whether a path below a root names a place beyond it: by ``..``, or as a member of an archive that would be
    unpacked elsewhere than below the archive.

    >>> climbs("a/../../b.dcm"), climbs("a/b..dcm"), climbs("a.zip!/etc/b.dcm")
    (True, False, True)
    """
    member = archives.split(path) if "!" in path else None
    outer, inner = member or (path, "")
    return _UP.search(outer) is not None or _UP_OR_TOP.search(inner) is not None


def lies_below(folder: str, other: str) -> bool:
    """Whether a folder or URI is another, or would be listed with it: below it, and not by way of a link."""
    path = relative(folder, other)
    if path is None or stores.is_remote(folder):
        return path is not None
    return os.path.realpath(names.opened(folder)) == os.path.join(  # noqa: PTH118
        os.path.realpath(names.opened(other)), names.opened(path).rstrip("/")
    ).rstrip("/")


def relative(folder: str, other: str) -> str | None:
    """The path of a folder or URI below another, with a slash behind it; ``""`` for the same, none where it is not.

    >>> relative("/pacs/2026", "/pacs"), relative("/pacs", "/pacs"), relative("/pacs2", "/pacs")
    ('2026/', '', None)
    """
    outer = other.rstrip("/") + "/"
    if folder == other:
        return ""
    return f"{folder[len(outer) :]}/" if folder.startswith(outer) else None


def above(folder: str) -> Iterator[str]:
    """The folders above a folder, or the prefixes above a URI from its bucket on.

    >>> [*above("/pacs/2026")], [*above("s3://pacs/2026/11")]
    (['/', '/pacs'], ['s3://pacs', 's3://pacs/2026'])
    """
    scheme, colon, path = folder.rpartition("://")
    parts = path.split("/")
    for number in range(1, len(parts)):
        yield f"{scheme}{colon}{'/'.join(parts[:number])}" or "/"
