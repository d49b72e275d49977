"""People who said no are in no build, and one whom they do not concern is no new one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.analysis.definition import Definition
from smi_spark.analysis.opt_outs import ZoneTwo, check_unmoved, is_concerned, pin_opt_outs, said_no
from smi_spark.analysis.registry import Input, Registered
from smi_spark.config import Config
from smi_spark.deidentified.opt_outs import COPIED
from smi_spark.errors import TableError
from smi_spark.secure.opt_outs import ASKED, opt_outs_copy
from tests.rows import frame
from tests.said_no import cohort

DAY = date(2026, 11, 23)
RUN = "20261123T235900.000000Z-9f2c"  # of a build that ended on the next day


def opt_out(spark: SparkSession, config: Config, *patients: str, since: date = DAY) -> Input:
    """Put pseudonyms into the copy, as pseudonymise does."""
    copy = opt_outs_copy(config)
    rows = [{"patient_id": patient, "opted_out_on": since} for patient in patients]
    tables.append(frame(spark, "opt_outs", rows, "deidentified"), copy)
    return Input(copy.name, tables.latest_version(spark, copy))


@dataclass(frozen=True)
class Zone:
    """Frames of zone 2, and what of it a version built on DAY cited."""

    spark: SparkSession
    config: Config

    def read(self, pinned: Input, day: date = DAY) -> ZoneTwo:
        images = [
            {"patient_id": who, "StudyInstanceUID": who, "SOPInstanceUID": f"{who}-{n}", "modality": modality}
            for who, modality in (("ann", "CT"), ("bea", "CT"), ("cal", "MR")) for n in (1, 2)
        ]  # fmt: skip
        episodes = [{"EPISODE_RECORD_KEY": "e", "patient_id": "bea", "BABY_CI_CHI_NUMBER_BABY_2": "dan"}]
        return ZoneTwo(
            frame(self.spark, "images", images, "deidentified"),
            {"smr02": frame(self.spark, "records/smr02", episodes, "deidentified")},
            said_no(self.spark, self.config, pinned.version, day),
        )

    def concerned(self, definition: Definition, pinned: Input, before: Input | None, day: date = DAY) -> bool:
        inputs = (Input("deidentified/images", 0), *([before] if before else []))
        entry = Registered(
            "demo", "scans", 1, datetime(2026, 11, 24, tzinfo=UTC), RUN, "", "", (), inputs, (), "", "", ""
        )  # fmt: skip
        return is_concerned(self.spark, self.config, definition, self.read(pinned, day), entry)


def test_who_said_no_is_left_out_before_all_else_and_named_no_more(spark: SparkSession, config: Config) -> None:
    zone_2 = Zone(spark, config).read(opt_out(spark, config, "ann", "dan"))

    images, records = zone_2.left()

    assert {row["patient_id"] for row in images.collect()} == {"bea", "cal"}
    (episode,) = records["smr02"].collect()
    assert (episode["patient_id"], episode["BABY_CI_CHI_NUMBER_BABY_2"]) == ("bea", None)
    assert zone_2.told(cohort(), 10) == "people who said no, left out before the first step: fewer than 10"
    assert zone_2.told(cohort(modality="MR"), 10) == "people who said no, left out before the first step: nobody"


def test_only_who_is_concerned_makes_another_version(spark: SparkSession, config: Config) -> None:
    zone = Zone(spark, config)
    cal = opt_out(spark, config, "cal")
    later = opt_out(spark, config, "bea", since=date(2026, 11, 24))
    assert not zone.concerned(cohort(modality="CT"), later, None)
    assert zone.concerned(cohort(modality="MR"), later, None)
    assert not zone.concerned(cohort(modality="MR"), later, cal)
    baby = opt_out(spark, config, "dan")
    assert not zone.concerned(cohort(), baby, cal)  # a record of Bea's names it, and the snapshot's does not


def test_a_no_of_a_later_day_makes_another_version_once_that_day_has_come(spark: SparkSession, config: Config) -> None:
    zone, tomorrow = Zone(spark, config), date(2026, 11, 24)
    bea = opt_out(spark, config, "bea", since=tomorrow)
    assert not zone.concerned(cohort(modality="CT"), bea, bea)
    assert zone.concerned(cohort(modality="CT"), bea, bea, tomorrow)
    assert not zone.concerned(cohort(modality="MR"), bea, bea, tomorrow)


def test_a_build_waits_for_opt_outs_that_were_loaded(spark: SparkSession, config: Config) -> None:
    assert pin_opt_outs(spark, config) is None
    pinned = opt_out(spark, config, "ann")
    tables.set_property(spark, opt_outs_copy(config), ASKED, "20261123T0-1")
    with pytest.raises(TableError) as refused:
        pin_opt_outs(spark, config)
    assert str(refused.value) == (
        "deidentified/opt_outs lacks people who said no since: they were loaded into zone 1. No cohort is built before "
        "it has them. Run jobs/withdraw.py, or jobs/pseudonymise.py, then build again."
    )
    tables.set_property(spark, opt_outs_copy(config), COPIED, "20261123T0-1 - key")
    assert pin_opt_outs(spark, config) == Input("deidentified/opt_outs", pinned.version + 2)
    with pytest.raises(TableError, match=r"^deidentified/opt_outs changed while the cohort was built\. Nothing was"):
        check_unmoved(spark, config, pinned)
