"""``secure/runs``: what each run did, and where the next one has to begin to look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import __version__, tables
from smi_spark.config import Config
from smi_spark.cpu import cpu_seconds, cpu_times
from smi_spark.run import new_run_id

INGEST, RETRY = "ingest_headers", "retry_quarantine"  # the jobs that complete each other's runs
LINEAGE = ("run_id", "valid_from", "engine_version")  # columns that say where a row comes from
Stamps = Mapping[str, str | datetime]  # and their values


@dataclass(frozen=True)
class Run:
    """One run of a job: its name, and that of the newest run before it that ended (``""`` for none).

    Rows of runs up to ``since`` were dealt with; rows of later ones were left by runs that were killed.
    """

    id: str
    since: str
    started_at: datetime
    cpu_before: Mapping[str, float] = field(default_factory=dict)


def stamps(run_id: str) -> Stamps:
    """LINEAGE of the rows that a run commits next, the same in all of them."""
    return dict(zip(LINEAGE, (run_id, datetime.now(UTC), __version__), strict=True))


def as_columns(stamped: Stamps) -> dict[str, Column]:
    """``stamps`` as columns."""
    return {name: F.lit(value) for name, value in stamped.items()}


def begin(spark: SparkSession, config: Config, run_id: str) -> Run:
    """A run that takes files in begins now: ``run_id``, or a name behind all that ended where a clock is late."""
    ended = newest_ended(spark, config)
    behind = run_id if run_id > ended else new_run_id(after=ended)
    return Run(behind, ended, datetime.now(UTC), cpu_times(spark))


def started(spark: SparkSession) -> Run:
    """A run that begins now, of a job that needs to know of none before it."""
    return Run(new_run_id(), "", datetime.now(UTC), cpu_times(spark))


def newest_ended(spark: SparkSession, config: Config) -> str:
    """The newest run that took files in and ended: all images of runs up to it stand. Empty where there is none."""
    return newest_run(tables.read_or_empty(spark, _runs(config)).where(F.col("job").isin(INGEST, RETRY)))


def newest_run(rows: DataFrame) -> str:
    """The newest run that ``rows`` (run_id) are of; empty where there are none."""
    return str(rows.agg(F.max("run_id")).collect()[0][0] or "")


def end(
    spark: SparkSession, config: Config, run: Run, job: str, inputs: Sequence[str], counts: Mapping[str, int]
) -> None:
    """Write down what the run did; of ``counts``, those that have a column of their own stand there."""
    cpu = cpu_seconds(run.cpu_before, cpu_times(spark))
    target, now = _runs(config), datetime.now(UTC)
    seconds = (now - run.started_at).total_seconds()
    row = {
        "run_id": run.id,
        "job": job,
        "inputs": list(inputs),
        "started_at": run.started_at,
        "ended_at": now,
        "seconds": seconds,
        "counts": [(name, count) for name, count in counts.items() if name not in target.columns],
        "files_per_second": counts.get("read", 0) / max(seconds, 1e-3),
        "bytes_read": counts.get("bytes_read", 0),
        "requests": counts.get("requests", 0),
        "cpu_seconds": cpu,
        "energy_wh": None if cpu is None else cpu * config.energy.watts_per_core / 3600,
        "engine_version": __version__,
    }
    values = tuple(row[name] for name in target.columns)
    tables.append(spark.createDataFrame([values], target.schema.spark("secure")), target)


def _runs(config: Config) -> tables.Table:
    return tables.table(config, "secure/runs")
