"""Health records: extracts → ``secure/records/<name>``, typed; rows that do not fit → ``secure/quarantine``."""

from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import InputError, QuarantineThresholdError, unknown_name
from smi_spark.lease import lease
from smi_spark.run import new_run_id
from smi_spark.schema import TableSchema, load_schema, record_tables
from smi_spark.secure import runs
from smi_spark.secure.chi import Check, second_check
from smi_spark.secure.extract_rows import read_extracts, survey_extracts
from smi_spark.secure.extracts import Extract, find_extracts
from smi_spark.secure.opt_outs import announce, ever_erased
from smi_spark.secure.people import bring_up_people
from smi_spark.secure.quarantine import record_bad
from smi_spark.secure.row_counts import ADDED, CORRECTED, REASONS, FileCounts, added_up, counted
from smi_spark.secure.runs import newest_run
from smi_spark.secure.settling import bad_rows, repeated_keys, settle_keys, with_second_check
from smi_spark.secure.submissions import not_loaded, record_submissions, with_checksums
from smi_spark.secure.withdrawal import as_replaced

JOB = "load_records"

_TOLD = 10  # reasons in the message of a load that is refused


@dataclass(frozen=True)
class LoadCounts:
    """What one load did. ``reasons`` counts rows by reason; a row with two reasons is one row in ``quarantined``.

    ``loaded_before``: those of ``files`` that were passed over, as their bytes were loaded before.
    ``people_changed``: CHI numbers that stand for another person since.
    """

    table: str
    files: int
    loaded_before: int = 0
    rows: int = 0
    added: int = 0
    corrected: int = 0
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    failing_chi: int = 0
    people_changed: int = 0
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.files == self.loaded_before:
            return f"{self.table}: {self.files:,} files, all loaded before; nothing new"
        present = self.rows - self.added - self.corrected - self.quarantined
        reasons = f" ({', '.join(f'{name} {count:,}' for name, count in self.reasons.items())})" if self.reasons else ""
        before = f", {self.loaded_before:,} of them loaded before" if self.loaded_before else ""
        parts = [
            f"{self.table}: {self.rows:,} rows in {self.files:,} files{before}, {self.added:,} added",
            f"{self.corrected:,} corrected",
            f"{present:,} already there",
            f"{self.quarantined:,} quarantined{reasons}",
            f"{self.failing_chi:,} with a CHI that fails its check, kept",
        ]
        if self.people_changed:
            parts.append(f"{self.people_changed:,} CHI numbers are another person's since")
        if self.ignored:
            parts.append(f"columns ignored: {', '.join(self.ignored)}")
        return "; ".join(parts)

    def counts(self) -> dict[str, int]:
        """What a load did of files that were not loaded before, by name; without what is 0."""
        names = ("rows", "added", "corrected", "quarantined", "failing_chi", "people_changed")
        counts = {"read": self.files} | {name: getattr(self, name) for name in names}
        return {name: count for name, count in counts.items() if count}


def record_schema(table: str) -> TableSchema:
    """The schema of a record table by its short name; InputError with those there are and the nearest."""
    if table not in record_tables():
        raise InputError(unknown_name("schemas/records", table, "table", record_tables()))
    return load_schema(f"records/{table}")


def load_records(spark: SparkSession, config: Config, table: str, source: str, *, again: bool = False) -> LoadCounts:
    """Load the extracts at ``source`` (a file, a folder or a glob of CSV or Parquet) into ``secure/records/<table>``.

    A file whose bytes were loaded before is passed over, unless ``again``. A row whose key the table has with another
    content takes that row's place, which goes to ``secure/records/<table>_history``: a later load corrects an earlier
    one. Within one load nothing says which row is the later: the first stays, the others are quarantined.
    Commits, in this order, each made once by a load that was killed between and is run again: bad rows to
    ``secure/quarantine``; corrected rows to the history, then into the table; new rows into the table; where the table
    tells whose CHI numbers were merged, ``secure/changes`` and ``secure/people``; ``secure/submissions``, with which
    the files are loaded; ``secure/runs``.
    Raises InputError for an unknown table or a header that lacks a column, SourceError where there is no extract,
    QuarantineThresholdError, with nothing written, when over ``records.max_bad_fraction`` of the rows are bad, and
    BusyError while another run loads the table.
    """
    return load_rows(spark, config, record_schema(table), source, JOB, again=again)


def load_rows(
    spark: SparkSession, config: Config, schema: TableSchema, source: str, job: str, *, again: bool = False
) -> LoadCounts:
    """As ``load_records``, for a table of zone 1 by its schema; ``job`` is what ``secure/runs`` calls it."""
    second = second_check(config.records.second_chi_check)
    extracts = find_extracts(source, schema)
    run = runs.started(spark)
    with lease(config.zone("secure"), f"records-{schema.table.rpartition('/')[2]}", run.id):
        found = with_checksums(spark, extracts)
        waiting = found if again else not_loaded(spark, config, schema.table, found)
        if not waiting:
            return LoadCounts(schema.table, len(extracts), loaded_before=len(extracts))
        target = tables.table(config, f"secure/{schema.table}")
        present = tables.read_or_empty(spark, tables.with_all_columns(spark, target))
        newest = newest_run(present)
        run = run if run.id > newest else replace(run, id=new_run_id(after=newest))
        counts = _load(spark, config, schema, waiting, source, second, present if newest else None, run.id)
        runs.end(spark, config, run, job, [source], counts.counts() | {"bytes_read": sum(e.size for e in waiting)})
        return replace(counts, files=len(extracts), loaded_before=len(extracts) - len(waiting))


def _load(
    spark: SparkSession,
    config: Config,
    schema: TableSchema,
    extracts: list[Extract],
    source: str,
    second: Check | None,
    present: DataFrame | None,
    run_id: str,
) -> LoadCounts:
    """Load the files; ``present``: the table as it is, or none where it has no rows."""
    target = tables.table(config, f"secure/{schema.table}")
    rows = read_extracts(spark, extracts, schema)
    if second is not None:
        rows = with_second_check(rows, schema, second)
    with tables.held(survey_extracts(spark, extracts, schema)) as survey:
        files, several = added_up(survey), repeated_keys(survey)
    # What is joined is worked out once; what is only read is sooner read again than kept.
    is_surveyed = present is None and several is None and second is None
    kept = nullcontext if is_surveyed else tables.held
    with kept(settle_keys(rows, several, present, schema)) as settled:
        files = files if is_surveyed else added_up(counted(settled, schema.chi_columns))
        counts = _sum(schema, extracts, files)
        if counts.quarantined:
            _set_aside(settled, config, counts, source, run_id)
        announce(spark, config, schema, run_id)
        _write(settled, target, counts, run_id)
        changed = bring_up_people(spark, config, schema, run_id, ever_erased(spark, config))
        counts = replace(counts, people_changed=changed)
        record_submissions(spark, config, schema, extracts, files, run_id)
    return counts


def _set_aside(settled: DataFrame, config: Config, counts: LoadCounts, source: str, run_id: str) -> None:
    """Bad rows to quarantine; QuarantineThresholdError where they are too many."""
    allowed = config.records.max_bad_fraction
    with tables.held(bad_rows(settled)) as bad:
        if counts.quarantined > allowed * counts.rows:
            raise QuarantineThresholdError(_refused(bad, counts, source, allowed))
        record_bad(config, bad, counts.table, run_id)


def _write(settled: DataFrame, target: tables.Table, counts: LoadCounts, run_id: str) -> None:
    spark = settled.sparkSession
    tables.create(spark, target)
    stamped = settled.withColumn("run_id", F.lit(run_id))
    if counts.corrected:
        corrected = stamped.where(F.col("outcome") == CORRECTED)
        key = list(target.schema.key)
        replaced = tables.read(spark, target).join(corrected.select(*key), key, "left_semi")
        history = tables.with_all_columns(spark, tables.history_of(target))
        tables.merge(as_replaced(replaced, run_id), history, [*key, "run_id"])
        tables.merge(corrected, target, key)
    if counts.added:
        tables.append(stamped.where(F.col("outcome") == ADDED), target)


def _sum(schema: TableSchema, extracts: list[Extract], files: FileCounts) -> LoadCounts:
    total: Counter[str] = Counter()
    for counts in files.values():
        total.update(counts)
    return LoadCounts(
        schema.table, len(extracts), rows=total["rows"], added=total["added"], corrected=total["corrected"],
        quarantined=total["quarantined"], reasons={str(r): total[r] for r in REASONS if total[r]},
        failing_chi=total["failing_chi"],
        ignored=tuple(sorted({name for extract in extracts for name in extract.ignored})),
    )  # fmt: skip


def _refused(bad: DataFrame, counts: LoadCounts, source: str, allowed: float) -> str:
    first = bad.orderBy("source", "path", "row_number", "column").limit(_TOLD)
    lines = [f"  {r.path} row {r.row_number}: {r.column or 'the row'}: {r.reason}" for r in first.collect()]
    return (
        f"{source}: {counts.quarantined:,} of {counts.rows:,} rows do not fit {counts.table}, more than the "
        f"{allowed:.0%} that records.max_bad_fraction allows; nothing was loaded. The first:\n"
        + "\n".join(lines)
        + f"\nMend the extract or schemas/{counts.table}.yaml, or allow more with --set records.max_bad_fraction=…"
    )
