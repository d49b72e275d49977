"""What zone 1 holds of people who are erased by their numbers alone: records, and tables about people."""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.schema import TableSchema, record_tables
from smi_spark.secure.changes import IMAGES, PEOPLE
from smi_spark.secure.named import naming, numbers_in, unnamed
from smi_spark.secure.opt_outs import OPT_OUTS
from smi_spark.secure.quarantine import quarantine
from smi_spark.secure.share import Share
from smi_spark.tables import Table

MAPPING = "mapping"
_TEXTS = ["value", "detail"]


def shares_of_records(config: Config, numbers: DataFrame) -> list[Share]:
    """What is theirs of each table of records and its history: rows of which they are the patient.

    numbers: chi, all numbers of theirs.
    """
    return [_naming(one, _of_patient(one.schema), numbers) for one in _records(config)]


def shares_of_others(config: Config, numbers: DataFrame) -> list[Share]:
    """Rows of records of others that name them, a baby its mother's: they stay, and name them no longer."""
    return [
        _naming(one, one.schema.other_people, numbers, stay=True) for one in _records(config) if one.schema.other_people
    ]


def shares_of_people(config: Config, numbers: DataFrame) -> list[Share]:
    """What is theirs of tables that know people by their numbers: rows in quarantine that have one of them in a value,
    ids of ``secure/mapping``, and that a number changed hands. The list of who said no, and what of it could not be
    read, are not among them.
    """
    changes, mapping, table = (
        tables.table(config, "secure/changes"),
        tables.table(config, "secure/mapping"),
        quarantine(config),
    )

    def quarantined(rows: DataFrame) -> DataFrame:
        of_rows = ~F.col("table").endswith(IMAGES) & (F.col("table") != OPT_OUTS)
        return naming(rows.where(of_rows), _TEXTS, numbers, numbers_in)

    def rekeyed(rows: DataFrame) -> DataFrame:
        return rows.where(F.col("table") == PEOPLE).join(F.broadcast(numbers), "chi", "left_semi")

    columns, key = ("table", *_TEXTS), table.schema.key
    return [
        Share(table, columns, quarantined, key),
        Share(tables.history_of(table), columns, quarantined, (*key, "run_id")),
        Share(changes, ("table", "chi"), rekeyed, changes.schema.key),
        _naming(mapping, ("identity",), numbers),
    ]


def came_back(spark: SparkSession, config: Config, numbers: DataFrame, since: Mapping[str, str]) -> bool:
    """Whether records, rows in quarantine or ids name one of the numbers that were written after the run that ``since``
    has of their table; it has those of tables that changed.
    """
    changed = {f"secure/{name}": F.col("run_id") > run for name, run in since.items()}
    shares = [
        *shares_of_records(config, numbers),
        *shares_of_others(config, numbers),
        *shares_of_people(config, numbers),
    ]
    told = [(share, changed[share.table.name]) for share in shares if share.table.name in changed]
    if since:
        later = reduce(or_, ((F.col("table") == name) & (F.col("run_id") > run) for name, run in since.items()))
        told += [(share, later) for share in shares if share.table.name == quarantine(config).name]
    return any(
        not share.theirs(tables.read_or_empty(spark, share.table).where(is_new)).isEmpty() for share, is_new in told
    )


def _records(config: Config) -> Iterator[Table]:
    for name in record_tables():
        table = tables.table(config, f"secure/records/{name}")
        yield from (table, tables.history_of(table))


def _of_patient(schema: TableSchema) -> tuple[str, ...]:
    return tuple(name for name in (schema.patient, schema.further_chi) if name is not None)


def _naming(table: Table, columns: tuple[str, ...], numbers: DataFrame, *, stay: bool = False) -> Share:
    """Rows that name one of the numbers in one of the columns; with ``stay`` they do so no longer."""
    is_history = "replaced_by" in table.columns
    key = (*table.schema.key, "run_id") if is_history else table.schema.key
    left = (lambda rows: unnamed(rows, columns, numbers)) if stay else None
    return Share(table, columns, lambda rows: naming(rows, columns, numbers), key, left=left)
