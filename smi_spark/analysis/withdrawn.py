"""Snapshots that hold people who said no: which they are, what follows them, and their files."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import __version__, purge, tables
from smi_spark.analysis.card import withdraw_card, write_card
from smi_spark.analysis.cohort import Cohort
from smi_spark.analysis.delivery import patients_for_project
from smi_spark.analysis.project import minimum_cell
from smi_spark.analysis.registry import (
    Delivered,
    Registered,
    read_delivered,
    register_withdrawn,
    registered,
    snapshot_table,
    write_manifest,
)
from smi_spark.analysis.rolled_up import ROLL_UPS, counted, roll_up
from smi_spark.analysis.selection import count_left
from smi_spark.analysis.shown import shown
from smi_spark.analysis.snapshot import columns_of, content_checksum, write_table
from smi_spark.config import Config
from smi_spark.run import operator
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
    ids = patients_for_project(theirs, config.keys.projects, entries[0].project, replaced)
    found = ids_in(spark, config, entries).join(F.broadcast(ids), "patient_id")
    return found.groupBy("person", "policy", "version").agg(
        F.count_if(F.col("table") == "images").alias("images"), F.count_if(F.col("table") != "images").alias("records")
    )


def ids_in(spark: SparkSession, config: Config, entries: Sequence[Registered]) -> DataFrame:
    """version, table, patient_id: one row for each id that is written in images or records of versions of a cohort.

    What is rolled up from images has the same people.
    """
    parts = [
        rows.select(
            F.lit(entry.version).alias("version"), F.lit(table.name).alias("table"), F.col(column).alias("patient_id")
        )
        for entry in entries
        for table in entry.tables
        if table.name not in ROLL_UPS
        for rows in [read_delivered(spark, config, entry.project, entry.cohort, table)]
        for column in ("patient_id", *load_schema(table.name).other_people)
        if column in rows.columns
    ]  # fmt: skip
    return reduce(DataFrame.unionAll, parts)


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
    """Let nothing be left of the versions of a cohort that are withdrawn: their manifests and cards say so, their files
    go, and what logs told of these. Versions that are not stay readable. Gives the number of files.
    """
    for entry in entries:
        write_manifest(config, entry, again=entry.withdrawn_at is not None)
        if entry.withdrawn_at is not None:
            withdraw_card(config, entry)
    for entry in sorted(readable(entries), key=lambda one: one.version):
        write_card(Cohort(spark, config, entry))
    count = 0
    for name in sorted({table.name for entry in entries if entry.withdrawn_at for table in entry.tables}):
        target = snapshot_table(config, entries[0].project, entries[0].cohort, name)
        kept = [table.version for entry in readable(entries) for table in entry.tables if table.name == name]
        count += purge.drop_files(spark, target, purge.files_beside(spark, target, kept))
    return count


def readable(entries: Iterable[Registered]) -> list[Registered]:
    """Versions that were not withdrawn."""
    return [entry for entry in entries if entry.withdrawn_at is None]


def rows_without(
    spark: SparkSession, config: Config, entry: Registered, people: DataFrame
) -> Iterator[tuple[tables.Table, str, DataFrame]]:
    """Each table of a version, its name in the cohort, and its rows without ``people`` (patient_id of the project, each
    once), images first. What is rolled up is made anew from the images that are left.
    """
    alike, whole = None, snapshot_table(config, entry.project, entry.cohort, "images")
    hold_out = json.loads(entry.definition).get("hold_out")
    with ExitStack() as stack:
        for table in entry.tables:
            target = snapshot_table(config, entry.project, entry.cohort, table.name, hidden_columns(entry, table.name))
            if alike is not None and table.name in ROLL_UPS:
                yield target, table.name, roll_up(table.name, alike, target, hold_out)
                continue
            before = read_delivered(spark, config, entry.project, entry.cohort, table)
            left = before.join(F.broadcast(people), "patient_id", "left_anti")
            others = tuple(name for name in target.schema.other_people if name in left.columns)
            rows = tables.completed(without_values(left, people, others), target)
            if table.name == "images":
                alike = stack.enter_context(tables.held(counted(rows, whole)))
            yield target, table.name, rows


def _write_without(
    spark: SparkSession, config: Config, entry: Registered, number: int, people: DataFrame, run_id: str
) -> Registered:
    delivered: list[Delivered] = []
    frames: dict[str, DataFrame] = {}
    before = {table.name: table.row_count for table in entry.tables}
    for target, name, rows in rows_without(spark, config, entry, people):
        delivered.append(write_table(config, target, name, rows, before[name]))
        frames[name] = read_delivered(spark, config, entry.project, entry.cohort, delivered[-1])
    left = count_left(frames["images"], len(entry.attrition) + 1, WITHOUT)
    return replace(
        entry,
        version=number,
        built_at=datetime.now(UTC),
        run_id=run_id,
        tables=tuple(delivered),
        attrition=shown((*entry.attrition, left), minimum_cell(config, entry.project), held=True),
        content_checksum=content_checksum(frames),
        software_version=__version__,
        built_by=operator(config),
        columns=columns_of(frames),
    )


def hidden_columns(entry: Registered, table: str) -> list[str]:
    """The columns of its schema that a table of a version does not have: those that came later too."""
    there = entry.columns_of(table)
    if there:
        return [column.name for column in load_schema(table).columns if column.name not in there]
    return [one.removeprefix(f"{table}.") for one in entry.left_out if one.startswith(f"{table}.")]
