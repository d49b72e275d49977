"""The tables of zone 2 without any file: rows by the hundred million, straight to Delta, for measures of queries."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.progress import Progress
from smi_spark.synthetic.image_frames import image_frame, rolled_up_studies, series_frame, study_frame
from smi_spark.synthetic.place import Place
from smi_spark.synthetic.quotas import Plan, plan_tables
from smi_spark.synthetic.rates import Rates, load_rates
from smi_spark.synthetic.record_frames import TABLES, expected_rows, record_frame
from smi_spark.tables import Table

_IMAGES_IN_FILE = 4_000_000  # about 128 MB
_RECORDS_IN_FILE = 2_000_000


@dataclass(frozen=True)
class Written:
    """Rows written, table by table (``images``, ``records/smr01`` …)."""

    rows: Mapping[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in self.rows.items())


def write_tables(spark: SparkSession, config: Config, *, images: int, seed: int, rates: Rates | None = None) -> Written:
    """Write ``deidentified/images`` of exactly so many rows, ``series``, ``studies`` and ``records/…`` below the root.

    Same seed, images and rates (default: ``conf/synthetic/tables.yaml``): the same rows, on any machine. Images
    are written year by year; images, series and studies are sorted by study, records by patient.
    Raises InputError where the root holds something already, saying so when a run that was killed left it, and for
    less than 1,000 images.
    """
    plan = plan_tables(images, seed, rates or load_rates())
    with Place(config.root).at_work({"images": images, "seed": seed}, goes_on=False):
        rows = {"images": _write_images(spark, config, plan)} | _write_rolled_up(spark, config, plan)
        return Written(rows | {f"records/{table}": _write_records(spark, config, plan, table) for table in TABLES})


def _write_images(spark: SparkSession, config: Config, plan: Plan) -> int:
    """Year by year, a commit each: the rows of one file a core are in memory, however many there are in all."""
    total, written = sum(batch.images for batch in plan.batches), 0
    with Progress("deidentified/images", total, "images") as progress:
        for year in plan.years:
            batches = [batch for batch in plan.batches if batch.year == year]
            series = series_frame(plan, study_frame(spark, plan, batches, _IMAGES_IN_FILE))
            added = _append(image_frame(plan, series), config, "images")
            progress.add(added)
            written += added
    return written


def _write_rolled_up(spark: SparkSession, config: Config, plan: Plan) -> dict[str, int]:
    """What the roll-ups of these images are, made of the studies: a file a modality and year."""
    studies = study_frame(spark, plan, plan.batches, sum(batch.images for batch in plan.batches))
    return {
        "series": _append(_by_study(series_frame(plan, studies)), config, "series"),
        "studies": _append(_by_study(rolled_up_studies(plan, studies)), config, "studies"),
    }


def _by_study(rows: DataFrame) -> DataFrame:
    return rows.sortWithinPartitions("modality", "year", "StudyInstanceUID")


def _write_records(spark: SparkSession, config: Config, plan: Plan, table: str) -> int:
    rows = record_frame(spark, plan, table)
    day = _table(config, f"records/{table}").schema.event_date
    files = max(1, round(expected_rows(plan, table) / _RECORDS_IN_FILE))
    ordered = rows.repartitionByRange(files, "patient_id").sortWithinPartitions("patient_id", str(day))
    return _append(ordered, config, f"records/{table}")


def _append(rows: DataFrame, config: Config, name: str) -> int:
    target = _table(config, name)
    known = [column for column in target.columns if column in rows.columns]
    return tables.append(tables.completed(rows.select(*known), target), target)


def _table(config: Config, name: str) -> Table:
    return tables.table(config, f"deidentified/{name}")
