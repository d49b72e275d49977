"""What data files cost in a table's log: bytes of a commit and of a checkpoint, and seconds to open the table."""

from pathlib import Path

from measures import line
from pyspark.sql import SparkSession

from secure.ground import Ground, apart, timed
from smi_spark import storage, tables
from smi_spark.config import Config
from smi_spark.secure.ingest import ingest_headers

FILES, PARTITIONS = 30_000, 7  # of the archive whose rows are written, and the partitions that they stand in
DATA_FILES = {"headers": (1_000, 10_000), "images": (500, 5_000)}


def log(ground: Ground) -> list[str]:
    """Few rows in many data files: the log does not know how many rows a data file has."""
    lines = ["", "the log of a table, by the number of its data files; statistics of 32 columns of real rows"]
    for name, sizes in DATA_FILES.items():
        seconds = []
        for size in sizes:
            wanted = ground.count(size, least=70)
            files, commit, checkpoint = apart(_write, ground, name, wanted)
            seconds.append(apart(_open, ground, name, wanted))
            lines.append(
                f"  {name}, {files:,} data files: {commit / files:,.0f} bytes a file in commits, "
                f"{checkpoint / files:,.0f} in a checkpoint; opened, and a partition looked up, in {seconds[-1]:.1f} s"
            )
        lines.append(line(f"seconds to open {name} with ten times the data files", seconds[1] / seconds[0], None))
    return lines


def _write(ground: Ground, name: str, wanted: int) -> tuple[int, int, int]:
    """Data files, bytes of their commits, bytes of a checkpoint."""
    with ground.session({}) as spark:
        made = ground.config("rows", as_left=True)
        if not Path(made.root).exists():
            ingest_headers(spark, made, [ground.files(ground.count(FILES))])
        target = tables.table(_config(ground, name, wanted), f"secure/{name}")
        rows = tables.read(spark, tables.table(made, f"secure/{name}"))
        tables.append(rows.repartition(wanted // PARTITIONS), target)
        commits = sum(path.stat().st_size for path in Path(target.uri, "_delta_log").glob("[0-9]*.json"))
        storage.checkpoint(spark, target)
        newest = max(Path(target.uri, "_delta_log").glob("*.checkpoint*.parquet"))
        return storage.extent(spark, target).files, commits, newest.stat().st_size


def _open(ground: Ground, name: str, wanted: int) -> float:
    """Seconds in a session that has just begun, and looked at another table."""
    with ground.session({}) as spark:
        _look(spark, ground.config("rows", as_left=True), name)
        return timed(lambda: _look(spark, _config(ground, name, wanted), name))[0]


def _look(spark: SparkSession, config: Config, name: str) -> None:
    rows = tables.read(spark, tables.table(config, f"secure/{name}"))
    rows.where("modality = 'MR' AND year = 2018").select("SOPInstanceUID").isEmpty()


def _config(ground: Ground, name: str, wanted: int) -> Config:
    return ground.config(f"log-{name}-{wanted}", as_left=True)
