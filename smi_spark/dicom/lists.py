"""A list of files, a path a line, as a source: read in ranges, so that nobody holds it whole."""

import os
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from smi_spark.dicom import archives, names, stores
from smi_spark.dicom.places import address, climbs
from smi_spark.dicom.ranges import pool
from smi_spark.errors import SourceError

_PART = 4 << 20  # bytes of a list that one task reads
_STEP = 1 << 20
_AT_ONCE = 64  # requests to a store for the state of its objects


def parts(file: str) -> list[str]:
    """The parts of a list that are read apart: ranges of its bytes. Raises SourceError where it cannot be read."""
    size = _read(file, 0, 1)[1]
    return [f"{start}-{min(size, start + _PART)}" for start in range(0, size, _PART)]


def files(folder: str, file: str, part: str) -> Iterator[tuple[str, stores.State | None]]:
    """What the lines that begin in a part name: path below the folder, bytes and time of last change.

    Lines are paths below the folder, or absolute ones, as the system or as tables write them; blank lines, and ``\\r``
    at the end of one, are passed over. Of what is not there the state is none. A file named by way of linked folders
    stands under its own path. What lies beyond the folder has a path that climbs out (``../…``), and is not looked at.
    """
    start, _, end = part.partition("-")
    far = stores.is_remote(folder)
    paths = ((_far if far else _near)(folder, line) for line in _lines(file, int(start), int(end)))
    while some := list(islice(paths, 1024)):
        states = (pool(_AT_ONCE).map if far else map)(lambda path: _state(folder, path), some)
        yield from zip(some, states, strict=True)


def _state(folder: str, path: str) -> stores.State | None:
    if climbs(path):
        return None
    member = archives.split(path) if "!" in path else None
    if member is None:
        return stores.state(folder, path)
    archive = address(folder, member[0])
    found = stores.state(folder, member[0])
    if found is None or (not stores.is_remote(folder) and names.leads_out(archive, names.opened(folder))):
        return found
    size = archives.member_size(archive, names.opened(member[1]))
    return None if size is None else (size, found[1])


def _near(folder: str, line: bytes) -> str:
    """A line as a path below a folder on disk."""
    root, given = names.opened(folder), names.opened(os.fsdecode(line).removeprefix("file://"))
    outer, inner = archives.split(given) or (given, None)
    place = os.path.normpath(os.path.join(root, outer))  # noqa: PTH118
    above, name = os.path.split(place)
    if (real := _real(above)) != above:
        place, root = os.path.join(real, name), _real(root)  # noqa: PTH118
    path = os.path.relpath(place, root)
    return names.written(path if inner is None else f"{path}!{inner}")


def _far(folder: str, line: bytes) -> str:
    """A line as a path below a URI."""
    path = line.decode("utf-8", "backslashreplace")
    if not stores.is_remote(path):
        return path
    path = stores.normal(path)
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else f"../{path}"


@lru_cache(1024)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def _lines(file: str, start: int, end: int) -> Iterator[bytes]:
    """The lines that begin from ``start`` on and before ``end``, but for blank ones."""
    position = at = max(0, start - 1)  # the byte before says whether a line begins at start
    rest, is_ours = b"", start == 0
    while position < end:
        data, size = _read(file, at, _STEP)
        at += len(data)
        lines = (rest + data).split(b"\n")
        rest = lines.pop() if data and at < size else b""
        for line in lines:
            if is_ours and position < end:
                text = line.removeprefix(b"\xef\xbb\xbf" if position == 0 else b"").rstrip(b"\r")
                if text.strip():
                    yield text
            is_ours, position = True, position + len(line) + 1
        if not data or at >= size:
            return


def _read(file: str, offset: int, length: int) -> tuple[bytes, int]:
    try:
        return stores.read_range(file if stores.is_remote(file) else names.opened(file), offset, length)
    except OSError as error:
        raise SourceError(
            f"list {file} cannot be read: {error.strerror or error}. Give a file that every node can read."
        ) from None
