"""How far a table of zone 2 has come with what it is made of, as properties of the table."""

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.tables import Table

TAKEN_UP_TO = "smi_spark.taken"  # of images: the newest run of zone 1 that ended, of which nothing waits
UNLINKED = "smi_spark.unlinked"  # of images: the run that adds rows, until their links stand
OF_IMAGES = "smi_spark.of_images"  # of roll-ups: the version of images that they are of
LOADED_UP_TO = "smi_spark.loaded"  # of a record table: the newest load that it reflects
RETURNED_UP_TO = "smi_spark.returned"  # likewise, of people who take part again
REKEYED_UP_TO = "smi_spark.rekeyed"  # the newest load of the demography that the table reflects


def note_reached(spark: SparkSession, target: Table, name: str, now: str) -> None:
    """Put the property where it says something else; nothing for an empty ``now``."""
    if now and now != tables.get_property(spark, target, name):
        tables.set_property(spark, target, name, now)
