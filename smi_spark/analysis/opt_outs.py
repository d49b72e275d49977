"""People who said no, in builds: left out of what zone 2 holds before anything is selected of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j has no types
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.registry import Input, Registered
from smi_spark.analysis.rules import record_schema
from smi_spark.analysis.selection import select_images
from smi_spark.config import Config
from smi_spark.deidentified.opt_outs import COPIED
from smi_spark.errors import TableError
from smi_spark.run import started_on
from smi_spark.secure.opt_outs import ASKED, in_force, opt_outs_copy
from smi_spark.secure.people import without_values


@dataclass(frozen=True)
class ZoneTwo:
    """What a build reads: images, and records by their short names. ``said_no``: patient_id of those to be left out,
    each once; none where nobody ever said no. ``replaced``: which ids were others when a project saw them first; none
    where they all are as they were.
    """

    images: DataFrame
    records: Mapping[str, DataFrame]
    said_no: DataFrame | None = None
    replaced: DataFrame | None = None

    def left(self) -> tuple[DataFrame, dict[str, DataFrame]]:
        """Images and records without those people; rows of others name them no longer."""
        if self.said_no is None:
            return self.images, dict(self.records)
        gone = self.said_no
        records = {
            name: without_values(_without(rows, gone), gone, record_schema(name).other_people)
            for name, rows in self.records.items()
        }
        return _without(self.images, gone), records

    def told(self, definition: Definition, minimum_cell: int) -> str:
        """How many of those whom the definition means were left out, in words, where not fewer than the minimum are;
        nothing where nobody ever said no.
        """
        if self.said_no is None:
            return ""
        theirs = _of(self.images, self.said_no)
        count = select_images(theirs, self.records, definition).select("patient_id").distinct().count()
        number = "nobody" if count == 0 else f"{count:,}" if count >= minimum_cell else f"fewer than {minimum_cell}"
        return f"people who said no, left out before the first step: {number}"


def pin_opt_outs(spark: SparkSession, config: Config) -> Input | None:
    """The copy of opt-outs in zone 2 as it is; none where there is none.

    Raises TableError where more were loaded since it was made.
    """
    copy = opt_outs_copy(config)
    if not tables.exists(spark, copy):
        return None
    asked, copied = (tables.get_property(spark, copy, name) for name in (ASKED, COPIED))
    if (copied or "").partition(" ")[0] != asked:
        raise TableError(
            f"{copy.name} lacks people who said no since: they were loaded into zone 1. No cohort is built before it "
            "has them. Run jobs/withdraw.py, or jobs/pseudonymise.py, then build again."
        )
    return Input(copy.name, tables.latest_version(spark, copy))


def check_unmoved(spark: SparkSession, config: Config, pinned: Input | None) -> None:
    """That the opt-outs are still those that a build began with: the last thing before it is registered.

    Raises TableError where somebody said no meanwhile.
    """
    if pin_opt_outs(spark, config) != pinned:
        raise TableError(
            f"{opt_outs_copy(config).name} changed while the cohort was built. Nothing was registered: build again."
        )


def said_no(spark: SparkSession, config: Config, version: int | None, day: date) -> DataFrame:
    """patient_id, each once: those whose no is in force on that day, by a version of the copy (default: the newest)."""
    return tables.read(spark, opt_outs_copy(config), version).where(in_force(day)).select("patient_id")


def is_concerned(
    spark: SparkSession, config: Config, definition: Definition, zone_2: ZoneTwo, before: Registered
) -> bool:
    """Whether somebody whose no came into force since version ``before``, or who takes part again, is one whom the
    definition means: by a newer list, or by a day that came.
    """
    name = opt_outs_copy(config).name
    known = next((source for source in before.inputs if source.name == name), None)
    if zone_2.said_no is None:
        return known is not None
    try:
        changed = now = zone_2.said_no
        if known is not None:
            then = said_no(spark, config, known.version, started_on(before.run_id))
            changed = now.subtract(then).union(then.subtract(now))
        return _concerns(zone_2, tables.worked_out(changed), definition)
    except (PySparkException, Py4JError, TableError):
        return True  # that version is kept no longer: nothing says who was left out


def _concerns(zone_2: ZoneTwo, people: DataFrame, definition: Definition) -> bool:
    """Whether the definition means images of one of the people, as cases or for controls.

    Records of others may name them, as a mother's names her baby: a snapshot names nobody there whose images it lacks,
    and no definition asks for ids. So who is named alone is not concerned.
    """
    if people.isEmpty():
        return False
    theirs = _of(zone_2.images, people)
    for one in (definition, definition.of_candidates()) if definition.controls else (definition,):
        if not select_images(theirs, zone_2.records, one).select("patient_id").isEmpty():
            return True
    return False


def _without(rows: DataFrame, people: DataFrame) -> DataFrame:
    return rows.join(F.broadcast(people), "patient_id", "left_anti")


def _of(rows: DataFrame, people: DataFrame) -> DataFrame:
    return rows.join(F.broadcast(people), "patient_id", "left_semi")
