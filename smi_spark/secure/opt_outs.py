"""``secure/opt_outs`` and ``withdrawals``: people who said no, what is to be done for them, and what was done."""

from dataclasses import replace
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import TableSchema
from smi_spark.secure.chi import patient_identity
from smi_spark.secure.people import People, with_persons

OPT_OUTS = "opt_outs"
JOB = "load_opt_outs"
STOP, WITHDRAW, PURGE, ERASE = "stop", "withdraw", "purge", "erase"  # each does what those before it do
OUT, GONE = (WITHDRAW, PURGE, ERASE), (PURGE, ERASE)  # of zone 2 as it is; of every version of zones 2 and 3
ASKED = "smi_spark.asked"  # of zone 2's copy: the newest load of opt-outs, whether it has come so far or not

_POLICIES = (STOP, *OUT)


def opt_outs(config: Config) -> tables.Table:
    """The table itself."""
    return tables.table(config, f"secure/{OPT_OUTS}")


def opt_outs_copy(config: Config) -> tables.Table:
    """Its copy in zone 2."""
    return tables.table(config, f"deidentified/{OPT_OUTS}")


def announce(spark: SparkSession, config: Config, schema: TableSchema, run_id: str) -> None:
    """Say in zone 2 that a load of opt-outs begins, before its first row stands: until its copy has come so far, no
    cohort is built. Nothing for another table than theirs.
    """
    if schema.table == OPT_OUTS:
        tables.create(spark, opt_outs_copy(config))
        tables.set_property(spark, opt_outs_copy(config), ASKED, run_id)


def people_who_said_no(rows: DataFrame, numbers: DataFrame | None) -> DataFrame:
    """person, policy (the strictest), opted_out_on, revoked_on, run_id (the newest load): one row a person.

    rows: ``secure/opt_outs``, which may have several numbers of one person; numbers: ``secure/people``, or none.
    """
    strictness = F.array_position(F.array(*map(F.lit, _POLICIES)), F.coalesce("policy", F.lit(STOP)))
    said = rows.select(
        patient_identity(F.col("chi")).alias("number"), strictness.cast("int").alias("strictness"), "opted_out_on",
        "revoked_on", "run_id",
    )  # fmt: skip
    said = said if numbers is None else with_persons(said, numbers, ["number"])
    people = said.groupBy(F.col("number").alias("person")).agg(
        F.max("strictness").alias("strictness"), F.min("opted_out_on").alias("opted_out_on"),
        F.when(F.count_if(F.col("revoked_on").isNull()) == 0, F.max("revoked_on")).alias("revoked_on"),
        F.max("run_id").alias("run_id"),
    )  # fmt: skip
    policy = F.element_at(F.array(*map(F.lit, _POLICIES)), F.col("strictness")).alias("policy")
    return people.select("person", policy, "opted_out_on", "revoked_on", "run_id")


def in_force(day: date) -> Column:
    """Whether an opt-out (opted_out_on, revoked_on) holds on that day."""
    since, until = F.col("opted_out_on"), F.col("revoked_on")
    return (since <= F.lit(day)) & (until.isNull() | (until > F.lit(day)))


def all_numbers(people: DataFrame, numbers: DataFrame | None) -> DataFrame:
    """``people`` (person, …) once for each CHI number that stands for them, ``chi``; their own among these."""
    own = people.withColumn("chi", F.col("person"))
    if numbers is None:
        return own
    return own.unionByName(people.join(numbers, "person"))


def with_opt_outs(spark: SparkSession, config: Config, people: People, day: date) -> People:
    """``people``, with those whose data may not stand in zone 2 on that day, and those who take part again."""
    if not tables.exists(spark, opt_outs(config)):
        return people
    said = people_who_said_no(tables.read(spark, opt_outs(config)), people.numbers)
    out = in_force(day) & F.col("policy").isin(*OUT)
    barred = tables.worked_out(all_numbers(said.where(out), people.numbers).select("chi").distinct())
    back = said.where(~out).join(_done(spark, config), "person", "left_semi")
    since = F.when(F.col("revoked_on") <= F.lit(day), F.date_format("revoked_on", "yyyyMMdd"))
    returned = tables.worked_out(all_numbers(back.withColumn("since", F.greatest("run_id", since)), people.numbers))
    return replace(
        people,
        barred=None if barred.isEmpty() else barred,
        returned=returned.select("chi").distinct(),
        returned_by=str(returned.agg(F.max("since")).collect()[0][0] or ""),
    )


def waiting(spark: SparkSession, config: Config, people: People, day: date) -> DataFrame:
    """person, policy: those whose data have to leave and for whom that was not done since they, or whose numbers are
    theirs, changed.
    """
    said = people_who_said_no(tables.read_or_empty(spark, opt_outs(config)), people.numbers)
    out = said.where(in_force(day) & F.col("policy").isin(*OUT))
    rekeyed = people.changes.where("chi IS NOT NULL").groupBy("chi").agg(F.max("run_id").alias("changed_by"))
    changed = all_numbers(out, people.numbers).join(rekeyed, "chi", "left")
    newest = changed.groupBy("person", "policy").agg(F.max(F.greatest("run_id", "changed_by")).alias("newest"))
    return newest.join(_done(spark, config), ["person", "policy"], "left").where(
        F.col("done_by").isNull() | (F.col("done_by") < F.col("newest"))
    ).select("person", "policy")  # fmt: skip


def not_purged(spark: SparkSession, config: Config, people: People, day: date) -> DataFrame:
    """person, opted_out_on, revoked_on: who said no and may stand in a version of zone 2 still: all but the purged."""
    said = people_who_said_no(tables.read(spark, opt_outs(config)), people.numbers)
    purged = said.where(in_force(day) & F.col("policy").isin(*GONE)).join(
        waiting(spark, config, people, day), "person", "left_anti"
    )
    holds = F.col("revoked_on").isNull() | (F.col("revoked_on") > F.lit(day))
    return said.where(holds).join(purged, "person", "left_anti").select("person", "opted_out_on", "revoked_on")


def to_erase(spark: SparkSession, config: Config, people: People, day: date) -> DataFrame:
    """chi, each once: every number of the people who are to be in zone 1 no longer, done or not."""
    said = people_who_said_no(tables.read_or_empty(spark, opt_outs(config)), people.numbers)
    erased = said.where(in_force(day) & (F.col("policy") == ERASE))
    return all_numbers(erased, people.numbers).select("chi").distinct()


def ever_erased(spark: SparkSession, config: Config) -> DataFrame:
    """chi: who was on the list to be erased, or was, each by a number of theirs. What the demography said of their
    numbers is there no longer."""
    asked = tables.read_or_empty(spark, opt_outs(config)).where(F.col("policy") == ERASE)
    done = tables.read_or_empty(spark, withdrawals(config)).where(F.col("policy") == ERASE)
    return asked.select(patient_identity(F.col("chi")).alias("chi")).union(done.select("chi")).distinct()


def withdrawals(config: Config) -> tables.Table:
    """What was done."""
    return tables.table(config, "secure/withdrawals")


def record_withdrawals(rows: DataFrame, config: Config, run_id: str) -> int:
    """Add rows of ``secure/withdrawals``: chi, policy and, of a version that held them, what it held."""
    target = withdrawals(config)
    stamps = {"told_at": F.current_timestamp(), "run_id": F.lit(run_id)}
    return tables.append(tables.completed(rows, target, **stamps), target)


def _done(spark: SparkSession, config: Config) -> DataFrame:
    rows = tables.read_or_empty(spark, withdrawals(config)).where("project IS NULL")
    return rows.groupBy(F.col("chi").alias("person"), "policy").agg(F.max("run_id").alias("done_by"))
