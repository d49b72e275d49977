"""The synthetic archive in figures beside their targets: a million files, and tables alone of 100,000,000 images.

    python benchmarks/synthetic.py [--only files,tables] [--scale 0.01] [--place FOLDER] [--save FILE]

Both run as a user would run them; ``--scale`` shrinks the sizes: to try the benchmark, not to measure. Needs two cores,
16 GB of memory and 45 GB of disk.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest import arguments, told_machine
from measures import line

PATIENTS, FILES, IMAGES = 9_000, 1_000_000, 100_000_000
LOOKED_AT = 5_000  # files that dcmdump reads
_A_CALL = 1_000


def main() -> None:
    options = arguments(__doc__, MEASURES).parse_args()
    lines = told_machine()
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory(prefix="synthetic-", dir=options.place) as folder:
        for name in options.only.split(","):
            for found in MEASURES[name](Path(folder), options.scale):
                print(found, flush=True)
                lines.append(found)
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


def files(place: Path, scale: float) -> Iterator[str]:
    """An archive of files, linked records and answers, at the profile of Scotland."""
    out, patients = place / "files", round(PATIENTS * scale)
    seconds = _made("--patients", patients, "--profile", "scotland", "--out", out)
    told = json.loads((out / "archive.json").read_text(encoding="utf-8"))
    yield ""
    yield f"files: {patients:,} patients, --profile scotland"
    yield f"  {told['files']:,} files, {told['broken']:,} of them broken; {told['rows']:,} good record rows"
    yield f"  {seconds:.0f} s, {told['files'] / seconds:,.0f} files/s; {_gigabytes(out):.1f} GB on the disk"
    yield line(f"minutes for {FILES:,} files", seconds / 60 * FILES / told["files"], 15, "min", at_most=True)
    if shutil.which("dcmdump"):
        yield _looked_at(out, told["files"])


def _looked_at(out: Path, count: int) -> str:
    """Every so many-th good file, read by dcmdump, which says what it does not like."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    known = pq.read_table(out / "answers" / "files", columns=["path", "reason"])
    good = known.filter(pc.is_null(known["reason"]))["path"].to_pylist()
    careless = {
        path for part in (out / "answers").glob("*.json") for path in json.loads(part.read_text())["value_errors"]
    }
    chosen = [path for path in good[:: max(1, count // LOOKED_AT)] if path not in careless]
    said = 0
    for start in range(0, len(chosen), _A_CALL):
        names = [str(out / "dicom" / path) for path in chosen[start : start + _A_CALL]]
        read = subprocess.run(["dcmdump", "-ll", "warn", *names], capture_output=True, check=False)  # noqa: S603, S607
        said += len(read.stderr.splitlines())
    return f"  dcmdump of {len(chosen):,} good files: {said} warnings"


def tables(place: Path, scale: float) -> Iterator[str]:
    """Tables of zone 2 alone."""
    out, images = place / "tables", round(IMAGES * scale)
    seconds = _made("--tables-only", "--images", images, "--out", out)
    size = _gigabytes(out / "deidentified" / "images")
    yield ""
    yield f"tables alone: {images:,} images"
    yield f"  {seconds / 60:.0f} minutes; all tables {_gigabytes(out):.1f} GB on the disk"
    yield line("images on the disk", size, 15, "GB", at_most=True)


def _made(*arguments: object) -> float:
    """Seconds that the command took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "smi_spark.synthetic", "--seed", "1", *map(str, arguments)]
    subprocess.run(command, check=True)  # noqa: S603
    return time.perf_counter() - start


def _gigabytes(folder: Path) -> float:
    return sum(path.stat().st_blocks for path in folder.rglob("*") if path.is_file()) * 512 / 1e9


MEASURES: dict[str, Callable[[Path, float], Iterator[str]]] = {"files": files, "tables": tables}

if __name__ == "__main__":
    main()
