"""Zone 1 in figures beside their targets: files to Delta, growth, memory, promotion, records, stored bytes and others.

    python benchmarks/ingest.py [--only NAME,…] [--scale 0.01] [--place FOLDER] [--save benchmarks/results/ingest.txt]

Each measure runs in processes of its own, its files in a folder that goes away. ``--scale`` shrinks all sizes: to try
the benchmark, not to measure. Needs two cores, 16 GB of memory and the free disk that it asks for.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/cluster starts clusters

from headers import machine
from secure.delta import delta
from secure.ground import REPOSITORY, Ground, apart
from secure.growth import growth
from secure.known import known
from secure.listing import listing
from secure.log import log
from secure.promotion import promotion
from secure.records import records
from secure.skew import skew
from secure.stored import stored
from secure.workers import workers

MEASURES: dict[str, tuple[Callable[[Ground], list[str]], int]] = {  # and the GB of disk that it takes at full size
    "delta": (delta, 16),
    "growth": (growth, 16),
    "known": (known, 8),
    "listing": (listing, 30),
    "log": (log, 2),
    "promotion": (promotion, 8),
    "records": (records, 8),
    "skew": (skew, 1),
    "stored": (stored, 1),
    "workers": (workers, 16),
}
FILES = 6  # GB of small files that measures share


def main() -> None:
    parser = arguments(__doc__, MEASURES)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = f"{REPOSITORY / 'benchmarks'}:{REPOSITORY}"  # Spark's workers import from there too
    chosen = options.only.split(",")
    if unknown := [name for name in chosen if name not in MEASURES]:
        parser.error(f"there is no measure {', '.join(unknown)}. There are {', '.join(MEASURES)}")
    lines = told_machine()
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=options.place) as folder:
        ground = Ground(Path(folder), options.scale)
        _check_disk(ground, chosen)
        print("\n".join(lines), flush=True)
        for name in chosen:
            for found in _measured(name, ground):
                print(found, flush=True)
                lines.append(found)
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(int(any(": failed: " in row for row in lines)))


def arguments(description: str | None, measures: Iterable[str]) -> argparse.ArgumentParser:
    """What benchmarks of several ``measures`` are asked for."""
    names = list(measures)
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(names), help=f"some of {', '.join(names)}")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    parser.add_argument("--place", type=Path, help="where the temporary folder is made (default: the system's)")
    parser.add_argument("--save", type=Path, help="file for the result")
    return parser


def told_machine() -> list[str]:
    """Date and command, machine, versions."""
    date, cores, versions = machine()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return [
        date,
        f"{cores.partition(';')[0]}, {memory:.0f} GiB",
        f"{versions}, delta-spark {metadata.version('delta-spark')}",
    ]


def _measured(name: str, ground: Ground) -> list[str]:
    """The lines of one measure, with the minutes that it took; a measure that fails is reported as such."""
    start = time.perf_counter()
    try:
        found = apart(MEASURES[name][0], ground)
    except RuntimeError as error:
        found = ["", f"{name}: failed: {error}"]
    shutil.rmtree(ground.place / "data", ignore_errors=True)
    return [*found, f"  ({name}: {(time.perf_counter() - start) / 60:.1f} minutes, its files made)"]


def _check_disk(ground: Ground, chosen: list[str]) -> None:
    needed = (max(MEASURES[name][1] for name in chosen) + FILES) * ground.scale + 2
    free = shutil.disk_usage(ground.place).free / 1e9
    if free < needed:
        sys.exit(
            f"{ground.place} has {free:.0f} GB free, and {needed:.0f} GB are needed: give --place on a larger disk"
        )


if __name__ == "__main__":
    main()
