"""A site's own table of patient ids → ``secure/mapping``; rows that cannot be taken → ``secure/quarantine``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.cpu import cpu_times
from smi_spark.deidentified.mapping import LEASE, SITE, add_ids, mapping, put
from smi_spark.errors import InputError
from smi_spark.lease import lease
from smi_spark.reasons import Reason
from smi_spark.run import new_run_id
from smi_spark.schema import TableSchema
from smi_spark.secure import runs
from smi_spark.secure.chi import patient_identity
from smi_spark.secure.extract_rows import read_extracts
from smi_spark.secure.extracts import find_extracts
from smi_spark.secure.people import read_people, with_persons
from smi_spark.secure.quarantine import record_bad
from smi_spark.secure.record_rows import PLACE
from smi_spark.secure.runs import Run, newest_run
from smi_spark.secure.settling import bad_rows
from smi_spark.secure.submissions import with_checksums
from smi_spark.tables import Table

JOB = "load_mapping"
ADDED, ARRIVED, KNOWN = "added", "arrived", "known"  # what becomes of a row

_FORM = r"^[A-Za-z0-9_.-]{1,64}\z"


@dataclass(frozen=True)
class SiteIds:
    """What one load did with the rows of a site's table. ``arrived``: ids that wait for ``update_pseudonyms``;
    ``aliases``: rows that were taken of another number than the person's, by the demography."""

    rows: int
    added: int
    arrived: int
    known: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    aliases: int = 0

    def __str__(self) -> str:
        listed = "".join(f", {name} {count:,}" for name, count in self.reasons.items())
        aliases = f"; other numbers of the same people {self.aliases:,}" if self.aliases else ""
        waiting = "; run update_pseudonyms.py to put these in place" if self.arrived else ""
        return (
            f"{self.rows:,} rows: people who got an id {self.added:,}, ids that arrived for people who have another "
            f"one {self.arrived:,}{waiting}; rows already there {self.known:,}{aliases}; quarantined "
            f"{sum(self.reasons.values()):,}{listed}"
        )


def load_mapping(
    spark: SparkSession, config: Config, source: str, chi: str | None = None, patient_id: str | None = None
) -> SiteIds:
    """Take a site's own patient ids from the extracts at ``source`` (a file, a folder or a glob of CSV or Parquet).

    chi, patient_id: names of their columns; else those of ``schemas/mapping.yaml``. Numbers that the demography merges
    are one person. An id is taken for a person who has none; for one who has a drawn or keyed id it waits until
    ``update_pseudonyms``; one who has another id of the site keeps that. Rows that contradict each other are not taken.
    Commits, in this order: ``secure/quarantine``, new people in ``secure/mapping``, ids that arrived there,
    ``secure/runs``. A second load changes nothing.
    Raises InputError where ids are keyed, or a header lacks a column; BusyError while another load is at work.
    """
    if config.pseudonyms.patients == "keyed":
        raise InputError(
            "pseudonyms.patients is keyed: no table of ids is used. Set it to lookup or lookup_or_keyed first."
        )
    target = mapping(config)
    schema = _schema(target.schema, chi, patient_id)
    extracts = find_extracts(source, schema)
    run_id = new_run_id()
    with lease(config.zone("secure"), LEASE, run_id):
        tables.create(spark, target)
        run_id = max(run_id, new_run_id(after=newest_run(tables.read(spark, target))))
        run = Run(run_id, "", datetime.now(UTC), cpu_times(spark))
        rows = read_extracts(spark, with_checksums(spark, extracts), schema)
        people = read_people(spark, config).numbers
        judged = judge(rows, tables.read(spark, target), people, config.pseudonyms.nobody)
        with tables.held(judged) as held:
            done = _take(held, config, target, run.id)
        counts = {"added": done.added, "arrived": done.arrived, "quarantined": sum(done.reasons.values())}
        if done.added or done.arrived:
            runs.end(spark, config, run, JOB, [source], {name: count for name, count in counts.items() if count})
    return done


def judge(rows: DataFrame, present: DataFrame, people: DataFrame | None, nobody: tuple[str, ...] = ()) -> DataFrame:
    """Rows of a site's table and what becomes of each: adds ``outcome`` (added, arrived, known), null where there is a
    ``reason``; both are null where ``problems`` says more.

    rows: source, path, row_number, identity, patient_id, problems; identity is the person's then. present:
    ``secure/mapping``. people: merged numbers.
    """
    number, given = patient_identity(F.col("identity"), nobody), F.col("patient_id")
    is_chi = F.coalesce(number.rlike("^[0-9]{10}$"), F.lit(False))
    broken = F.when(F.col("problems").isNotNull(), "").when(~is_chi, str(Reason.BAD_VALUE))
    read = rows.select(*PLACE, "problems", given, number.alias("written"), number.alias("identity"))
    read = read.withColumn("broken", broken.when(~_is_fit(number, given), str(Reason.UNFIT_ID)))
    if people is not None:
        read = with_persons(read, people, ["identity"])
    read = _with_others(read.withColumn("is_good", F.col("broken").isNull()), present, people)
    stands, is_site = F.col("standing"), F.col("origin") == SITE
    reason = (
        F.when(~F.col("is_good"), F.nullif("broken", F.lit("")))
        .when(F.col("two_ids"), str(Reason.TWO_IDS))
        .when(F.col("two_persons") & ~stands.eqNullSafe(given), str(Reason.TWO_PERSONS))
        .when((stands != given) & (is_site | (F.col("waiting") != given)), str(Reason.OTHER_ID))
    )
    outcome = (
        F.when(stands.isNull(), ADDED)
        .when((stands == given) | F.col("waiting").eqNullSafe(given), KNOWN)
        .otherwise(ARRIVED)
    )
    outcome = F.when(F.col("is_good") & F.col("reason").isNull(), outcome)
    kept = read.withColumn("reason", reason).withColumn("outcome", outcome)
    return kept.select(*PLACE, "identity", "patient_id", "written", "problems", "reason", "outcome")


def _schema(whole: TableSchema, chi: str | None, patient_id: str | None) -> TableSchema:
    """The two columns of ``schemas/mapping.yaml`` that a site's table has, under the names that it gives them."""
    named = {"identity": chi, "patient_id": patient_id}
    columns = [whole.column(name) for name in named]
    renamed = [c.model_copy(update={"aliases": (named[c.name],)}) if named[c.name] else c for c in columns]
    return whole.model_copy(update={"columns": tuple(renamed)})


def _is_fit(number: Column, given: Column) -> Column:
    """Whether an id says nothing of a CHI number: the row's own, whatever stands between its digits, or any alone."""
    closed = F.regexp_replace(given, "[_.-]", "")
    own = F.regexp_replace(number, "^0", "")
    return given.rlike(_FORM) & ~closed.rlike("^[0-9]{9,10}$") & ~closed.contains(own)


def _with_others(rows: DataFrame, present: DataFrame, people: DataFrame | None) -> DataFrame:
    """What other good rows and the mapping say of the same person and the same id: ``two_ids``, ``two_persons``,
    ``standing`` and ``origin``, ``waiting``."""

    def differ(name: str, by: str) -> Column:
        good, window = F.when(F.col("is_good"), F.col(name)), Window.partitionBy(by)
        return F.coalesce(F.min(good).over(window) != F.max(good).over(window), F.lit(False))

    held = present.select("identity", F.explode(F.array_compact(F.array("patient_id", "arrived_id"))).alias("held"))
    held = held if people is None else with_persons(held, people, ["identity"])
    holders = held.groupBy("held").agg(F.min("identity").alias("least"), F.max("identity").alias("greatest"))
    person = F.col("identity")
    is_others = F.coalesce((F.col("least") != person) | (F.col("greatest") != person), F.lit(False))
    standing = present.select(
        "identity", F.col("patient_id").alias("standing"), "origin", F.col("arrived_id").alias("waiting")
    )
    found = rows.join(standing, "identity", "left").join(holders, F.col("patient_id") == F.col("held"), "left")
    return found.withColumns(
        {"two_ids": differ("patient_id", "identity"), "two_persons": differ("identity", "patient_id") | is_others}
    )


def _take(judged: DataFrame, config: Config, target: Table, run_id: str) -> SiteIds:
    alias = (F.col("written") != F.col("identity")) & F.col("outcome").isNotNull()
    counts = F.count("*").alias("count"), F.count_if(alias).alias("aliases")
    counted = judged.groupBy("outcome", "reason").agg(*counts).collect()  # a row an outcome or reason
    outcomes = {row["outcome"]: row["count"] for row in counted if row["outcome"]}
    bad = _bad(judged)
    record_bad(config, bad, target.schema.table, run_id)
    reasons = {row["reason"]: row["count"] for row in bad.groupBy("reason").count().orderBy("reason").collect()}
    added = arrived = 0
    if outcomes.keys() & {ADDED, ARRIVED}:
        given = judged.where(F.col("outcome").isin(ADDED, ARRIVED)).select("identity", "patient_id").distinct()
        add_ids(given, target, SITE, run_id)
        added = tables.read(given.sparkSession, target).where(F.col("run_id") == run_id).count()  # the line of counts
        arrived = _arrive(given, target, run_id)
    rows = sum(row["count"] for row in counted)
    aliases = sum(row["aliases"] for row in counted)
    return SiteIds(rows, added, arrived, outcomes.get(KNOWN, 0), reasons, aliases)


def _arrive(given: DataFrame, target: Table, run_id: str) -> int:
    """Ids for people who have a drawn or keyed one, some since the rows were judged: they wait."""
    ids = given.select("identity", F.col("patient_id").alias("given"))
    standing = tables.read(given.sparkSession, target).join(ids, "identity")
    others = standing.where((F.col("origin") != SITE) & (F.col("patient_id") != F.col("given")))
    rows = others.where(F.col("arrived_id").isNull()).withColumns(
        {"arrived_id": F.col("given"), "run_id": F.lit(run_id)}
    )
    return put(rows.select(*target.columns), target, insert=False)


def _bad(judged: DataFrame) -> DataFrame:
    """What goes to quarantine: source, path, row_number, column, reason, value. An id that is unfit stays unsaid."""
    is_unfit = F.col("reason") == str(Reason.UNFIT_ID)
    listed = judged.where(F.col("reason").isNotNull()).select(
        *PLACE,
        F.when(is_unfit, "patient_id").otherwise("identity").alias("column"),
        "reason",
        F.lit(None).cast("string").alias("detail"),
        F.when(~is_unfit, F.col("written")).alias("value"),
    )
    return bad_rows(judged).unionByName(listed)
