"""Record tables of zone 2: rows of loads that were completed since, and those that are another person's since."""

from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.actions import deidentify, identity
from smi_spark.deidentified.reached import LOADED_UP_TO, REKEYED_UP_TO, RETURNED_UP_TO, note_reached
from smi_spark.deidentified.replaced import note_key
from smi_spark.errors import TableError
from smi_spark.secure.people import People, of_numbers
from smi_spark.secure.runs import newest_run
from smi_spark.secure.submissions import loaded_up_to


def bring_up_records(spark: SparkSession, config: Config, people: People, name: str, archive_key: str) -> int:
    """Rows of a record table that zone 2 lacks or has otherwise; gives how many it gained or that changed."""
    source, target = (tables.table(config, f"{zone}/{name}") for zone in ("secure", "deidentified"))
    up_to = loaded_up_to(spark, config, name)
    rows = tables.read(spark, source)
    up_to = up_to or newest_run(rows)
    is_new, key = not tables.exists(spark, target), target.schema.key_in("deidentified")
    if not is_new:
        _check_key(spark, target, key)
    tables.create(spark, tables.with_all_columns(spark, target))
    note_key(spark, config, target, archive_key)
    done = tables.get_property(spark, target, LOADED_UP_TO) or ""
    rekeyed = people.rekeyed_since(tables.get_property(spark, target, REKEYED_UP_TO))
    waiting = rows.where((F.col("run_id") > done) & (F.col("run_id") <= up_to))
    returned = people.returned_since(tables.get_property(spark, target, RETURNED_UP_TO))
    if done and (again := [numbers for numbers in (rekeyed, returned) if numbers is not None]):
        columns = [F.col(column) for column in source.schema.chi_columns]
        numbers = reduce(DataFrame.union, again).distinct()
        older = of_numbers(rows.where(F.col("run_id") <= done), numbers, columns, source.schema.key)
        waiting = waiting.union(older)
    waiting = people.without_barred(waiting, identity(source.schema), source.schema.other_people)
    count = 0
    if not waiting.select(*source.schema.key).isEmpty():
        made = deidentify(waiting, source.schema, config.keys.archive, people.numbers)
        count = tables.append(made, target) if is_new else tables.merge(made, target, key, only_changed=True)
    note_reached(spark, target, LOADED_UP_TO, up_to)
    note_reached(spark, target, REKEYED_UP_TO, people.up_to)
    note_reached(spark, target, RETURNED_UP_TO, people.returned_by)
    return count


def _check_key(spark: SparkSession, target: tables.Table, key: tuple[str, ...]) -> None:
    """A table that has none of its key cannot be added to: its rows would stand twice."""
    have = tables.read(spark, target).columns
    lacking = [name for name in key if name not in have]
    if lacking:
        raise TableError(
            f"{target.name} was made before it had {', '.join(lacking)}, its key, and may hold birth dates. "
            f"Delete {target.uri}: the next run makes it again."
        )
