"""What researchers open: a version of a cohort, its tables, and what it was made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession

from smi_spark.analysis.comparison import Comparison, compare_versions
from smi_spark.analysis.registry import Registered, cohorts, newest, read_table, registered
from smi_spark.analysis.selection import Left
from smi_spark.config import Config
from smi_spark.errors import TableError, nearest


@dataclass(frozen=True)
class Cohort:
    """A snapshot: lazy DataFrames of exactly the Delta versions that its registry row names.

    Counts are exact, small ones too: what leaves the safe haven has to be checked for them.
    """

    spark: SparkSession
    config: Config
    entry: Registered

    @cached_property
    def images(self) -> DataFrame:
        """One row an image, partitioned by modality and year; columns of ``schemas/images.yaml`` in zone 3."""
        return self.table("images")

    @cached_property
    def series(self) -> DataFrame:
        """One row a series, over the images of the snapshot; columns of ``schemas/series.yaml``."""
        return self.table("series")

    @cached_property
    def studies(self) -> DataFrame:
        """One row a study, over the images of the snapshot; columns of ``schemas/studies.yaml``."""
        return self.table("studies")

    @cached_property
    def patients(self) -> DataFrame:
        """One row a patient, over the images of the snapshot; columns of ``schemas/patients.yaml``."""
        return self.table("patients")

    @cached_property
    def matches(self) -> DataFrame:
        """One row a control, with its case; columns of ``schemas/matches.yaml``. Of a cohort with controls alone."""
        return self.table("matches")

    @cached_property
    def records(self) -> Mapping[str, DataFrame]:
        """The delivered records, by the table's short name; joined to images on patient_id."""
        names = [t.name for t in self.entry.tables if t.name.startswith("records/")]
        return {name.removeprefix("records/"): self.table(name) for name in names}

    def __str__(self) -> str:
        rows = ", ".join(f"{table.row_count:,} {table.name}" for table in self.entry.tables)
        built = f"{self.entry.built_at:%Y-%m-%d}"
        return f"{self.entry.place}, built {built}: {rows}"

    @property
    def version(self) -> int:
        return self.entry.version

    @property
    def attrition(self) -> tuple[Left, ...]:
        """Patients, studies and images that each step of the selection left; small counts before the last are none."""
        return self.entry.attrition

    def compare(self, version: int) -> Comparison:
        """How this version differs from ``version`` of the same cohort; see ``Comparison``."""
        return compare(open_cohort(self.spark, self.config, self.entry.project, self.entry.cohort, version), self)

    def table(self, name: str) -> DataFrame:
        """A table by its name within the cohort: ``images``, ``records/smr01``; TableError for one it does not have."""
        return read_table(self.spark, self.config, self.entry, name)


def open_cohort(spark: SparkSession, config: Config, project: str, cohort: str, version: int | None = None) -> Cohort:
    """A version of a cohort (default: the newest that is no older one built again), through the registry alone.

    Raises TableError for a cohort or version that is not registered, naming those that are, and for one that was
    withdrawn, naming its successor.
    """
    entries = registered(spark, config, project, cohort)
    if not entries:
        raise TableError(_unknown_cohort(spark, config, project, cohort))
    chosen = newest(entries) if version is None else next((one for one in entries if one.version == version), None)
    if chosen is not None:
        if chosen.withdrawn_at is not None:
            raise TableError(_withdrawn(entries, chosen))
        return Cohort(spark, config, chosen)
    known = ", ".join(f"{e.version} ({e.built_at:%Y-%m-%d})" for e in reversed(entries))
    raise TableError(
        f"{project}/{cohort} has no version {version}; it has {known}. Open one of these, or leave version out."
    )


def compare(old: Cohort, new: Cohort) -> Comparison:
    """How ``new`` differs from ``old``: who and what came and went, and what caused it; see ``Comparison``."""
    return compare_versions(new.spark, new.config, old.entry, new.entry)


def _withdrawn(entries: Sequence[Registered], entry: Registered) -> str:
    by_number = {one.version: one for one in entries}
    following = entry
    while following.successor in by_number:
        following = by_number[following.successor]
    return (
        f"{entry.place} was withdrawn on {entry.withdrawn_at:%Y-%m-%d}: "
        f"it held people who said no, and its files are gone. Open version {following.version}: the same without them."
    )


def _unknown_cohort(spark: SparkSession, config: Config, project: str, cohort: str) -> str:
    known = ["/".join(names) for names in cohorts(spark, config)]
    given = f"{project}/{cohort}"
    if not known:
        return f"{given} is not a cohort: none is built yet. Run jobs/build_cohort.py first."
    return f"{given} is not a cohort. Cohorts here: {', '.join(known)}.{nearest(given, known)}"
