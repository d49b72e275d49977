"""Ingests killed at random moments: tables stay valid, and the next run completes them, every file once.

    python benchmarks/kills.py [--rounds 20] [--first 0] [--save benchmarks/results/kills.txt]

Each round: ``jobs/ingest_headers.py`` into an empty installation, ``kill -9`` of its driver, of an executor's JVM or of
a Python worker, then the job once more. What is in the tables then is compared, row by row and without what names runs
and times, with what a run that nobody disturbed left. Every other round runs on a standalone cluster with two workers.
Round number n draws its moment from a generator whose seed is n: ``--first n --rounds 1`` makes it again.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/cluster starts clusters

from ingest import told_machine
from secure.archive import write_archive
from secure.ground import Ground, timed
from secure.killing import DRIVER, EXECUTOR, WORKER, Installation
from secure.leftover import differences, faults, look, told

from tests.cluster.standalone import SETTINGS, standalone

LOCAL, CLUSTER = "local", "cluster"
TARGETS = {LOCAL: (DRIVER, WORKER), CLUSTER: (DRIVER, EXECUTOR, WORKER)}
BAD = 20  # files that are no DICOM, and as many that hold another's SOP instance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--files", type=int, default=4000)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    lines = told_machine()
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        wrong = 0
        for found, is_wrong in rounds(
            Path(folder), options.files, range(options.first, options.first + options.rounds)
        ):
            print(found, flush=True)
            lines.append(found)
            wrong += is_wrong
    lines.append(f"{options.rounds} rounds: {wrong} with anything lost, doubled or different  target 0")
    print(lines[-1])
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(1 if wrong else 0)


def rounds(place: Path, count: int, numbers: Iterable[int]) -> Iterator[tuple[str, bool]]:
    """A line a round, and whether anything was wrong in it; first a line for each kind of run that nobody disturbs."""
    source, cluster = write_source(place / "source", count), place / "cluster"
    cluster.mkdir()
    with standalone(cluster, workers=2) as url, Ground(place, 1).session(SETTINGS) as spark:
        masters = {LOCAL: "local[2]", CLUSTER: url}
        installed = {name: Installation(place / "data" / name, source, masters[name]) for name in TARGETS}
        lengths, expected = {}, {}
        for name, one in installed.items():
            lengths[name], ended = timed(one.run)
            expected = look(spark, one.root)
            wrong = faults(expected, source)
            yield f"{name}, undisturbed: {lengths[name]:.0f} s, {told(expected)}; {ended} {wrong or ''}", bool(wrong)
        for number in numbers:
            name, target, share, chance = drawn(number)
            one = installed[name]
            one.clear()
            killed = one.run_killed(target, share * lengths[name], chance)
            broken = look(spark, one.root)
            wrong = faults(broken, source, whole=False)
            ended = one.run()
            wrong += differences(look(spark, one.root), expected)
            yield (
                f"{number:3}  {name:7}  {killed}, left {told(broken)}; next: {ended}; {wrong or 'all once'}",
                bool(wrong),
            )


def drawn(number: int) -> tuple[str, str, float, random.Random]:
    """Where a round runs, what it kills, and when, as a share of the run's length."""
    chance = random.Random(number)  # noqa: S311
    name = tuple(TARGETS)[number % 2]
    target = TARGETS[name][number // 2 % len(TARGETS[name])]
    return name, target, chance.random(), chance


def write_source(folder: Path, count: int) -> Path:
    """Small files, some that are no DICOM, some that hold the SOP instance of another one."""
    write_archive(folder / "good", count)
    for number, path in enumerate(sorted((folder / "good").rglob("*.dcm"))[: 2 * BAD : 2]):
        (folder / "bad").mkdir(exist_ok=True)
        (folder / "bad" / f"{number}.txt").write_text("no image", encoding="utf-8")
        shutil.copy(path, folder / "bad" / f"{number}.dcm")
    return folder


if __name__ == "__main__":
    main()
