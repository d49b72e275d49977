"""The tables of a snapshot: which rows go in, how they are written, what their checksum is."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import spread, storage, tables
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.delivery import for_project, naming_only, records_of
from smi_spark.analysis.hold_out import with_held_out
from smi_spark.analysis.registry import Column, Delivered, read_delivered, snapshot_table
from smi_spark.analysis.rolled_up import ROLL_UPS, counted, roll_up
from smi_spark.analysis.rules import record_schema
from smi_spark.analysis.selection import Chosen
from smi_spark.config import Config
from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.deidentified.dates import DatePolicy
from smi_spark.schema import load_schema
from smi_spark.tables import Table

_ORDER = (PATIENT_ID, "StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber")  # then date of the event, and the key
_ROW = 64  # bytes of a row of a table that zone 2 does not have: patients, matches


@dataclass(frozen=True)
class Shape:
    """What a project's snapshot of a cohort is like: what becomes of dates, which columns its tables do not have."""

    definition: Definition
    dates: DatePolicy
    left_out: Mapping[str, Sequence[str]]

    def table(self, config: Config, name: str) -> Table:
        """A table of the snapshot."""
        return snapshot_table(
            config, self.definition.project, self.definition.cohort, name, self.left_out.get(name, ())
        )


def write_snapshot(
    spark: SparkSession, config: Config, shape: Shape, chosen: Chosen, records: Mapping[str, DataFrame],
    replaced: DataFrame | None = None, images: int | None = None,
) -> tuple[Delivered, ...]:  # fmt: skip
    """Write the tables of a snapshot; they count once the registry names their versions.

    chosen: what the definition means of zone 2; records: of zone 2. Images first, then series, studies and patients
    rolled up from them, then records. Each replaces what the table held: earlier versions stay readable, and what a
    killed build left is behind the new one.
    images: how many are chosen, where that is known.
    """
    delivered: list[Delivered] = []
    written: dict[str, DataFrame] = {}

    def write(name: str, rows: DataFrame, at_most: int | None) -> None:
        delivered.append(write_table(config, shape.table(config, name), name, rows, at_most))
        of = shape.definition.project, shape.definition.cohort
        written[name] = read_delivered(spark, config, *of, delivered[-1])

    rows = delivered_rows(config, shape, chosen, records, replaced)
    write("images", rows.pop("images"), images)
    images = delivered[0].row_count
    for name, of_images in rolled_up(config, shape, written["images"]):
        write(name, of_images, images)
    for name, further in rows.items():
        at_most = None if name.startswith("records/") else images  # of records a patient has any number
        write(name, _naming_the_cohort(name, further, written["patients"]), at_most)
    return tuple(delivered)


def snapshot_rows(
    config: Config, shape: Shape, chosen: Chosen, records: Mapping[str, DataFrame], replaced: DataFrame | None = None
) -> dict[str, DataFrame]:
    """The tables of a snapshot as ``write_snapshot`` would write them, none of them written."""
    further = delivered_rows(config, shape, chosen, records, replaced)
    rows = {"images": further.pop("images").select(*shape.table(config, "images").columns)}  # as they are rolled up
    rows |= rolled_up(config, shape, rows["images"])
    rows |= {name: _naming_the_cohort(name, more, rows["patients"]) for name, more in further.items()}
    return {name: df.select(*shape.table(config, name).columns) for name, df in rows.items()}


def write_table(config: Config, target: Table, name: str, rows: DataFrame, at_most: int | None = None) -> Delivered:
    """Write a table of a snapshot, sorted by patient and study; ``name`` is its name within the cohort.

    at_most: how many rows it can have, where that is known: a job less, where these are one file in any case.
    """
    schema = target.schema
    wanted = (*_ORDER, schema.event_date, *schema.key_in("analysis"))
    order = [column for column in dict.fromkeys(wanted) if column in target.columns]
    version, count = storage.write_version(rows, target, order, _files(config, target, name, rows, at_most))
    return Delivered(name, version, count)


def _files(
    config: Config, target: Table, name: str, rows: DataFrame, at_most: int | None
) -> dict[spread.Values, int] | None:
    """In how many files of ``maintenance.file_bytes`` each partition is written; none where each is surely one.

    A row takes as many bytes as it does in zone 2 of the same kind: an X-ray's takes four times that of a CT slice.
    """
    spark, size = rows.sparkSession, config.maintenance.file_bytes
    like = tables.table(config, f"deidentified/{name}")
    is_small = storage.extent(spark, like).bytes <= size if at_most is None else spread.fits_one_file(at_most, size)
    if is_small:
        return None
    counts = spread.count_rows(rows, target.schema.partition_by)
    kinds = {values[:1] for values, count in counts.items() if not spread.fits_one_file(count, size)}
    bytes_a_row = storage.bytes_a_row(spark, like, kinds) if kinds else {}
    unknown = max(bytes_a_row.values(), default=_ROW)
    return {
        values: spread.files_for(count * bytes_a_row.get(values[:1], unknown), size) if values[:1] in kinds else 1
        for values, count in counts.items()
    }


def delivered_rows(
    config: Config, shape: Shape, chosen: Chosen, records: Mapping[str, DataFrame], replaced: DataFrame | None = None
) -> dict[str, DataFrame]:
    """Images first, then records: the rows that go into a snapshot, with a project's ids and dates, in all columns."""
    key, project = config.keys.projects, shape.definition.project
    rows = {
        name: for_project(theirs, load_schema(name), key, project, shape.dates, replaced)
        for name, theirs in chosen_rows(chosen, records, shape.definition).items()
    }
    return rows | {"images": with_held_out(rows["images"], shape.definition.hold_out)}


def rolled_up(config: Config, shape: Shape, images: DataFrame) -> Iterator[tuple[str, DataFrame]]:
    """Name and rows of each table that is rolled up from the snapshot's images, which are read once for all of them."""
    definition = shape.definition
    whole = snapshot_table(config, definition.project, definition.cohort, "images")
    with tables.held(counted(images, whole)) as alike:
        for name in ROLL_UPS:
            yield name, roll_up(name, alike, shape.table(config, name), definition.hold_out)


def chosen_rows(chosen: Chosen, records: Mapping[str, DataFrame], definition: Definition) -> dict[str, DataFrame]:
    """Name of a snapshot's table → the rows of zone 2 that go into it: images, who is whose control, then records."""
    rows = {"images": chosen.images}
    if chosen.matches is not None:
        rows["matches"] = chosen.matches
    studies = chosen.images.select("patient_id", "StudyDate").distinct()
    for table, window in sorted(definition.deliver.records.items()):
        event_date = str(record_schema(table).event_date)
        rows[f"records/{table}"] = records_of(records[table], studies, event_date, window)
    return rows


def read_version(
    spark: SparkSession, config: Config, definition: Definition, delivered: Sequence[Delivered]
) -> dict[str, DataFrame]:
    """Name → rows of tables as they were written."""
    of = definition.project, definition.cohort
    return {table.name: read_delivered(spark, config, *of, table) for table in delivered}


def columns_of(frames: Mapping[str, DataFrame]) -> tuple[Column, ...]:
    """The columns of the tables of a snapshot, in order."""
    return tuple(
        Column(name, field.name, field.dataType.simpleString()) for name, df in frames.items() for field in df.schema
    )


def content_checksum(frames: Mapping[str, DataFrame]) -> str:
    """SHA-256 over each table's name, rows and sum of row hashes: the same for the same rows in any order."""
    return checksum_of(content_sums(frames).values())


def content_sums(frames: Mapping[str, DataFrame]) -> dict[str, str]:
    """Table → its name, rows and sum of row hashes, of which a checksum is made."""
    sums = reduce(DataFrame.unionAll, (_sum_of_hashes(name, frame) for name, frame in frames.items()))
    return {row["name"]: f"{row['name']}|{row['rows']}|{row['hashes']}" for row in sums.collect()}


def checksum_of(sums: Iterable[str]) -> str:
    """The content checksum of tables with these sums."""
    return hashlib.sha256("\n".join(sorted(sums)).encode()).hexdigest()


def _naming_the_cohort(name: str, rows: DataFrame, patients: DataFrame) -> DataFrame:
    """Records that name nobody who is not in the cohort. patients: the snapshot's, with the project's ids."""
    others = load_schema(name).other_people
    return naming_only(rows, patients, [column for column in others if column in rows.columns])


def _sum_of_hashes(name: str, df: DataFrame) -> DataFrame:
    """One row: name, rows, hashes."""
    # Of values side by side xxhash64 passes over nulls, so that (null, x) and (x, null) hash alike; JSON has names.
    row_hash = F.xxhash64(F.to_json(F.struct("*"))).cast("decimal(20,0)")
    return df.agg(F.lit(name).alias("name"), F.count("*").alias("rows"), F.sum(row_hash).alias("hashes"))
