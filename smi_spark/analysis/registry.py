"""The registry of zone 3: a build is committed by one row of ``analysis/cohorts``; what no row names does not exist."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.definition import REGISTRY
from smi_spark.analysis.selection import Left
from smi_spark.config import Config
from smi_spark.errors import TableError, nearest
from smi_spark.objectstore import open_files

TERMS = ("approval", "profile", "dates", "left_out")  # fields that say what the project may have


class Delivered(NamedTuple):
    """A table of a snapshot: its name within the cohort, the Delta version that holds it, its rows."""

    name: str
    version: int
    row_count: int


class Input(NamedTuple):
    """A table that a snapshot was built from, as users write it, and its Delta version."""

    name: str
    version: int


class Pin(NamedTuple):
    """A Delta version of a table that a version of a cohort needs."""

    table: str
    version: int
    project: str
    cohort: str
    number: int

    def __str__(self) -> str:
        return f"version {self.version}, which {self.project}/{self.cohort} version {self.number} cites"


@dataclass(frozen=True)
class Registered:
    """One version of a cohort: a row of the registry."""

    project: str
    cohort: str
    version: int
    built_at: datetime
    run_id: str
    definition: str
    definition_hash: str
    tables: tuple[Delivered, ...]
    inputs: tuple[Input, ...]
    attrition: tuple[Left, ...]
    key_id: str
    content_checksum: str
    software_version: str
    approval: str | None = None
    approval_reference: str | None = None
    profile: str | None = None
    dates: str | None = None
    left_out: tuple[str, ...] = ()
    withdrawn_at: datetime | None = None
    successor: int | None = None

    @property
    def recipe(self) -> tuple[object, ...]:
        """What the content of a snapshot follows from: equal recipes give equal snapshots."""
        terms = (getattr(self, name) for name in TERMS)
        return self.definition_hash, self.inputs, self.key_id, self.software_version, *terms


@dataclass(frozen=True)
class Cohort:
    """A snapshot: lazy DataFrames of exactly the Delta versions that its registry row names.

    Counts are exact, small ones too: what leaves the safe haven has to be checked for them.
    """

    spark: SparkSession
    config: Config
    entry: Registered

    @cached_property
    def images(self) -> DataFrame:
        """One row an image, partitioned by modality and year; columns of ``schemas/images.yaml`` in zone 3."""
        return self._table("images")

    @cached_property
    def studies(self) -> DataFrame:
        """One row a study, over the images of the snapshot; columns of ``schemas/studies.yaml``."""
        return self._table("studies")

    @cached_property
    def records(self) -> Mapping[str, DataFrame]:
        """The delivered records, by the table's short name; joined to images on patient_id."""
        names = [t.name for t in self.entry.tables if t.name.startswith("records/")]
        return {name.removeprefix("records/"): self._table(name) for name in names}

    def __str__(self) -> str:
        rows = ", ".join(f"{table.row_count:,} {table.name}" for table in self.entry.tables)
        built = f"{self.entry.built_at:%Y-%m-%d}"
        return f"{self.entry.project}/{self.entry.cohort} version {self.entry.version}, built {built}: {rows}"

    @property
    def version(self) -> int:
        return self.entry.version

    @property
    def attrition(self) -> tuple[Left, ...]:
        """Patients, studies and images that each step of the selection left."""
        return self.entry.attrition

    def _table(self, name: str) -> DataFrame:
        (delivered,) = (table for table in self.entry.tables if table.name == name)
        return read_delivered(self.spark, self.config, self.entry.project, self.entry.cohort, delivered)


def open_cohort(spark: SparkSession, config: Config, project: str, cohort: str, version: int | None = None) -> Cohort:
    """A version of a cohort (default: the newest), through the registry alone.

    Raises TableError for a cohort or version that is not registered, naming those that are, and for one that was
    withdrawn, naming its successor.
    """
    entries = registered(spark, config, project, cohort)
    if not entries:
        raise TableError(_unknown_cohort(spark, config, project, cohort))
    for entry in entries:
        if version in (None, entry.version):
            if entry.withdrawn_at is not None:
                raise TableError(_withdrawn(entries, entry))
            return Cohort(spark, config, entry)
    known = ", ".join(f"{e.version} ({e.built_at:%Y-%m-%d})" for e in reversed(entries))
    raise TableError(
        f"{project}/{cohort} has no version {version}; it has {known}. Open one of these, or leave version out."
    )


def registered(spark: SparkSession, config: Config, project: str, cohort: str) -> list[Registered]:
    """All versions of a cohort, the newest first."""
    rows = tables.read_or_empty(spark, registry_table(config))
    mine = rows.where((F.col("project") == project) & (F.col("cohort") == cohort))
    return [_from_row(row.asDict()) for row in mine.orderBy(F.desc("version")).collect()]


def register(spark: SparkSession, config: Config, entry: Registered) -> None:
    """Commit a build."""
    target = tables.with_all_columns(spark, registry_table(config))
    row = tuple(asdict(entry)[name] for name in target.columns)
    tables.append(spark.createDataFrame([row], target.schema.spark("analysis")), target)


def register_withdrawn(
    spark: SparkSession, config: Config, withdrawn: Sequence[Registered], successors: Sequence[Registered]
) -> None:
    """Commit that versions were withdrawn, and the versions that follow them, at once."""
    target = tables.with_all_columns(spark, registry_table(config))
    rows = [tuple(asdict(entry)[name] for name in target.columns) for entry in (*withdrawn, *successors)]
    tables.merge(spark.createDataFrame(rows, target.schema.spark("analysis")), target, target.schema.key)


def cohorts(spark: SparkSession, config: Config) -> list[tuple[str, str]]:
    """Project and name of every cohort, sorted."""
    rows = tables.read_or_empty(spark, registry_table(config)).select("project", "cohort").distinct()
    return sorted((row["project"], row["cohort"]) for row in rows.collect())


def write_manifest(config: Config, entry: Registered, *, again: bool = False) -> None:
    """The registry row as ``manifest-v<N>.json`` beside the tables, for readers without Spark.

    Left when it is there; ``again`` puts another one in its place where it says something else.
    """
    place = f"{config.zone('analysis')}/{entry.project}/{entry.cohort}/manifest-v{entry.version}.json"
    system, path = open_files(place)
    is_there = system.get_file_info(path).type != fs.FileType.NotFound
    if not is_there or (again and _content(system, path) != manifest(entry)):
        with system.open_output_stream(path) as stream:
            stream.write(manifest(entry).encode())


def manifest(entry: Registered) -> str:
    """The registry row as JSON text."""
    value = asdict(entry) | {
        "built_at": entry.built_at.isoformat(),
        "definition": json.loads(entry.definition),
        "tables": [table._asdict() for table in entry.tables],
        "inputs": [source._asdict() for source in entry.inputs],
        "attrition": [left._asdict() for left in entry.attrition],
        "withdrawn_at": entry.withdrawn_at and entry.withdrawn_at.isoformat(),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def pins(spark: SparkSession, config: Config, since: datetime) -> DataFrame:
    """What cohorts built at or after ``since`` cite: one row a table of zone 2, its version, and the cohort's version.

    Columns as in ``Pin``.
    """
    rows = tables.read_or_empty(spark, registry_table(config)).where(F.col("built_at") >= F.lit(since))
    cited = rows.select(F.explode("inputs").alias("input"), "project", "cohort", F.col("version").alias("number"))
    return cited.select(F.col("input.name").alias("table"), "input.version", "project", "cohort", "number")


def snapshot_tables(spark: SparkSession, config: Config) -> dict[str, Pin]:
    """The tables of all snapshots by name, each with the oldest version that is registered. None of them expires."""
    rows = tables.read_or_empty(spark, registry_table(config))
    delivered = rows.select(F.explode("tables").alias("table"), "project", "cohort", F.col("version").alias("number"))
    oldest = F.min(F.struct("table.version", "number")).alias("pin")
    found = delivered.groupBy("project", "cohort", F.col("table.name").alias("name")).agg(oldest)
    pins = (
        Pin(f"analysis/{r.project}/{r.cohort}/{r['name']}", r.pin.version, r.project, r.cohort, r.pin.number)
        for r in found.orderBy("project", "cohort", "name").collect()
    )
    return {pin.table: pin for pin in pins}


def registry_table(config: Config) -> tables.Table:
    return tables.table(config, f"analysis/{REGISTRY}")


def snapshot_table(
    config: Config, project: str, cohort: str, name: str, left_out: Collection[str] = ()
) -> tables.Table:
    """A table of a snapshot by its name within the cohort: ``images``, ``studies``, ``records/smr01``.

    ``left_out``: columns of its schema that it does not have.
    """
    whole = tables.table(config, f"analysis/{project}/{cohort}/{name}", schema=name)
    columns = tuple(column for column in whole.schema.columns if column.name not in left_out)
    return replace(whole, schema=whole.schema.model_copy(update={"columns": columns}))


def read_delivered(spark: SparkSession, config: Config, project: str, cohort: str, delivered: Delivered) -> DataFrame:
    """The rows of a snapshot's table at the version delivered."""
    return tables.read(spark, snapshot_table(config, project, cohort, delivered.name), delivered.version)


def _from_row(row: dict[str, Any]) -> Registered:
    for name in ("built_at", "withdrawn_at"):  # Spark gives the driver's local time
        row[name] = row[name].astimezone(UTC) if row.get(name) else None
    row["tables"] = tuple(Delivered(**item.asDict()) for item in row["tables"])
    row["inputs"] = tuple(Input(**item.asDict()) for item in row["inputs"])
    row["left_out"] = tuple(row.get("left_out") or ())  # a registry may be older than what it says of approvals
    row["attrition"] = tuple(Left(**item.asDict()) for item in row["attrition"])
    return Registered(**row)


def _content(system: fs.FileSystem, path: str) -> str:
    with system.open_input_stream(path) as stream:
        return bytes(stream.read()).decode()


def _withdrawn(entries: Sequence[Registered], entry: Registered) -> str:
    by_number = {one.version: one for one in entries}
    following = entry
    while following.successor in by_number:
        following = by_number[following.successor]
    return (
        f"{entry.project}/{entry.cohort} version {entry.version} was withdrawn on {entry.withdrawn_at:%Y-%m-%d}: "
        f"it held people who said no, and its files are gone. Open version {following.version}: the same without them."
    )


def _unknown_cohort(spark: SparkSession, config: Config, project: str, cohort: str) -> str:
    known = ["/".join(names) for names in cohorts(spark, config)]
    given = f"{project}/{cohort}"
    if not known:
        return f"{given} is not a cohort: none is built yet. Run jobs/build_cohort.py first."
    return f"{given} is not a cohort. Cohorts here: {', '.join(known)}.{nearest(given, known)}"
