"""A project's annotations: labels by UID beside its snapshots, in versions, with their licence and consent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import purge, tables
from smi_spark.analysis.annotation_rows import AnnotationFile, find_annotations, judge, read_annotations
from smi_spark.analysis.definition import ANNOTATIONS
from smi_spark.analysis.delivery import patients_for_project
from smi_spark.analysis.opt_outs import check_unmoved, pin_opt_outs, said_no
from smi_spark.analysis.project import load_project
from smi_spark.analysis.registry import cohorts, read_delivered, registered
from smi_spark.analysis.uid_list import UIDS
from smi_spark.config import Config
from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.deidentified.keyed import keyed_tables
from smi_spark.deidentified.replaced import read_replaced
from smi_spark.errors import InputError, TableError, nearest
from smi_spark.lease import lease
from smi_spark.run import new_run_id, operator

TOLD = 10  # rows that were left out, on the screen
_LEVELS = {"study": "studies", "series": "series", "instance": "instances"}
_NAME = re.compile("[a-z][a-z0-9_]*")
_SAID = (PATIENT_ID, "uid", "label", "value", "reason")  # what a file says, wherever in it
_STATED = ("licence", "consent", "source", "checksum", "loaded_by", "loaded_at", "run_id")  # of each version


@dataclass(frozen=True)
class Terms:
    """What is stated of annotations when they are loaded."""

    licence: str
    consent: str


@dataclass(frozen=True)
class Loaded:
    """What a load did. As text: counts, the first rows that were left out, and the terms."""

    name: str
    version: int
    is_new: bool
    levels: Mapping[str, int]
    repeated: int
    left_out: Mapping[str, int]
    terms: Terms
    first: tuple[str, ...] = ()

    def __str__(self) -> str:
        labels = ", ".join(
            f"{self.levels[level]:,} of {name}" for level, name in _LEVELS.items() if level in self.levels
        )
        done = "loaded" if self.is_new else "is already this"
        left = sum(self.left_out.values())
        reasons = f" ({', '.join(f'{reason} {count:,}' for reason, count in self.left_out.items())})" if left else ""
        lines = [
            f"{self.name}: version {self.version} {done}, labels: {labels}; said again: {self.repeated:,}; "
            f"left out: {left:,}{reasons}",
            *self.first,
        ]
        if left > len(self.first):
            lines.append(f"  … and {left - len(self.first):,} more: .left_out of the version has them all")
        return "\n".join([*lines, f"licence: {self.terms.licence}", f"consent: {self.terms.consent}"])


@dataclass(frozen=True)
class Annotations:
    """A version of a set of annotations, and what it may be used under."""

    project: str
    name: str
    version: int
    licence: str
    consent: str
    source: str
    checksum: str
    loaded_by: str
    loaded_at: datetime
    run_id: str
    labels: DataFrame = field(repr=False)
    left_out: DataFrame = field(repr=False)

    def __str__(self) -> str:
        loaded = f"{self.source}, loaded {self.loaded_at:%Y-%m-%d} by {self.loaded_by}"
        return (
            f"{self.project}/{self.name} version {self.version}: {loaded}\n"
            f"licence: {self.licence}\nconsent: {self.consent}"
        )


def load_annotations(spark: SparkSession, config: Config, project: str, name: str, source: str, terms: Terms) -> Loaded:
    """Load the file at ``source`` (CSV or Parquet) as the next version of a project's set of annotations.

    Its UIDs are those of the project's snapshots, of any version that can be read: of studies, series or SOP instances;
    a row is about the finest that it gives. UIDs of nobody there, and of people who said no, are unknown. What cannot
    be taken stands in the same version with a reason: see ``schemas/annotations.yaml``.
    One commit, ``analysis/<project>/annotations``: a load that was killed has done nothing. There is no new version
    where one has the same file and terms, and nothing in it would be known now that was not, or no longer.
    Raises InputError for a name, a file or terms that cannot be used, or where no label could be taken; ConfigError for
    a project without a file; TableError where it has no snapshot, or zone 2 lacks opt-outs that were loaded; BusyError
    while another load, or ``withdraw``, is at work.
    """
    load_project(config, project)
    _check(name, terms)
    run_id = new_run_id()
    with lease(config.zone("analysis"), lease_of(project), run_id):
        file = find_annotations(spark, source)
        pinned = pin_opt_outs(spark, config)
        images = _images(spark, config, project, None if pinned is None else pinned.version)
        with tables.held(judge(read_annotations(spark, file), images, file.uids)) as judged:
            loaded = _load(judged, config, project, name, file, terms)
            if loaded.is_new:
                check_unmoved(spark, config, pinned)
                _append(judged, config, project, loaded, file, run_id)
    return loaded


def open_annotations(
    spark: SparkSession, config: Config, project: str, name: str, version: int | None = None
) -> Annotations:
    """A version of a project's set of annotations (default: the newest), with licence and consent.

    ``labels``: patient_id, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID (null beyond the level), level, label,
    value; joined to a snapshot on the UID of their level. ``left_out``: row_number, uid, label, reason.
    Raises TableError for a set or version that is not there, naming those that are.
    """
    rows = tables.read_or_empty(spark, annotations_table(config, project))
    known = _versions(rows, name)
    if not known:
        sets = [row["set_name"] for row in rows.select("set_name").distinct().orderBy("set_name").collect()]
        told = f"Sets here: {', '.join(sets)}.{nearest(name, sets)}" if sets else "Run jobs/load_annotations.py first."
        raise TableError(f"{project} has no annotations {name}. {told}")
    found = next((stated for stated in known if version in (None, stated["version"])), None)
    if found is None:
        listed = ", ".join(f"{one['version']} ({one['loaded_at']:%Y-%m-%d})" for one in reversed(known))
        raise TableError(
            f"{project}/{name} has no version {version}; it has {listed}. Open one of these, or leave version out."
        )
    mine = rows.where((F.col("set_name") == name) & (F.col("version") == found["version"]))
    is_label = F.col("reason").isNull()
    labels = mine.where(is_label).select(PATIENT_ID, *UIDS, "level", "label", "value")
    left_out = mine.where(~is_label).select("row_number", "uid", "label", "reason")
    return Annotations(project, name, **found, labels=labels, left_out=left_out)


def take_out(
    spark: SparkSession, config: Config, project: str, people: DataFrame, replaced: DataFrame | None, *, for_good: bool
) -> tuple[int, int]:
    """Take rows about people out of all versions of a project's annotations; gives their number, and that of files.

    people: patient_id of zone 2, each once. Rows of UIDs that were unknown when they were loaded, and are theirs, go
    too: so before their snapshots do. ``for_good``: files that hold them, and what the log told of these, as well.
    """
    target = annotations_table(config, project)
    if not tables.exists(spark, target):
        return 0, 0
    ids = tables.worked_out(patients_for_project(people, config.keys.projects, project, replaced).distinct())
    theirs = _of_snapshots(spark, config, project).join(F.broadcast(ids), PATIENT_ID, "left_semi")
    uids = tables.worked_out(theirs.select(F.explode(F.array(*UIDS)).alias("uid")).distinct())
    nobody = uids.withColumn(PATIENT_ID, F.lit(None).cast("string"))
    rows = tables.read(spark, target)
    count = rows.join(F.broadcast(ids), PATIENT_ID, "left_semi").count()
    count_unknown = rows.where("patient_id IS NULL").join(F.broadcast(uids), "uid", "left_semi").count()
    if count:
        tables.delete(ids, target, [PATIENT_ID])
    if count_unknown:
        tables.delete(nobody, target, ["uid", PATIENT_ID])
    return count + count_unknown, purge.drop_old_files(spark, target) if for_good else 0


def annotations_table(config: Config, project: str) -> tables.Table:
    """The table of all sets of a project's annotations."""
    return tables.table(config, f"analysis/{project}/{ANNOTATIONS}", schema=ANNOTATIONS)


def lease_of(project: str) -> str:
    """The lease of who writes a project's annotations."""
    return f"{project}-{ANNOTATIONS}"


def _check(name: str, terms: Terms) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(f"{name} cannot be the name of a set: use small letters, digits and _, a letter first.")
    for told in ("licence", "consent"):
        if not getattr(terms, told).strip():
            raise InputError(f"no {told} is stated. Say in words what the labels stand under: --{told} TEXT.")


def _of_snapshots(spark: SparkSession, config: Config, project: str) -> DataFrame:
    """patient_id and the UIDs of the images of all versions of the project's cohorts that can be read."""
    frames = [
        read_delivered(spark, config, project, cohort, table).select(PATIENT_ID, *UIDS)
        for of, cohort in cohorts(spark, config)
        if of == project
        for entry in registered(spark, config, project, cohort)
        if entry.withdrawn_at is None
        for table in entry.tables
        if table.name == "images"
    ]
    if not frames:
        raise TableError(f"{project} has no snapshot whose UIDs labels could be of. Run jobs/build_cohort.py first.")
    return reduce(DataFrame.union, frames)


def _images(spark: SparkSession, config: Config, project: str, opt_outs: int | None) -> DataFrame:
    """As ``_of_snapshots``, without people who said no by that version of ``deidentified/opt_outs``."""
    images = _of_snapshots(spark, config, project)
    if opt_outs is None:
        return images
    gone = said_no(spark, config, opt_outs, datetime.now(UTC).date())
    replaced = read_replaced(spark, config, keyed_tables(spark, config))
    ids = patients_for_project(gone, config.keys.projects, project, replaced)
    return images.join(F.broadcast(tables.worked_out(ids)), PATIENT_ID, "left_anti")


def _load(judged: DataFrame, config: Config, project: str, name: str, file: AnnotationFile, terms: Terms) -> Loaded:
    """What the load of a file is: a new version, or one that is there."""
    counted = judged.groupBy("level", "reason").agg(F.count("*").alias("rows"), F.sum("copies").alias("copies"))
    counts = counted.orderBy("reason", "level").collect()  # a row a level and reason
    levels = {row["level"]: row["rows"] for row in counts if row["reason"] is None}
    left_out: dict[str, int] = {}
    for row in counts:
        if row["reason"] is not None:
            left_out[row["reason"]] = left_out.get(row["reason"], 0) + row["rows"]
    left = judged.where("reason IS NOT NULL").orderBy("row_number", "label").limit(TOLD).collect()
    first = tuple(
        f"  row {row['row_number']:,}: {' '.join(filter(None, (row['reason'], row['uid'], row['label'])))}"
        for row in left
    )
    if not levels:
        raise InputError("\n".join([f"{file.extract.path}: no label could be taken; nothing was loaded.", *first]))
    spark = judged.sparkSession
    present = tables.read_or_empty(spark, annotations_table(config, project))
    versions = _versions(present, name)
    same = next((one for one in versions if _is_same(judged, present, name, one, file, terms)), None)
    number = same["version"] if same else max((one["version"] for one in versions), default=0) + 1
    repeated = sum(row["copies"] for row in counts)
    return Loaded(f"{project}/{name}", number, same is None, levels, repeated, left_out, terms, first)


def _is_same(
    judged: DataFrame, present: DataFrame, name: str, stated: Mapping[str, Any], file: AnnotationFile, terms: Terms
) -> bool:
    """Whether a version is of that file and those terms, and has what would be loaded now."""
    given = (file.extract.checksum, terms.licence, terms.consent)
    if (stated["checksum"], stated["licence"], stated["consent"]) != given:
        return False
    there = present.where((F.col("set_name") == name) & (F.col("version") == stated["version"])).select(*_SAID)
    both = judged.select(*_SAID, F.lit(1).alias("side")).union(there.withColumn("side", F.lit(-1)))
    return both.groupBy(*_SAID).agg(F.sum("side").alias("differs")).where("differs <> 0").isEmpty()


def _append(judged: DataFrame, config: Config, project: str, loaded: Loaded, file: AnnotationFile, run_id: str) -> None:
    target = annotations_table(config, project)
    stamps = {
        "set_name": F.lit(loaded.name.partition("/")[2]), "version": F.lit(loaded.version),
        "licence": F.lit(loaded.terms.licence), "consent": F.lit(loaded.terms.consent),
        "source": F.lit(file.extract.path.rpartition("/")[2]), "checksum": F.lit(file.extract.checksum),
        "loaded_by": F.lit(operator(config)), "loaded_at": F.current_timestamp(), "run_id": F.lit(run_id),
    }  # fmt: skip
    tables.append(tables.completed(judged.drop("copies"), target, **stamps), target)


def _versions(rows: DataFrame, name: str) -> list[dict[str, Any]]:
    """Number of each version of a set and what is stated of it, the newest first."""
    found = rows.where(F.col("set_name") == name).select("version", *_STATED).distinct()
    return [
        row.asDict() | {"loaded_at": row["loaded_at"].astimezone(UTC)}
        for row in found.orderBy(F.desc("version")).collect()  # as many as loads
    ]
