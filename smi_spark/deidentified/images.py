"""Images of zone 2: what came new to zone 1, what left it, what is another person's since, and the links back."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.actions import deidentify, identity
from smi_spark.deidentified.labels import with_labels
from smi_spark.deidentified.pseudonyms import pseudonymise
from smi_spark.deidentified.reached import REKEYED_UP_TO
from smi_spark.reasons import Reason
from smi_spark.schema import load_schema
from smi_spark.secure.changes import changes_since, withdrawn_images
from smi_spark.secure.people import People, of_numbers
from smi_spark.secure.quarantine import record_bad
from smi_spark.tables import Table

IMAGES = "deidentified/images"
ORIGINAL, MADE_FROM = "original_sop_instance_uid", "image_run_id"  # columns of links


def images_to_deidentified(images: DataFrame, key: KeySource, people: DataFrame | None = None) -> DataFrame:
    """Rows of secure/images as deidentified/images holds them, with their labels."""
    return deidentify(with_labels(images), load_schema("images"), key, people)


def withdraw_images(spark: SparkSession, config: Config) -> int:
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


def add_images(spark: SparkSession, config: Config, people: People, archive_key: str, run_id: str) -> tuple[int, int]:
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


def rekey_images(spark: SparkSession, config: Config, people: People) -> int:
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
