"""The tables of a snapshot: which rows go in, how they are written, what their checksum is."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.definition import Definition, record_schema
from smi_spark.analysis.delivery import for_project, records_of
from smi_spark.analysis.permission import left_out
from smi_spark.analysis.project import Project
from smi_spark.analysis.registry import Delivered, read_delivered, snapshot_table
from smi_spark.analysis.selection import select_images
from smi_spark.config import Config
from smi_spark.deidentified.rollups import roll_up_studies
from smi_spark.schema import load_schema


def write_snapshot(
    spark: SparkSession,
    config: Config,
    definition: Definition,
    project: Project,
    images: DataFrame,
    records: Mapping[str, DataFrame],
    replaced: DataFrame | None = None,
) -> tuple[Delivered, ...]:
    """Write the tables of a snapshot, as its project may have them; they count once the registry names their versions.

    Images first, then their studies rolled up from them, then records. Each replaces what the table held: earlier
    versions stay readable, and what a killed build left is behind the new one.
    """
    hidden = left_out(definition, project)
    delivered: list[Delivered] = []

    def write(name: str, rows: DataFrame) -> None:
        target = snapshot_table(config, definition.project, definition.cohort, name, hidden[name])
        row_count = tables.replace(rows, target, keep_versions=True)
        delivered.append(Delivered(name, tables.latest_version(spark, target), row_count))

    for name, rows in choose_rows(images, records, definition).items():
        write(
            name,
            for_project(rows, load_schema(name), config.keys.projects, definition.project, project.dates, replaced),
        )
        if name == "images":
            whole = snapshot_table(config, definition.project, definition.cohort, name)
            written = read_delivered(spark, config, definition.project, definition.cohort, delivered[0])
            write("studies", roll_up_studies(tables.completed(written, whole)))
    return tuple(delivered)


def choose_rows(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition) -> dict[str, DataFrame]:
    """Name of a snapshot's table → the rows of zone 2 that go into it: images first, then records."""
    selected = select_images(images, records, definition)
    studies = selected.select("patient_id", "StudyDate").distinct()
    chosen = {"images": selected}
    for table, window in sorted(definition.deliver.records.items()):
        event_date = str(record_schema(table).event_date)
        chosen[f"records/{table}"] = records_of(records[table], studies, event_date, window)
    return chosen


def checksum(spark: SparkSession, config: Config, definition: Definition, delivered: Sequence[Delivered]) -> str:
    """The content checksum of tables as they were written."""
    project, cohort = definition.project, definition.cohort
    return content_checksum({d.name: read_delivered(spark, config, project, cohort, d) for d in delivered})


def content_checksum(frames: Mapping[str, DataFrame]) -> str:
    """SHA-256 over each table's name, rows and sum of row hashes: the same for the same rows in any order."""
    sums = reduce(DataFrame.unionAll, (_sum_of_hashes(name, frame) for name, frame in frames.items()))
    lines = sorted(f"{row['name']}|{row['rows']}|{row['hashes']}" for row in sums.collect())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _sum_of_hashes(name: str, df: DataFrame) -> DataFrame:
    """One row: name, rows, hashes."""
    # Of values side by side xxhash64 passes over nulls, so that (null, x) and (x, null) hash alike; JSON has names.
    row_hash = F.xxhash64(F.to_json(F.struct("*"))).cast("decimal(20,0)")
    return df.agg(F.lit(name).alias("name"), F.count("*").alias("rows"), F.sum(row_hash).alias("hashes"))
