"""Zone 1 → zone 2: images, their series and studies, record tables, and the links back."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.actions import deidentify, identity
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.labels import with_labels
from smi_spark.deidentified.profile import load_profile
from smi_spark.deidentified.profile.columns import check_tables
from smi_spark.deidentified.pseudonyms import pseudonymise
from smi_spark.deidentified.rollups import roll_up_series, roll_up_studies
from smi_spark.lease import lease
from smi_spark.reasons import Reason
from smi_spark.run import new_run_id
from smi_spark.schema import load_schema, record_tables
from smi_spark.secure.changes import changes_since, withdrawn_images
from smi_spark.secure.people import People, of_numbers, read_people
from smi_spark.secure.quarantine import record_bad
from smi_spark.secure.runs import newest_run
from smi_spark.secure.submissions import loaded_up_to
from smi_spark.tables import Table

IMAGES = "deidentified/images"
LOADED_UP_TO = "smi_spark.loaded"  # property of a record table: the newest load that it reflects
REKEYED_UP_TO = "smi_spark.rekeyed"  # property of a table: the newest load of the demography that it reflects
ORIGINAL, MADE_FROM = "original_sop_instance_uid", "image_run_id"  # columns of links


@dataclass(frozen=True)
class Counts:
    """Rows that a run added; ``series`` and ``studies`` are those rolled up, 0 where nothing had changed.

    ``withdrawn``: images that left, as they had left zone 1; ``rekeyed``: that are another person's since.
    """

    images: int
    quarantined: int
    series: int
    studies: int
    records: Mapping[str, int]
    withdrawn: int = 0
    rekeyed: int = 0

    def __str__(self) -> str:
        records = "".join(f", {name} {count:,}" for name, count in self.records.items())
        left = f"withdrawn: images {self.withdrawn:,}; " if self.withdrawn else ""
        left += f"another person's since: images {self.rekeyed:,}; " if self.rekeyed else ""
        return (
            f"{left}added: images {self.images:,}{records}; "
            f"rolled up: series {self.series:,}, studies {self.studies:,}; quarantined: {self.quarantined:,}"
        )


def run(spark: SparkSession, config: Config) -> Counts:
    """Bring zone 2 up to what zone 1 holds: only what is not there yet is derived.

    Commits, in this order: what was withdrawn from ``secure/images`` leaves ``deidentified/images``, then
    ``secure/links``; images whose CHI number is another person's since, in ``deidentified/images``;
    ``secure/quarantine`` (images without a patient), ``deidentified/images``, ``secure/links``;
    ``deidentified/series``, ``deidentified/studies``; each ``deidentified/records/<name>``: rows of loads that were
    completed since the last run, and those of CHI numbers that are another person's since. An image counts as done
    when its link stands; each step adds what its table lacks, so that the next run completes one that was killed
    anywhere between.
    Raises ConfigError when a column would say more than ``config.profile`` allows, KeyFileError when the archive key
    cannot be had, TableError when zone 1 has neither images nor records, and BusyError while another run pseudonymises.
    """
    check_tables(load_profile(config.profile))
    archive_key, run_id = key_id(load_key(config.keys.archive)), new_run_id()
    with lease(config.zone("deidentified"), "images-and-records", run_id):
        return _bring_up(spark, config, archive_key, run_id)


def _bring_up(spark: SparkSession, config: Config, archive_key: str, run_id: str) -> Counts:
    names = (f"records/{table}" for table in record_tables())
    records = [name for name in names if _is_there(spark, config, name)]
    images = quarantined = withdrawn = rekeyed = 0
    series = studies = 0
    people = read_people(spark, config)
    if _is_there(spark, config, "images") or not records:
        withdrawn = _withdraw(spark, config)
        rekeyed = _rekey_images(spark, config, people)
        images, quarantined = _add_images(spark, config, people, archive_key, run_id)
        _note(spark, tables.table(config, IMAGES), REKEYED_UP_TO, people.up_to)
        series, studies = _roll_up(spark, config)
    added = {name: _bring_up_records(spark, config, people, name) for name in records}
    return Counts(images, quarantined, series, studies, added, withdrawn, rekeyed)


def images_to_deidentified(images: DataFrame, key: KeySource, people: DataFrame | None = None) -> DataFrame:
    """Rows of secure/images as deidentified/images holds them, with their labels."""
    return deidentify(with_labels(images), load_schema("images"), key, people)


def _is_there(spark: SparkSession, config: Config, name: str) -> bool:
    return tables.exists(spark, tables.table(config, f"secure/{name}"))


def _withdraw(spark: SparkSession, config: Config) -> int:
    """Take out the images whose row of zone 1 is gone or another one since; gives their number."""
    links, images = tables.table(config, "secure/links"), tables.table(config, "secure/images")
    changes = withdrawn_images(changes_since(spark, config)).withColumnRenamed("SOPInstanceUID", ORIGINAL)
    if changes.isEmpty():
        return 0
    now = tables.read(spark, images).select(F.col("SOPInstanceUID").alias(ORIGINAL), F.col("run_id").alias(MADE_FROM))
    linked = tables.read_or_empty(spark, links).join(F.broadcast(changes), ORIGINAL, "left_semi")
    with tables.held(linked.join(now, [ORIGINAL, MADE_FROM], "left_anti").select("SOPInstanceUID")) as stale:
        count = stale.count()
        if count:
            tables.delete(stale, tables.table(config, IMAGES), ["SOPInstanceUID"])
            tables.delete(stale, links, ["SOPInstanceUID"])
    return count


def _add_images(spark: SparkSession, config: Config, people: People, archive_key: str, run_id: str) -> tuple[int, int]:
    key, links = config.keys.archive, tables.table(config, "secure/links")
    waiting = _unlinked(spark, tables.table(config, "secure/images"), links)
    patient = identity(load_schema("images"))
    nobody, usable = waiting.where(patient.isNull()), waiting.where(patient.isNotNull())
    quarantined = record_bad(config, _without_patient(nobody), IMAGES, run_id)
    target = tables.table(config, IMAGES)
    if usable.isEmpty():
        tables.create(spark, target)
        return 0, quarantined
    # Not a plain append: a run killed before its links were written has added images that still wait here.
    rows = images_to_deidentified(usable, key, people.numbers)
    added = tables.append_missing(rows, target, target.schema.key)
    tables.append(_links(usable, key, archive_key, run_id), links)
    return added, quarantined


def _unlinked(spark: SparkSession, images: Table, links: Table) -> DataFrame:
    """Images of zone 1 that have no link yet, at one version of it: an ingest may be adding to the table."""
    rows = tables.read(spark, images, tables.latest_version(spark, images))
    done = tables.read_or_empty(spark, links).select(F.col(ORIGINAL))
    return rows.join(done, rows["SOPInstanceUID"] == done[ORIGINAL], "left_anti")


def _without_patient(images: DataFrame) -> DataFrame:
    return images.select(
        "source",
        "path",
        "SOPInstanceUID",
        "StudyInstanceUID",
        F.lit("PatientID").alias("column"),
        F.col("PatientID").alias("value"),
        F.lit(Reason.NO_PATIENT_ID.value).alias("reason"),
    )


def _links(images: DataFrame, key: KeySource, archive_key: str, run_id: str) -> DataFrame:
    rows = images.select(
        "SOPInstanceUID",
        F.col("SOPInstanceUID").alias(ORIGINAL),
        "source",
        "path",
        F.col("run_id").alias(MADE_FROM),
        F.lit(archive_key).alias("key_id"),
        F.lit(run_id).alias("run_id"),
    )
    return pseudonymise(rows, {"SOPInstanceUID": "uid"}, key)


def _roll_up(spark: SparkSession, config: Config) -> tuple[int, int]:
    """Replace the roll-ups that are not of the images as they are: each notes the version of them that it is of."""
    images = tables.table(config, IMAGES)
    source, note = tables.read(spark, images), f"of {images.name} version {tables.content_version(spark, images)}"
    written = []
    for name, roll_up in (("series", roll_up_series), ("studies", roll_up_studies)):
        target = tables.table(config, f"deidentified/{name}")
        is_of_it = tables.latest_note(spark, target) == note
        written.append(0 if is_of_it else tables.replace(roll_up(source), target, note=note))
    return written[0], written[1]


def _rekey_images(spark: SparkSession, config: Config, people: People) -> int:
    """Images that stand in zone 2 and whose CHI number is another person's since: made again; gives their number."""
    target = tables.table(config, IMAGES)
    if not tables.exists(spark, target):
        return 0
    rekeyed = people.rekeyed_since(tables.get_property(spark, target, REKEYED_UP_TO))
    if rekeyed is None:
        return 0
    images = tables.read(spark, tables.table(config, "secure/images"))
    rows = of_numbers(images, rekeyed, [identity(load_schema("images"))], ["SOPInstanceUID"])
    if rows.select("SOPInstanceUID").isEmpty():
        return 0
    again = images_to_deidentified(rows, config.keys.archive, people.numbers)
    places = rows.select(*target.schema.partition_by)
    return tables.merge(again, target, target.schema.key, among=places, insert=False)


def _bring_up_records(spark: SparkSession, config: Config, people: People, name: str) -> int:
    """Rows of a record table that zone 2 lacks or has otherwise; gives how many it gained or that changed."""
    source, target = (tables.table(config, f"{zone}/{name}") for zone in ("secure", "deidentified"))
    up_to = loaded_up_to(spark, config, name)
    rows = tables.read(spark, source)
    up_to = up_to or newest_run(rows)
    is_new = not tables.exists(spark, target)
    tables.create(spark, tables.with_all_columns(spark, target))
    done = tables.get_property(spark, target, LOADED_UP_TO) or ""
    rekeyed = people.rekeyed_since(tables.get_property(spark, target, REKEYED_UP_TO))
    waiting = rows.where((F.col("run_id") > done) & (F.col("run_id") <= up_to))
    if rekeyed is not None and done:
        numbers = [F.col(column) for column in source.schema.chi_columns]
        older = of_numbers(rows.where(F.col("run_id") <= done), rekeyed, numbers, source.schema.key)
        waiting = waiting.union(older)
    count = 0
    if not waiting.select(*source.schema.key).isEmpty():
        made = deidentify(waiting, source.schema, config.keys.archive, people.numbers)
        count = tables.append(made, target) if is_new else _change(made, target)
    _note(spark, target, LOADED_UP_TO, up_to)
    _note(spark, target, REKEYED_UP_TO, people.up_to)
    return count


def _change(rows: DataFrame, target: Table) -> int:
    return tables.merge(rows, target, target.schema.key, only_changed=True)


def _note(spark: SparkSession, target: Table, name: str, now: str) -> None:
    if now and now != tables.get_property(spark, target, name):
        tables.set_property(spark, target, name, now)
