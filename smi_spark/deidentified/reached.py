"""How far a table of zone 2 has come with what it is made of, as properties of the table."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession

from smi_spark import storage, tables
from smi_spark.deidentified.swappers import Swapper
from smi_spark.secure.people import People
from smi_spark.tables import Table

TAKEN_UP_TO = "smi_spark.taken"  # of images: the newest run of zone 1 that ended, of which nothing waits
UNLINKED = "smi_spark.unlinked"  # of images: the run that adds rows, until their links stand
OF_IMAGES = "smi_spark.of_images"  # of roll-ups: the version of images that they are of
LOADED_UP_TO = "smi_spark.loaded"  # of a record table: the newest load that it reflects
RETURNED_UP_TO = "smi_spark.returned"  # likewise, of people who take part again
REKEYED_UP_TO = "smi_spark.rekeyed"  # the newest load of the demography that the table reflects
RENEWED_UP_TO = "smi_spark.renewed"  # the newest run that gave people other ids in the mapping
TEXTS_OF = "smi_spark.texts"  # the version of the vocabulary that the rows are of; of a change under way, both


def note_reached(spark: SparkSession, target: Table, reached: Mapping[str, str]) -> None:
    """Put the properties that say something else, all in one commit; an empty text says nothing."""
    present = tables.properties(spark, target)
    new = {name: now for name, now in reached.items() if now and now != present.get(name)}
    if new:
        storage.set_properties(spark, target, new)


def numbers_to_renew(spark: SparkSession, target: Table, people: People, swapper: Swapper) -> DataFrame | None:
    """chi: ids of zone 1 whose rows in the table are another person's since, or of another id; none for none."""
    rekeyed = people.rekeyed_since(tables.get_property(spark, target, REKEYED_UP_TO))
    renewed = None
    if swapper.up_to():
        since = tables.get_property(spark, target, RENEWED_UP_TO) or ""
        renewed = swapper.renewed_since(since, people.numbers)
    if rekeyed is None or renewed is None:
        return renewed if rekeyed is None else rekeyed
    return rekeyed.union(renewed).distinct()


def renewed(people: People, swapper: Swapper) -> dict[str, str]:
    """What ``note_reached`` has to say when the rows of ``numbers_to_renew`` are made anew."""
    return {REKEYED_UP_TO: people.up_to, RENEWED_UP_TO: swapper.up_to()}
