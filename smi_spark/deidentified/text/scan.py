"""Whole tables of zones 2 and 3, searched for what says who somebody is; what is found stays in zone 1."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_type

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.actions import DOMAINS, PATIENT_ID
from smi_spark.deidentified.mapping import mapping
from smi_spark.deidentified.pseudonyms import STANDARD_UIDS, map_distinct
from smi_spark.deidentified.text.arrow import find_in_values
from smi_spark.deidentified.text.leaves import Leaf, holds_text, text_leaves
from smi_spark.deidentified.text.rules import Rules, site_rules
from smi_spark.errors import IdentifiersFoundError, InputError
from smi_spark.lease import lease
from smi_spark.run import new_run_id
from smi_spark.schema import TableSchema, parse_type
from smi_spark.secure.recomputed import put_changed
from smi_spark.tables import Table

FINDINGS = "secure/findings"
LEASE = "findings"
ORIGINAL_ID = "original_id"
_KEY, _NAMES = "row_key", "names_of_the_person"
_OWN = re.compile(rf"[0-9a-f]{{32}}|2\.25\.[0-9]{{30,39}}|{re.escape(STANDARD_UIDS)}[0-9.]+")
_NAME = re.compile("[A-Za-z0-9_/.-]+")  # what can stand in a condition of SQL without harm
_TYPES = {_KEY: "string", "column": "string", "detector": "string", "start": "int", "part": "string", "value": "string"}
_FOUND = pa.schema([pa.field(name, parse_type(kind)) for name, kind in _TYPES.items()])

Row = tuple[str | None, str, str, int, str, str]


@dataclass(frozen=True)
class Count:
    """What a detector found in a column: findings, the rows that have them, and the shape that most of them have."""

    column: str
    detector: str
    findings: int
    rows: int
    shape: str

    def __str__(self) -> str:
        return f"{self.column}: {self.detector} {self.findings:,} in {self.rows:,} rows, mostly {self.shape}"


@dataclass(frozen=True)
class Report:
    """What ``scan_table`` found in a table of so many rows."""

    table: str
    rows: int
    counts: tuple[Count, ...]

    def __str__(self) -> str:
        if not self.counts:
            return f"{self.table}: no identifier in {self.rows:,} rows"
        said = f"{self.table}: identifiers in {self.rows:,} rows. Their values are in {FINDINGS} of zone 1:"
        return "\n".join([said, *(f"  {count}" for count in self.counts)])


def scan_table(spark: SparkSession, config: Config, name: str, *, with_names: bool = False) -> Report:
    """Search every text of a table of zone 2 or 3 as it is; put what is found in place of what ``secure/findings`` has.

    name: as users write it, ``deidentified/records/smr01``, ``analysis/<project>/<cohort>/images``,
    ``analysis/<project>/annotations``. ``with_names``: the words of each person's own PatientName too, which
    ``secure/images`` has; for ``deidentified/images`` alone.
    A table that is as it was at its last scan writes nothing new.
    Raises IdentifiersFoundError, whose text is the report, where anything is found; InputError for a table of zone 1 or
    names that are asked for elsewhere; TableError for a table that is not there; BusyError while another scan writes.
    """
    source = scanned_table(config, name)
    if with_names and name != "deidentified/images":
        raise InputError(f"names can be looked for in deidentified/images alone, not in {name}. Leave --names out.")
    rows = tables.read(spark, source)
    version = tables.content_version(spark, source)
    given = _with_names(spark, config, rows) if with_names else rows
    if source.zone == "deidentified" and config.pseudonyms.patients != "keyed":
        given = without_mapped(given, source.schema, tables.read_or_empty(spark, mapping(config)))
    found = find_in_rows(given, source.schema, site_rules(config))
    stamped = found.withColumns({"table": F.lit(name), "table_version": F.lit(version).cast("long")})
    with lease(config.zone("secure"), LEASE, new_run_id()), tables.held(stamped) as held:
        put_changed(held, tables.table(config, FINDINGS), where=f"table = '{name}'")
        report = Report(name, rows.count(), _counts(held))
    if report.counts:
        raise IdentifiersFoundError(str(report))
    return report


def scanned_table(config: Config, name: str) -> Table:
    """The table of that name; InputError for a name that is not of zone 2 or 3."""
    zone, *path = name.split("/")
    of_project = path[2:] or path[1:] if zone == "analysis" else []  # of a cohort's version, or beside its cohorts
    if zone not in ("deidentified", "analysis") or not path or not _NAME.fullmatch(name):
        raise InputError(
            f"{name} is not a table of zone 2 or 3. Write deidentified/<table> or analysis/<project>/<cohort>/<table>."
        )
    return tables.table(config, name, schema="/".join(of_project or path))


def find_in_rows(rows: DataFrame, schema: TableSchema, rules: Rules) -> DataFrame:
    """row_key (JSON of the key), column, detector, start, part, value: one row for each finding in any text.

    Every column of ``rows`` is searched that holds texts, those that ``schema`` does not know too. In columns of
    pseudonyms, UIDs and accession numbers values of our own making (32 hexadecimal digits, ``2.25.`` UIDs, UIDs of
    the standard) are passed over; any other is an ``original_id``.
    """
    searched = [f.name for f in rows.schema if holds_text(to_arrow_type(f.dataType)) and f.name != _NAMES]
    key = F.to_json(F.struct(*(F.col(f"`{name}`") for name in schema.key_in("deidentified") if name in rows.columns)))
    given = [key.alias(_KEY), *(F.col(f"`{name}`") for name in searched)]
    if _NAMES in rows.columns:
        given.append(F.col(_NAMES))
    find = _finder(searched, _id_columns(schema), rules)
    return rows.select(*given).mapInArrow(find, from_arrow_schema(_FOUND))


def without_mapped(rows: DataFrame, schema: TableSchema, mapped: DataFrame) -> DataFrame:
    """``rows`` without the patient ids that ``mapped`` (schemas/mapping.yaml) has: a site's own are no original ids."""
    ids = mapped.select(F.col("patient_id").alias("mapped_id")).distinct()
    for name in (PATIENT_ID, *(c.name for c in schema.columns if DOMAINS.get(c.deidentify) == "patient")):
        if name in rows.columns:
            joined = rows.join(ids, F.col(name) == F.col("mapped_id"), "left")
            rows = joined.withColumn(name, F.when(F.col("mapped_id").isNull(), F.col(name))).drop("mapped_id")
    return rows


def masked(part: Column) -> Column:
    """The shape of a text's first 40 characters: ``d`` is a digit, ``a`` and ``A`` are letters, ``?`` an odd sign."""
    letters = F.regexp_replace(F.regexp_replace(F.substring(part, 1, 40), r"\p{Lu}", "A"), r"(?!A)\p{L}", "a")
    shape = F.regexp_replace(letters, r"\p{Nd}", "d")
    return F.regexp_replace(shape, r"[^dAa ./:,;@()+'_^-]", "?")


def _finder(
    searched: list[str], ids: frozenset[str], rules: Rules
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            names = batch.column(_NAMES) if _NAMES in batch.schema.names else None
            found: dict[Row, None] = {}  # the same text twice in a list counts once
            for name in searched:
                for leaf in text_leaves(name, batch.column(name)):
                    found |= dict.fromkeys(_in_leaf(leaf, batch.column(_KEY), names, name in ids, rules))
            columns = list(zip(*found, strict=True)) or [()] * len(_FOUND)
            yield pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, _FOUND, strict=True)], schema=_FOUND)

    return find


def _in_leaf(leaf: Leaf, keys: Any, names: Any, is_id: bool, rules: Rules) -> Iterator[Row]:
    of_person = None if names is None else names.take(leaf.rows)
    texts = _not_our_own(leaf.texts) if is_id else leaf.texts
    lists: Any = find_in_values(texts, rules.of_column(leaf.column), of_person)
    # Most rows have no finding: only the others become Python's.
    for place in _where(pc.greater(pc.list_value_length(lists), pa.scalar(0))):
        key, value = keys[leaf.rows[place].as_py()].as_py(), texts[place].as_py()
        for finding in lists[place].as_py():
            yield key, leaf.column, finding["detector"], finding["start"], finding["part"], value
    for place in _where(pc.is_valid(texts)) if is_id else []:
        value = texts[place].as_py()
        yield keys[leaf.rows[place].as_py()].as_py(), leaf.column, ORIGINAL_ID, 0, value, value


def _where(holds: Any) -> list[int]:
    places: list[int] = pc.indices_nonzero(pc.fill_null(holds, False)).to_pylist()
    return places


def _not_our_own(texts: "pa.Array[Any]") -> "pa.Array[Any]":
    """Null in place of ids of our own making, and of blanks."""
    return map_distinct(texts, lambda text: None if not text.strip() or _OWN.fullmatch(text) else text, pa.string())


def _id_columns(schema: TableSchema) -> frozenset[str]:
    return frozenset({PATIENT_ID} | {c.name for c in schema.columns if c.deidentify in DOMAINS})


def _with_names(spark: SparkSession, config: Config, images: DataFrame) -> DataFrame:
    """Rows of deidentified/images with the PatientName of the file behind each; null where no link leads to it."""
    links = tables.read_or_empty(spark, tables.table(config, "secure/links"))
    named = tables.read_or_empty(spark, tables.table(config, "secure/images"))
    originals = named.select(
        F.col("SOPInstanceUID").alias("original_sop_instance_uid"), F.col("PatientName").alias(_NAMES)
    )
    of_image = links.join(originals, "original_sop_instance_uid", "left").select("SOPInstanceUID", _NAMES)
    return images.join(of_image, "SOPInstanceUID", "left")


def _counts(found: DataFrame) -> tuple[Count, ...]:
    counted = found.groupBy("column", "detector").agg(
        F.count("*").alias("findings"),
        F.countDistinct(_KEY).alias("rows"),
        F.mode(masked(F.col("part"))).alias("shape"),
    )
    rows = counted.orderBy("column", "detector").collect()  # as many as columns and detectors
    return tuple(Count(**row.asDict()) for row in rows)
