"""Headers a second: the engine, the bare reading of the same files, pydicom, and the peers that pip can install.

    python benchmarks/headers.py [--only NAME …] [--save benchmarks/results/headers.txt]

Contenders read the same files, each in a process of its own on one core, and take turns; the median of the rounds
counts. A peer that ends its process is reported as such.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import measures
import samples
from contenders import PEERS, Rate, Reader, bare_of, by_pydicom, engine, race
from measures import line

from smi_spark.schema import load_schema

PARTS = ("small", "real", "large", "cold", "spark", "start", "memory", "frugal")


def compare(title: str, paths: list[str], columns: dict[str, str], rounds: int, *, peers: float = 0) -> list[str]:
    """One table: each contender's rate and its ratio to pydicom's, then the figures that have a target.

    ``peers``: how many times as fast as the fastest peer the engine has to be; 0 for no peers.
    """
    slow = paths[:: max(1, len(paths) // 500)]
    readers: dict[str, tuple[Reader, list[str]]] = {
        "bare open, read, close": (bare_of(paths), paths),
        "smi_spark.dicom": (engine, paths),
    }
    readers["pydicom"] = by_pydicom, slow
    missing = {}
    for name, (reader, package) in PEERS.items() if peers else ():
        if version(package) is None:
            missing[name] = Rate(wrong=f"not installed: pip install {package}")
        else:
            readers[name] = reader, slow
    rates = race(readers, columns, rounds) | missing
    base, ours = rates["pydicom"].each, rates["smi_spark.dicom"].each
    lines = ["", f"{title}: {len(paths)} files, {len(columns)} columns"]
    for name, rate in rates.items():
        refused = f"   ({rate.refused} of {len(slow)} files refused)" if rate.refused else ""
        lines.append(f"  {name:24}  {rate.wrong or f'{rate.each:10,.0f}/s {rate.each / base:8.1f} × pydicom'}{refused}")
    if peers:
        fastest = max(PEERS, key=lambda name: rates[name].each)
        lines.append(line(f"engine against the fastest peer, {fastest}", ours / rates[fastest].each, peers))
        lines.append(line("engine against bare open, read, close", ours / rates["bare open, read, close"].each, 0.55))
    else:
        lines.append(line("engine against pydicom", ours / base, 40))
    return lines


def version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def machine() -> list[str]:
    cpu = Path("/proc/cpuinfo")
    models = [row.split(":")[1].strip() for row in cpu.read_text().splitlines() if row.startswith("model name")]
    packages = ["numba", "numpy", "pyarrow", "pyspark", "pydicom", *(package for _, package in PEERS.values())]
    versions = ", ".join(f"{name} {version(name)}" for name in packages if version(name))
    return [
        f"{time.strftime('%Y-%m-%d')}: python {' '.join(sys.argv)}",
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores; contenders on one of them",
        f"Python {platform.python_version()}, {versions}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000, help="how many small files take part in the race")
    parser.add_argument("--many", type=int, default=200_000, help="how many for Spark and memory")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    lines = machine()
    with tempfile.TemporaryDirectory() as folder:
        for part in options.only:
            for found in measure(part, Path(folder), options):
                print(found, flush=True)
                lines.append(found)
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(part: str, folder: Path, options: argparse.Namespace) -> list[str]:
    """The lines of one part."""
    common = {keyword: keyword for keyword in samples.COMMON}
    everything, rounds = load_schema("images").tags(), options.rounds
    few, many = folder / "few", folder / "many"
    few.mkdir(exist_ok=True)
    engine(samples.small_files(few, 100), everything)  # compiled before the clock starts, if it never was
    if part == "small":
        paths = samples.small_files(few, options.files)
        found = compare("small CT headers", paths, common, rounds, peers=4)
        return found + compare("small CT headers", paths, everything, rounds)
    if part == "real":
        paths = samples.real_files(few, 40)
        found = compare("real headers", paths, common, rounds, peers=3)
        return found + compare("real headers", paths, everything, rounds)
    if part == "large":
        paths = samples.large_files(few, 2000)
        found = compare("large vendor headers", paths, common, rounds)
        return found + compare("large vendor headers", paths, everything, rounds)
    if part == "cold":
        return measures.cold(samples.small_files(few, options.files), common, rounds)
    if part == "start":
        return measures.start_up(samples.small_files(few, options.files))
    if part == "frugal":
        found = measures.frugality("small CT headers", samples.small_files(few, options.files))
        shared = samples.shared_files()
        return found + (measures.frugality("../shared/data/dicom", shared) if shared else [])
    many.mkdir(exist_ok=True)
    paths = samples.small_files(many, options.many)
    if part == "spark":
        return measures.spark(paths, common, rounds)
    return measures.memory(paths, samples.large_files(few, 200), everything)


if __name__ == "__main__":
    main()
