"""Building a cohort: select, deliver, write the tables, and commit them by one row of the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from smi_spark import __version__, tables
from smi_spark.analysis.card import write_card
from smi_spark.analysis.cohort import Cohort
from smi_spark.analysis.controls import count_matched
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.dry_run import DryRun, rehearse
from smi_spark.analysis.hold_out import count_held_out
from smi_spark.analysis.opt_outs import ZoneTwo, check_unmoved, is_concerned, pin_opt_outs, said_no
from smi_spark.analysis.permission import check_permitted, left_out, with_rejection
from smi_spark.analysis.project import Project, load_project
from smi_spark.analysis.project_list import translated
from smi_spark.analysis.registry import (
    TERMS,
    Input,
    Registered,
    newest,
    register,
    registered,
    write_manifest,
)
from smi_spark.analysis.selection import Left, attrition, choose, unknown_ids
from smi_spark.analysis.shown import WHY_HIDDEN, shown, told_count
from smi_spark.analysis.snapshot import Shape, columns_of, content_checksum, read_version, write_snapshot
from smi_spark.config import Config
from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.deidentified.keys import key_id, load_key, project_key
from smi_spark.deidentified.replaced import read_replaced
from smi_spark.lease import lease
from smi_spark.run import new_run_id, operator, started_on

Inputs = tuple[Input, ...]


@dataclass(frozen=True)
class Built:
    """What a build did. As text: the attrition table, and where the snapshot is; ``dry`` of one that wrote nothing.

    attrition: with small counts hidden, as ``shown`` does.
    """

    definition: Definition
    attrition: tuple[Left, ...]
    entry: Registered | None = None
    is_new: bool = False
    place: str = ""
    left_out: str = ""
    dry: DryRun | None = None

    def __str__(self) -> str:
        counts = attrition_table(self.attrition) if self.dry is None else str(self.dry)
        return "\n".join(filter(None, (counts, self.left_out, self._outcome())))

    def _outcome(self) -> str:
        name = f"{self.definition.project}/{self.definition.cohort}"
        if self.entry is None:
            return f"{name}: dry run, nothing written"
        if not self.is_new:
            return f"{name}: version {self.entry.version} is already this, in {self.place}"
        return f"{name}: version {self.entry.version} built, in {self.place}"


def build_cohort(spark: SparkSession, config: Config, definition: Definition, dry_run: bool = False) -> Built:
    """Build the next version of a cohort from zone 2 as it is; with ``dry_run`` write nothing, count instead.

    Tables (Delta, under ``analysis/<project>/<cohort>/``): images, series and studies partitioned by modality and year,
    patients, and ``records/<table>`` for what the definition delivers. A version follows from the definition, the Delta
    versions of its inputs, the project's key, the software, and the project's terms (approval, profile, dates, columns,
    licence): where the newest version has the same, none is added. Inputs that moved make a new version even when its
    content turns out the same: it cites them. People who said no are left out first, as ``deidentified/opt_outs`` has
    them, whatever the definition says; who said no since and is not meant by it makes no new version. Ids and dates of
    a project stay when zone 2 gets another archive key: see ``smi_spark.deidentified.replaced``.
    Version numbers go on behind those of versions that were built again (``smi_spark.analysis.rebuild``).
    Raises ConfigError when the definition's project has no file, or may not have it, or not today; TableError when a
    table of zone 2 is not there or lacks opt-outs that were loaded, KeyFileError when the parent of the projects' keys
    is not, OtherKeyError while one is between two archive keys, BusyError while another run builds the cohort.
    """
    project = load_project(config, definition.project, f"cohort {definition.cohort}: ")
    check_permitted(definition, project, f"cohort {definition.cohort}")
    definition = with_rejection(definition, project)
    if dry_run:
        pinned = _pin_inputs(spark, config, definition), pin_opt_outs(spark, config)
        zone_2 = read_inputs(spark, config, *pinned, datetime.now(UTC).date())
        definition = translated(definition, zone_2.images, config.keys.projects, zone_2.replaced)
        dry = rehearse(*zone_2.left(), definition, project.minimum_cell)
        return Built(definition, dry.attrition, left_out=_told(definition, project, zone_2), dry=dry)
    run_id = new_run_id()
    with lease(config.zone("analysis"), f"{definition.project}-{definition.cohort}", run_id):
        return _build(spark, config, definition, project, run_id)


def _build(spark: SparkSession, config: Config, definition: Definition, project: Project, run_id: str) -> Built:
    inputs, opt_outs = _pin_inputs(spark, config, definition), pin_opt_outs(spark, config)
    zone_2 = read_inputs(spark, config, inputs, opt_outs, started_on(run_id))
    definition = translated(definition, zone_2.images, config.keys.projects, zone_2.replaced)
    place = f"{config.zone('analysis')}/{definition.project}/{definition.cohort}"
    versions = registered(spark, config, definition.project, definition.cohort)
    last, told = newest(versions), ""
    cited = _as_cited(spark, config, inputs, last.inputs if last else ())
    key = projects_key(config, definition.project)
    shape = Shape(definition, project.dates, left_out(definition, project))
    terms = _terms(project, shape)
    recipe = (definition.sha256(), cited, key, __version__, *(terms[name] for name in TERMS))
    is_new = last is None or not _is_of(spark, config, definition, zone_2, last, recipe)
    if is_new:
        number = versions[0].version + 1 if versions else 1
        pinned = inputs if opt_outs is None else (*inputs, opt_outs)
        entry = build_version(spark, config, shape, project, zone_2, pinned, number, key, run_id)
        check_unmoved(spark, config, opt_outs)
        register(spark, config, entry)
        told = _told(definition, project, zone_2, Cohort(spark, config, entry))
    else:
        assert last is not None
        entry = last
    write_beside(Cohort(spark, config, entry))  # also after a build that was killed between the row and its copy
    return Built(definition, shown(entry.attrition, project.minimum_cell), entry, is_new, place, told)


def attrition_table(steps: Sequence[Left]) -> str:
    """The steps as lines of text: patients, studies, images, rule."""
    lines = [f"{'patients':>10} {'studies':>10} {'images':>10}  left after"]
    for step in steps:
        counts = (f"{told_count(count):>10}" for count in (step.patients, step.studies, step.images))
        lines.append(f"{' '.join(counts)}  {step.step}. {step.rule}")
    return "\n".join([*lines, WHY_HIDDEN] if any(None in step for step in steps) else lines)


def write_beside(cohort: Cohort) -> None:
    """What stands beside the tables for who reads: written once a version is registered, left where it is there."""
    write_manifest(cohort.config, cohort.entry)
    write_card(cohort)


def _terms(project: Project, shape: Shape) -> dict[str, Any]:
    """What a row of the registry says of the project: fields of ``Registered``."""
    return {
        "approval": project.approval.number,
        "approval_reference": project.approval.reference,
        "profile": project.profile,
        "dates": project.dates,
        "licence": project.licence,
        "left_out": tuple(f"{table}.{column}" for table, columns in shape.left_out.items() for column in columns),
    }


def _told(definition: Definition, project: Project, zone_2: ZoneTwo, cohort: Cohort | None = None) -> str:
    """What stands beneath the attrition, a line each: who was left out, which ids of a list are unknown; once a version
    is written, how many controls its cases got, and how many people are held out.
    """
    minimum = project.minimum_cell
    lines = [zone_2.told(definition, minimum), unknown_ids(zone_2.images, definition, cohort is not None)]
    if cohort is not None and definition.controls is not None:
        cases = cohort.images.join(cohort.matches, PATIENT_ID, "left_anti")
        lines.append(count_matched(cases, cohort.matches, definition.controls.ratio, minimum))
    if cohort is not None and definition.hold_out is not None:
        lines.append(count_held_out(cohort.images, minimum))
    return "\n".join(filter(None, lines))


def projects_key(config: Config, project: str) -> str:
    """Id of the project's key."""
    return key_id(project_key(load_key(config.keys.projects), project))


def build_version(
    spark: SparkSession, config: Config, shape: Shape, project: Project, zone_2: ZoneTwo, inputs: Inputs, number: int,
    key: str, run_id: str, rebuilds: int | None = None,
) -> Registered:  # fmt: skip
    """Write the tables of version ``number``; it is there once the answer is registered."""
    definition, (images, records) = shape.definition, zone_2.left()
    chosen = choose(images, records, definition)
    steps = shown(attrition(images, records, definition, chosen), project.minimum_cell, held=True)
    delivered = write_snapshot(spark, config, shape, chosen, records, zone_2.replaced, steps[-1].images)
    frames = read_version(spark, config, definition, delivered)
    return Registered(
        project=definition.project,
        cohort=definition.cohort,
        version=number,
        built_at=datetime.now(UTC),
        run_id=run_id,
        definition=definition.to_json(),
        definition_hash=definition.sha256(),
        tables=delivered,
        inputs=inputs,
        attrition=steps,
        key_id=key,
        content_checksum=content_checksum(frames),
        software_version=__version__,
        built_by=operator(config),
        columns=columns_of(frames),
        rebuilds=rebuilds,
        **_terms(project, shape),
    )


def _pin_inputs(spark: SparkSession, config: Config, definition: Definition) -> Inputs:
    names = ["images", *(f"records/{table}" for table in definition.record_tables())]
    sources = [tables.table(config, f"deidentified/{name}") for name in names]
    return tuple(Input(source.name, tables.latest_version(spark, source)) for source in sources)


def _as_cited(spark: SparkSession, config: Config, inputs: Inputs, cited: Inputs) -> Inputs:
    """Inputs, each in the version that was cited before where no row has changed since: maintenance makes versions."""
    before = dict(cited)

    def version(source: Input) -> int:
        known = before.get(source.name, -1)
        same = tables.content_version(spark, tables.table(config, source.name)) <= known
        return known if same else source.version

    return tuple(Input(source.name, version(source)) for source in inputs)


def _is_of(
    spark: SparkSession, config: Config, definition: Definition, zone_2: ZoneTwo, last: Registered,
    recipe: tuple[Any, ...],
) -> bool:  # fmt: skip
    """Whether the last version was made by this recipe; whom opt-outs concern is asked where all else is the same."""
    digest, inputs, *further = recipe
    opt_outs = tuple(source for source in last.inputs if source.name not in dict(inputs))
    same = last.recipe == (digest, (*inputs, *opt_outs), *further)
    return same and not is_concerned(spark, config, definition, zone_2, last)


def read_inputs(spark: SparkSession, config: Config, inputs: Inputs, opt_outs: Input | None, day: date) -> ZoneTwo:
    """What a build reads of zone 2: images, and tables of records, in the versions of ``inputs``."""
    sources = [tables.table(config, source.name) for source in inputs]
    images, *records = (tables.read(spark, one, pin.version) for one, pin in zip(sources, inputs, strict=True))
    by_name = dict(zip((name.rpartition("/")[2] for name, _ in inputs[1:]), records, strict=True))
    gone = opt_outs and said_no(spark, config, opt_outs.version, day)
    return ZoneTwo(images, by_name, gone, read_replaced(spark, config, sources))
