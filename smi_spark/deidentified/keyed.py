"""Which key made the tables of zone 2, by its id in a property of each, and whether they are between two keys."""

from collections.abc import Mapping

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import OtherKeyError
from smi_spark.schema import record_tables
from smi_spark.tables import Table

KEY_ID = "smi_spark.key"  # id of the key that made the ids of the table
ROTATION = (
    "smi_spark.rotation"  # while the table is made anew: the run that began it, ids of the former and the new key
)

Properties = Mapping[str, str]


def keyed_tables(spark: SparkSession, config: Config) -> list[Table]:
    """Images and record tables of zone 2 that are there: series and studies follow from images."""
    names = ("images", *(f"records/{table}" for table in record_tables()))
    possible = [tables.table(config, f"deidentified/{name}") for name in names]
    return [one for one in possible if tables.exists(spark, one)]


def check_key(spark: SparkSession, config: Config, key_id: str) -> None:
    """That the key of this id made every table of zone 2 that says which did, and that none is between two keys.

    Raises OtherKeyError with what to do, naming the tables.
    """
    said = {one.name: tables.properties(spark, one) for one in keyed_tables(spark, config)}
    check_settled(said)
    others = {name: found[KEY_ID] for name, found in said.items() if found.get(KEY_ID, key_id) != key_id}
    if others:
        former = ", ".join(sorted(set(others.values())))
        raise OtherKeyError(
            f"{', '.join(others)}: made with key {former}, and keys.archive is key {key_id}. Name the key there that "
            f"made them, or run jobs/rotate_key.py with it as the former one: zone 2 is made anew with key {key_id}."
        )


def check_settled(said: Mapping[str, Properties]) -> None:
    """That no table is between two keys, by its properties; OtherKeyError with what to do, naming the tables."""
    unfinished = {name: found[ROTATION] for name, found in said.items() if ROTATION in found}
    if unfinished:
        run, former, new = min(unfinished.values()).split(" ")
        raise OtherKeyError(
            f"{', '.join(unfinished)}: run {run} makes zone 2 anew, with key {new} in place of {former}, and has not "
            "ended. Where it is not at work, complete it: jobs/rotate_key.py with the same keys."
        )
