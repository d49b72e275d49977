"""``secure/replaced``: ids of zone 2 in whose place others stand since, and the id that each had first.

What projects receive is derived from first ids, so that no project notices another archive key or a mapping.
"""

from collections.abc import Iterable, Mapping, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.keyed import KEY_ID, check_settled
from smi_spark.deidentified.pseudonyms import Domain
from smi_spark.deidentified.reached import note_reached
from smi_spark.tables import Table

REPLACED = "smi_spark.replaced"  # property of a table of zone 2: the first run that replaced ids of its rows


def record_replaced(rows: DataFrame, config: Config, run_id: str, key_id: str | None = None) -> int:
    """Add replacements: ``rows`` have kind (patient, uid, accession), old and new; gives how many were not known.

    One commit, none where all are known, to be made before a row of zone 2 has a ``new``. Where that may be the first,
    ``note_replaced`` comes before it. key_id: of the key that made ``new``; none for a mapping.
    A row that is given an id which another one has in zone 2 already is not replaced but joined to that one: leave it
    out, or the other one's first id is taken from it.
    """
    target = _replaced(config)
    before = tables.read_or_empty(rows.sparkSession, target)
    known = before.groupBy("kind", F.col("new").alias("old")).agg(_earliest("first"))
    given = rows.where(F.col("old") != F.col("new")).select("kind", "old", "new").distinct()
    traced = given.join(known, ["kind", "old"], "left").withColumn("first", F.coalesce("first", "old"))
    stamps = {"key_id": F.lit(key_id), "run_id": F.lit(run_id)}
    return tables.append_missing(tables.completed(traced, target, **stamps), target, target.schema.key)


def note_replaced(spark: SparkSession, target: Table, run_id: str) -> None:
    """Say in the properties of a table of zone 2 that from now on ids of its rows are replaced."""
    if tables.get_property(spark, target, REPLACED) is None:
        tables.set_property(spark, target, REPLACED, run_id)


def note_key(spark: SparkSession, config: Config, target: Table, key_id: str) -> None:
    """Say in the properties of a table of zone 2 which key makes its ids, and of a new one what was replaced before."""
    note_reached(spark, target, {KEY_ID: key_id})
    if tables.exists(spark, _replaced(config)):
        note_replaced(spark, target, "before the table was made")


def read_replaced(spark: SparkSession, config: Config, sources: Iterable[Table]) -> DataFrame | None:
    """``secure/replaced``; none where no table of ``sources`` (zone 2) says that its ids were ever replaced.

    Then nothing of zone 1 is opened. Raises OtherKeyError where one of them is between two keys.
    """
    said = {source.name: tables.properties(spark, source) for source in sources}
    check_settled(said)
    if not any(REPLACED in found for found in said.values()):
        return None
    return tables.read(spark, _replaced(config))


def first_ids(
    rows: DataFrame, columns: Mapping[str, Domain], key: Sequence[str], replaced: DataFrame | None
) -> DataFrame:
    """``rows`` with the ids in ``columns`` (string or array of string) as they were first; others stay.

    key: columns of ``rows`` that say which row is which. replaced: columns of ``schemas/replaced.yaml``, read once
    however many ``columns`` there are; where it is none, ``rows`` are given back as they are, without a join.
    """
    if replaced is None or not columns:
        return rows
    found = ids_in(rows.withColumn("row", F.struct(*key)), columns, "row")
    known = replaced.withColumnRenamed("new", "id")
    met = found.join(known, ["kind", "id"]).groupBy("row", "kind", "id").agg(_earliest("first"))
    entry = F.struct(F.concat_ws("|", "kind", "id"), F.col("first"))
    traced = met.groupBy("row").agg(F.map_from_entries(F.collect_list(entry)).alias("first_ids"))
    joined = rows.withColumn("row", F.struct(*key)).join(traced, "row", "left")
    return joined.withColumns({name: _first(rows, name, kind) for name, kind in columns.items()}).select(*rows.columns)


def all_ids(patients: DataFrame, replaced: DataFrame | None) -> DataFrame:
    """patient_id, each once: those of ``patients`` and every one that they had before, or that was theirs between."""
    if replaced is None:
        return patients
    known = replaced.where(F.col("kind") == "patient")
    met = known.join(F.broadcast(patients), F.col("new") == F.col("patient_id")).select("first").distinct()
    either = known.join(F.broadcast(met), "first").select(F.explode(F.array("old", "new")).alias("patient_id"))
    return patients.select("patient_id").union(either).distinct()


def ids_in(rows: DataFrame, columns: Mapping[str, Domain], *further: str) -> DataFrame:
    """kind, id and ``further`` columns of ``rows``: one row for each id in one of its ``columns``."""
    ids = F.concat(*(_ids(rows, name, kind) for name, kind in columns.items()))
    return (
        rows.select(*further, F.explode(F.array_distinct(ids)).alias("id"))
        .select(*further, "id.*")
        .where("id IS NOT NULL")
    )


def _earliest(name: str) -> Column:
    """Of several ids for which one stands, that which it came to first."""
    return F.min_by(name, F.struct("run_id", "old")).alias(name)


def _ids(rows: DataFrame, name: str, kind: Domain) -> Column:
    """The ids of a column as an array of kind and id; empty for null."""
    values = F.coalesce(F.col(name), F.array()) if _is_list(rows, name) else F.array(F.col(name))
    return F.transform(values, lambda value: F.struct(F.lit(kind).alias("kind"), value.alias("id")))


def _first(rows: DataFrame, name: str, kind: Domain) -> Column:
    def one(value: Column) -> Column:
        return F.coalesce(F.try_element_at("first_ids", F.concat(F.lit(f"{kind}|"), value)), value)

    return F.transform(F.col(name), one) if _is_list(rows, name) else one(F.col(name))


def _is_list(rows: DataFrame, name: str) -> bool:
    return isinstance(rows.schema[name].dataType, ArrayType)


def _replaced(config: Config) -> Table:
    return tables.table(config, "secure/replaced")
