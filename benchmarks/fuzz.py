"""Damaged files by the hundred thousand: each gives a row or a reason, in time, and memory does not grow.

    python benchmarks/fuzz.py [--mutants 200000] [--first 0] [--save benchmarks/results/fuzz.txt]

Mutant number n is made from a real file by a generator whose seed is n: ``--first n --mutants 1`` makes it again.
"""

import argparse
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom.data
import samples
from headers import machine

from smi_spark.dicom import decode_headers, read_headers
from smi_spark.reasons import Reason
from smi_spark.schema import load_schema

BATCH = 20  # read at once: what takes less than SLOW together takes less than SLOW each
SLOW = 0.05  # seconds for one mutant
MOST = 24_000  # bytes of a file that take part
COLUMNS = {
    **load_schema("images").tags(),
    "contours": "ROIContourSequence.ContourSequence.NumberOfContourPoints",
    "per_frame": "PerFrameFunctionalGroupsSequence.PlanePositionSequence.ImagePositionPatient",
    "content": "ContentSequence.ContentSequence.TextValue",
    "private": "(0029,1010)",
}
REASONS = {None, *(reason.value for reason in Reason)}
_BYTES = (0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0x5C, 0x1B)
_LENGTHS = (b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x00\x00\x00\x00")
_ITEMS = (b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0")


@dataclass
class Found:
    """What a run saw: rows by reason, the slowest mutant, and what went wrong."""

    rows: dict[str, int] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    wrong: list[str] = field(default_factory=list)
    grown: float = 0.0

    def add(self, other: "Found") -> None:
        for reason, count in other.rows.items():
            self.rows[reason] = self.rows.get(reason, 0) + count
        self.slowest = max(self.slowest, other.slowest)
        self.wrong += other.wrong
        self.grown = max(self.grown, other.grown)


def corpus() -> list[bytes]:
    """The beginnings of the real files at hand."""
    shipped = Path(pydicom.data.__file__).parent / "test_files"
    files = sorted(path for folder in (shipped, samples.SHARED) for path in folder.rglob("*") if path.is_file())
    return [content for content in (path.read_bytes()[:MOST] for path in files) if content]


def mutant(number: int, files: list[bytes]) -> bytes:
    """The mutant of this number."""
    chance = random.Random(number)  # noqa: S311
    content = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16, 64))):
        place = chance.randrange(len(content) + 1)
        kind = chance.randrange(8)
        if kind <= 2:
            content[place : place + 1] = bytes([chance.choice(_BYTES) if kind else chance.randrange(256)])
        elif kind == 3:
            content[place : place + 4] = chance.choice(_LENGTHS)
        elif kind == 4:
            content[place : place + 8] = chance.choice(_ITEMS)
        elif kind == 5:
            del content[place : place + chance.randrange(1, 64)]
        elif kind == 6:
            content[place:place] = content[chance.randrange(len(content) + 1) :][: chance.randrange(1, 256)]
        else:
            other = chance.choice(files)
            content[place : place + 128] = other[chance.randrange(len(other)) :][: chance.randrange(1, 128)]
        content = content or bytearray(1)
    return bytes(content[: chance.choice((len(content), len(content), chance.randrange(1, len(content) + 1)))])


def run(first: int, count: int, told: Any) -> None:
    """Mutants from number ``first`` on; tells where it is, then what it found."""
    files, found = corpus(), Found()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{i}.dcm") for i in range(BATCH)]
        read_headers([str(path) for path in paths], COLUMNS, with_header=True)
        before = 0.0
        for start in range(first, first + count, BATCH):
            told.send(start)
            numbers = range(start, min(start + BATCH, first + count))
            for number, path in zip(numbers, paths, strict=False):
                path.write_bytes(mutant(number, files))
            check([str(path) for path in paths[: len(numbers)]], start, found)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            before = before if start > first + 5000 else peak
            found.grown = peak - before
    told.send(found)


def check(paths: list[str], first: int, found: Found) -> None:
    """Read one batch, and its files again one by one where it was slow."""
    start = time.perf_counter()
    read = read_headers(paths, COLUMNS, first_read=1024, keep_binary=256, with_header=True)
    decoded = decode_headers(read["header"], read["left_out"], COLUMNS)
    took = time.perf_counter() - start
    read.validate(full=True)
    decoded.validate(full=True)
    reasons = read["reason"].to_pylist()
    if set(reasons) - REASONS or read["source"].to_pylist() != paths:
        found.wrong.append(f"batch {first}: reasons {set(reasons) - REASONS}")
    for name in decoded.schema.names:
        if not decoded[name].equals(read[name]) and str(decoded[name].to_pylist()) != str(read[name].to_pylist()):
            found.wrong.append(f"batch {first}: {name} is decoded otherwise than read")
    for reason in reasons:
        found.rows[str(reason)] = found.rows.get(str(reason), 0) + 1
    if took <= SLOW:
        found.slowest = max(found.slowest, (took, first))
        return
    for number, path in enumerate(paths, first):
        start = time.perf_counter()
        read_headers([path], COLUMNS, with_header=True)
        found.slowest = max(found.slowest, (time.perf_counter() - start, number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=200_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    start = time.perf_counter()
    total = Found()
    shares = [(options.first + i, min(20_000, options.first + options.mutants - options.first - i))
              for i in range(0, options.mutants, 20_000)]  # fmt: skip
    for first, count in shares:
        total.add(in_a_process(first, count))
    lines = [*machine(), ""]
    lines.append(f"{options.mutants:,} mutants of {len(corpus())} real files, numbers {options.first} to "
                 f"{options.first + options.mutants - 1}: {time.perf_counter() - start:.0f} s")  # fmt: skip
    lines += [
        f"  {count:9,}  {'a row' if reason == 'None' else reason}" for reason, count in sorted(total.rows.items())
    ]
    slow, number = total.slowest[0] * 1000, total.slowest[1]
    lines.append(f"  each within {slow:.1f} ms (slowest from number {number} on; at most {SLOW * 1000:.0f})")
    lines.append(f"  memory grew by {total.grown:.0f} MiB after the first 5,000 of a process")
    lines += ["  wrong: " + one for one in total.wrong] or ["  nothing crashed, hung or was lost"]
    print("\n".join(lines))
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(bool(total.wrong) or total.slowest[0] > SLOW)


def in_a_process(first: int, count: int) -> Found:
    """One share; a process that ends or hangs is found wrong, with the batch it was at."""
    context = multiprocessing.get_context("fork")
    mine, other = context.Pipe()
    child = context.Process(target=run, args=(first, count, other))
    child.start()
    other.close()
    at: Any = first
    while True:
        try:
            if not mine.poll(120):
                child.kill()
                return Found(wrong=[f"numbers {at} to {at + BATCH - 1} hang"])
            at = mine.recv()
        except EOFError:
            return Found(wrong=[f"the process ended at numbers {at} to {at + BATCH - 1}"])
        if isinstance(at, Found):
            child.join()
            return at


if __name__ == "__main__":
    main()
