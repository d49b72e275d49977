"""``secure/linkage``: of how many patients images and records can be joined, by table, modality and year."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import TableError
from smi_spark.lease import lease
from smi_spark.run import new_run_id
from smi_spark.schema import TableSchema, load_schema, record_tables
from smi_spark.secure.chi import ChiFlag, fault_names, judge_chis, patient_identity, second_check
from smi_spark.secure.people import DEMOGRAPHY, with_persons
from smi_spark.secure.recomputed import put_changed

IMAGES = "images"
LEASE = "linkage"
_GROUP = ("table", "modality", "year")


@dataclass(frozen=True)
class Linkage:
    """Patients of one table, all its modalities and years together."""

    table: str
    rows: int
    no_id: int
    patients: int
    valid: int
    known: int
    linked: int

    def __str__(self) -> str:
        def share(part: int) -> str:
            return f"{part:,} ({part / self.patients:.1%})" if self.patients else f"{part:,}"

        to = "a record" if self.table == IMAGES else "an image"
        return (
            f"{self.table}: {self.rows:,} rows, {self.no_id:,} without an id; {self.patients:,} patients: valid "
            f"{share(self.valid)}, in the demography {share(self.known)}, with {to} {share(self.linked)}"
        )


@dataclass(frozen=True)
class Report:
    """What ``report_linkage`` found, a line a table."""

    tables: tuple[Linkage, ...]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.tables), "by year and modality: secure/linkage"])


def report_linkage(spark: SparkSession, config: Config) -> Report:
    """Put ``secure/linkage`` as zone 1 is now; gives its sums by table.

    One commit, and none where nothing changed. Raises TableError where zone 1 has neither images nor records, and
    BusyError while another run reports.
    """
    with lease(config.zone("secure"), LEASE, new_run_id()):
        sources = _sources(spark, config)
        if not sources:
            raise TableError(f"Zone 1 in {config.zone('secure')} has neither images nor records. Load some first.")
        people = tables.read_or_empty(spark, tables.table(config, "secure/people")).select("chi", "person")
        patients = {name: with_persons(ids, people, ["patient"]) for name, ids in sources.items()}
        with tables.held(_marked(spark, config, patients, people)) as marked:
            put_changed(_by(marked, *_GROUP), tables.table(config, "secure/linkage"))
            sums = _by(marked, "table").orderBy(F.col("table") != IMAGES, "table").collect()  # a row a table
    return Report(tuple(Linkage(**row.asDict()) for row in sums))


def ids_of(rows: DataFrame, schema: TableSchema, nobody: Sequence[str] = ()) -> DataFrame:
    """table, modality, year, patient (null for none), rows: the patients of a table, one row each in a group."""
    is_images = schema.table == IMAGES
    dated = F.col("year") if is_images else F.year(str(schema.event_date))
    return (
        rows.select(
            F.lit(schema.table).alias("table"),
            (F.col("modality") if is_images else F.lit("")).alias("modality"),
            F.coalesce(dated, F.lit(0)).alias("year"),
            patient_identity(F.col(str(schema.patient)), nobody).alias("patient"),
        )
        .groupBy(*_GROUP, "patient")
        .agg(F.count("*").alias("rows"))
    )


def _sources(spark: SparkSession, config: Config) -> dict[str, DataFrame]:
    names = [IMAGES, *(f"records/{name}" for name in record_tables())]
    there = {name: tables.table(config, f"secure/{name}") for name in names}
    return {
        name: ids_of(tables.read(spark, source), load_schema(name), config.pseudonyms.nobody)
        for name, source in there.items()
        if tables.exists(spark, source)
    }


def _marked(spark: SparkSession, config: Config, patients: Mapping[str, DataFrame], people: DataFrame) -> DataFrame:
    """The patients of all tables under one another, each with what is to be counted of it."""
    rows = reduce(DataFrame.union, patients.values())
    nobody = rows.select("patient").limit(0)
    records = [ids for name, ids in patients.items() if name not in (IMAGES, DEMOGRAPHY)]
    with_record = reduce(DataFrame.union, (ids.select("patient") for ids in records), nobody)
    with_image = patients[IMAGES].select("patient") if IMAGES in patients else nobody
    marks = {"with_record": with_record, "with_image": with_image, "known": _known(spark, config, people)}
    for mark, ids in marks.items():
        rows = rows.join(ids.where("patient is not null").distinct().withColumn(mark, F.lit(True)), "patient", "left")
    rows, fault, second = _with_faults(rows), F.col("fault"), second_check(config.records.second_chi_check)
    linked = F.when(F.col("table") == IMAGES, F.col("with_record")).otherwise(F.col("with_image"))
    passes = fault.isNull()
    if second is not None:
        passes |= (fault == str(ChiFlag.WRONG_CHECK)) & second(F.col("patient"))
    valid = F.col("patient").isNotNull() & passes
    return rows.select(*_GROUP, "patient", "rows", valid.alias("valid"), "known", linked.alias("linked"))


def _with_faults(rows: DataFrame) -> DataFrame:
    """Adds what is amiss with the patients' CHI numbers: ``fault``, null where they are in order."""

    def judge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.append_column("fault", fault_names(judge_chis(batch["patient"]).faults))

    return rows.mapInArrow(judge, StructType([*rows.schema, StructField("fault", StringType())]))


def _known(spark: SparkSession, config: Config, people: DataFrame) -> DataFrame:
    """patient: everybody of whom the demography has a number."""
    source = tables.table(config, f"secure/{DEMOGRAPHY}")
    numbers = tables.read_or_empty(spark, source).select(
        F.explode(F.array(str(source.schema.further_chi), str(source.schema.patient))).alias("patient")
    )
    return with_persons(numbers.distinct(), people, ["patient"])


def _by(marked: DataFrame, *group: str) -> DataFrame:
    """Rows and patients of each group, a patient once."""
    patients = marked.groupBy(*group, "patient").agg(
        F.sum("rows").alias("rows"), *(F.max(mark).alias(mark) for mark in ("valid", "known", "linked"))
    )
    is_somebody = F.col("patient").isNotNull()
    return patients.groupBy(*group).agg(
        F.sum("rows").alias("rows"),
        F.coalesce(F.sum(F.when(~is_somebody, F.col("rows"))), F.lit(0)).alias("no_id"),
        F.count_if(is_somebody).alias("patients"),
        *(F.count_if(is_somebody & F.col(mark)).alias(mark) for mark in ("valid", "known", "linked")),
    )
