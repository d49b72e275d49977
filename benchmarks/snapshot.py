"""The files of a snapshot: how large they are beside the size that is asked for, of tables-only synthetic images.

    python benchmarks/snapshot.py [--images 3000000] [--place FOLDER] [--save benchmarks/results/snapshot.txt]

A cohort of all images with two tables of records, built once with the default size of files (256 MiB:
``maintenance.file_bytes``) and once with one that is so small that partitions need several, as they do at scale.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from ingest import told_machine
from secure.ground import SETTINGS

from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.config import Config, Keys, KeySource, Maintenance
from smi_spark.deidentified.keys import create_key
from smi_spark.session import get_session
from smi_spark.synthetic.rates import load_rates
from smi_spark.synthetic.tables_only import write_tables

PROJECT = {
    "project": "demo", "title": "Files of a snapshot", "approval": {"number": "none", "reference": "invented people"},
    "people": ["nobody"], "from": "2020-01-01", "until": "2099-12-31", "records": ["prescribing", "smr01"],
    "modalities": ["CT", "MR", "CR", "DX", "US", "MG", "PT", "NM", "XA", "RF", "SR", "OTHER"],
}  # fmt: skip
SMALL = 2 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=3_000_000)
    parser.add_argument("--place", type=Path)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    lines = told_machine()
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory(prefix="snapshot-", dir=options.place) as folder:
        for found in measured(Path(folder), options.images):
            print(found, flush=True)
            lines.append(found)
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(place: Path, images: int) -> Iterator[str]:
    config = installed(place)
    spark = get_session(config)
    spark.sparkContext.setLogLevel("ERROR")
    yield f"{images:,} images of two years, local[2], driver 6g, all of them in the cohort; records: prescribing, smr01"
    rates = load_rates()
    two_years = rates.years.model_copy(update={"first": rates.years.last - 1})  # so that partitions are large ones
    write_tables(spark, config, images=images, seed=1, rates=rates.model_copy(update={"years": two_years}))
    for number, size in enumerate((config.maintenance.file_bytes, SMALL), 1):
        sized = config.model_copy(update={"maintenance": Maintenance(file_bytes=size)})
        began = time.perf_counter()
        built = build_cohort(spark, sized, definition(number))
        seconds = time.perf_counter() - began
        yield ""
        yield f"files of {size >> 20} MiB asked for: built in {seconds:.0f} s"
        assert built.entry is not None
        for table in built.entry.tables:
            yield told(Path(config.analysis) / "demo" / built.entry.cohort / table.name, table.row_count, size)
    spark.stop()


def installed(place: Path) -> Config:
    key, projects = place / "projects.key", place / "projects"
    create_key(key)
    projects.mkdir()
    (projects / "demo.yaml").write_text(yaml.safe_dump(PROJECT))
    places = {"spark.local.dir": str(place / "spark"), "spark.sql.warehouse.dir": str(place / "warehouse")}
    keys = Keys(archive=KeySource(env="NO_KEY"), projects=KeySource(file=str(key)))
    return Config(root=str(place / "data"), projects=str(projects), keys=keys, spark=SETTINGS | places)


def definition(number: int) -> Definition:
    deliver = {"records": {"prescribing": {}, "smr01": {}}}
    return read_definition(
        {"cohort": f"all_{number}", "project": "demo", "question": "All?", "deliver": deliver}, "the benchmark"
    )


def told(table: Path, rows: int, size: int) -> str:
    """A table's files; of partitions that need several, how many lie between half and twice the size asked for."""
    partitions: dict[Path, list[int]] = {}
    for file in table.rglob("*.parquet"):
        if "_delta_log" not in file.parts:
            partitions.setdefault(file.parent, []).append(file.stat().st_size)
    sizes = sorted(size for files in partitions.values() for size in files)
    several = [one for files in partitions.values() if sum(files) > 2 * size for one in files]
    near = sum(size / 2 <= one <= 2 * size for one in several)
    mega = [f"{sizes[at] / 2**20:.2f}" for at in (0, len(sizes) // 2, -1)]
    many = f"; of {len(several)} in partitions over twice the size {near} between half and twice it" if several else ""
    return (
        f"  {table.name:12} {rows:>11,} rows, {sum(sizes) / rows:6.1f} bytes a row; {len(partitions):3} partitions, "
        f"{len(sizes):3} files of {' / '.join(mega)} MiB (least, median, most){many}"
    )


if __name__ == "__main__":
    main()
