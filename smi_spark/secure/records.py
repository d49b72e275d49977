"""Health records: extracts → ``secure/records/<name>``, typed; rows that do not fit → ``secure/quarantine``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import InputError, QuarantineThresholdError, unknown_name
from smi_spark.lease import lease
from smi_spark.reasons import Reason
from smi_spark.run import new_run_id
from smi_spark.schema import TableSchema, load_schema, table_names
from smi_spark.secure.extracts import Extract, find_extracts, read_extracts
from smi_spark.secure.quarantine import record_bad
from smi_spark.secure.record_rows import bad_rows, fails_chi_check, settle_keys, typed_records

REASONS = (Reason.WRONG_FIELD_COUNT, Reason.BAD_VALUE, Reason.MISSING_VALUE, Reason.DUPLICATE_KEY)
_TOLD = 10  # reasons in the message of a load that is refused


@dataclass(frozen=True)
class LoadCounts:
    """What one load did. ``reasons`` counts rows by reason; a row with two reasons is one row in ``quarantined``."""

    table: str
    files: int
    rows: int
    added: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    failing_chi: int = 0
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        present = self.rows - self.added - self.quarantined
        reasons = f" ({', '.join(f'{name} {count:,}' for name, count in self.reasons.items())})" if self.reasons else ""
        parts = [
            f"{self.table}: {self.rows:,} rows in {self.files:,} files, {self.added:,} added",
            f"{present:,} already there",
            f"{self.quarantined:,} quarantined{reasons}",
            f"{self.failing_chi:,} with a CHI that fails its check, kept",
        ]
        if self.ignored:
            parts.append(f"columns ignored: {', '.join(self.ignored)}")
        return "; ".join(parts)


def record_tables() -> list[str]:
    """The names that ``load_records`` accepts: the files in ``schemas/records/``."""
    return [name.removeprefix("records/") for name in table_names() if name.startswith("records/")]


def record_schema(table: str) -> TableSchema:
    """The schema of a record table by its short name; InputError with those there are and the nearest."""
    if table not in record_tables():
        raise InputError(unknown_name("schemas/records", table, "table", record_tables()))
    return load_schema(f"records/{table}")


def load_records(spark: SparkSession, config: Config, table: str, source: str) -> LoadCounts:
    """Load the extracts at ``source`` (a file, a folder or a glob of CSV or Parquet) into ``secure/records/<table>``.

    Two commits, in this order: bad rows to ``secure/quarantine``, then the good rows that are new to the table; each
    adds what is missing there, so a load that was killed is completed by loading again. A row that the table has
    with the same content adds nothing. Of rows with one key the first stays, the others are quarantined.
    Raises InputError for an unknown table or a header that lacks a column, SourceError where there is no extract,
    QuarantineThresholdError, with nothing written, when over ``records.max_bad_fraction`` of the rows are bad, and
    BusyError while another run loads the table.
    """
    schema = record_schema(table)
    extracts = find_extracts(source, schema)
    run_id = new_run_id()
    with lease(config.zone("secure"), f"records-{table}", run_id):
        return _load(spark, config, schema, extracts, source, run_id)


def _load(
    spark: SparkSession, config: Config, schema: TableSchema, extracts: list[Extract], source: str, run_id: str
) -> LoadCounts:
    target = tables.table(config, f"secure/{schema.table}")
    rows = typed_records(read_extracts(spark, extracts, schema), schema)
    with tables.held(settle_keys(rows, tables.read_or_empty(spark, target), schema)) as settled:
        counts = _count(settled, schema, extracts)
        if counts.quarantined > config.records.max_bad_fraction * counts.rows:
            raise QuarantineThresholdError(_refused(settled, counts, source, config.records.max_bad_fraction))
        if counts.quarantined:
            record_bad(config, bad_rows(settled), schema.table, run_id)
        tables.create(spark, target)
        if counts.added:
            tables.append(settled.where("is_new").withColumn("run_id", F.lit(run_id)), target)
    return counts


def _count(settled: DataFrame, schema: TableSchema, extracts: list[Extract]) -> LoadCounts:
    by_reason = [F.count_if(F.array_contains("problems.reason", str(reason))).alias(str(reason)) for reason in REASONS]
    row = settled.agg(
        F.count("*").alias("rows"), F.count_if("is_new").alias("added"),
        F.count_if(F.size("problems") > 0).alias("quarantined"),
        F.count_if((F.size("problems") == 0) & fails_chi_check(schema)).alias("failing_chi"),
        *by_reason,
    ).collect()[0]  # fmt: skip
    return LoadCounts(
        schema.table, len(extracts), row["rows"], row["added"], row["quarantined"],
        {str(reason): row[reason] for reason in REASONS if row[reason]}, row["failing_chi"],
        tuple(sorted({name for extract in extracts for name in extract.ignored})),
    )  # fmt: skip


def _refused(settled: DataFrame, counts: LoadCounts, source: str, allowed: float) -> str:
    first = bad_rows(settled).orderBy("source", "path", "row_number", "column").limit(_TOLD)
    lines = [f"  {r.path} row {r.row_number}: {r.column or 'the row'}: {r.reason}" for r in first.collect()]
    return (
        f"{source}: {counts.quarantined:,} of {counts.rows:,} rows do not fit {counts.table}, more than the "
        f"{allowed:.0%} that records.max_bad_fraction allows; nothing was loaded. The first:\n"
        + "\n".join(lines)
        + f"\nMend the extract or schemas/{counts.table}.yaml, or allow more with --set records.max_bad_fraction=…"
    )
