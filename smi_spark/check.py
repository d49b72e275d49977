"""Everything that a night run needs, looked at before it: zones, keys, projects, Java, packages, tables' columns."""

import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.analysis.project import load_project, project_folder
from smi_spark.config import Config, KeySource, Zone
from smi_spark.deidentified.keyed import check_key, keyed_tables
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.profile import load_profile
from smi_spark.deidentified.profile.columns import check_tables
from smi_spark.errors import KeyFileError, MachineError
from smi_spark.java import check_java, find_java
from smi_spark.job import FAULTS, explain
from smi_spark.objectstore import open_files
from smi_spark.schema import ZONES
from smi_spark.secure.promotion import unfinished_columns
from smi_spark.session import get_session
from smi_spark.tables import Table


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found when it is good, what to mend when it is not."""

    good: bool
    text: str

    def __str__(self) -> str:
        return f"{'✓' if self.good else '✗'} {self.text}"


def check(config: Config) -> str:
    """The tick list of an installation, one line a thing.

    Raises MachineError with the same list when anything is to be mended: all of it, not only the first.
    """
    zones = {zone: _zone(config, zone) for zone in ZONES}
    profile = _attempt(partial(_profile, config))
    findings = [*_python(), *zones.values(), *_keys(config), profile, *_projects(config)]
    java = _attempt(lambda: f"Java {check_java()}: {find_java()}")
    findings.append(java)
    if java.good:
        findings += _session_and_tables(config, [zone for zone, finding in zones.items() if finding.good])
    report = "\n".join(map(str, findings))
    bad = sum(not finding.good for finding in findings)
    if bad:
        raise MachineError(
            f"{report}\n{bad} of {len(findings)} checks failed: mend what is marked ✗, then check again."
        )
    return f"{report}\nall {len(findings)} checks passed"


def check_writable(uri: str) -> str:
    """Write a small file into a folder or URI and delete it again; gives the place. Raises what the storage raises.

    A local folder that is not there yet is tried in the nearest one above it that is.
    """
    if "://" not in uri:
        uri = str(next(place for place in (Path(uri), *Path(uri).parents) if place.exists()))
    system, path = open_files(uri)
    probe = f"{path}/.smi_spark-check-{uuid.uuid4().hex}"
    with system.open_output_stream(probe) as stream:
        stream.write(b"smi_spark was here")
    system.delete_file(probe)
    return uri


def column_differences(spark: SparkSession, table: Table) -> list[str]:
    """How a table's columns differ from those that schemas/ gives it, a line a column; empty when they are the same."""
    found = {field.name: field.dataType.simpleString() for field in tables.read(spark, table).schema}
    wanted = {field.name: field.dataType.simpleString() for field in table.schema.spark(table.zone)}
    lacking = [f"{name} is missing" for name in wanted if name not in found]
    unknown = [f"{name} is not in schemas/" for name in found if name not in wanted]
    other = [
        f"{name} is {found[name]}, not {kind}" for name, kind in wanted.items() if name in found and found[name] != kind
    ]
    return lacking + unknown + other


def _attempt(look: Callable[[], str], place: str = "") -> Finding:
    try:
        return Finding(True, look())
    except (*FAULTS, pa.ArrowException) as error:
        message = str(error) if isinstance(error, OSError) else explain(error)[0]
        return Finding(False, f"{place}{message}")


def _python() -> Iterator[Finding]:
    yield Finding(True, f"Python {sys.version.split()[0]}: {sys.executable}")
    pins = [need.split("==") for need in metadata.requires("smi_spark") or [] if "==" in need and "extra" not in need]
    for name, wanted in pins:
        found = _version(name)
        remedy = "" if found == wanted else f", not {wanted}. Run: pip install {name}=={wanted}"
        yield Finding(found == wanted, f"{name} {found}{remedy}")


def _version(name: str) -> str:
    """A cluster's own Spark comes as an archive on the path, which no installer knows."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return str(import_module(name.replace("-", "_")).__version__)


def _zone(config: Config, zone: Zone) -> Finding:
    uri = config.zone(zone)
    remedy = f"zone {zone} is not writable: {uri}. Give this user the right to write there. "
    return _attempt(partial(_written, zone, uri), remedy)


def _written(zone: Zone, uri: str) -> str:
    tried = check_writable(uri)
    return f"zone {zone} is writable: {uri}" + ("" if tried == uri else f" (not there yet; tried in {tried})")


def _keys(config: Config) -> Iterator[Finding]:
    ids: dict[str, str] = {}
    for name in ("archive", "projects"):
        source: KeySource = getattr(config.keys, name)
        finding = _attempt(partial(_key, source), f"key {name}: ")
        if not finding.good:
            yield finding
        elif finding.text in ids:
            yield Finding(False, f"key {name} is the same as key {ids[finding.text]}. Make another: jobs/create_key.py")
        else:
            ids[finding.text] = name
            yield Finding(True, f"key {name} can be read, by this user alone (id {finding.text})")


def _key(source: KeySource) -> str:
    return key_id(load_key(source))


def _profile(config: Config) -> str:
    checked = check_tables(load_profile(config.profile))
    return f"profile {config.profile}: no column of {', '.join(checked)} says more in zone 2 than it allows"


def _projects(config: Config) -> Iterator[Finding]:
    for file in sorted(project_folder(config).glob("*.yaml")):
        yield _attempt(partial(_project, config, file.stem))


def _project(config: Config, name: str) -> str:
    project = load_project(config, name)
    return f"project {name}: approval {project.approval.number}, from {project.start} until {project.until}"


def _session_and_tables(config: Config, zones: list[Zone]) -> Iterator[Finding]:
    """Tables of those zones alone that can be had: of another, each would fail for the same reason."""
    try:
        spark = get_session(config, "check")
    except FAULTS as error:
        yield Finding(False, explain(error)[0])
        return
    yield Finding(True, f"Spark {spark.version} with Delta, master {spark.conf.get('spark.master')}")
    for table in (table for table in tables.archive_tables(config) if table.zone in zones):
        finding = _attempt(partial(_table, spark, table), f"{table.name}: ")
        if finding.text:
            yield finding
    made = _attempt(partial(_made_with, spark, config)) if "deidentified" in zones else None
    if made and made.text:
        yield made


def _made_with(spark: SparkSession, config: Config) -> str:
    """Nothing where zone 2 is not there yet, or the key cannot be had, which is told already."""
    try:
        archive_key = key_id(load_key(config.keys.archive))
    except KeyFileError:
        return ""
    check_key(spark, config, archive_key)
    return f"zone 2 is of key archive (id {archive_key})" if keyed_tables(spark, config) else ""


def _table(spark: SparkSession, table: Table) -> str:
    if not tables.exists(spark, table):
        return ""
    differences = column_differences(spark, table)
    if differences:
        raise MachineError(f"{'; '.join(differences)}. {_remedy(table, differences)}")
    begun = unfinished_columns(spark, table) if table.name == "secure/images" else []
    if begun:
        raise MachineError(f"{', '.join(begun)} are not filled in every partition. Run jobs/promote_columns.py again.")
    return f"{table.name} has the columns of schemas/{table.schema.table}.yaml"


def _remedy(table: Table, differences: list[str]) -> str:
    promotable = {f"{column.name} is missing" for column in table.schema.columns if column.tag is not None}
    if table.name == "secure/images" and promotable.issuperset(differences):
        return "Run jobs/promote_columns.py, which adds them and fills them from secure/headers."
    if table.schema.table.startswith("records/") and all(found.endswith(" is missing") for found in differences):
        return "The next load and the next run of pseudonymise add them; load_records --again fills them."
    return "Rebuild the table from the one before it, or bring back the schema it has."
