"""People who said no, in zone 2: their pseudonyms for builds, and their data out of its tables."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.images import IMAGES
from smi_spark.deidentified.swappers import choose_swapper
from smi_spark.run import new_run_id
from smi_spark.schema import record_tables
from smi_spark.secure.opt_outs import ASKED, all_numbers, not_purged, opt_outs, opt_outs_copy
from smi_spark.secure.people import People, without_values

COPIED = "smi_spark.copied"  # of the copy: what it reflects, the load of opt-outs first


@dataclass(frozen=True)
class Taken:
    """Rows that left zone 2; ``unnamed``: records of others, in which a number of theirs became null."""

    images: int = 0
    records: int = 0
    unnamed: int = 0


def add_to_copy(spark: SparkSession, config: Config, people: People, archive_key: str, day: date) -> None:
    """Bring pseudonyms into ``deidentified/opt_outs`` that it lacks: the first commit of whatever changes zone 2.

    It has every number of a person, so that it holds too while images of merged numbers are made again.
    """
    if _is_behind(spark, config, people, archive_key):
        target, now = opt_outs_copy(config), _pseudonyms(spark, config, people, day)
        lacking = now.subtract(tables.read(spark, target))
        if not lacking.isEmpty():
            tables.merge(lacking, target, ["patient_id"])


def end_copy(spark: SparkSession, config: Config, people: People, archive_key: str, day: date) -> None:
    """Take those out of the copy who are no longer to stand there, and let builds know how far it has come."""
    if _is_behind(spark, config, people, archive_key):
        target, now = opt_outs_copy(config), _pseudonyms(spark, config, people, day)
        before = tables.read(spark, target).select("patient_id")
        drop_from_copy(spark, config, before.subtract(now.select("patient_id")))
        tables.set_property(spark, target, COPIED, _reflected(spark, config, people, archive_key))


def drop_from_copy(spark: SparkSession, config: Config, patients: DataFrame) -> None:
    """Take pseudonyms (patient_id) out of the copy."""
    target = opt_outs_copy(config)
    leaving = tables.read(spark, target).select("patient_id").join(F.broadcast(patients), "patient_id", "left_semi")
    if not leaving.isEmpty():
        tables.delete(leaving, target, ["patient_id"])


def with_pseudonyms(people: DataFrame, config: Config, numbers: DataFrame | None) -> DataFrame:
    """``people`` (person, …) once for each CHI number that stands for them, ``chi``, with its ``patient_id``.

    Who has none yet is given one where ids are drawn: they are known before their rows come. Else they are left out.
    """
    swapper = choose_swapper(people.sparkSession, config)
    rows = all_numbers(people, numbers).withColumn("patient_id", F.col("chi"))
    swapper.provide(rows.select(F.col("chi").alias("identity")).distinct(), new_run_id())
    return swapper.swap(rows, ["patient_id"], {}).where(F.col("patient_id").isNotNull())


def take_out(spark: SparkSession, config: Config, patients: DataFrame) -> Taken:
    """Take the data of ``patients`` (patient_id, each once) out of the images, links and records of zone 2.

    Commits, in this order: ``secure/links``, ``deidentified/images``; of each table of records the rows of which they
    are the patient, then those of others that name them. Links first: their images say which, and a run that was killed
    finds those again.
    """
    images = _take_images(spark, config, patients)
    records = unnamed = 0
    for name in record_tables():
        if tables.exists(spark, tables.table(config, f"deidentified/records/{name}")):
            of_theirs, of_others = _take_records(spark, config, f"deidentified/records/{name}", patients)
            records, unnamed = records + of_theirs, unnamed + of_others
    return Taken(images, records, unnamed)


def _take_images(spark: SparkSession, config: Config, patients: DataFrame) -> int:
    target, links = tables.table(config, IMAGES), tables.table(config, "secure/links")
    if not tables.exists(spark, target):
        return 0
    theirs = tables.read(spark, target).join(F.broadcast(patients), "patient_id", "left_semi")
    with tables.held(theirs.select("SOPInstanceUID", *target.schema.partition_by)) as leaving:
        count = leaving.count()
        if count:
            tables.delete(leaving.select("SOPInstanceUID"), links, ["SOPInstanceUID"])
            tables.delete(leaving, target, ["SOPInstanceUID"])
    return count


def _take_records(spark: SparkSession, config: Config, name: str, patients: DataFrame) -> tuple[int, int]:
    target = tables.table(config, name)
    rows = tables.read(spark, target)
    count = rows.join(F.broadcast(patients), "patient_id", "left_semi").count()
    if count:
        tables.delete(patients, target, ["patient_id"])
    others = target.schema.other_people
    if not others:
        return count, 0
    # Worked out: what is put back has to be read before the table changes.
    unnamed = tables.worked_out(naming(tables.read(spark, target), patients, others))
    rewritten = unnamed.count()
    if rewritten:
        tables.merge(
            without_values(unnamed, patients, others), target, target.schema.key_in("deidentified"), insert=False
        )
    return count, rewritten


def naming(rows: DataFrame, patients: DataFrame, columns: tuple[str, ...]) -> DataFrame:
    """The rows that name one of ``patients`` (one column) in one of the columns."""
    blanked = without_values(rows.select("*", *(F.col(c).alias(f"was_{c}") for c in columns)), patients, columns)
    named = F.lit(False)
    for column in columns:
        named = named | ~F.col(column).eqNullSafe(F.col(f"was_{column}"))
    return blanked.where(named).select(*(F.col(f"was_{c}").alias(c) if c in columns else c for c in rows.columns))


def _is_behind(spark: SparkSession, config: Config, people: People, archive_key: str) -> bool:
    """Whether the copy reflects another load, other people or another key than there are; never without opt-outs."""
    if not tables.exists(spark, opt_outs(config)):
        return False
    tables.create(spark, opt_outs_copy(config))
    copied = tables.get_property(spark, opt_outs_copy(config), COPIED)
    return copied != _reflected(spark, config, people, archive_key)


def _reflected(spark: SparkSession, config: Config, people: People, archive_key: str) -> str:
    asked = tables.get_property(spark, opt_outs_copy(config), ASKED)
    ids = choose_swapper(spark, config).up_to()
    return f"{asked} {people.up_to or '-'} {archive_key} {ids or '-'}"


def _pseudonyms(spark: SparkSession, config: Config, people: People, day: date) -> DataFrame:
    """The copy as it is to be: columns of ``schemas/opt_outs.yaml`` in zone 2, each pseudonym once."""
    made = with_pseudonyms(not_purged(spark, config, people, day), config, people.numbers)
    return tables.worked_out(made.select(*opt_outs_copy(config).columns))
