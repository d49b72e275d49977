"""Two people and a baby: images and records of zone 1, and who the ids of zone 2 are."""

from pathlib import Path

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.secure.records import load_records
from tests.rows import fill
from tests.zone_one import CT, RUN

A, B, BABY = "0101010028", "0202020052", "0303030076"


def load(spark: SparkSession, config: Config, table: str, place: Path, text: str) -> None:
    place.write_text(text)
    load_records(spark, config, table, str(place))


def fill_two_people(spark: SparkSession, config: Config, place: Path) -> None:
    """An image and an episode of each; A's has a baby."""
    fill(spark, config, "runs", [{"run_id": RUN, "job": "ingest_headers"}])
    other = {"PatientID": B, "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1"}
    images = [CT | {"PatientID": A}, CT | other]
    fill(spark, config, "images", [
        image | {"SOPInstanceUID": f"1.9.{n}", "path": str(n), "run_id": RUN} for n, image in enumerate(images)
    ])  # fmt: skip
    load(spark, config, "smr02", place / "smr02.csv", (
        "EPISODE_RECORD_KEY,UPI_NUMBER,ADMISSION_DATE,MAIN_CONDITION,BABY_CI_CHI_NUMBER_BABY_1\n"
        f"e1,{A},2020-01-01,O80,{BABY}\ne2,{B},2020-01-02,O81,\n"
    ))  # fmt: skip
