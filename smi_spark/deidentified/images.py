"""Images of zone 2: what came new to zone 1, what left it, what is another person's since, and the links back."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.actions import deidentify, identities, patient_of
from smi_spark.deidentified.keyed import KEY_ID
from smi_spark.deidentified.labels import with_labels
from smi_spark.deidentified.pseudonyms import pseudonymise
from smi_spark.deidentified.reached import RENEWED_UP_TO, TAKEN_UP_TO, UNLINKED, numbers_to_renew
from smi_spark.deidentified.replaced import note_key
from smi_spark.deidentified.swappers import FAULT, Swapper
from smi_spark.deidentified.text.vocabulary import Vocabulary
from smi_spark.schema import load_schema
from smi_spark.secure.changes import changes_since, withdrawn_images, withdrawn_studies
from smi_spark.secure.chi import patient_identity
from smi_spark.secure.instances import is_indexed, places_of, within
from smi_spark.secure.people import People, of_numbers
from smi_spark.secure.quarantine import quarantine, record_bad
from smi_spark.secure.withdrawal import retire
from smi_spark.tables import Table

IMAGES = "deidentified/images"
ORIGINAL, MADE_FROM = "original_sop_instance_uid", "image_run_id"  # columns of links


def images_to_deidentified(
    images: DataFrame, swapper: Swapper, people: DataFrame | None, vocabulary: Vocabulary
) -> DataFrame:
    """Rows of secure/images as deidentified/images holds them, with their labels and the texts of the vocabulary."""
    return deidentify(with_labels(images), load_schema("images"), swapper, people, vocabulary)


def taken_up_to(spark: SparkSession, config: Config, swapper: Swapper) -> str:
    """The newest run of zone 1 of which no image waits; empty, so that all are looked at, where a table is missing, or
    an id may have come for whom the mapping lacked."""
    target, links = tables.table(config, IMAGES), tables.table(config, "secure/links")
    if not (tables.exists(spark, target) and tables.exists(spark, links)):
        return ""
    if swapper.leaves_out and swapper.up_to() > (tables.get_property(spark, target, RENEWED_UP_TO) or ""):
        return ""
    return tables.get_property(spark, target, TAKEN_UP_TO) or ""


def withdraw_images(spark: SparkSession, config: Config, since: str, run_id: str) -> int:
    """Take out the images whose row of zone 1 is gone or another one since that run, those that wait in quarantine too;
    gives how many stood in zone 2."""
    links, images = tables.table(config, "secure/links"), tables.table(config, "secure/images")
    found = changes_since(spark, config, since)
    gone = withdrawn_images(found)
    if gone.isEmpty():
        return 0
    left = found.groupBy("SOPInstanceUID").agg(F.max("run_id").alias("settled_by"))
    settle_quarantine(left.join(gone, "SOPInstanceUID"), config, run_id)
    changes = F.broadcast(gone.withColumnRenamed("SOPInstanceUID", ORIGINAL))
    now = tables.read(spark, images).select(F.col("SOPInstanceUID").alias(ORIGINAL), F.col("run_id").alias(MADE_FROM))
    linked = tables.read_or_empty(spark, links).join(changes, ORIGINAL, "left_semi")
    standing = now.join(changes, ORIGINAL, "left_semi")
    with tables.held(linked.join(standing, [ORIGINAL, MADE_FROM], "left_anti").select("SOPInstanceUID")) as stale:
        count = stale.count()
        if count:
            places = places_of(spark, config, gone, ["SOPInstanceUID"]) if is_indexed(spark, config) else None
            tables.delete(stale, tables.table(config, IMAGES), ["SOPInstanceUID"], among=places)
            tables.delete(stale, links, ["SOPInstanceUID"])
    return count


def add_images(
    spark: SparkSession, config: Config, people: People, swapper: Swapper, vocabulary: Vocabulary, archive_key: str,
    run_id: str, since: str,
) -> tuple[int, int]:  # fmt: skip
    """Images of runs behind ``since`` that have no link yet → zone 2, and their links; those whose patient gets no id
    (``Swapper.with_fault``) → quarantine. Gives the numbers of both.
    """
    schema, links, target = load_schema("images"), tables.table(config, "secure/links"), tables.table(config, IMAGES)
    waiting = _unlinked(spark, tables.table(config, "secure/images"), links, since)
    waiting = people.without_barred(waiting, patient_identity(patient_of(schema), swapper.nobody))
    nobody, usable = _by_fault(waiting, str(schema.patient), swapper, people)
    quarantined = 0 if nobody is None else record_bad(config, _without_patient(nobody), IMAGES, run_id)
    interrupted = _is_interrupted(spark, target, links)
    tables.create(spark, target, properties={KEY_ID: archive_key})
    note_key(spark, config, target, archive_key)
    if usable.isEmpty():
        return 0, quarantined
    swapper.provide(identities(usable, schema, swapper, people.numbers), run_id)
    rows = images_to_deidentified(usable, swapper, people.numbers, vocabulary)
    if interrupted:
        there = within(usable.select(*target.schema.partition_by))
        added = tables.append_missing(rows, target, target.schema.key, among=there)
    else:
        tables.set_property(spark, target, UNLINKED, run_id)
        added = tables.append(rows, target)
    # Before the links: until these stand, the next run comes here again.
    settle_quarantine(usable.select("SOPInstanceUID", F.lit(run_id).alias("settled_by")), config, run_id)
    tables.append(_links(usable, swapper.key, archive_key, run_id), links)
    tables.set_property(spark, target, UNLINKED, None)
    return added, quarantined


def settle_quarantine(images: DataFrame, config: Config, run_id: str) -> None:
    """Rows of quarantine about these images of zone 1 (SOPInstanceUID, ``settled_by``: a run before which they were put
    there) go to its history."""
    rows = tables.read_or_empty(images.sparkSession, quarantine(config))
    older = rows.where((F.col("table") == IMAGES) & (F.col("run_id") < run_id))
    if older.isEmpty():
        return
    settled = older.join(images, "SOPInstanceUID").where(F.col("run_id") < F.col("settled_by"))
    retire(tables.worked_out(settled.select(*rows.columns)), quarantine(config), quarantine(config).schema.key, run_id)


def rekey_images(
    spark: SparkSession, config: Config, people: People, swapper: Swapper, vocabulary: Vocabulary, run_id: str
) -> int:
    """Images that stand in zone 2 and whose CHI number is another person's since, or whose person has another id: made
    again; gives their number. One whose patient gets no id stays as it is."""
    target, schema = tables.table(config, IMAGES), load_schema("images")
    found = rekeyed_images(spark, config, people, swapper)
    if found is None:
        return 0
    judged = swapper.with_fault(found, patient_of(schema), people.numbers)
    rows = judged.where(F.col(FAULT).isNull()).drop(FAULT)
    if rows.select("SOPInstanceUID").isEmpty():
        return 0
    swapper.provide(identities(rows, schema, swapper, people.numbers), run_id)
    again = images_to_deidentified(rows, swapper, people.numbers, vocabulary)
    places = rows.select(*target.schema.partition_by)
    return tables.merge(again, target, target.schema.key, among=places, insert=False)


def rekeyed_images(spark: SparkSession, config: Config, people: People, swapper: Swapper) -> DataFrame | None:
    """Rows of secure/images whose CHI number is another person's, or whose person has another id, since zone 2 has
    them; none where none can be."""
    target = tables.table(config, IMAGES)
    if not tables.exists(spark, target):
        return None
    numbers = numbers_to_renew(spark, target, people, swapper)
    if numbers is None:
        return None
    images = tables.read(spark, tables.table(config, "secure/images"))
    patient = patient_identity(patient_of(load_schema("images")), swapper.nobody)
    return of_numbers(images, numbers, [patient], ["SOPInstanceUID"])


def touched_studies(spark: SparkSession, config: Config, people: People, swapper: Swapper, since: str) -> DataFrame:
    """StudyInstanceUID of zone 1, each once: of images that came, left or are another person's since that run."""
    images = tables.read(spark, tables.table(config, "secure/images"))
    came = images.where(F.col("run_id") > since)
    left = withdrawn_studies(changes_since(spark, config, since))
    studies = came.select("StudyInstanceUID").union(left)
    rekeyed = rekeyed_images(spark, config, people, swapper)
    return (studies if rekeyed is None else studies.union(rekeyed.select("StudyInstanceUID"))).distinct()


def _unlinked(spark: SparkSession, images: Table, links: Table, since: str) -> DataFrame:
    """Images of zone 1 of later runs that have no link yet, at one version of it: an ingest may be adding to it."""
    rows = tables.read(spark, images, tables.latest_version(spark, images))
    linked = tables.read_or_empty(spark, links)
    if since:
        rows, linked = rows.where(F.col("run_id") > since), linked.where(F.col(MADE_FROM) > since)
    done = linked.select(F.col(ORIGINAL))
    if done.isEmpty():  # mostly: no need for wide rows to travel to be compared with nothing
        return rows
    return rows.join(done, rows["SOPInstanceUID"] == done[ORIGINAL], "left_anti")


def _by_fault(images: DataFrame, patient: str, swapper: Swapper, people: People) -> tuple[DataFrame | None, DataFrame]:
    """Images whose patient gets no id, with ``fault``, none where there are none; and the others.

    Each id is judged once: a patient has some hundred images.
    """
    ids = images.select(F.col(patient).alias("judged")).distinct()
    faults = tables.worked_out(swapper.with_fault(ids, F.col("judged"), people.numbers).where(F.col(FAULT).isNotNull()))
    if faults.isEmpty():
        return None, images
    same = F.col(patient).eqNullSafe(F.col("judged"))
    return images.join(faults, same).drop("judged"), images.join(faults, same, "left_anti")


def _is_interrupted(spark: SparkSession, target: Table, links: Table) -> bool:
    """Whether images may stand in zone 2 that have no link: a run was killed, or the links were taken away."""
    if not tables.exists(spark, target):
        return False
    return not tables.exists(spark, links) or tables.get_property(spark, target, UNLINKED) is not None


def _without_patient(images: DataFrame) -> DataFrame:
    return images.select(
        "source",
        "path",
        "SOPInstanceUID",
        "StudyInstanceUID",
        F.lit("PatientID").alias("column"),
        F.col("PatientID").alias("value"),
        F.col(FAULT).alias("reason"),
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
