"""What reads headers in the benchmark: the engine, the bare reading of the same bytes, pydicom, and its peers."""

import multiprocessing
import os
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from smi_spark.dicom import read_headers

FIRST_READ = 16_384
Reader = Callable[[Sequence[str], dict[str, str]], int | None]  # gives how many files it refused


def bare(paths: Sequence[str], columns: dict[str, str], *, random: bool = False) -> None:  # noqa: ARG001
    """Open, read the first bytes, close: what no reader of headers can be faster than."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        if random:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
        os.read(file, FIRST_READ)
        os.close(file)


def bare_of(paths: Sequence[str]) -> Reader:
    """The same with as many bytes of each file as the engine reads to store its header: more than the first read
    where the header does not fit that.
    """
    found = read_headers(paths, {}, first_read=FIRST_READ, with_header=True)
    lengths = dict(zip(paths, found["bytes_read"].to_pylist(), strict=True))

    def read(paths: Sequence[str], columns: dict[str, str]) -> None:  # noqa: ARG001
        for path in paths:
            file = os.open(path, os.O_RDONLY)
            os.read(file, lengths[path])
            os.close(file)

    return read


def engine(paths: Sequence[str], columns: dict[str, str]) -> None:
    read_headers(paths, columns, first_read=FIRST_READ)


def by_pydicom(paths: Sequence[str], columns: dict[str, str]) -> None:
    trails = [path.split(".") for path in columns.values()]
    tags: list[Any] = [trail[0] for trail in trails]
    for path in paths:
        ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags, force=True)
        for trail in trails:
            _follow(ds.file_meta if trail[0] == "TransferSyntaxUID" else ds, trail)


def _follow(ds: Dataset, trail: list[str]) -> Any:
    try:
        value = ds.get(trail[0])
    except (ValueError, TypeError):
        return None
    return value if len(trail) == 1 else [_follow(item, trail[1:]) for item in value or ()]


def by_dicomsdl(paths: Sequence[str], columns: dict[str, str]) -> int:
    import dicomsdl

    refused = 0
    for path in paths:
        try:
            ds = dicomsdl.open(path, load_until=0x7FE00000)
            for keyword in columns.values():
                getattr(ds, keyword, None)
        except Exception:
            refused += 1
    return refused


def by_fastdicom(paths: Sequence[str], columns: dict[str, str]) -> int:
    import fastdicom

    refused = 0
    for path in paths:
        try:
            ds = fastdicom.dcmread(path, stop_before_pixels=True)
            for keyword in columns.values():
                ds.get(keyword, None)
        except Exception:
            refused += 1
    return refused


def by_gdcm(paths: Sequence[str], columns: dict[str, str]) -> None:
    import gdcm
    from pydicom.datadict import tag_for_keyword

    scanner = gdcm.Scanner()
    numbers = [tag_for_keyword(keyword) or 0 for keyword in columns.values()]
    tags = [gdcm.Tag(number >> 16, number & 0xFFFF) for number in numbers]
    for tag in tags:
        scanner.AddTag(tag)
    scanner.Scan(list(paths))
    for path in paths:
        for tag in tags:
            scanner.GetValue(path, tag)


PEERS: dict[str, tuple[Reader, str]] = {
    "dicomsdl": (by_dicomsdl, "dicomsdl"),
    "fastdicom": (by_fastdicom, "fastdicom"),
    "gdcm Scanner": (by_gdcm, "python-gdcm"),
}


@dataclass
class Rate:
    """Files a second, the median of the rounds; how many files were refused; or what went wrong."""

    each: float = 0.0
    refused: int = 0
    wrong: str = ""


class Contender:
    """A reader in a process of its own, on one core."""

    def __init__(self, reader: Reader, paths: Sequence[str], columns: dict[str, str]) -> None:
        self.times: list[float] = []
        self.refused, self.wrong, self._files = 0, "", len(paths)
        context = multiprocessing.get_context("fork")
        self._mine, other = context.Pipe()
        self._child = context.Process(target=_serve, args=(other, reader, paths, columns))
        self._child.start()
        other.close()
        self._hear()

    def run(self) -> None:
        """One round over all files."""
        if not self.wrong:
            self._mine.send("go")
            self._hear()

    def rate(self) -> Rate:
        """What was seen; the process ends."""
        self._child.terminate()
        self._child.join()
        return Rate(self._files / statistics.median(self.times) if self.times else 0, self.refused, self.wrong)

    def _hear(self) -> None:
        try:
            answer = self._mine.recv()
        except EOFError:
            answer = "its process ended"
        if isinstance(answer, str):
            self.wrong = answer
        elif answer:
            self.times.append(answer[0])
            self.refused = answer[1]


def race(readers: dict[str, tuple[Reader, Sequence[str]]], columns: dict[str, str], rounds: int) -> dict[str, Rate]:
    """The rates of readers that take turns, round by round, so that the machine's moods meet all of them."""
    contenders = {name: Contender(reader, paths, columns) for name, (reader, paths) in readers.items()}
    for _ in range(rounds):
        for contender in contenders.values():
            contender.run()
    return {name: contender.rate() for name, contender in contenders.items()}


def _serve(pipe: Any, reader: Reader, paths: Sequence[str], columns: dict[str, str]) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warnings.simplefilter("ignore")
    try:
        reader(paths[: max(len(paths) // 4, 1)], columns)
        pipe.send(None)
        while pipe.recv():
            start = time.perf_counter()
            refused = reader(paths, columns) or 0
            pipe.send((time.perf_counter() - start, refused))
    except EOFError:
        return
    except Exception as error:  # a peer's own
        pipe.send(f"failed: {type(error).__name__}")
