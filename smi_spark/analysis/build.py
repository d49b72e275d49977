"""Building a cohort: select, deliver, write the tables, and commit them by one row of the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from smi_spark import __version__, tables
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.permission import check_permitted, left_out
from smi_spark.analysis.project import Project, load_project
from smi_spark.analysis.registry import (
    TERMS,
    Input,
    Registered,
    register,
    registered,
    write_manifest,
)
from smi_spark.analysis.selection import Left, attrition
from smi_spark.analysis.snapshot import checksum, write_snapshot
from smi_spark.config import Config
from smi_spark.deidentified.keys import key_id, load_key, project_key
from smi_spark.deidentified.replaced import read_replaced
from smi_spark.lease import lease
from smi_spark.run import new_run_id

Inputs = tuple[Input, ...]


@dataclass(frozen=True)
class Built:
    """What a build did. As text: the attrition table, and where the snapshot is."""

    definition: Definition
    attrition: tuple[Left, ...]
    entry: Registered | None = None
    is_new: bool = False
    place: str = ""

    def __str__(self) -> str:
        return f"{attrition_table(self.attrition)}\n{self._outcome()}"

    def _outcome(self) -> str:
        name = f"{self.definition.project}/{self.definition.cohort}"
        if self.entry is None:
            return f"{name}: dry run, nothing written"
        if not self.is_new:
            return f"{name}: version {self.entry.version} is already this, in {self.place}"
        rows = ", ".join(f"{table.row_count:,} {table.name}" for table in self.entry.tables)
        return f"{name}: version {self.entry.version} built, {rows}, in {self.place}"


def build_cohort(spark: SparkSession, config: Config, definition: Definition, dry_run: bool = False) -> Built:
    """Build the next version of a cohort from zone 2 as it is; with ``dry_run`` write nothing, show the counts.

    Tables (Delta, under ``analysis/<project>/<cohort>/``): images and studies partitioned by modality and year, and
    ``records/<table>`` for what the definition delivers. A version follows from the definition, the Delta versions of
    its inputs, the project's key, the software, and the project's terms (approval, profile, dates, columns): where the
    newest version has the same, none is added. Inputs that moved make a new version even when its content turns out
    the same: it cites them. Ids and dates of a project stay when zone 2 gets another archive key: see
    ``smi_spark.deidentified.replaced``.
    Raises ConfigError when the definition's project has no file, or may not have it, or not today; TableError when a
    table of zone 2 is not there, KeyFileError when the parent of the projects' keys is not, OtherKeyError while one is
    between two archive keys, BusyError while another run builds the cohort.
    """
    project = load_project(config, definition.project, f"cohort {definition.cohort}: ")
    check_permitted(definition, project, f"cohort {definition.cohort}")
    if dry_run:
        images, records, _ = _read_inputs(spark, config, _pin_inputs(spark, config, definition))
        return Built(definition, attrition(images, records, definition))
    run_id = new_run_id()
    with lease(config.zone("analysis"), f"{definition.project}-{definition.cohort}", run_id):
        return _build(spark, config, definition, project, run_id)


def _build(spark: SparkSession, config: Config, definition: Definition, project: Project, run_id: str) -> Built:
    inputs = _pin_inputs(spark, config, definition)
    place = f"{config.zone('analysis')}/{definition.project}/{definition.cohort}"
    versions = registered(spark, config, definition.project, definition.cohort)
    cited = _as_cited(spark, config, inputs, versions[0].inputs if versions else ())
    key = key_id(project_key(load_key(config.keys.projects), definition.project))
    terms = _terms(definition, project)
    recipe = (definition.sha256(), cited, key, __version__, *(terms[name] for name in TERMS))
    is_new = not versions or versions[0].recipe != recipe
    if is_new:
        number = versions[0].version + 1 if versions else 1
        entry = _build_version(spark, config, definition, project, inputs, number, key, run_id)
        register(spark, config, entry)
    else:
        entry = versions[0]
    write_manifest(config, entry)  # also after a build that was killed between the row and its copy
    return Built(definition, entry.attrition, entry, is_new, place)


def attrition_table(steps: Sequence[Left]) -> str:
    """The steps as lines of text: patients, studies, images, rule."""
    lines = [f"{'patients':>10} {'studies':>10} {'images':>10}  left after"]
    lines += [f"{s.patients:>10,} {s.studies:>10,} {s.images:>10,}  {s.step}. {s.rule}" for s in steps]
    return "\n".join(lines)


def _terms(definition: Definition, project: Project) -> dict[str, Any]:
    """What a row of the registry says of the project: fields of ``Registered``."""
    hidden = left_out(definition, project)
    return {
        "approval": project.approval.number,
        "approval_reference": project.approval.reference,
        "profile": project.profile,
        "dates": project.dates,
        "left_out": tuple(f"{table}.{column}" for table, columns in hidden.items() for column in columns),
    }


def _build_version(
    spark: SparkSession, config: Config, definition: Definition, project: Project, inputs: Inputs, number: int,
    key: str, run_id: str,
) -> Registered:  # fmt: skip
    """Write the tables of version ``number``; it is there once the answer is registered."""
    images, records, replaced = _read_inputs(spark, config, inputs)
    steps = attrition(images, records, definition)
    delivered = write_snapshot(spark, config, definition, project, images, records, replaced)
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
        content_checksum=checksum(spark, config, definition, delivered),
        software_version=__version__,
        **_terms(definition, project),
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


def _read_inputs(
    spark: SparkSession, config: Config, inputs: Inputs
) -> tuple[DataFrame, dict[str, DataFrame], DataFrame | None]:
    """Images, records by their short names, and which ids of them were replaced since a project saw them first."""
    sources = [tables.table(config, source.name) for source in inputs]
    images, *records = (tables.read(spark, one, pin.version) for one, pin in zip(sources, inputs, strict=True))
    names = (name.rpartition("/")[2] for name, _ in inputs[1:])
    return images, dict(zip(names, records, strict=True)), read_replaced(spark, config, sources)
