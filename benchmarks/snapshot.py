"""The files of a snapshot: how large they are beside the size that is asked for, of tables-only synthetic images.

    python benchmarks/snapshot.py [--images 1000000] [--place FOLDER] [--save benchmarks/results/snapshot.txt]
    python benchmarks/snapshot.py --images 5000000 --wide [--place FOLDER] [--save …]

A cohort of all images with two tables of records, built with the default size of files (256 MiB:
``maintenance.file_bytes``), and its tables written again with sizes so small that the largest partition of images
needs four files, and sixteen, as it does at scale. ``--wide``: each image has 384 random bytes more, so that five
million of them need files of 256 MiB by the default size; they are not written again. ``--save`` adds to the file.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from ingest import told_machine
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from secure.ground import SETTINGS, jvm_of, peak, timed

from smi_spark import spread, storage
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.registry import read_table, snapshot_table
from smi_spark.analysis.snapshot import write_table
from smi_spark.config import Config, Keys, KeySource, Maintenance
from smi_spark.deidentified.keys import create_key
from smi_spark.session import get_session
from smi_spark.synthetic.rates import Rates, load_rates
from smi_spark.synthetic.tables_only import write_tables
from smi_spark.tables import read, replace, table

DEFAULT = Maintenance().file_bytes
WIDE = ("RescaleType", "ColorSpace", "RadiationMode", "RadiationSetting", "PositionerMotion", "DetectorType")
PROJECT = {
    "project": "demo", "title": "Files of a snapshot", "approval": {"number": "none", "reference": "invented people"},
    "people": ["nobody"], "from": "2020-01-01", "until": "2099-12-31", "records": ["prescribing", "smr01"],
    "modalities": ["CT", "MR", "CR", "DX", "US", "MG", "PT", "NM", "XA", "RF", "SR", "OTHER"],
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--wide", action="store_true", help="texts of random bytes in each image")
    parser.add_argument("--place", type=Path)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    lines = told_machine()
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory(prefix="snapshot-", dir=options.place) as folder:
        for found in measured(Path(folder), options.images, options.wide):
            print(found, flush=True)
            lines.append(found)
    if options.save:
        with options.save.open("a", encoding="utf-8") as result:
            result.write("\n".join([*lines, "", ""]))


def measured(place: Path, images: int, wide: bool) -> Iterator[str]:
    config = installed(place)
    spark = get_session(config)
    spark.sparkContext.setLogLevel("ERROR")
    yield f"{images:,} images, CT of one year, local[2], driver 6g, all in the cohort; records: prescribing, smr01"
    write_tables(spark, config, images=images, seed=1, rates=one_partition())
    if wide:
        yield f"Each image has {len(WIDE)} texts more of 64 random bytes."
        widen(spark, config)
    size = config.maintenance.file_bytes
    with seconds_of_planning() as planning:
        seconds, built = timed(lambda: build_cohort(spark, config, definition()))
    entry = built.entry
    assert entry is not None
    yield ""
    yield (
        f"files of {size >> 20} MiB asked for: built in {seconds:.0f} s, {sum(planning):.0f} of them to learn how many "
        f"files each partition needs; memory at most {peak(jvm_of(spark)):,.0f} MiB (JVM)"
    )
    for one in entry.tables:
        yield told(Path(config.analysis) / "demo/all" / one.name, one.row_count, size)
    largest = max(map(sum, data_files(Path(config.analysis) / "demo/all/images").values()))
    for size in () if wide else (largest // 4, largest // 16):
        sized = config.model_copy(update={"maintenance": Maintenance(file_bytes=size)})
        yield ""
        yield f"files of {size / 2**20:.2f} MiB asked for, of the same rows:"
        for one in entry.tables:
            target = snapshot_table(sized, "demo", f"of_{size}", one.name)
            write_table(sized, target, one.name, read_table(spark, config, entry, one.name), one.row_count)
            yield told(Path(target.uri), one.row_count, size)
    spark.stop()


def widen(spark: SparkSession, config: Config) -> None:
    """Texts that no compression makes shorter, in columns of images that no other table is made of."""
    images = table(config, "deidentified/images")
    texts = {name: F.base64(F.unhex(F.sha2(F.concat(F.lit(name), "SOPInstanceUID"), 512))) for name in WIDE}
    replace(read(spark, images).withColumns(texts), images)


@contextmanager
def seconds_of_planning() -> Iterator[list[float]]:
    """How long each look at rows took that told how many files they need."""
    found: list[float] = []

    def watched(look: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any) -> Any:
            seconds, result = timed(lambda: look(*given))
            found.append(seconds)
            return result

        return wrapped

    looks = spread.count_rows, storage.bytes_a_row, storage.extent
    with (
        patch.object(spread, "count_rows", watched(looks[0])),
        patch.object(storage, "bytes_a_row", watched(looks[1])),
        patch.object(storage, "extent", watched(looks[2])),
    ):
        yield found


def one_partition() -> Rates:
    """The rates of CT in the last year alone, so that images are one large partition."""
    rates = load_rates()
    years = rates.years.model_copy(update={"first": rates.years.last})
    return rates.model_copy(update={"years": years, "modalities": {"CT": rates.modalities["CT"]}})


def installed(place: Path) -> Config:
    key, projects = place / "projects.key", place / "projects"
    create_key(key)
    projects.mkdir()
    (projects / "demo.yaml").write_text(yaml.safe_dump(PROJECT))
    places = {"spark.local.dir": str(place / "spark"), "spark.sql.warehouse.dir": str(place / "warehouse")}
    keys = Keys(archive=KeySource(env="NO_KEY"), projects=KeySource(file=str(key)))
    return Config(root=str(place / "data"), projects=str(projects), keys=keys, spark=SETTINGS | places)


def definition() -> Definition:
    deliver = {"records": {"prescribing": {}, "smr01": {}}}
    return read_definition(
        {"cohort": "all", "project": "demo", "question": "All?", "deliver": deliver}, "the benchmark"
    )


def told(place: Path, rows: int, size: int) -> str:
    """A table's files; of partitions that need several, how many lie between half and twice the size asked for, which
    is 128 to 512 MB where it is 256 MiB.
    """
    least, most = (128_000_000, 512_000_000) if size == DEFAULT else (size // 2, size * 2)
    partitions = data_files(place)
    sizes = sorted(size for files in partitions.values() for size in files)
    several = sorted(one for files in partitions.values() if sum(files) > 2 * size for one in files)
    near = sum(least <= one <= most for one in several)
    mega = [f"{sizes[at] / 2**20:.2f}" for at in (0, len(sizes) // 2, -1)]
    within = "of 128 to 512 MB" if size == DEFAULT else "between half and twice it"
    many = f"; of {len(several)} in partitions over twice the size {near} {within}" if several else ""
    return (
        f"  {place.name:12} {rows:>11,} rows, {sum(sizes) / rows:6.1f} bytes a row; {len(partitions):3} partitions, "
        f"{len(sizes):3} files of {' / '.join(mega)} MiB (least, median, most){many}"
    )


def data_files(table: Path) -> dict[Path, list[int]]:
    """The sizes of a table's files, by partition."""
    partitions: dict[Path, list[int]] = {}
    for file in table.rglob("*.parquet"):
        if "_delta_log" not in file.parts:
            partitions.setdefault(file.parent, []).append(file.stat().st_size)
    return partitions


if __name__ == "__main__":
    main()
