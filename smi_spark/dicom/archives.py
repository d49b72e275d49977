"""Members of zip and tar archives, read in place: ``archive.zip!folder/member.dcm``.

A stored member is read by range; of a deflated one no more is inflated than its header needs. Compressed tar archives
have no places to jump to: they are read from their start as far as the last member that is wanted, once a batch.
"""

import io
import os
import re
import struct
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from smi_spark.dicom import stores

_SPLIT = re.compile(r"(.*?\.(?:zip|tar|tar\.gz|tgz))!(.*)", re.IGNORECASE | re.DOTALL)
_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
_STREAMED = (".tar.gz", ".tgz")
_STEP = 64 << 10
_LOCAL_HEADER = 30  # bytes before the name in a zip archive
_TRUST = 60.0  # seconds for which a remote archive's directory is not asked for again


_BROKEN = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, struct.error, ValueError)


@dataclass(frozen=True)
class Member:
    """Where a member lies in its archive: its header's offset and bytes (for zip), its own bytes, how it is kept.

    ``trouble`` says why it cannot be read.
    """

    name: str
    offset: int
    header: int
    stored: int
    size: int
    deflated: bool = False
    trouble: str = ""


def is_archive(path: str) -> bool:
    return path.lower().endswith(_SUFFIXES)


def is_streamed(archive: str) -> bool:
    """Whether members can be reached from the archive's start alone."""
    return archive.lower().endswith(_STREAMED)


def split(source: str) -> tuple[str, str] | None:
    """The archive and the member that a path names; none for what is no member.

    >>> split("2019/a.zip!b/c.dcm")
    ('2019/a.zip', 'b/c.dcm')
    """
    found = _SPLIT.fullmatch(source)
    return (found[1], found[2]) if found else None


def members(archive: str) -> Iterator[tuple[str, int]]:
    """Name and size of each member. Raises OSError where the archive is broken."""
    for member in _directory(archive).values():
        yield member.name, member.size


def member_size(archive: str, name: str) -> int | None:
    """The size of a member; none where there is none of that name, or the archive is broken."""
    try:
        member = _directory(archive).get(name)
    except OSError:
        return None
    return None if member is None else member.size


def read_member(archive: str, name: str, offset: int, length: int) -> tuple[bytes, int]:
    """Up to ``length`` bytes of a member from ``offset``, and its size.

    Raises OSError for a member that is not there, is encrypted or broken, or an archive that is.
    """
    if not name:
        list(members(archive))  # says what is wrong with it
        raise OSError("an archive, and no member of it")
    member = _directory(archive).get(name)
    if member is None:
        raise OSError("no such member in the archive")
    if member.trouble:
        raise OSError(member.trouble)
    length = max(0, min(length, member.size - offset))
    read = _from_member(archive, member)
    if not member.deflated:
        return read(offset, length), member.size
    return _inflated(read, offset, length), member.size


def _from_member(archive: str, member: Member) -> Callable[[int, int], bytes]:
    """A function that reads ranges of the member's bytes as they are kept.

    A zip archive's own header of a member has the length of its name and extra field, which may differ from those in
    the directory; it is read along with the first range.
    """
    place: list[int] = [] if member.header else [member.offset]

    def read(offset: int, length: int) -> bytes:
        length = min(length, member.stored - offset)
        if length <= 0:
            return b""
        if place:
            return stores.read_range(archive, place[0] + offset, length)[0]
        data, _ = stores.read_range(archive, member.offset, member.header + offset + length)
        if data[:4] != b"PK\3\4" or len(data) < _LOCAL_HEADER:
            raise OSError("the archive has no member where its directory says")
        begin = _LOCAL_HEADER + sum(struct.unpack("<HH", data[26:30]))
        place.append(member.offset + begin)
        whole = data[begin + offset : begin + offset + length]
        missing = length - len(whole)
        return whole + (stores.read_range(archive, place[0] + offset + len(whole), missing)[0] if missing else b"")

    return read


def _inflated(read: Callable[[int, int], bytes], offset: int, length: int) -> bytes:
    """A range of a deflated member: inflated from its start, and what is before the range let go."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    at = done = 0
    wanted = bytearray()
    step = min(_STEP, length + 1024)
    while done < offset + length and not inflater.eof:
        fresh = inflater.unconsumed_tail
        if not fresh:
            fresh = read(at, step)
            at += len(fresh)
            if not fresh:
                break
        try:
            found = inflater.decompress(fresh, min(_STEP, offset + length - done))
        except zlib.error:
            raise OSError("a broken member of an archive: it does not inflate") from None
        wanted += found[max(0, offset - done) :]
        done += len(found)
    return bytes(wanted)


def read_streamed(archive: str, wanted: Mapping[str, tuple[int, int]]) -> dict[str, tuple[bytes, int]]:
    """For members of a compressed tar archive, by name: the bytes of a range, offset and length, and the size.

    One pass over the archive, as far as the last of them. Raises OSError where it is broken before that.
    """
    found: dict[str, tuple[bytes, int]] = {}
    try:
        with _open_tar(archive) as tar:
            for info in tar:
                if info.name in wanted and (file := tar.extractfile(info)) is not None:
                    offset, length = wanted[info.name]
                    file.read(offset)
                    found[info.name] = file.read(length), info.size
                    if len(found) == len(wanted):
                        break
    except _BROKEN as error:
        raise OSError(f"a broken archive: {error}") from None
    return found


@dataclass
class _Known:
    state: tuple[int, int] | float
    members: dict[str, Member]


_known: dict[str, _Known] = {}
_lock = threading.Lock()


def _directory(archive: str) -> dict[str, Member]:
    """The members of an archive by name; kept while the archive stays as it is."""
    with _lock:
        known = _known.get(archive)
        state = _state(archive)
        if known is None or (known.state != state if isinstance(state, tuple) else _too_old(known.state, state)):
            if len(_known) >= 16:
                _known.pop(next(iter(_known)))
            known = _known[archive] = _Known(state, {member.name: member for member in _list(archive)})
        return known.members


def _state(archive: str) -> tuple[int, int] | float:
    """What tells that a file changed; of a remote one, the time of asking."""
    if stores.is_remote(archive):
        return time.monotonic()
    found = os.stat(archive.removeprefix("file://"))  # noqa: PTH116
    return found.st_size, found.st_mtime_ns


def _too_old(then: tuple[int, int] | float, now: float) -> bool:
    return isinstance(then, tuple) or now - then > _TRUST


def _list(archive: str) -> list[Member]:
    try:
        return _list_zip(archive) if archive.lower().endswith(".zip") else _list_tar(archive)
    except _BROKEN as error:
        raise OSError(f"a broken archive: {error}") from None


def _list_zip(archive: str) -> list[Member]:
    with zipfile.ZipFile(io.BufferedReader(_Ranges(archive), _STEP)) as found:
        return [
            Member(
                name=info.filename,
                offset=info.header_offset,
                header=_LOCAL_HEADER + len(info.orig_filename.encode()) + len(info.extra) + 64,
                stored=info.compress_size,
                size=info.file_size,
                deflated=info.compress_type == zipfile.ZIP_DEFLATED,
                trouble=_trouble(info),
            )
            for info in found.infolist()
            if not info.is_dir()
        ]


def _trouble(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "an encrypted member of an archive"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"a member of an archive that is neither stored nor deflated, but of method {info.compress_type}"
    return ""


def _list_tar(archive: str) -> list[Member]:
    with _open_tar(archive) as found:
        return [Member(info.name, info.offset_data, 0, info.size, info.size) for info in found if info.isreg()]


def _open_tar(archive: str) -> tarfile.TarFile:
    if is_streamed(archive):
        return tarfile.open(fileobj=_Ranges(archive), mode="r|gz")
    return tarfile.open(fileobj=io.BufferedReader(_Ranges(archive), _STEP), mode="r:")


class _Ranges(io.RawIOBase):
    """An archive as a file that is read by ranges."""

    def __init__(self, archive: str) -> None:
        self._archive, self._at = archive, 0
        self._size = stores.read_range(archive, 0, 1)[1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # a Buffer, which has no name before Python 3.12
        length = min(len(view), self._size - self._at)
        if length <= 0:
            return 0
        data, _ = stores.read_range(self._archive, self._at, length)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
