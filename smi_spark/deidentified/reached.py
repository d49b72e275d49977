"""How far a table of zone 2 has come with zone 1: properties that hold the newest run that it reflects."""

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.tables import Table

LOADED_UP_TO = "smi_spark.loaded"  # of a record table: the newest load that it reflects
REKEYED_UP_TO = "smi_spark.rekeyed"  # the newest load of the demography that the table reflects


def note_reached(spark: SparkSession, target: Table, name: str, now: str) -> None:
    """Put the property where it says something else; nothing for an empty ``now``."""
    if now and now != tables.get_property(spark, target, name):
        tables.set_property(spark, target, name, now)
