"""Care of all tables: small files brought together and sorted, old versions removed, logs kept short."""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import storage, tables
from smi_spark.analysis.registry import Pin, pins, registry_table, snapshot_tables
from smi_spark.config import Config
from smi_spark.deidentified.mapping import LEASE as MAPPING_LEASE
from smi_spark.deidentified.pseudonymise import ZONE_2_LEASE
from smi_spark.deidentified.text.review import LEASE as REVIEW_LEASE
from smi_spark.deidentified.text.review import REVIEW
from smi_spark.deidentified.text.scan import FINDINGS
from smi_spark.deidentified.text.scan import LEASE as FINDINGS_LEASE
from smi_spark.deidentified.text.vocabulary import VOCABULARY
from smi_spark.errors import BusyError, InputError, unknown_name
from smi_spark.lease import lease
from smi_spark.maintenance_report import Kept, Report
from smi_spark.schema import record_tables
from smi_spark.secure import runs
from smi_spark.secure.opt_outs import OPT_OUTS
from smi_spark.secure.people import DEMOGRAPHY
from smi_spark.storage import Extent, Partition
from smi_spark.tables import Table

JOB = "maintain_tables"
_ORDER = ("StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber")  # then the table's key


def maintain_tables(
    spark: SparkSession, config: Config, names: Sequence[str] = (), horizon: int | None = None, dry_run: bool = False
) -> Report:
    """Take care of the tables called ``names`` (default: all that are there).

    Partitions with ``maintenance.crowded`` times the files that they need are rewritten, sorted by study, series and
    instance, one commit each; tables without partitions have their small files brought together. Rows stay as they
    are. Then files that no version of the last ``horizon`` days needs are removed (default: see ``horizon_of``), and
    logs get a checkpoint where Delta's own is overdue. The tables of snapshots keep every version and their files: the
    registry names versions, and compaction would only double them.
    A killed run is completed by the next, and one with nothing to do writes nothing. A table that another run writes is
    left alone, and that is said. ``dry_run`` writes nothing at all.
    Raises InputError for an unknown table, and for a horizon younger than a version that the registry pins, before
    anything is done.
    """
    snapshots = snapshot_tables(spark, config)
    chosen = _choose(spark, config, names, snapshots)
    if horizon is not None:
        _check_horizon(horizon, [snapshots[name] for name in names if name in snapshots])
    days = _horizons(spark, config, chosen, horizon)
    run = runs.started(spark)
    kept = [_keep(spark, config, target, days[target.name], run.id, snapshots, dry_run) for target in chosen]
    report = Report(tuple(kept), sum(name in snapshots for name in names) if names else len(snapshots))
    if report.counts() and not dry_run:
        runs.end(spark, config, run, JOB, [one.table for one in kept if not one.is_idle], report.counts())
    return report


def horizon_of(config: Config, table: str, asked: int | None, pin: Pin | None, age: timedelta | None) -> int:
    """Days for which a table's versions stay readable, ``age`` being that of the version that ``pin`` needs.

    What is asked for, else what ``maintenance.horizons`` gives the table; else ``maintenance.horizon_days``, and with a
    pin as many times ``maintenance.pin_days`` as reach back to it.
    Raises InputError for one that is asked for, or given, and does not reach back to the pin.
    """
    settings = config.maintenance
    chosen = settings.horizons.get(table) if asked is None else asked
    if pin is None or age is None:
        return settings.horizon_days if chosen is None else chosen
    needed = math.ceil(age / timedelta(days=1))
    if chosen is None:
        return max(settings.horizon_days, settings.pin_days * math.ceil(needed / settings.pin_days))
    if chosen < needed:
        raise InputError(
            f"{table}: a horizon of {chosen:,} days is younger than {pin}. Nothing was done. "
            f"Give {needed:,} days or more, or wait until that cohort is {settings.pin_days:,} days old."
        )
    return chosen


def sort_order(schema_key: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The columns by which the rows of a partition are sorted: study, series, instance, then the table's key."""
    return [name for name in dict.fromkeys((*_ORDER, *schema_key)) if name in columns]


def writers(config: Config, name: str, snapshots: Mapping[str, Pin] = {}) -> list[tuple[str, str]]:
    """The leases of the jobs that write a table: base URI of the zone, and name."""
    secure, deidentified = config.zone("secure"), config.zone("deidentified")
    images, zone_2 = (secure, "images"), (deidentified, ZONE_2_LEASE)
    lists = secure, f"records-{OPT_OUTS}"
    records = {f"secure/records/{table}": (secure, f"records-{table}") for table in record_tables()}
    if name == registry_table(config).name:
        cohorts = sorted({f"{pin.project}-{pin.cohort}" for pin in snapshots.values()})
        return [(config.zone("analysis"), cohort) for cohort in cohorts]
    if name == "secure/quarantine":
        return [images, zone_2, (secure, MAPPING_LEASE), *records.values(), lists]
    if name == "secure/mapping":
        return [zone_2, (secure, MAPPING_LEASE)]
    if name == FINDINGS:
        return [(secure, FINDINGS_LEASE)]
    if name == f"secure/{OPT_OUTS}":
        return [lists]
    if name in (REVIEW, VOCABULARY):
        return [(secure, REVIEW_LEASE)]
    if name == "secure/submissions":
        return [*records.values(), lists]
    if name == "secure/changes":
        return [images, records[f"secure/{DEMOGRAPHY}"]]
    if name == "secure/people":
        return [records[f"secure/{DEMOGRAPHY}"]]
    of_zone_2 = ("secure/links", "secure/replaced", "secure/withdrawals", "secure/erasing")
    if name in of_zone_2 or name.startswith("deidentified/"):
        return [zone_2]
    return [records.get(name, images)]


def _choose(spark: SparkSession, config: Config, names: Sequence[str], snapshots: Mapping[str, Pin]) -> list[Table]:
    """The tables that are there, histories among them, or those of them that are named."""
    archive = tables.archive_tables(config)
    possible = [one for table in archive for one in (table, tables.history_of(table))]
    there = {one.name: one for one in possible if tables.exists(spark, one)}
    for place, given in (("--table", names), ("maintenance.horizons", config.maintenance.horizons)):
        known = [*there, *snapshots] if place == "--table" else [one.name for one in possible]
        for name in given:
            if name not in known:
                raise InputError(unknown_name(place, name, "table", known))
    return [there[name] for name in dict.fromkeys(names) if name in there] if names else list(there.values())


def _check_horizon(days: int, snapshots: Sequence[Pin]) -> None:
    if days < 1:
        raise InputError(f"a horizon of {days} days would remove files of runs that are at work. Give 1 day or more.")
    for pin in snapshots:
        raise InputError(
            f"{pin.table}: a horizon of {days:,} days is younger than {pin}. Nothing was done. "
            "Snapshots keep every version: leave --horizon or the table out."
        )


def _horizons(spark: SparkSession, config: Config, chosen: Sequence[Table], asked: int | None) -> dict[str, int]:
    since = datetime.now(UTC) - timedelta(days=config.maintenance.pin_days)
    pinned = pins(spark, config, since)
    names = {row["table"] for row in pinned.select("table").distinct().collect()}  # of zone 2
    oldest = {one.name: _oldest_pin(spark, one, pinned) for one in chosen if one.name in names}
    return {one.name: horizon_of(config, one.name, asked, *oldest.get(one.name, (None, None))) for one in chosen}


def _oldest_pin(spark: SparkSession, target: Table, pinned: DataFrame) -> tuple[Pin | None, timedelta | None]:
    """Of the versions that cohorts pin, the oldest which the log still has, and its age."""
    mine = pinned.where(F.col("table") == target.name)
    committed = mine.join(storage.commit_times(spark, target), "version")
    row = committed.orderBy("version", "project", "cohort", "number").first()
    if row is None:
        return None, None
    age = datetime.now(UTC) - datetime.fromtimestamp(row["committed"] / 1e6, UTC)
    return Pin(**{name: row[name] for name in Pin._fields}), age


def _keep(
    spark: SparkSession, config: Config, target: Table, days: int, run_id: str, snapshots: Mapping[str, Pin], dry: bool
) -> Kept:
    if dry:
        return _plan(spark, config, target, days)
    try:
        with ExitStack() as held:
            for base, name in writers(config, target.name.removesuffix("_history"), snapshots):
                held.enter_context(lease(base, name, run_id))
            return _maintain(spark, config, target, days)
    except BusyError as error:
        return Kept(target.name, days, busy=str(error))


def _maintain(spark: SparkSession, config: Config, target: Table, days: int) -> Kept:
    is_new = storage.keep_for(spark, target, days)
    before = storage.extent(spark, target)
    crowded = _crowded(spark, config, target)
    for partition in crowded:
        _rewrite(spark, config, target, partition)
    after = storage.extent(spark, target) if crowded else before
    removed = storage.vacuum(spark, target, days)
    overdue = storage.commits_since_checkpoint(target) > storage.CHECKPOINT_EVERY
    if overdue:
        storage.checkpoint(spark, target)
    return Kept(target.name, days, is_new, len(crowded), before, after, removed, overdue)


def _plan(spark: SparkSession, config: Config, target: Table, days: int) -> Kept:
    before, size = storage.extent(spark, target), config.maintenance.file_bytes
    is_new = bool(storage.lacking_properties(spark, target, days))
    crowded = _crowded(spark, config, target)
    fewer = sum(partition.extent.files - partition.extent.needed(size) for partition in crowded)
    removed = Extent(storage.unneeded_files(spark, target, days))
    overdue = storage.commits_since_checkpoint(target) > storage.CHECKPOINT_EVERY
    after = Extent(before.files - fewer)
    return Kept(target.name, days, is_new, len(crowded), before, after, removed, overdue, is_dry=True)


def _crowded(spark: SparkSession, config: Config, target: Table) -> list[Partition]:
    """The partitions that are worth rewriting; a list as long as there are modalities and years."""
    settings = config.maintenance
    return [
        partition
        for partition in storage.partitions(spark, target)
        if partition.extent.files >= settings.crowded * partition.extent.needed(settings.file_bytes)
    ]


def _rewrite(spark: SparkSession, config: Config, target: Table, partition: Partition) -> None:
    size = config.maintenance.file_bytes
    if not target.schema.partition_by:
        storage.pack(spark, target, size)
        return
    order = sort_order(target.schema.key, tables.read(spark, target).columns)
    storage.rewrite_sorted(spark, target, partition.where, partition.extent.needed(size), order)
