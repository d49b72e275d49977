"""pseudonymise in figures beside their targets: against Spark copying the same rows.

    python benchmarks/pseudonymise.py [--scale 0.1] [--place FOLDER] [--save FILE]

``--scale`` shrinks the sizes: a JVM that has just started compiles for half a minute of CPU, so that figures of less
than a million images are too high. Needs two cores and 16 GB of memory; the full sizes 20 GB of disk.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from deidentified.copying import copy
from deidentified.night import night
from ingest import arguments, told_machine
from secure.ground import REPOSITORY, Ground, apart

MEASURES: dict[str, Callable[[Ground], list[str]]] = {"copy": copy, "night": night}


def main() -> None:
    options = arguments(__doc__, MEASURES).parse_args()
    os.environ["PYTHONPATH"] = f"{REPOSITORY / 'benchmarks'}:{REPOSITORY}"  # Spark's workers import from there too
    lines = told_machine()
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory(prefix="pseudonymise-", dir=options.place) as folder:
        ground = Ground(Path(folder), options.scale)
        for name in options.only.split(","):
            found = apart(MEASURES[name], ground)
            print("\n".join(found), flush=True)
            lines += found
            shutil.rmtree(ground.place / "data", ignore_errors=True)
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
