"""DICOM files → ``secure/files`` → ``secure/headers`` → ``secure/images``, and what cannot be used to quarantine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import QuarantineThresholdError
from smi_spark.lease import lease
from smi_spark.run import new_run_id
from smi_spark.secure.files import list_sources, unread_files
from smi_spark.secure.headers import read_files, spread
from smi_spark.secure.images import decode_images, left_over, unpromoted
from smi_spark.secure.quarantine import count_reasons, quarantine, record_bad


@dataclass(frozen=True)
class IngestCounts:
    """What one run added to each table. ``reasons`` counts the files that this run quarantined."""

    run_id: str
    listed: int
    read: int
    images: int
    quarantined: int
    bytes_read: int = 0
    requests: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        cost = f" ({self.bytes_read / 1e6:,.1f} MB in {self.requests:,} reads)" if self.read else ""
        reasons = f" ({', '.join(f'{name} {count:,}' for name, count in self.reasons.items())})" if self.reasons else ""
        return (
            f"{self.listed:,} new files, {self.read:,} read{cost}, "
            f"{self.images:,} images added, {self.quarantined:,} files quarantined{reasons}"
        )


def ingest_headers(spark: SparkSession, config: Config, sources: Sequence[str]) -> IngestCounts:
    """Take in every new file below ``sources``: folders, files, globs or URIs.

    Four commits, in this order, each from what the one before has and it lacks, so that a run that was killed is
    completed by the next, and a run over the same files writes nothing:
    ``secure/files`` (listed), ``secure/headers`` (read once, good or bad), ``secure/images`` (decoded from headers),
    ``secure/quarantine`` (bad files, and those whose SOP instance another file holds).
    Raises SourceError for a source that is not there, and QuarantineThresholdError, with all recorded, when over
    ``ingest.max_bad_fraction`` of the files are quarantined, and BusyError while another run takes files in.
    """
    run_id = new_run_id()
    with lease(config.zone("secure"), "ingest_headers", run_id):
        return _ingest(spark, config, sources, run_id)


def _ingest(spark: SparkSession, config: Config, sources: Sequence[str], run_id: str) -> IngestCounts:
    listed = list_new(spark, config, sources, run_id)
    read = read_new(spark, config, run_id)
    images = promote_new(spark, config, run_id)
    quarantined = quarantine_new(spark, config, run_id)
    bytes_read, requests = _cost(spark, config, run_id) if read else (0, 0)
    reasons = count_reasons(spark, config, run_id) if quarantined else {}
    counts = IngestCounts(run_id, listed, read, images, quarantined, bytes_read, requests, reasons)
    if quarantined:
        _check_share(spark, config, counts)
    return counts


def list_new(spark: SparkSession, config: Config, sources: Sequence[str], run_id: str) -> int:
    """First commit: files that were never listed → ``secure/files``."""
    seen = {"first_seen": F.current_timestamp(), "run_id": F.lit(run_id)}
    files = list_sources(spark, sources).withColumns(seen)
    return tables.append_missing(files, tables.table(config, "secure/files"), on=["source", "path"])


def read_new(spark: SparkSession, config: Config, run_id: str) -> int:
    """Second commit: listed files that were never read → ``secure/headers``."""
    target = tables.table(config, "secure/headers")
    files = tables.read(spark, tables.table(config, "secure/files"))
    unread = unread_files(files, tables.read_or_empty(spark, target))
    count = unread.count()  # says how many tasks read
    if count == 0:
        tables.create(spark, target)
        return 0
    tasks = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
    return tables.append(read_files(spread(unread, count, config.ingest, tasks), config.ingest, run_id), target)


def promote_new(spark: SparkSession, config: Config, run_id: str) -> int:
    """Third commit: headers of SOP instances that are not there yet → ``secure/images``. No file is opened."""
    target = tables.table(config, "secure/images")
    headers = _headers(spark, config)
    chosen = unpromoted(headers, tables.read_or_empty(spark, target))
    if chosen.isEmpty():
        tables.create(spark, target)
        return 0
    return tables.append(decode_images(headers.join(chosen, ["source", "path"], "left_semi"), run_id), target)


def quarantine_new(spark: SparkSession, config: Config, run_id: str) -> int:
    """Fourth commit: files that cannot be used, and those whose SOP instance is there → ``secure/quarantine``."""
    images = tables.read(spark, tables.table(config, "secure/images"))
    return record_bad(config, left_over(_headers(spark, config), images), "images", run_id)


def _headers(spark: SparkSession, config: Config) -> DataFrame:
    return tables.read(spark, tables.table(config, "secure/headers"))


def _cost(spark: SparkSession, config: Config, run_id: str) -> tuple[int, int]:
    """Bytes and reads that the headers of this run took."""
    read = _headers(spark, config).where(F.col("run_id") == run_id)
    row = read.agg(F.sum("bytes_read"), F.sum("requests")).collect()[0]
    return int(row[0] or 0), int(row[1] or 0)


def _check_share(spark: SparkSession, config: Config, counts: IngestCounts) -> None:
    """Compare with the files of those runs whose files were quarantined now: this run's, or of one that was killed."""
    bad = tables.read(spark, quarantine(config)).where(F.col("run_id") == counts.run_id)
    headers = _headers(spark, config).select("source", "path", "run_id")
    runs = headers.join(bad, ["source", "path"], "left_semi").select("run_id").distinct()
    files = headers.join(runs, "run_id", "left_semi").count()
    if counts.quarantined <= config.ingest.max_bad_fraction * files:
        return
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts.reasons.items())
    raise QuarantineThresholdError(
        f"{counts.quarantined:,} of {files:,} files cannot be used ({reasons}), more than the "
        f"{config.ingest.max_bad_fraction:.0%} that ingest.max_bad_fraction allows. All are recorded: see "
        f"secure/quarantine, run {counts.run_id}. Check the source, or allow more with --set ingest.max_bad_fraction=…"
    )
