"""What stands in quarantine: listed, tried again, or released by a person who says that a file is to be used."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.errors import InputError, unknown_name
from smi_spark.lease import lease
from smi_spark.reasons import REMEDIES, Reason
from smi_spark.run import new_run_id
from smi_spark.secure import runs
from smi_spark.secure.changes import FILES, IMAGES, RELEASED, RETRIED, record_changes
from smi_spark.secure.files import PRESENT
from smi_spark.secure.ingest import IngestCounts, take_in
from smi_spark.secure.instances import FILE
from smi_spark.secure.quarantine import quarantine

RELEASABLE = (Reason.CUT_SHORT, Reason.CONFLICTING_STUDY, Reason.SET_ASIDE, Reason.REFUSED_FOLDER)
_SHOWN = 20


@dataclass(frozen=True)
class Selection:
    """Which rows of quarantine: those that have one of the reasons, paths and studies, where any are given."""

    reasons: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for reason in self.reasons:
            if reason not in list(Reason):
                raise InputError(unknown_name("--reason", reason, "reason", list(Reason)))

    def of(self, rows: DataFrame) -> DataFrame:
        """The rows that are selected."""
        given = {"reason": self.reasons, "path": self.paths, "StudyInstanceUID": self.studies}
        for name, values in given.items():
            rows = rows.where(F.col(name).isin(*values)) if values else rows
        return rows

    def __str__(self) -> str:
        return ", ".join([*self.reasons, *self.paths, *self.studies]) or "everything"


@dataclass(frozen=True)
class Listing:
    """Rows in quarantine: how many of each table and reason, and the first places of those that were asked for."""

    counts: Sequence[tuple[str, str, int]]
    places: Sequence[tuple[str, str, str | None]] = field(default=())

    def __str__(self) -> str:
        if not self.counts:
            return "nothing is in quarantine"
        width = max(len(table) for table, _, _ in self.counts)
        lines = [
            f"{n:>10,}  {table:<{width}}  {reason}: {REMEDIES[Reason(reason)]}" for table, reason, n in self.counts
        ]
        return "\n".join([*lines, *(f"  {path}: {reason}, {detail or ''}" for path, reason, detail in self.places)])


@dataclass(frozen=True)
class Retried:
    """What one run did with files in quarantine."""

    action: str
    files: int
    taken: IngestCounts

    def __str__(self) -> str:
        return f"{self.files:,} files {self.action}: {self.taken}"


def list_quarantine(spark: SparkSession, config: Config, selection: Selection) -> Listing:
    """Rows by table and reason, the most frequent first; with a selection the first twenty places too."""
    rows = selection.of(tables.read_or_empty(spark, quarantine(config)))
    counted = rows.groupBy("table", "reason").count().orderBy(F.desc("count"), "table", "reason").collect()
    places = rows.orderBy("source", "path", "row_number").select("path", "reason", "detail").limit(_SHOWN)
    asked = selection != Selection()
    return Listing([tuple(row) for row in counted], [tuple(row) for row in places.collect()] if asked else ())


def try_again(spark: SparkSession, config: Config, selection: Selection) -> Retried:
    """Read the selected files anew, as if they had changed, and take in what comes of it.

    Raises InputError where nothing that is selected is a file of images.
    """
    return _act(spark, config, selection, RETRIED)


def release(spark: SparkSession, config: Config, selection: Selection) -> Retried:
    """Use the selected files though they are in quarantine, until they change; no file is opened.

    A file of a study in conflict takes the place of those that contradict it; one whose pixel data is cut short, or
    whose folder was refused, becomes an image as it is.
    Raises InputError where nothing is selected, or only what no release can mend: see RELEASABLE.
    """
    if selection == Selection():
        raise InputError(
            "--release needs --reason, --path or --study: a person answers for each file that is released."
        )
    return _act(spark, config, selection, RELEASED)


def _act(spark: SparkSession, config: Config, selection: Selection, action: str) -> Retried:
    run_id = new_run_id()
    with lease(config.zone("secure"), "images", run_id):
        run = runs.begin(spark, config, run_id)
        chosen = tables.worked_out(_files(spark, config, selection, action))
        count = chosen.count()  # the line that users see
        if not count:
            raise InputError(_nothing(selection, action))
        _mark(config, chosen, action, run.id)
        taken = take_in(spark, config, run, runs.RETRY, [str(selection)], Counter())
    return Retried("tried again" if action == RETRIED else "released", count, taken)


def _files(spark: SparkSession, config: Config, selection: Selection, action: str) -> DataFrame:
    """The rows of ``secure/files`` of the selected files; those that vanished have nothing to try, and erased ones are
    tried only where their reason is named."""
    rows = selection.of(tables.read_or_empty(spark, quarantine(config))).where(F.col("table") == IMAGES)
    if Reason.ERASED not in selection.reasons:
        rows = rows.where(F.col("reason") != Reason.ERASED)
    if action == RELEASED:
        rows = rows.where(F.col("reason").isin(*RELEASABLE) & F.col("SOPInstanceUID").isNotNull())
    files = tables.read_or_empty(spark, tables.table(config, "secure/files")).where(F.col("state") == PRESENT)
    return files.join(rows.select(*FILE).distinct(), list(FILE), "left_semi")


def _mark(config: Config, files: DataFrame, action: str, run_id: str) -> None:
    record_changes(files.select(*FILE, F.lit(action).alias("action")), config, FILES, run_id)
    target = tables.table(config, "secure/files")
    stamps = {"state_run_id": F.lit(run_id)} | ({"run_id": F.lit(run_id)} if action == RETRIED else {})
    tables.merge(files.withColumns(stamps), target, on=target.schema.key)


def _nothing(selection: Selection, action: str) -> str:
    if action == RETRIED:
        return (
            f"no file of images in quarantine is {selection}. Rows of records are tried again by jobs/load_records.py, "
            "images without a patient by jobs/pseudonymise.py. List what there is by leaving out --again."
        )
    return (
        f"nothing in quarantine that is {selection} can be released. It can for {', '.join(RELEASABLE)}; what has "
        "another reason has to be mended, and tried with --again."
    )
