"""Cohorts in figures beside their targets, on tables-only synthetic archives.

    python benchmarks/cohorts.py [--only NAME,…] [--scale 0.01] [--place FOLDER] [--archives FOLDER] [--save FILE]

Archives of 1,000,000, 10,000,000 and 100,000,000 images are made where ``--archives`` has none (half an hour), and stay
there; left out, they go away with everything else. ``--scale`` shrinks all sizes: to try the benchmark, not to measure.
Needs two cores, 16 GB of memory and 12 GB of disk.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from analysis.ground import Place
from analysis.growing import growing
from analysis.opening import opening
from analysis.rehearsing import rehearsing
from analysis.selecting import selecting
from analysis.validating import validating
from ingest import arguments, told_machine
from secure.ground import REPOSITORY, Ground, apart

MEASURES: dict[str, Callable[[Place], list[str]]] = {
    "validation": validating,
    "selection": selecting,
    "dry_run": rehearsing,
    "growth": growing,
    "opening": opening,
}


def main() -> None:
    parser = arguments(__doc__, MEASURES)
    parser.add_argument("--archives", type=Path, help="folder of archives that stay, made there where they lack")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = f"{REPOSITORY / 'benchmarks'}:{REPOSITORY}"  # Spark's workers import from there too
    lines = told_machine()
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory(prefix="cohorts-", dir=options.place) as folder:
        archives = options.archives or Path(folder, "archives")
        archives.mkdir(parents=True, exist_ok=True)
        place = Place(Ground(Path(folder), options.scale), archives.resolve())
        for name in options.only.split(","):
            found = apart(MEASURES[name], place)
            print("\n".join(found), flush=True)
            lines += found
            shutil.rmtree(place.ground.place / "data", ignore_errors=True)
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
