"""People who said no: their data out of zone 2, the snapshots that held them told, and, by policy, out of these and of
zone 1 too."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import purge, tables
from smi_spark.analysis.annotations import lease_of as annotations_lease
from smi_spark.analysis.annotations import take_out as take_out_annotations
from smi_spark.analysis.opt_outs import said_no
from smi_spark.analysis.registry import Registered, cohorts, registered
from smi_spark.analysis.withdrawn import clear_versions, held_by, readable, withdraw_versions
from smi_spark.config import Config
from smi_spark.deidentified.images import IMAGES, taken_up_to, withdraw_images
from smi_spark.deidentified.keyed import check_key, keyed_tables
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.opt_outs import (
    Taken,
    add_to_copy,
    drop_from_copy,
    end_copy,
    take_out,
    with_pseudonyms,
)
from smi_spark.deidentified.pseudonymise import ZONE_2_LEASE
from smi_spark.deidentified.replaced import all_ids, read_replaced
from smi_spark.deidentified.rollups import bring_up_roll_ups
from smi_spark.deidentified.swappers import choose_swapper
from smi_spark.lease import lease
from smi_spark.maintenance import writers
from smi_spark.schema import record_tables
from smi_spark.secure import runs
from smi_spark.secure.erasure import Erased, erase, note_looked, work_waiting
from smi_spark.secure.opt_outs import ERASE, GONE, record_withdrawals, waiting
from smi_spark.secure.people import People, read_people

JOB = "withdraw"


@dataclass(frozen=True)
class Held:
    """A version of a cohort that held people who said no; ``successor`` where it was withdrawn for that."""

    project: str
    cohort: str
    version: int
    people: int
    images: int
    records: int
    successor: int | None = None

    def __str__(self) -> str:
        outcome = f"withdrawn, version {self.successor} follows it" if self.successor else "stays as it is"
        return (
            f"{self.project}/{self.cohort} version {self.version} held people: {self.people:,}, "
            f"images: {self.images:,}, rows of records: {self.records:,}; {outcome}"
        )


@dataclass(frozen=True)
class Report:
    """What a run did. As text: a line for each snapshot that held somebody, and one of counts."""

    people: int = 0
    purged: int = 0
    taken: Taken = field(default_factory=Taken)
    held: tuple[Held, ...] = ()
    annotations: int = 0
    files: int = 0
    erased: Erased | None = None

    def __str__(self) -> str:
        if not self.people:
            nobody = "nobody waits to be taken out; deidentified/opt_outs is up to date"
            return f"{nobody}\ncame since people were erased, and {self.erased}" if self.erased else nobody
        last = (
            f"people: {self.people:,}, of them purged: {self.purged:,}; out of zone 2: images {self.taken.images:,}, "
            f"rows of records {self.taken.records:,}, named in rows of others {self.taken.unnamed:,}; "
            + (f"out of annotations: {self.annotations:,} rows; " if self.annotations else "")
            + f"files of old versions removed: {self.files:,}"
        )
        return "\n".join([*map(str, self.held), last, *([str(self.erased)] if self.erased else [])])

    def counts(self) -> dict[str, int]:
        """The same by name, for ``secure/runs``; without what is 0."""
        counts = {
            "people": self.people, "purged": self.purged, "images": self.taken.images, "records": self.taken.records,
            "unnamed": self.taken.unnamed, "annotations": self.annotations, "snapshots": len(self.held),
            "files_removed": self.files, **(self.erased.counts() if self.erased else {}),
        }  # fmt: skip
        return {name: count for name, count in counts.items() if count}


def withdraw(spark: SparkSession, config: Config, day: date | None = None) -> Report:
    """Do what ``secure/opt_outs`` says of people whose data are to be out, as of ``day`` (default: today, UTC).

    For ``withdraw`` and ``purge`` alike their rows leave the current tables of zone 2 and the annotations of projects,
    and the snapshots that hold them are told, printed and in ``secure/withdrawals``. For ``purge`` each version of a
    cohort that holds them gets a successor without them, of its own tables, is marked ``withdrawn``, and its files go;
    so do the files of old versions of zone 2 and of annotations in which they stand, and what logs told of them. For
    ``erase`` the same, and nothing of theirs is left in zone 1 but what ``secure.erasure.erase`` says, nor of what came
    there since they were erased. For others zone 1 keeps all.
    Commits, in this order: ``deidentified/opt_outs``, from which on no build has them; where somebody is erased what
    left zone 1 leaves zone 2, as with the next ``pseudonymise``, since nothing will tell of it; ``secure/links``,
    ``deidentified/images``, each table of records, ``series``, ``studies``; project by project
    ``analysis/<project>/annotations``, its files, its log; cohort by cohort ``secure/withdrawals``, the successors'
    tables, ``analysis/cohorts`` (the commit: all of the cohort at once), manifests, files, logs;
    ``deidentified/opt_outs`` without the purged; files and logs of zone 2; zone 1 as ``secure.erasure.erase`` says;
    ``secure/withdrawals``, with which they are done, and a property of it, up to which runs zone 1 was looked through;
    ``secure/runs``. A run that was killed is completed by the next: until they are done all is looked through again.
    With nobody waiting nothing is written.
    Raises KeyFileError when a key cannot be had, OtherKeyError when another archive key made zone 2 or a rotation has
    not ended, and BusyError while a run pseudonymises, builds one of the cohorts or, where somebody is to be erased,
    writes zone 1.
    """
    archive_key, run = key_id(load_key(config.keys.archive)), runs.started(spark)
    day = day or datetime.now(UTC).date()
    with ExitStack() as leases:
        leases.enter_context(lease(config.zone("deidentified"), ZONE_2_LEASE, run.id))
        check_key(spark, config, archive_key)  # by another one nobody is found, and all count as done
        people = read_people(spark, config)
        add_to_copy(spark, config, people, archive_key, day)
        leaving = tables.worked_out(waiting(spark, config, people, day))
        report, of_erased = Report(), leaving.where(F.col("policy") == ERASE)
        work = work_waiting(spark, config, people, day, is_new=not of_erased.isEmpty())
        if work is not None:
            for base, name in _writers_of_zone_1(config):
                leases.enter_context(lease(base, name, run.id))
            withdraw_images(spark, config, taken_up_to(spark, config, choose_swapper(spark, config)), run.id)
        if not leaving.isEmpty():
            load_key(config.keys.projects)  # before anything is done
            names = cohorts(spark, config)
            for project, cohort in names:
                leases.enter_context(lease(config.zone("analysis"), f"{project}-{cohort}", run.id))
            for project in {project for project, _ in names}:
                leases.enter_context(lease(config.zone("analysis"), annotations_lease(project), run.id))
            report = _withdraw(spark, config, people, leaving, names, run.id, day)
        end_copy(spark, config, people, archive_key, day)
        if work is not None:
            report = replace(report, erased=erase(spark, config, work, _ids(spark, config, of_erased, people), run.id))
        if report.people:
            record_withdrawals(leaving.select(F.col("person").alias("chi"), "policy"), config, run.id)
        if work is not None:
            note_looked(spark, config, work)
        if report.people or work is not None:
            runs.end(spark, config, run, JOB, [], report.counts())
    return report


def _ids(spark: SparkSession, config: Config, leaving: DataFrame, people: People) -> DataFrame:
    """patient_id: all that these people have, or had, in zone 2."""
    theirs = with_pseudonyms(leaving, config, people.numbers).select("patient_id")
    return all_ids(theirs, read_replaced(spark, config, keyed_tables(spark, config)))


def _writers_of_zone_1(config: Config) -> list[tuple[str, str]]:
    """The leases of all that write or read the tables that people are erased from, but for that of zone 2."""
    names = ("secure/quarantine", "secure/findings", "secure/text_review")
    held = [one for name in names for one in writers(config, name)]
    return [one for one in dict.fromkeys(held) if one != (config.zone("deidentified"), ZONE_2_LEASE)]


def _withdraw(
    spark: SparkSession, config: Config, people: People, leaving: DataFrame, names: Sequence[tuple[str, str]],
    run_id: str, day: date,
) -> Report:  # fmt: skip
    theirs = with_pseudonyms(leaving, config, people.numbers).select("person", "policy", "patient_id")
    theirs = tables.worked_out(theirs)
    of_purged = theirs.where(F.col("policy").isin(*GONE)).select("patient_id")
    replaced = read_replaced(spark, config, keyed_tables(spark, config))
    taken = take_out(spark, config, theirs.select("patient_id"))
    if tables.exists(spark, tables.table(config, IMAGES)):
        bring_up_roll_ups(spark, config, None, None)
    counts = {row["policy"]: row["count"] for row in leaving.groupBy("policy").count().collect()}
    purged = sum(counts.get(policy, 0) for policy in GONE)
    held: list[Held] = []
    annotations = files = 0
    for project in sorted({project for project, _ in names}):  # before snapshots go, which say whose UIDs are whose
        ids = theirs.select("patient_id")
        rows, removed = take_out_annotations(spark, config, project, ids, replaced, for_good=purged > 0)
        annotations, files = annotations + rows, files + removed
    for project, cohort in names:
        held += _settle_cohort(spark, config, registered(spark, config, project, cohort), theirs, replaced, run_id, day)
        entries = registered(spark, config, project, cohort)
        if purged and len(readable(entries)) < len(entries):
            files += clear_versions(spark, config, entries)
    if purged:
        files += _clear_zone_2(spark, config, all_ids(of_purged, replaced))
    return Report(sum(counts.values()), purged, taken, tuple(held), annotations, files)


def _settle_cohort(
    spark: SparkSession, config: Config, entries: Sequence[Registered], theirs: DataFrame, replaced: DataFrame | None,
    run_id: str, day: date,
) -> list[Held]:  # fmt: skip
    """Tell which versions of a cohort hold them, and withdraw those that hold somebody who is to be purged."""
    versions = {entry.version: entry for entry in readable(entries)}
    if not versions:
        return []
    found = tables.worked_out(held_by(spark, config, list(versions.values()), theirs, replaced))
    if found.isEmpty():
        return []
    project, cohort = entries[0].project, entries[0].cohort
    told = found.withColumns({"project": F.lit(project), "cohort": F.lit(cohort)})
    record_withdrawals(told.withColumnRenamed("person", "chi"), config, run_id)
    sums = found.groupBy("version").agg(
        F.count_distinct("person").alias("people"), F.sum("images").alias("images"), F.sum("records").alias("records"),
        F.max(F.col("policy").isin(*GONE)).alias("goes"),
    )  # fmt: skip
    rows = sums.orderBy("version").collect()  # as many as versions
    going = [versions[row["version"]] for row in rows if row["goes"]]
    successors: dict[int, int | None] = {}
    if going:
        # Everybody whose no is in force, whatever their policy: a successor is a new version.
        gone = said_no(spark, config, None, day).union(theirs.select("patient_id")).distinct()
        changed = withdraw_versions(spark, config, going, gone, run_id, replaced)
        successors = {entry.version: entry.successor for entry in changed}
    return [
        Held(project, cohort, r["version"], r["people"], r["images"], r["records"], successors.get(r["version"]))
        for r in rows
    ]


def _clear_zone_2(spark: SparkSession, config: Config, patients: DataFrame) -> int:
    """Files of old versions in which they stand, and what logs told of these; last those of the copy of opt-outs."""
    drop_from_copy(spark, config, patients)
    names = ["images", "series", "studies", *(f"records/{table}" for table in record_tables()), "opt_outs"]
    count = 0
    for target in (tables.table(config, f"deidentified/{name}") for name in names):
        if tables.exists(spark, target):
            columns = ("patient_id", *target.schema.other_people)
            count += purge.drop_files(spark, target, purge.files_about(spark, target, patients, columns))
    return count
