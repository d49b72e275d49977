"""Record tables of zone 2: rows of loads that were completed since, and those that are another person's since."""

from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.actions import deidentify, id_columns, identified, identities, patient_of, swap_ids
from smi_spark.deidentified.keyed import KEY_ID
from smi_spark.deidentified.reached import (
    LOADED_UP_TO,
    RETURNED_UP_TO,
    TEXTS_OF,
    note_reached,
    numbers_to_renew,
    renewed,
)
from smi_spark.deidentified.replaced import note_key
from smi_spark.deidentified.swappers import Swapper
from smi_spark.deidentified.text.vocabulary import Vocabulary
from smi_spark.errors import TableError
from smi_spark.schema import TableSchema
from smi_spark.secure.chi import patient_identity
from smi_spark.secure.people import People, of_numbers
from smi_spark.secure.runs import newest_run
from smi_spark.secure.submissions import loaded_up_to


def bring_up_records(
    spark: SparkSession, config: Config, people: People, swapper: Swapper, vocabulary: Vocabulary, name: str,
    archive_key: str, run_id: str,
) -> int:  # fmt: skip
    """Rows of a record table that zone 2 lacks or has otherwise; gives how many it gained or that changed."""
    source, target = (tables.table(config, f"{zone}/{name}") for zone in ("secure", "deidentified"))
    up_to = loaded_up_to(spark, config, name)
    rows = tables.read(spark, source)
    up_to = up_to or newest_run(rows)
    is_new, key = not tables.exists(spark, target), target.schema.key_in("deidentified")
    if not is_new:
        _check_key(spark, target, key)
    tables.create(spark, tables.with_all_columns(spark, target), properties={KEY_ID: archive_key})
    note_key(spark, config, target, archive_key)
    texts = str(vocabulary.version) if vocabulary.version and source.schema.text_columns else ""
    of_others = texts and texts != tables.get_property(spark, target, TEXTS_OF)  # all rows are looked at again
    done = "" if of_others else tables.get_property(spark, target, LOADED_UP_TO) or ""
    waiting = rows.where((F.col("run_id") > done) & (F.col("run_id") <= up_to))
    others = numbers_to_renew(spark, target, people, swapper)
    returned = people.returned_since(tables.get_property(spark, target, RETURNED_UP_TO))
    if done and (again := [numbers for numbers in (others, returned) if numbers is not None]):
        waiting = waiting.union(_older(rows, target, reduce(DataFrame.union, again).distinct(), swapper, done))
    patient = patient_identity(patient_of(source.schema), swapper.nobody)
    if people.barred is not None and not is_new:
        barred = F.broadcast(people.barred.select(F.col("chi").alias("barred")))
        _take_out(waiting.join(barred, patient == F.col("barred"), "left_semi"), target, swapper)
    waiting = people.without_barred(waiting, patient, source.schema.other_people)
    count = 0
    if not waiting.select(*source.schema.key).isEmpty():
        made = _made(waiting, source.schema, people, swapper, vocabulary, run_id)
        count = tables.append(made, target) if is_new else tables.merge(made, target, key, only_changed=True)
    reached = {LOADED_UP_TO: up_to, RETURNED_UP_TO: people.returned_by, TEXTS_OF: texts}
    note_reached(spark, target, reached | renewed(people, swapper))
    return count


def renew_records(
    spark: SparkSession, config: Config, people: People, swapper: Swapper, vocabulary: Vocabulary, name: str,
    run_id: str,
) -> int:  # fmt: skip
    """Rows that stand in a record table of zone 2 and name somebody whose id is another one since: made again; gives
    how many changed."""
    source, target = (tables.table(config, f"{zone}/{name}") for zone in ("secure", "deidentified"))
    if not tables.exists(spark, target):
        return 0
    done = tables.get_property(spark, target, LOADED_UP_TO) or ""
    numbers = numbers_to_renew(spark, target, people, swapper) if done else None
    count = 0
    if numbers is not None:
        older = _older(tables.read(spark, source), target, numbers, swapper, done)
        if not older.select(*source.schema.key).isEmpty():
            made = _made(older, source.schema, people, swapper, vocabulary, run_id)
            key = target.schema.key_in("deidentified")
            count = tables.merge(made, target, key, only_changed=True, insert=False)
    note_reached(spark, target, renewed(people, swapper))
    return count


def _take_out(theirs: DataFrame, target: tables.Table, swapper: Swapper) -> None:
    """Rows of zone 1 that are by now of somebody who is out of zone 2: where they stand there as another's, they go."""
    schema, key = target.schema, target.schema.key_in("deidentified")
    plain = identified(theirs, schema, swapper.nobody, names=key)
    keys = swap_ids(plain, {name: kind for name, kind in id_columns(schema).items() if name in key}, swapper)
    standing = tables.read(theirs.sparkSession, target).select(*key)
    leaving = tables.worked_out(standing.join(F.broadcast(keys), list(key), "left_semi"))
    if not leaving.isEmpty():
        tables.delete(leaving, target, key)


def _older(rows: DataFrame, target: tables.Table, numbers: DataFrame, swapper: Swapper, done: str) -> DataFrame:
    """Of the rows that zone 2 has come to, those that name one of ``numbers`` (chi)."""
    named = [patient_identity(F.col(column), swapper.nobody) for column in target.schema.chi_columns]
    return of_numbers(rows.where(F.col("run_id") <= done), numbers, named, target.schema.key)


def _made(
    rows: DataFrame, schema: TableSchema, people: People, swapper: Swapper, vocabulary: Vocabulary, run_id: str
) -> DataFrame:
    """Rows of zone 1 as zone 2 has them, when everybody whom they name has an id."""
    swapper.provide(identities(rows, schema, swapper, people.numbers), run_id)
    return deidentify(rows, schema, swapper, people.numbers, vocabulary)


def _check_key(spark: SparkSession, target: tables.Table, key: tuple[str, ...]) -> None:
    """A table that has none of its key cannot be added to: its rows would stand twice."""
    have = tables.read(spark, target).columns
    lacking = [name for name in key if name not in have]
    if lacking:
        raise TableError(
            f"{target.name} was made before it had {', '.join(lacking)}, its key, and may hold birth dates. "
            f"Delete {target.uri}: the next run makes it again."
        )
