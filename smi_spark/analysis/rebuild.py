"""A version of a cohort built again from the inputs that its row names: the same, but for people who said no since."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import __version__, purge, tables
from smi_spark.analysis.build import build_version, projects_key, read_inputs, write_beside
from smi_spark.analysis.cohort import Cohort, open_cohort
from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.delivery import patients_for_project
from smi_spark.analysis.opt_outs import ZoneTwo, check_unmoved, pin_opt_outs
from smi_spark.analysis.permission import check_permitted, left_out, with_rejection
from smi_spark.analysis.project import Project, load_project
from smi_spark.analysis.project_list import translated
from smi_spark.analysis.registry import Input, Registered, register, registered
from smi_spark.analysis.selection import choose
from smi_spark.analysis.snapshot import Shape, checksum_of, content_sums, snapshot_rows
from smi_spark.analysis.withdrawn import hidden_columns, ids_in, readable, rows_without
from smi_spark.config import Config
from smi_spark.deidentified.replaced import all_ids
from smi_spark.errors import ConfigError, InputError, TableError
from smi_spark.lease import lease
from smi_spark.run import new_run_id, started_on
from smi_spark.secure.opt_outs import opt_outs_copy


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild found: the version that was built again, and the one that holds its content now.

    gone: people of the version who said no since; hidden where they are fewer than ``minimum_cell``.
    """

    before: Registered
    entry: Registered
    gone: int
    minimum_cell: int
    is_new: bool = False
    otherwise_same: bool = True

    def __str__(self) -> str:
        if not self.gone:
            return f"{self.before.place} built again from its inputs: identical. Nothing was written"
        few = self.gone < self.minimum_cell
        people = f"fewer than {self.minimum_cell}" if few else f"{self.gone:,}"
        but = "identical but for them" if self.otherwise_same else (
            "not identical for the others either: see what compare tells of the two"
        )  # fmt: skip
        holds = f"Version {self.entry.version} {'holds it' if self.is_new else 'is already this'}"
        written = "Nothing was written" if self.entry is self.before else holds
        told = f"{self.before.place} built again from its inputs; people of it who said no since: {people}"
        return f"{told}; {but}. {written}"


def rebuild_cohort(
    spark: SparkSession, config: Config, name: str, dry_run: bool = False, given: Definition | None = None
) -> Rebuilt:
    """Build a version again, ``<project>/<cohort>/<version>``, from the definition and the inputs that its row names.

    Opt-outs are read at their newest. Where nobody of the version said no since, its content has to come out the same,
    by its checksum, and nothing is written. Where somebody did, the rest is compared likewise, and the next version of
    the cohort is registered, which says which one it rebuilds; once more with the same outcome it is none. With
    ``dry_run`` nothing is written in any case.
    given: the definition as its file has it, for one with a list of ids, of which the row has but the hash.
    What the project may have now has to cover what the version has.
    Raises InputError for another form of name; TableError for a version that is not there or was withdrawn, for inputs
    whose files are gone, naming table and version, and where the content comes out otherwise; ConfigError where the
    project may not have the version, or not today, where its dates, its key or what it rejects are others now, and
    where ``given`` is another definition.
    """
    before = open_cohort(spark, config, *_parsed(name)).entry
    place = before.place
    definition = read_definition(json.loads(before.definition), place)
    project = load_project(config, definition.project, f"{place}: ")
    check_permitted(definition, project, place)
    if given is not None:
        definition = _given(with_rejection(given, project), definition, place)
    shape = _shape(config, before, definition, project)
    run_id = new_run_id()
    with lease(config.zone("analysis"), f"{before.project}-{before.cohort}", run_id):
        opt_outs = pin_opt_outs(spark, config)
        inputs = tuple(source for source in before.inputs if source.name != opt_outs_copy(config).name)
        _check_kept(spark, config, before, inputs)
        zone_2 = _everybody(read_inputs(spark, config, inputs, opt_outs, started_on(run_id)))
        shape = replace(shape, definition=translated(definition, zone_2.images, config.keys.projects, zone_2.replaced))
        gone = _gone_since(spark, config, before, zone_2)
        count = gone.count()
        images, records = zone_2.left()
        chosen = choose(images, records, shape.definition)
        sums = content_sums(snapshot_rows(config, shape, chosen, records, zone_2.replaced))
        same = _is_same(spark, config, before, sums, gone if count else None)
        found = Rebuilt(before, before, count, project.minimum_cell, otherwise_same=same)
        if not count and not same:
            raise TableError(_differs(before))
        if not count or dry_run:
            return found
        entries = registered(spark, config, before.project, before.cohort)
        if (there := _already(entries, before, sums)) is not None:
            write_beside(Cohort(spark, config, there))  # as behind a run that was killed before it did
            return replace(found, entry=there)
        pinned = inputs if opt_outs is None else (*inputs, opt_outs)
        number, key = entries[0].version + 1, before.key_id
        entry = build_version(spark, config, shape, project, zone_2, pinned, number, key, run_id, before.version)
        check_unmoved(spark, config, opt_outs)
        register(spark, config, entry)
        write_beside(Cohort(spark, config, entry))
        return replace(found, entry=entry, is_new=True)


def _parsed(name: str) -> tuple[str, str, int]:
    project, _, rest = name.partition("/")
    cohort, _, version = rest.partition("/")
    if not (project and cohort and version.isdecimal()):
        raise InputError(f"--rebuild {name}: this is no version. Write it as project/cohort/version: demo/head_ct/2.")
    return project, cohort, int(version)


def _shape(config: Config, before: Registered, definition: Definition, project: Project) -> Shape:
    """What the version is like; ConfigError where its project may have less now, or has other dates or another key."""
    file = f"{before.place}: {project.place}"
    if before.dates not in (None, project.dates):
        raise ConfigError(f"{file}: dates: {project.dates}, and it was built with {before.dates}. {_NEXT}")
    if projects_key(config, definition.project) != before.key_id:
        raise ConfigError(
            f"{before.place}: it was built with project key {before.key_id}, which is another now. {_NEXT}"
        )
    if with_rejection(definition, project) != definition:
        raise ConfigError(f"{file}: rejection: there are rules now, and it was built without. {_NEXT}")
    now = left_out(definition, project)
    hidden = {name: tuple(hidden_columns(before, name)) for name in now}
    there = {table.name for table in before.tables}
    beyond = [f"{name}.{c}" for name in now if name in there for c in now[name] if c not in hidden[name]]
    if beyond:
        raise ConfigError(f"{file} does not permit {', '.join(beyond)}, which it has. {_NEXT}")
    return Shape(definition, project.dates, {name: hidden[name] if name in there else now[name] for name in now})


_NEXT = "It cannot be built again as it was: build the next version from its definition."


def _given(given: Definition, recorded: Definition, place: str) -> Definition:
    if given != recorded:
        raise ConfigError(
            f"{place} was built from another definition than the file given. Give the file as it was then."
        )
    return given


def _check_kept(spark: SparkSession, config: Config, before: Registered, inputs: Sequence[Input]) -> None:
    for source in inputs:
        try:
            purge.check_whole(spark, tables.table(config, source.name), source.version)
        except TableError as error:
            raise TableError(
                f"{before.place} cannot be built again from its inputs. {error} The snapshot is the record: open it."
            ) from None


def _everybody(zone_2: ZoneTwo) -> ZoneTwo:
    """With those who said no under the ids, too, that they had before others stood in their place."""
    return zone_2 if zone_2.said_no is None else replace(zone_2, said_no=all_ids(zone_2.said_no, zone_2.replaced))


def _gone_since(spark: SparkSession, config: Config, before: Registered, zone_2: ZoneTwo) -> DataFrame:
    """patient_id of the project, each once: those that the version holds, and whose no is in force now."""
    held = ids_in(spark, config, [before]).select("patient_id").distinct()
    if zone_2.said_no is None:
        return held.where(F.lit(False))
    theirs = patients_for_project(zone_2.said_no, config.keys.projects, before.project, zone_2.replaced)
    return tables.worked_out(held.join(F.broadcast(theirs), "patient_id", "left_semi"))


def _is_same(
    spark: SparkSession, config: Config, before: Registered, sums: Mapping[str, str], gone: DataFrame | None
) -> bool:
    """Whether the version's tables, without those people, have the content that came out."""
    there = [sums[table.name] for table in before.tables]
    if gone is None:
        return checksum_of(there) == before.content_checksum
    left = {name: rows for _, name, rows in rows_without(spark, config, before, gone)}
    return checksum_of(there) == checksum_of(content_sums(left).values())


def _already(entries: Sequence[Registered], before: Registered, sums: Mapping[str, str]) -> Registered | None:
    """A version that rebuilds this one and has that content."""
    of_it = (entry for entry in readable(entries) if entry.rebuilds == before.version)
    return next((entry for entry in of_it if entry.content_checksum == checksum_of(sums.values())), None)


def _differs(before: Registered) -> str:
    software = before.software_version
    why = "which built it" if software == __version__ else f"and smi_spark {software} built it"
    return (
        f"{before.place} built again from its inputs comes out otherwise, by smi_spark {__version__}, {why}. "
        "Nothing was written: the snapshot is the record. Build the next version to have what comes out now."
    )
