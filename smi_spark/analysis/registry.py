"""The registry of zone 3: a build is committed by one row of ``analysis/cohorts``; what no row names does not exist."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.definition import REGISTRY
from smi_spark.analysis.selection import Left
from smi_spark.config import Config
from smi_spark.errors import TableError
from smi_spark.objectstore import read_text, write_text

TERMS = ("approval", "profile", "dates", "left_out", "licence")  # fields that say what the project may have


class Delivered(NamedTuple):
    """A table of a snapshot: its name within the cohort, the Delta version that holds it, its rows."""

    name: str
    version: int
    row_count: int


class Column(NamedTuple):
    """A column of a table of a snapshot: the table's name within the cohort, the column's, its type as Spark has it."""

    table: str
    name: str
    type: str


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
    licence: str | None = None
    built_by: str | None = None
    columns: tuple[Column, ...] = ()
    rebuilds: int | None = None
    withdrawn_at: datetime | None = None
    successor: int | None = None

    @property
    def recipe(self) -> tuple[object, ...]:
        """What the content of a snapshot follows from: equal recipes give equal snapshots."""
        terms = (getattr(self, name) for name in TERMS)
        return self.definition_hash, self.inputs, self.key_id, self.software_version, *terms

    @property
    def place(self) -> str:
        """The version as users are told of it: ``demo/head_ct version 2``."""
        return f"{self.project}/{self.cohort} version {self.version}"

    def columns_of(self, table: str) -> tuple[str, ...]:
        """Names of the columns of a table, in order; none of a version from before they were noted."""
        return tuple(column.name for column in self.columns if column.table == table)


def registered(spark: SparkSession, config: Config, project: str, cohort: str) -> list[Registered]:
    """All versions of a cohort, the newest first."""
    rows = tables.read_or_empty(spark, registry_table(config))
    mine = rows.where((F.col("project") == project) & (F.col("cohort") == cohort))
    entries = [_from_row(row.asDict()) for row in mine.collect()]
    return sorted(entries, key=lambda entry: -entry.version)  # Spark sorts in three jobs


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


def newest(entries: Sequence[Registered]) -> Registered | None:
    """The newest of the versions of a cohort that follow its definition and inputs as these went on, if there is one:
    an older one that was built again is none.
    """
    return next((entry for entry in entries if entry.rebuilds is None), None)


def cohorts(spark: SparkSession, config: Config) -> list[tuple[str, str]]:
    """Project and name of every cohort, sorted."""
    rows = tables.read_or_empty(spark, registry_table(config)).select("project", "cohort").distinct()
    return sorted((row["project"], row["cohort"]) for row in rows.collect())


def write_manifest(config: Config, entry: Registered, *, again: bool = False) -> None:
    """The registry row as ``manifest-v<N>.json`` beside the tables, for readers without Spark.

    Left when it is there; ``again`` puts another one in its place where it says something else.
    """
    place = f"{config.zone('analysis')}/{entry.project}/{entry.cohort}/manifest-v{entry.version}.json"
    there = read_text(place)
    if there is None or (again and there != manifest(entry)):
        write_text(place, manifest(entry))


def manifest(entry: Registered) -> str:
    """The registry row as JSON text."""
    value = asdict(entry) | {
        "built_at": entry.built_at.isoformat(),
        "definition": json.loads(entry.definition),
        "tables": [table._asdict() | {"columns": _schema(entry, table.name)} for table in entry.tables],
        "inputs": [source._asdict() for source in entry.inputs],
        "attrition": [left._asdict() for left in entry.attrition],
        "withdrawn_at": entry.withdrawn_at and entry.withdrawn_at.isoformat(),
    }
    del value["columns"]  # each stands with its table
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


def read_table(spark: SparkSession, config: Config, entry: Registered, name: str) -> DataFrame:
    """A table of a version by its name within the cohort; TableError for one that the version does not have."""
    for table in entry.tables:
        if table.name == name:
            return read_delivered(spark, config, entry.project, entry.cohort, table)
    known = ", ".join(table.name for table in entry.tables)
    raise TableError(f"{entry.place} has no table {name}; it has {known}. Build the next version to have it.")


def _from_row(row: dict[str, Any]) -> Registered:
    for name in ("built_at", "withdrawn_at"):  # Spark gives the driver's local time
        row[name] = row[name].astimezone(UTC) if row.get(name) else None
    row["tables"] = tuple(Delivered(**item.asDict()) for item in row["tables"])
    row["inputs"] = tuple(Input(**item.asDict()) for item in row["inputs"])
    row["left_out"] = tuple(row.get("left_out") or ())  # a registry may be older than what it says of approvals
    row["columns"] = tuple(Column(**item.asDict()) for item in row.get("columns") or ())
    row["attrition"] = tuple(Left(**item.asDict()) for item in row["attrition"])
    return Registered(**row)


def _schema(entry: Registered, table: str) -> dict[str, str]:
    return {column.name: column.type for column in entry.columns if column.table == table}
