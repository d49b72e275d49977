"""Ids of zone 2 that were drawn or keyed, and whose person has one of the site's own since: replaced everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.cpu import cpu_times
from smi_spark.deidentified.adoption import adopt
from smi_spark.deidentified.images import IMAGES, rekey_images, rekeyed_images
from smi_spark.deidentified.keyed import check_key
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.mapping import LEASE, SITE, mapping, put
from smi_spark.deidentified.opt_outs import add_to_copy, end_copy
from smi_spark.deidentified.profile import load_profile
from smi_spark.deidentified.profile.columns import check_tables
from smi_spark.deidentified.pseudonymise import SETTINGS, ZONE_2_LEASE
from smi_spark.deidentified.reached import note_reached, renewed
from smi_spark.deidentified.records import renew_records
from smi_spark.deidentified.replaced import note_replaced, record_replaced
from smi_spark.deidentified.rollups import bring_up_roll_ups
from smi_spark.deidentified.swappers import Swapper, choose_swapper
from smi_spark.deidentified.text.vocabulary import read_vocabulary
from smi_spark.errors import InputError
from smi_spark.lease import lease
from smi_spark.run import new_run_id
from smi_spark.schema import record_tables
from smi_spark.secure import runs
from smi_spark.secure.people import People, read_people
from smi_spark.secure.runs import Run

JOB = "update_pseudonyms"


@dataclass(frozen=True)
class Updated:
    """People whose id was replaced, and the rows of each table of zone 2 that were written again."""

    people: int
    rows: Mapping[str, int]

    def __str__(self) -> str:
        written = ", ".join(f"{name} {count:,}" for name, count in self.rows.items() if count)
        if not self.people and not written:
            return "no patient id waits to be replaced"
        return f"patient ids replaced: {self.people:,}; rows written again: {written or 'none'}"


def update_pseudonyms(spark: SparkSession, config: Config) -> Updated:
    """Put the site's ids that arrived in ``secure/mapping`` in place of those that stand, in all tables of zone 2.

    Rows are made anew from zone 1, those of the people concerned alone; series and studies are rolled up from them.
    Commits, in this order: a property of each table that has patient ids, ``secure/replaced`` (old → new),
    ``secure/mapping``, who said no (``deidentified/opt_outs``), ``deidentified/images``, ``series``, ``studies``, each
    ``deidentified/records/<name>``, ``deidentified/opt_outs`` without former ids, ``secure/runs``. From the mapping on
    each table notes how far it has come: a run that was killed is completed by the next one, or by the next run of
    ``pseudonymise``. A second run changes nothing.
    Raises InputError where patient ids are keyed; else as ``pseudonymise.run``.
    """
    check_tables(load_profile(config.profile))
    archive_key = key_id(load_key(config.keys.archive))
    if config.pseudonyms.patients == "keyed":
        raise InputError("pseudonyms.patients is keyed: no id can arrive. There is nothing to update.")
    name = new_run_id()
    zone_2, ids = lease(config.zone("deidentified"), ZONE_2_LEASE, name), lease(config.zone("secure"), LEASE, name)
    with zone_2, ids, tables.settings(spark, SETTINGS):
        check_key(spark, config, archive_key)
        swapper = choose_swapper(spark, config)
        run_id = max(name, new_run_id(after=swapper.up_to()))  # behind all that any table notes
        run = Run(run_id, "", datetime.now(UTC), cpu_times(spark))
        people = read_people(spark, config)
        adopt(spark, config, people.numbers, swapper, run_id)
        replaced = _replace(spark, config, run_id)
        add_to_copy(spark, config, people, archive_key, run.started_at.date())
        done = Updated(replaced, _rewrite(spark, config, people, choose_swapper(spark, config), run_id))
        end_copy(spark, config, people, archive_key, run.started_at.date())
        counts = {name: count for name, count in {"people": replaced, **done.rows}.items() if count}
        if counts:
            runs.end(spark, config, run, JOB, [], counts)
    return done


def _replace(spark: SparkSession, config: Config, run_id: str) -> int:
    """Let the ids that arrived stand in the mapping; gives how many."""
    target = mapping(config)
    arrived = tables.read(spark, target).where(F.col("arrived_id").isNotNull())
    waiting = tables.worked_out(arrived)
    if waiting.isEmpty():
        return 0
    for name in _tables():
        table = tables.table(config, f"deidentified/{name}")
        if tables.exists(spark, table):
            note_replaced(spark, table, run_id)
    ids = waiting.select(
        F.lit("patient").alias("kind"), F.col("patient_id").alias("old"), F.col("arrived_id").alias("new")
    )
    record_replaced(ids, config, run_id)
    standing = waiting.withColumns({
        "patient_id": F.col("arrived_id"), "arrived_id": F.lit(None).cast("string"), "origin": F.lit(SITE),
        "mapped_at": F.current_timestamp(), "updated_by": F.lit(run_id),
    })  # fmt: skip
    return put(standing, target, insert=False)


def _rewrite(spark: SparkSession, config: Config, people: People, swapper: Swapper, run_id: str) -> dict[str, int]:
    """The rows of people whose id is another one since, made anew table by table; gives their numbers."""
    rows: dict[str, int] = {}
    vocabulary = read_vocabulary(spark, config)
    images = tables.table(config, IMAGES)
    if tables.exists(spark, images):
        found = rekeyed_images(spark, config, people, swapper)
        if found is not None:
            before, touched = tables.content_version(spark, images), found.select("StudyInstanceUID").distinct()
            rows["images"] = rekey_images(spark, config, people, swapper, vocabulary, run_id)
            rows["series"], rows["studies"] = bring_up_roll_ups(spark, config, before, touched)
        note_reached(spark, images, renewed(people, swapper))
    for name in (f"records/{table}" for table in record_tables()):
        rows[name] = renew_records(spark, config, people, swapper, vocabulary, name, run_id)
    return rows


def _tables() -> list[str]:
    return ["images", "series", "studies", *(f"records/{table}" for table in record_tables())]
