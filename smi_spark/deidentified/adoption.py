"""Zone 2 that was made by the key, and goes on with a mapping: everybody in it keeps the id that stands there."""

from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.actions import identities
from smi_spark.deidentified.keyed import keyed_tables
from smi_spark.deidentified.mapping import COMPLETE, KEYED, SITE, put
from smi_spark.deidentified.pseudonyms import replacing
from smi_spark.deidentified.swappers import Lookup, Swapper


def adopt(spark: SparkSession, config: Config, people: DataFrame | None, swapper: Swapper, run_id: str) -> int:
    """Put the keyed ids into ``secure/mapping`` of all whom zone 1 names, where zone 2 has rows by the key already.

    Once, by the first run with a mapping: one commit, then a property of the table. Whom a site's table gave an id
    before keeps the keyed one until ``update_pseudonyms``. Gives how many were put there; nothing where ids are keyed.
    """
    if not isinstance(swapper, Lookup):
        return 0
    target = swapper.table
    tables.create(spark, target)
    if tables.get_property(spark, target, COMPLETE):
        return 0
    named = [
        identities(
            tables.read(spark, tables.table(config, f"secure/{made.schema.table}")), made.schema, swapper, people
        )
        for made in keyed_tables(spark, config)
    ]
    count = 0
    if named:
        count = _put(reduce(DataFrame.union, named).distinct(), swapper, run_id)
    tables.set_property(spark, target, COMPLETE, run_id)
    return count


def _put(people: DataFrame, swapper: Lookup, run_id: str) -> int:
    present = tables.read(swapper.spark, swapper.table)
    is_open = (F.col("origin") == SITE) & F.col("updated_by").isNull()
    rows = people.join(present.where(~is_open).select("identity"), "identity", "left_anti")
    given = present.where(is_open).select("identity", F.col("patient_id").alias("arrived_id"))
    rows = rows.join(given, "identity", "left")
    rows = rows.withColumn("patient_id", replacing("patient", swapper.key)(F.col("identity")))
    stamps = {"origin": F.lit(KEYED), "mapped_at": F.current_timestamp(), "run_id": F.lit(run_id)}
    return put(tables.completed(rows, swapper.table, **stamps), swapper.table)
