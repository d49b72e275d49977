"""Snapshots that hold people who said no: which they are, what follows them, and their files."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import __version__, purge, tables
from smi_spark.analysis.delivery import patients_for_project
from smi_spark.analysis.registry import (
    Delivered,
    Registered,
    read_delivered,
    register_withdrawn,
    registered,
    snapshot_table,
    write_manifest,
)
from smi_spark.analysis.selection import Left
from smi_spark.analysis.snapshot import content_checksum
from smi_spark.config import Config
from smi_spark.deidentified.rollups import roll_up_studies
from smi_spark.schema import load_schema
from smi_spark.secure.people import without_values

WITHOUT = "without people who said no since"  # the last step in the attrition of a successor


def held_by(
    spark: SparkSession, config: Config, entries: Sequence[Registered], theirs: DataFrame,
    replaced: DataFrame | None = None,
) -> DataFrame:  # fmt: skip
    """What versions of a cohort hold of people: person, policy, version, images, records (rows of or about them).

    entries: versions that can be read. theirs: person, policy, patient_id (of zone 2, each once). One pass over the
    columns of ids of all tables of all versions.
    """
    parts = [
        rows.select(
            F.lit(entry.version).alias("version"), F.lit(table.name).alias("table"), F.col(column).alias("patient_id")
        )
        for entry in entries
        for table in entry.tables
        if table.name != "studies"
        for rows in [read_delivered(spark, config, entry.project, entry.cohort, table)]
        for column in ("patient_id", *load_schema(table.name).other_people)
        if column in rows.columns
    ]  # fmt: skip
    ids = patients_for_project(theirs, config.keys.projects, entries[0].project, replaced)
    found = reduce(DataFrame.unionAll, parts).join(F.broadcast(ids), "patient_id")
    return found.groupBy("person", "policy", "version").agg(
        F.count_if(F.col("table") == "images").alias("images"), F.count_if(F.col("table") != "images").alias("records")
    )


def withdraw_versions(
    spark: SparkSession, config: Config, entries: Sequence[Registered], gone: DataFrame, run_id: str,
    replaced: DataFrame | None = None,
) -> list[Registered]:  # fmt: skip
    """Give each of the versions a successor without the people ``gone`` (patient_id of zone 2, each once).

    A successor is made of the version's own tables, in the order of versions, so that the newest follows the newest.
    The commit is one change of the registry for all of them: a run that was killed before has done nothing.
    entries: versions of one cohort. Gives the versions as they are registered now.
    """
    known = registered(spark, config, entries[0].project, entries[0].cohort)
    number = known[0].version
    theirs = patients_for_project(gone, config.keys.projects, entries[0].project, replaced)
    people = tables.worked_out(theirs.select("patient_id").distinct())
    withdrawn, successors = [], []
    for entry in sorted(entries, key=lambda one: one.version):
        number += 1
        successors.append(_write_without(spark, config, entry, number, people, run_id))
        withdrawn.append(replace(entry, withdrawn_at=datetime.now(UTC), successor=number))
    register_withdrawn(spark, config, withdrawn, successors)
    return [*withdrawn, *successors]


def clear_versions(spark: SparkSession, config: Config, entries: Sequence[Registered]) -> int:
    """Let nothing be left of the versions of a cohort that are withdrawn: their manifests say so, their files go, and
    what logs told of these. Versions that are not stay readable. Gives the number of files.
    """
    for entry in entries:
        write_manifest(config, entry, again=entry.withdrawn_at is not None)
    count = 0
    for name in sorted({table.name for entry in entries if entry.withdrawn_at for table in entry.tables}):
        target = snapshot_table(config, entries[0].project, entries[0].cohort, name)
        kept = [table.version for entry in readable(entries) for table in entry.tables if table.name == name]
        removed = purge.remove_files(target, purge.files_beside(spark, target, kept))
        purge.forget(spark, target, removed)
        count += removed
    return count


def readable(entries: Iterable[Registered]) -> list[Registered]:
    """Versions that were not withdrawn."""
    return [entry for entry in entries if entry.withdrawn_at is None]


def _write_without(
    spark: SparkSession, config: Config, entry: Registered, number: int, people: DataFrame, run_id: str
) -> Registered:
    delivered: list[Delivered] = []
    frames: dict[str, DataFrame] = {}
    for table in entry.tables:
        hidden = [one.removeprefix(f"{table.name}.") for one in entry.left_out if one.startswith(f"{table.name}.")]
        target = snapshot_table(config, entry.project, entry.cohort, table.name, hidden)
        if table.name == "studies":
            whole = snapshot_table(config, entry.project, entry.cohort, "images")
            rows = roll_up_studies(tables.completed(frames["images"], whole))
        else:
            before = read_delivered(spark, config, entry.project, entry.cohort, table)
            left = before.join(F.broadcast(people), "patient_id", "left_anti")
            others = tuple(name for name in target.schema.other_people if name in left.columns)
            rows = tables.completed(without_values(left, people, others), target)
        row_count = tables.replace(rows, target, keep_versions=True)
        delivered.append(Delivered(table.name, tables.latest_version(spark, target), row_count))
        frames[table.name] = read_delivered(spark, config, entry.project, entry.cohort, delivered[-1])
    return replace(
        entry,
        version=number,
        built_at=datetime.now(UTC),
        run_id=run_id,
        tables=tuple(delivered),
        attrition=(*entry.attrition, _left(frames["images"], len(entry.attrition) + 1)),
        content_checksum=content_checksum(frames),
        software_version=__version__,
    )


def _left(images: DataFrame, step: int) -> Left:
    distinct = F.count_distinct("patient_id"), F.count_distinct("patient_id", "StudyInstanceUID"), F.count("*")
    counts = images.agg(*(count.alias(name) for count, name in zip(distinct, "psi", strict=True))).first()
    assert counts is not None  # an aggregate without groups has one row
    return Left(step, WITHOUT, counts["p"], counts["s"], counts["i"])
