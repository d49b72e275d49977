"""``secure/people``: which CHI numbers stand for a person with another number, from the demography."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import TableSchema
from smi_spark.secure.changes import PEOPLE, REKEYED, changes_since, record_changes, rekeyed_numbers
from smi_spark.secure.submissions import loaded_up_to

DEMOGRAPHY = "records/demography"

_LONGEST = 4  # doublings: a chain of 16 merges


@dataclass(frozen=True)
class People:
    """Which CHI numbers stand for others, as of a load of the demography that was completed.

    numbers: ``secure/people``, or none where nothing was merged. ``up_to``: that load; empty for none.
    changes: ``secure/changes``. barred: chi, of people who said no and whose data are out of zone 2 or have to go; none
    where there is nobody. returned: chi, of those who take part again after they were taken out; ``returned_by`` grows
    with each.
    """

    numbers: DataFrame | None
    up_to: str
    changes: DataFrame
    barred: DataFrame | None = None
    returned: DataFrame | None = None
    returned_by: str = ""

    def without_barred(self, rows: DataFrame, patient: Column, others: Sequence[str] = ()) -> DataFrame:
        """``rows`` but those of barred people, whose numbers in the columns ``others`` become null."""
        if self.barred is None:
            return rows
        barred = F.broadcast(self.barred.select(F.col("chi").alias("barred")))
        left = rows.join(barred, patient == F.col("barred"), "left_anti")
        return without_values(left, self.barred, others)

    def rekeyed_since(self, since: str | None) -> DataFrame | None:
        """chi: the numbers that are another person's since that load; none where there is no later one."""
        if self.up_to <= (since or ""):
            return None
        later = (F.col("run_id") > (since or "")) & (F.col("run_id") <= self.up_to)
        return F.broadcast(rekeyed_numbers(self.changes.where(later)))

    def returned_since(self, since: str | None) -> DataFrame | None:
        """chi: the numbers of people who take part again, where there are more than ``since``; none where not."""
        return self.returned if self.returned_by > (since or "") else None


def read_people(spark: SparkSession, config: Config) -> People:
    """The people of the archive as they are."""
    up_to = loaded_up_to(spark, config, DEMOGRAPHY)  # before the others: what they hold by then is complete
    people = tables.table(config, "secure/people")
    numbers = tables.read(spark, people).select("chi", "person") if tables.exists(spark, people) else None
    return People(numbers, up_to, changes_since(spark, config))


def of_numbers(rows: DataFrame, numbers: DataFrame, columns: Sequence[Column], key: Sequence[str]) -> DataFrame:
    """The rows that have one of ``numbers`` (chi) in one of the columns, each once by its key."""
    given = F.explode(F.array_distinct(F.array_compact(F.array(*columns)))).alias("chi")
    found = rows.select(*key, given).join(numbers, "chi").select(*key).distinct()
    return rows.join(found, list(key), "left_semi")


def bring_up_people(
    spark: SparkSession, config: Config, schema: TableSchema, run_id: str, erased: DataFrame | None = None
) -> int:
    """``secure/people`` as the table of ``schema`` says now; gives how many CHI numbers are another person's since.

    Nothing for another table than the demography. Each number that changed is a row of ``secure/changes`` first.
    erased: chi, of people of whom the demography has no rows any more: their numbers stay theirs until it says
    otherwise.
    """
    if schema.table != DEMOGRAPHY:
        return 0
    target = tables.table(config, "secure/people")
    demography = tables.read(spark, tables.table(config, f"secure/{schema.table}"))
    known = tables.read_or_empty(spark, target).select("chi", "person")
    kept = None
    if erased is not None:
        persons = with_persons(erased, known, ["chi"]).withColumnRenamed("chi", "person")
        kept = known.join(persons.distinct(), "person", "left_semi")
    now = merged_numbers(demography, schema, kept)
    before = known.withColumnRenamed("person", "former")
    differs = now.join(before, "chi", "full_outer").where(~F.col("person").eqNullSafe(F.col("former")))
    with tables.held(differs) as changed:
        count = changed.count()
        if count:
            rekeyed = changed.select("chi", F.lit("").alias("source"), F.lit("").alias("path"))
            record_changes(rekeyed.withColumn("action", F.lit(REKEYED)), config, PEOPLE, run_id)
            given = changed.where(F.col("person").isNotNull()).select("chi", "person")
            tables.merge(given.withColumn("run_id", F.lit(run_id)), target, ["chi"])
            tables.delete(changed.where(F.col("person").isNull()).select("chi"), target, ["chi"])
    return count


def merged_numbers(demography: DataFrame, schema: TableSchema, kept: DataFrame | None = None) -> DataFrame:
    """chi, person: of each number whose newest row names another one, the one at the end of the chain.

    Numbers that name each other in a circle stand for themselves: nothing says which is meant. ``kept`` (chi, person)
    holds of numbers of which the demography says nothing.
    """
    chi, person = F.col(str(schema.further_chi)), F.col(str(schema.patient))
    newest = Window.partitionBy(chi).orderBy(F.desc(str(schema.event_date)), person.desc())
    last = demography.withColumn("place", F.row_number().over(newest)).where("place = 1")
    steps = last.where(chi != person).select(chi.alias("chi"), person.alias("person"))
    if kept is not None:
        steps = steps.unionByName(kept.join(last.select(chi.alias("chi")), "chi", "left_anti"))
    step = tables.worked_out(steps)
    ends = step
    for _ in range(_LONGEST):
        ends = _followed(ends, ends)
    further = step.select(F.col("chi").alias("person")).distinct()
    return ends.join(further, "person", "left_anti").select("chi", "person")


def with_persons(df: DataFrame, people: DataFrame, columns: list[str]) -> DataFrame:
    """``df`` where CHI numbers in ``columns`` that are in ``people`` are the person's number instead."""
    for name in columns:
        known = F.broadcast(people.select(F.col("chi").alias("other_chi"), "person"))
        joined = df.join(known, F.col(name) == F.col("other_chi"), "left")
        df = joined.withColumn(name, F.coalesce("person", name)).drop("other_chi", "person")
    return df


def without_values(df: DataFrame, values: DataFrame, columns: Sequence[str]) -> DataFrame:
    """``df`` where a value in ``columns`` is null if it is among ``values`` (one column, each once)."""
    (name,) = values.columns
    for column in columns:
        known = F.broadcast(values.select(F.col(name).alias("among")))
        joined = df.join(known, F.col(column) == F.col("among"), "left")
        df = joined.withColumn(column, F.when(F.col("among").isNull(), F.col(column))).drop("among")
    return df


def _followed(step: DataFrame, further: DataFrame) -> DataFrame:
    """Where a chain leads from a person that has a step of its own; else where it led."""
    after = further.select(F.col("chi").alias("person"), F.col("person").alias("end"))
    followed = step.join(after, "person", "left").select("chi", F.coalesce("end", "person").alias("person"))
    return tables.worked_out(followed)
