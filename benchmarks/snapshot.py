"""The files of a snapshot: how large they are beside the size that is asked for, of tables-only synthetic images.

    python benchmarks/snapshot.py [--images 3000000] [--place FOLDER] [--save benchmarks/results/snapshot.txt]

A cohort of all images with two tables of records, built with the default size of files (256 MiB:
``maintenance.file_bytes``), and its tables written again with sizes so small that the largest partition of images
needs four files, and sixteen, as it does at scale. Beside them what Spark shuffled, by which it tells how many files a
partition needs.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from ingest import told_machine
from secure.ground import SETTINGS

from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.registry import read_table, snapshot_table
from smi_spark.analysis.snapshot import write_table
from smi_spark.config import Config, Keys, KeySource, Maintenance
from smi_spark.deidentified.keys import create_key
from smi_spark.session import get_session
from smi_spark.synthetic.rates import Rates, load_rates
from smi_spark.synthetic.tables_only import write_tables

PROJECT = {
    "project": "demo", "title": "Files of a snapshot", "approval": {"number": "none", "reference": "invented people"},
    "people": ["nobody"], "from": "2020-01-01", "until": "2099-12-31", "records": ["prescribing", "smr01"],
    "modalities": ["CT", "MR", "CR", "DX", "US", "MG", "PT", "NM", "XA", "RF", "SR", "OTHER"],
}  # fmt: skip


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
    yield f"{images:,} images, CT of one year, local[2], driver 6g, all in the cohort; records: prescribing, smr01"
    write_tables(spark, config, images=images, seed=1, rates=one_partition())
    size = config.maintenance.file_bytes
    began = time.perf_counter()
    entry = build_cohort(spark, config, definition()).entry
    assert entry is not None
    yield ""
    yield f"files of {size >> 20} MiB asked for: built in {time.perf_counter() - began:.0f} s"
    for table in entry.tables:
        yield told(Path(config.analysis) / "demo/all" / table.name, table.row_count, size)
    largest = max(map(sum, data_files(Path(config.analysis) / "demo/all/images").values()))
    for size in (largest // 4, largest // 16):
        sized = config.model_copy(update={"maintenance": Maintenance(file_bytes=size)})
        yield ""
        yield f"files of {size / 2**20:.2f} MiB asked for, of the same rows:"
        for table in entry.tables:
            target = snapshot_table(sized, "demo", f"of_{size}", table.name)
            before = shuffled(place)
            write_table(sized, target, table.name, read_table(spark, config, entry, table.name))
            ratio = (shuffled(place) - before) / stored(Path(target.uri))
            yield f"{told(Path(target.uri), table.row_count, size)}; shuffled {ratio:.1f} x as many bytes"
    spark.stop()


def one_partition() -> Rates:
    """The rates of CT in the last year alone, so that images are one large partition."""
    rates = load_rates()
    years = rates.years.model_copy(update={"first": rates.years.last})
    return rates.model_copy(update={"years": years, "modalities": {"CT": rates.modalities["CT"]}})


def shuffled(place: Path) -> int:
    """Bytes that Spark has written into shuffles so far, by its event log."""
    events = (json.loads(line) for log in (place / "events").iterdir() for line in log.read_text().splitlines())
    metrics = (event.get("Task Metrics") or {} for event in events if event["Event"] == "SparkListenerTaskEnd")
    return sum(task["Shuffle Write Metrics"]["Shuffle Bytes Written"] for task in metrics if task)


def installed(place: Path) -> Config:
    key, projects = place / "projects.key", place / "projects"
    create_key(key)
    projects.mkdir()
    (projects / "demo.yaml").write_text(yaml.safe_dump(PROJECT))
    (place / "events").mkdir()
    events = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": (place / "events").as_uri(),
              "spark.eventLog.compress": "false", "spark.eventLog.rolling.enabled": "false"}  # fmt: skip
    places = {"spark.local.dir": str(place / "spark"), "spark.sql.warehouse.dir": str(place / "warehouse")}
    keys = Keys(archive=KeySource(env="NO_KEY"), projects=KeySource(file=str(key)))
    return Config(root=str(place / "data"), projects=str(projects), keys=keys, spark=SETTINGS | places | events)


def definition() -> Definition:
    deliver = {"records": {"prescribing": {}, "smr01": {}}}
    return read_definition(
        {"cohort": "all", "project": "demo", "question": "All?", "deliver": deliver}, "the benchmark"
    )


def told(table: Path, rows: int, size: int) -> str:
    """A table's files; of partitions that need several, how many lie between half and twice the size asked for."""
    partitions = data_files(table)
    sizes = sorted(size for files in partitions.values() for size in files)
    several = sorted(one for files in partitions.values() if sum(files) > 2 * size for one in files)
    near = sum(size / 2 <= one <= 2 * size for one in several)
    mega = [f"{sizes[at] / 2**20:.2f}" for at in (0, len(sizes) // 2, -1)]
    many = f"; of {len(several)} in partitions over twice the size {near} between half and twice it" if several else ""
    return (
        f"  {table.name:12} {rows:>11,} rows, {sum(sizes) / rows:6.1f} bytes a row; {len(partitions):3} partitions, "
        f"{len(sizes):3} files of {' / '.join(mega)} MiB (least, median, most){many}"
    )


def stored(table: Path) -> int:
    return sum(sum(files) for files in data_files(table).values())


def data_files(table: Path) -> dict[Path, list[int]]:
    """The sizes of a table's files, by partition."""
    partitions: dict[Path, list[int]] = {}
    for file in table.rglob("*.parquet"):
        if "_delta_log" not in file.parts:
            partitions.setdefault(file.parent, []).append(file.stat().st_size)
    return partitions


if __name__ == "__main__":
    main()
