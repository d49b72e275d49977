"""DICOM files → ``secure/files`` → ``secure/headers`` → ``secure/images``, and what cannot be used to quarantine."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.dicom.sources import open_root
from smi_spark.errors import QuarantineThresholdError
from smi_spark.lease import lease
from smi_spark.progress import Progress
from smi_spark.reasons import Reason
from smi_spark.run import new_run_id
from smi_spark.secure import runs
from smi_spark.secure.admission import admit
from smi_spark.secure.changes import FILES, changed_files, changes_since, record_changes
from smi_spark.secure.files import (
    CHANGED,
    NEW,
    RETURNED,
    VANISHED,
    as_files,
    compare,
    list_sources,
    looked_for,
    unread_files,
)
from smi_spark.secure.headers import read_files, spread
from smi_spark.secure.instances import FILE, index_new
from smi_spark.secure.quarantine import count_reasons, quarantine
from smi_spark.secure.rollups import roll_up_new
from smi_spark.secure.roots import known_below, listed_whole, place_roots
from smi_spark.secure.runs import Run
from smi_spark.secure.slices import slices, with_place
from smi_spark.secure.withdrawal import withdraw

JOB = runs.INGEST

# The counts in the order in which a run tells them; those in ALWAYS also where they are 0.
_WORDS = {
    "listed": "new files", "changed": "changed", "vanished": "vanished", "returned": "back", "read": "read",
    "withdrawn": "images withdrawn", "images": "images added", "quarantined": "files quarantined",
}  # fmt: skip
_ALWAYS = {"listed", "read", "images", "quarantined"}


@dataclass(frozen=True)
class IngestCounts:
    """What one run did: files by what the listing found, rows added to each table, images that left.

    ``reasons`` counts the files that this run quarantined; ``studies`` those that gained or lost an image, and
    ``incomplete`` those of them that hold fewer images than they state.
    """

    run_id: str
    listed: int
    read: int
    images: int
    quarantined: int
    changed: int = 0
    vanished: int = 0
    returned: int = 0
    withdrawn: int = 0
    bytes_read: int = 0
    requests: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    studies: int = 0
    incomplete: int = 0

    def __str__(self) -> str:
        counts = self.counts()
        cost = f" ({self.bytes_read / 1e6:,.1f} MB in {self.requests:,} reads)" if self.read else ""
        reasons = f" ({', '.join(f'{name} {count:,}' for name, count in self.reasons.items())})" if self.reasons else ""
        short = f"; fewer images than stated in {self.incomplete:,} of {self.studies:,} studies"
        more = {"read": cost, "quarantined": reasons + (short if self.incomplete else "")}
        return ", ".join(
            f"{counts.get(name, 0):,} {words}{more.get(name, '')}"
            for name, words in _WORDS.items()
            if name in counts or name in _ALWAYS
        )

    def counts(self) -> dict[str, int]:
        """The numbers by name, without those that are 0."""
        numbers = {name: getattr(self, name) for name in (*_WORDS, "bytes_read", "requests", "studies", "incomplete")}
        return {name: number for name, number in numbers.items() if number}


def ingest_headers(spark: SparkSession, config: Config, sources: Sequence[str]) -> IngestCounts:
    """Take in every new or changed file below ``sources``, as ``open_root`` takes them.

    Commits, in this order, each from what the one before has and it lacks, so that a run that was killed is completed
    by the next, and a run over the same files writes nothing: ``secure/changes`` (files changed, vanished, back) and
    ``secure/files`` (listed); what came of changed and vanished files from ``secure/images``, ``headers`` and
    ``quarantine`` to their histories; ``secure/headers`` (read once, good or bad; many in several commits),
    ``secure/instances`` (their index), ``secure/images`` (decoded from headers), ``secure/quarantine`` (bad files, and
    good ones that other files forbid: see ``admission``), ``secure/series`` and ``secure/studies``,
    ``secure/runs``.
    Raises SourceError for a source that is not there; QuarantineThresholdError, with nothing written, when over
    ``ingest.max_vanished_fraction`` of a source's files are gone, and with all recorded, when over
    ``ingest.max_bad_fraction`` of the files are quarantined; BusyError while another run takes files in.
    """
    run_id = new_run_id()
    with lease(config.zone("secure"), "images", run_id):
        return _ingest(spark, config, sources, runs.begin(spark, config, run_id))


def _ingest(spark: SparkSession, config: Config, sources: Sequence[str], run: Run) -> IngestCounts:
    found = list_new(spark, config, sources, run)
    return take_in(spark, config, run, JOB, sources, found)


def take_in(
    spark: SparkSession, config: Config, run: Run, job: str, inputs: Sequence[str], found: Counter[str]
) -> IngestCounts:
    """What ``secure/files`` has and the tables behind it do not reflect yet → these tables.

    found: what the run did to ``secure/files``, a number for each kind.
    """
    known = tables.read(spark, tables.table(config, "secure/files"))
    with tables.held(changed_files(changes_since(spark, config, run.since), known)) as files:
        moved = None if files.isEmpty() else files
        withdrawn = 0 if moved is None else _withdraw(spark, config, run, moved)
        read = read_new(spark, config, run)
        index_new(spark, config, run)
        admitted = admit(spark, config, run, moved)
    images, quarantined, withdrawn = admitted.images, admitted.quarantined, withdrawn + admitted.withdrawn
    bytes_read, requests = _cost(spark, config, run.id) if read else (0, 0)
    reasons = count_reasons(spark, config, run.id) if quarantined else {}
    counts = IngestCounts(
        run.id, found[NEW], read, images, quarantined, found[CHANGED], found[VANISHED], found[RETURNED], withdrawn,
        bytes_read, requests, reasons, *roll_up_new(spark, config, run),
    )  # fmt: skip
    if counts.counts():
        runs.end(spark, config, run, job, inputs, counts.counts())
    if quarantined:
        _check_share(spark, config, run, counts)
    return counts


def _withdraw(spark: SparkSession, config: Config, run: Run, moved: DataFrame) -> int:
    index_new(spark, config, run)  # what a killed run read is to be found too
    return withdraw(spark, config, moved, run.id)


def list_new(spark: SparkSession, config: Config, sources: Sequence[str], run: Run) -> Counter[str]:
    """What differs from the files known → ``secure/changes`` and ``secure/files``; how many files of each kind."""
    target = tables.table(config, "secure/files")
    files = tables.read_or_empty(spark, target)
    places = place_roots(files, [open_root(source) for source in sources])
    listed, known, whole = list_sources(spark, places), known_below(files, places), listed_whole(places)
    with tables.held(compare(listed, known, whole)) as differences:
        found = Counter({row["what"]: row["count"] for row in differences.groupBy("what").count().collect()})
        if found[VANISHED]:
            _check_vanished(looked_for(listed, known, whole), config, found[VANISHED], sources)
        moved, rows = F.col("what") != NEW, as_files(differences, run.id)
        if found.total() > found[NEW]:
            record_changes(
                differences.where(moved).selectExpr("source", "path", "what AS action"), config, FILES, run.id
            )
            tables.merge(rows.where(moved), target, on=target.schema.key)
        if found[NEW]:
            # In order, so that a later listing of some days need not read the rows of others.
            tables.append(rows.where(~moved).orderBy("source", "path"), target)
    tables.create(spark, target)
    return found


def read_new(spark: SparkSession, config: Config, run: Run) -> int:
    """Files that were never read as they are → ``secure/headers``; gives how many.

    More than ``ingest.slice_files`` are read slice by slice, one commit a slice, in the order of ``slices``: a run that
    was killed keeps those that it committed, and the next reads the rest.
    """
    target = tables.table(config, "secure/headers")
    files = tables.read(spark, tables.table(config, "secure/files")).where(F.col("run_id") > run.since)
    unread = unread_files(files, tables.read_or_empty(spark, target).where(F.col("listed_run_id") > run.since))
    with tables.held(with_place(unread)) as waiting:
        count = waiting.count()  # says how many tasks read
        if count == 0:
            tables.create(spark, target)
            return 0
        return _read_slices(spark, config, run, target, waiting, count)


def _read_slices(
    spark: SparkSession, config: Config, run: Run, target: tables.Table, unread: DataFrame, count: int
) -> int:
    tasks, read = int(spark.conf.get("spark.sql.shuffle.partitions") or 1), 0
    with Progress(target.name, count) as progress:
        for part, files_in_part in slices(unread, count, config.ingest.slice_files):
            seen = Observation()
            rows = read_files(spread(part.drop("place"), files_in_part, config.ingest, tasks), config.ingest, run.id)
            written = tables.append(rows.observe(seen, F.count("reason").alias("bad")), target)
            progress.add(written, quarantined=seen.get["bad"])
            read += written
    return read


def _headers(spark: SparkSession, config: Config) -> DataFrame:
    return tables.read(spark, tables.table(config, "secure/headers"))


def _cost(spark: SparkSession, config: Config, run_id: str) -> tuple[int, int]:
    """Bytes and reads that the headers of this run took."""
    read = _headers(spark, config).where(F.col("run_id") == run_id)
    row = read.agg(F.sum("bytes_read"), F.sum("requests")).collect()[0]
    return int(row[0] or 0), int(row[1] or 0)


def _check_vanished(known: DataFrame, config: Config, vanished: int, sources: Sequence[str]) -> None:
    present = known.count()
    allowed = config.ingest.max_vanished_fraction
    if vanished > allowed * present:
        raise QuarantineThresholdError(
            f"{vanished:,} of {present:,} files known in {', '.join(sources)} are gone, more than the {allowed:.0%} "
            "that ingest.max_vanished_fraction allows. Nothing was written. Check that the source is all there, its "
            "mount too, or allow it with --set ingest.max_vanished_fraction=1"
        )


def _check_share(spark: SparkSession, config: Config, run: Run, counts: IngestCounts) -> None:
    """Compare the files read since the last run that ended with those of them that are bad; copies are not."""
    read = _headers(spark, config).where(F.col("run_id") > run.since).select(*FILE)
    now = tables.read(spark, quarantine(config)).where(F.col("run_id") == run.id)
    wrong = now.where(F.col("reason") != Reason.IDENTICAL_COPY).join(read, list(FILE), "left_semi")
    files, bad = read.count(), wrong.count()
    if bad <= config.ingest.max_bad_fraction * files:
        return
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts.reasons.items())
    raise QuarantineThresholdError(
        f"{bad:,} of {files:,} files cannot be used ({reasons}), more than the "
        f"{config.ingest.max_bad_fraction:.0%} that ingest.max_bad_fraction allows. All are recorded: see "
        f"secure/quarantine, run {counts.run_id}. Check the source, or allow more with --set ingest.max_bad_fraction=…"
    )
