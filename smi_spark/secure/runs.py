"""``secure/runs``: what each run did, and where the next one has to begin to look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import __version__, tables
from smi_spark.config import Config
from smi_spark.run import new_run_id

INGEST, RETRY = "ingest_headers", "retry_quarantine"  # the jobs that complete each other's runs


@dataclass(frozen=True)
class Run:
    """One run of a job: its name, and that of the newest run before it that ended (``""`` for none).

    Rows of runs up to ``since`` were dealt with; rows of later ones were left by runs that were killed.
    """

    id: str
    since: str
    started_at: datetime


def begin(spark: SparkSession, config: Config, run_id: str) -> Run:
    """A run that takes files in begins now: ``run_id``, or a name behind all that ended where a clock is late."""
    runs = tables.read_or_empty(spark, _runs(config)).where(F.col("job").isin(INGEST, RETRY))
    ended = runs.agg(F.max("run_id")).collect()[0][0]
    behind = run_id if run_id > (ended or "") else new_run_id(after=str(ended))
    return Run(behind, ended or "", datetime.now(UTC))


def end(
    spark: SparkSession, config: Config, run: Run, job: str, inputs: Sequence[str], counts: Mapping[str, int]
) -> None:
    """Write down what the run did."""
    target, now = _runs(config), datetime.now(UTC)
    row = {
        "run_id": run.id,
        "job": job,
        "inputs": list(inputs),
        "started_at": run.started_at,
        "ended_at": now,
        "seconds": (now - run.started_at).total_seconds(),
        "counts": list(counts.items()),
        "software_version": __version__,
    }
    values = tuple(row[name] for name in target.columns)
    tables.append(spark.createDataFrame([values], target.schema.spark("secure")), target)


def _runs(config: Config) -> tables.Table:
    return tables.table(config, "secure/runs")
