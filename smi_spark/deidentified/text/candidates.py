"""Texts of zone 1, each with how many people have it and what says in it who somebody is."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from smi_spark.deidentified.actions import patient_of
from smi_spark.deidentified.pseudonyms import in_worker
from smi_spark.deidentified.text.arrow import names_in_values
from smi_spark.deidentified.text.findings import find_identifiers
from smi_spark.deidentified.text.rules import Rules
from smi_spark.deidentified.text.vocabulary import without_padding
from smi_spark.schema import TableSchema, load_schema
from smi_spark.secure.chi import patient_identity
from smi_spark.secure.people import with_persons

FEW = "few_patients"  # a reason, as detectors and rules are
NAME = "name"
# A protocol may be called after one of its patients; of a million people with CT HEAD a few are called Head.
NAMED_OF = 1000

_PATIENT, _NAMES = "patient", "names_of_the_person"


def count_people(
    rows: DataFrame, schema: TableSchema, people: DataFrame | None, rules: Rules, nobody: Sequence[str] = ()
) -> DataFrame:
    """table, column, text, patients, named: one row for each text in a text column of ``rows`` (columns of zone 1).

    patients: distinct people, by ``patient_identity`` and ``people`` (chi, person); rows without anybody, or of
    an id of ``nobody``, do not count.
    named: of these, whose own PatientName has a word that stands in the text. A text is told by all but its padding.
    Rows of one series mostly say the same: they are brought together before anything is looked at.
    """
    columns = schema.text_columns
    name = F.col("PatientName") if "PatientName" in rows.columns else F.lit(None).cast("string")
    texts = [without_padding(F.col(column)).alias(column) for column in columns]
    patient = patient_identity(patient_of(schema), nobody).alias(_PATIENT)
    given = rows.select(patient, name.alias(_NAMES), *texts).where(F.col(_PATIENT).isNotNull())
    said = (given if people is None else with_persons(given, people, [_PATIENT])).distinct()
    named = {_named(column): _has_own_name(rules.of_column(column))(_with_name(column)) for column in columns}
    told = [_as_struct(column=F.lit(column), text=F.col(column), named=F.col(_named(column))) for column in columns]
    each = said.withColumns(named).select(_PATIENT, F.explode(F.array(*told)).alias("told")).select(_PATIENT, "told.*")
    of_person = each.where("text IS NOT NULL").groupBy("column", "text", _PATIENT).agg(F.max("named").alias("named"))
    of_both = F.count("*").alias("patients"), F.count_if("named").alias("named")
    counted = of_person.groupBy("column", "text").agg(*of_both)
    return counted.select(F.lit(schema.table).alias("table"), "column", "text", "patients", "named")


def judged(counted: DataFrame, least_patients: int, rules: Rules) -> DataFrame:
    """``counted`` with reasons and parts (lists of string, see ``schemas/text_review.yaml``), empty where it passes.

    The detectors look at each text that enough people have. A person's own name counts from one in ``NAMED_OF`` on.
    """
    return counted.select("table", "column", "text", "patients", "named").mapInArrow(
        _judge(least_patients, rules), from_arrow_schema(_judged_schema())
    )


def numbered(judged: DataFrame) -> DataFrame:
    """``judged`` with passes (boolean) and number (int): failures first, by how many people have the text."""
    few = F.array_contains("reasons", FEW)
    passes = F.size("reasons") == 0
    together = Window.partitionBy(few, F.when(few, F.xxhash64("text")))  # texts of few people may be as many as images
    order = together.orderBy(passes, F.desc("patients"), "table", "column", "text")
    return judged.withColumns({"passes": passes, "number": F.when(~few, F.row_number().over(order))})


def _judged_schema() -> pa.Schema:
    schema = load_schema("text_review")
    names = ("table", "column", "text", "patients", "named", "reasons", "parts")
    return pa.schema([pa.field(name, schema.column(name).arrow_type) for name in names])


def _judge(least_patients: int, rules: Rules) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def judge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = _judged_schema()
        of_column: dict[str, Rules] = {}
        for batch in batches:
            rows = batch.to_pylist()
            for row in rows:
                own = of_column.setdefault(row["column"], rules.of_column(row["column"]))
                row["reasons"], row["parts"] = reasons_of(row, least_patients, own)
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return judge


def reasons_of(row: Mapping[str, Any], least_patients: int, rules: Rules) -> tuple[list[str], list[str]]:
    """Why a text (text, patients, named) fails, and what was found in it; nothing of either where it passes."""
    if row["patients"] < least_patients:
        return [FEW], []
    found = find_identifiers(row["text"], None, rules)
    own_name = [NAME] if row["named"] * NAMED_OF >= row["patients"] else []
    return sorted({*own_name, *(finding.detector for finding in found)}), sorted({finding.part for finding in found})


def _has_own_name(rules: Rules) -> Callable[[Column], Column]:
    def has(pairs: Any) -> "pa.Array[Any]":
        return names_in_values(pc.struct_field(pairs, [0]), pc.struct_field(pairs, [1]), rules)

    return in_worker(has, "boolean")


def _with_name(column: str) -> Column:
    return F.struct(F.col(column), F.col(_NAMES))


def _as_struct(**fields: Column) -> Column:
    return F.struct(*(value.alias(name) for name, value in fields.items()))


def _named(column: str) -> str:
    return f"{column}_named"
