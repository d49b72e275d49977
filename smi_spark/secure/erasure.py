"""People who said no, out of zone 1: what there is of theirs, told first, then taken out table by table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import purge, tables
from smi_spark.config import Config
from smi_spark.secure.changes import IMAGES
from smi_spark.secure.erased_files import index_erased, record_erased, roll_up_left, roll_ups, shares_of_files
from smi_spark.secure.erased_records import (
    MAPPING,
    came_back,
    shares_of_others,
    shares_of_people,
    shares_of_records,
)
from smi_spark.secure.erasing import erasing, rows_about
from smi_spark.secure.opt_outs import to_erase, withdrawals
from smi_spark.secure.people import People
from smi_spark.secure.runs import newest_ended, newest_run
from smi_spark.secure.share import Share, clear, take
from smi_spark.tables import Table

LOOKED_UP_TO = "smi_spark.looked_up_to"  # of secure/withdrawals: the newest runs whose rows were looked at, by table


@dataclass(frozen=True)
class Erased:
    """What left zone 1: files of which something was known, images, rows of records, rows of others in which a number
    of theirs became null, and data files that went."""

    files: int = 0
    images: int = 0
    records: int = 0
    unnamed: int = 0
    data_files: int = 0

    def __str__(self) -> str:
        return (
            f"out of zone 1: files {self.files:,}, images {self.images:,}, rows of records {self.records:,}, named in "
            f"rows of others {self.unnamed:,}; files of old versions removed: {self.data_files:,}"
        )

    def counts(self) -> dict[str, int]:
        """The same by name, for ``secure/runs``."""
        return {f"erased_{name}": count for name, count in vars(self).items()}


@dataclass(frozen=True)
class Work:
    """What is to be done in zone 1, as of a moment.

    numbers: chi, all numbers of those who are to be erased. up_to: the newest run of each table that had ended then.
    rows: about files, as ``rows_about`` gives them, that came since they were erased; none where somebody was not
    erased so far, or a run that erased was killed, so that all is looked through.
    """

    numbers: DataFrame
    up_to: Mapping[str, str]
    rows: DataFrame | None = None


def work_waiting(spark: SparkSession, config: Config, people: People, day: date, *, is_new: bool) -> Work | None:
    """What is to be erased; none where there is nothing. is_new: whether somebody is to be who was not so far.

    Of those who are erased already only rows are looked at that came since, and only where a run has ended since. What
    is found to be nobody's is noted, so that it is not looked at again.
    """
    begun = not tables.read_or_empty(spark, erasing(config)).isEmpty()
    numbers = tables.worked_out(to_erase(spark, config, people, day))
    if begun or is_new:
        return Work(numbers, _newest_runs(spark, config))
    if numbers.isEmpty():
        return None
    up_to, looked = _newest_runs(spark, config), _looked_up_to(spark, config)
    since = {name: looked.get(name, "") for name, run in up_to.items() if run > looked.get(name, "")}
    if not since:
        return None
    rows = tables.read_or_empty(spark, erasing(config))  # none
    if IMAGES in since:
        rows = rows_about(spark, config, numbers, since.pop(IMAGES))
    work = Work(numbers, up_to, rows)
    if not rows.isEmpty() or came_back(spark, config, numbers, since):
        return work
    note_looked(spark, config, work)
    return None


def erase(spark: SparkSession, config: Config, work: Work, former_ids: DataFrame, run_id: str) -> Erased:
    """Let nothing be left in zone 1 of the people of ``work`` but that they said no, and that their files were read.

    former_ids: patient_id, that they had in zone 2. Rows about files are told in ``secure/erasing`` first, so that a
    run which is killed is completed by the next; the others are found by their numbers until they are gone.
    Commits, in this order: ``secure/erasing``; ``secure/quarantine`` (that files are erased); ``secure/instances``
    (where their headers are); ``secure/links``, ``headers``, ``headers_history``, ``images``, ``images_history``,
    ``quarantine``, ``quarantine_history``, ``instances``, ``changes``, ``runs``; ``secure/series`` and ``studies``, as
    the images are that are left; each table of records and its history, first rows of theirs; record rows in
    ``secure/quarantine`` and its history, numbers in ``changes``, ``mapping``; files and logs of all these;
    ``secure/replaced`` and ``findings``, their files and logs; ``secure/erasing``, emptied, its files and log.
    """
    found = rows_about(spark, config, work.numbers) if work.rows is None else work.rows
    tables.append_missing(found, erasing(config), erasing(config).schema.key)
    if tables.exists(spark, tables.table(config, "secure/changes")):
        tables.with_all_columns(spark, tables.table(config, "secure/changes"))
    of_files, rows = [], tables.worked_out(tables.read(spark, erasing(config)))
    counts: dict[str, int] = {}
    if not rows.isEmpty():
        record_erased(config, rows, run_id)
        index_erased(spark, config, rows)
        of_files = shares_of_files(config, rows)
        for share in of_files:
            counts[share.table.name] = take(spark, share)
        roll_up_left(spark, config, rows)
        of_files += roll_ups(config, rows)
    of_records = shares_of_records(config, work.numbers)
    of_others = shares_of_others(config, work.numbers)
    of_people = shares_of_people(config, work.numbers)
    records = sum(take(spark, share) for share in of_records)
    unnamed = sum(take(spark, share) for share in of_others)
    for share in of_people:
        take(spark, share)
    removed = sum(clear(spark, share) for share in (*of_files, *of_records, *of_others, *of_people))
    if work.rows is None:
        removed += _forget_former_ids(spark, config, former_ids)
        removed += _empty(spark, tables.table(config, "secure/findings"))
    removed += _empty(spark, erasing(config))
    files, images = (counts.get(f"secure/{name}", 0) for name in ("headers", "images"))
    return Erased(files, images, records, unnamed, removed)


def note_looked(spark: SparkSession, config: Config, work: Work) -> None:
    """Say up to which runs zone 1 was looked through for them; nothing where that is said already."""
    said = " ".join(f"{name}={run}" for name, run in sorted(work.up_to.items()) if run)
    if said and tables.get_property(spark, withdrawals(config), LOOKED_UP_TO) != said:
        tables.set_property(spark, withdrawals(config), LOOKED_UP_TO, said)


def _looked_up_to(spark: SparkSession, config: Config) -> dict[str, str]:
    if not tables.exists(spark, withdrawals(config)):
        return {}
    said = (tables.get_property(spark, withdrawals(config), LOOKED_UP_TO) or "").split()
    return dict(part.split("=", 1) for part in said)


def _newest_runs(spark: SparkSession, config: Config) -> dict[str, str]:
    """The newest run behind each table that had ended: of images, of ids, and of each table of records."""
    loads = tables.read_or_empty(spark, tables.table(config, "secure/submissions")).groupBy("table")
    found = {row["table"]: row["run_id"] for row in loads.agg(F.max("run_id").alias("run_id")).collect()}
    ids = tables.read_or_empty(spark, tables.table(config, f"secure/{MAPPING}"))
    return found | {IMAGES: newest_ended(spark, config), MAPPING: newest_run(ids)}


def _forget_former_ids(spark: SparkSession, config: Config, ids: DataFrame) -> int:
    """Which ids of theirs others stood for, out of ``secure/replaced``; gives how many data files went."""
    target = tables.table(config, "secure/replaced")

    def theirs(rows: DataFrame) -> DataFrame:
        either = rows.where(F.col("kind") == "patient").withColumn("patient_id", F.explode(F.array("old", "new")))
        return either.join(F.broadcast(ids), "patient_id", "left_semi").select(*rows.columns).distinct()

    take(spark, Share(target, ("old", "new"), theirs, target.schema.key))
    return purge.drop_old_files(spark, target) if tables.exists(spark, target) else 0


def _empty(spark: SparkSession, target: Table) -> int:
    """Take all rows out of a table, and what tells of them; gives how many data files went."""
    if not tables.exists(spark, target):
        return 0
    keys = tables.read(spark, target).select(*dict.fromkeys((*target.schema.key, *target.schema.partition_by)))
    if not keys.isEmpty():
        tables.delete(keys, target, target.schema.key)
    return purge.drop_old_files(spark, target)
