"""Series and studies of zone 1: what they add up, and that a run brings up those that it touched, and no others."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.instances import index_merged
from smi_spark.secure.rollups import roll_up_new, roll_up_series, roll_up_studies
from smi_spark.secure.runs import Run
from tests.rows import fill, frame


def image(uid: str, modality: str, year: int, states: int | None = None, **values: object) -> dict[str, object]:
    """An image of the series and study that its UID begins with: ``1.2.3`` is of series 1.2 and study 1."""
    study, series, _ = uid.split(".")
    return {
        "SOPInstanceUID": uid, "SeriesInstanceUID": f"{study}.{series}", "StudyInstanceUID": study, "run_id": "run-1",
        "modality": modality, "year": year, "NumberOfStudyRelatedInstances": states, "PatientID": f"P{study}",
        "source": "/pacs", "path": uid, **values,
    }  # fmt: skip


WHOLE, LONE, OTHER = image("1.1.1", "CT", 2020, 3), image("2.1.1", "MR", 2019), image("3.1.1", "CT", 2020, 1)


def add(spark: SparkSession, config: Config, *images: dict[str, object]) -> None:
    fill(spark, config, "images", images)
    index_merged(frame(spark, "images", images), config)


def run(number: int) -> Run:
    return Run(f"run-{number}", f"run-{number - 1}" if number > 1 else "", datetime.now(UTC))


def test_a_study_says_what_it_holds_and_what_it_lacks(spark: SparkSession) -> None:
    images = [
        image("1.1.1", "CT", 2020, 5, StudyDate=date(2020, 1, 15), StudyDescription="CT head", AccessionNumber="A1"),
        image("1.1.2", "CT", 2020, 4, StudyDate=date(2020, 1, 15), StudyDescription="CT head", run_id="run-2"),
        image("1.2.1", "SR", 0, None, StudyDescription="Report"),
        image("2.1.1", "MR", 0),
        image("3.1.1", "MR", 2021, 1),
        image("3.1.2", "MR", 2019, 1),
    ]
    rows = {row.StudyInstanceUID: row for row in roll_up_studies(frame(spark, "images", images)).collect()}

    assert {name: value for name, value in rows["1"].asDict().items() if value is not None} == {
        "modality": "CT", "year": 2020, "StudyInstanceUID": "1", "PatientID": "P1", "AccessionNumber": "A1",
        "StudyDate": date(2020, 1, 15), "StudyDescription": "CT head", "modalities": ["CT", "SR"], "series_count": 2,
        "image_count": 3, "NumberOfStudyRelatedInstances": 5, "stated_differently": True, "missing_images": 2,
        "run_id": "run-2",
    }  # fmt: skip
    lacks = {uid: (row.year, row.image_count, row.stated_differently, row.missing_images) for uid, row in rows.items()}
    assert lacks == {"1": (2020, 3, True, 2), "2": (0, 1, None, None), "3": (2019, 2, False, -1)}


def test_a_run_brings_up_the_studies_that_it_touched_also_behind_a_kill(
    spark: SparkSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tables.table(config, "secure/images")
    add(spark, config, WHOLE, LONE, OTHER)
    assert roll_up_new(spark, config, run(1)) == (3, 1)

    # An older series comes to the first study, which moves it to another partition; the second study's image is gone.
    add(spark, config, image("1.2.1", "MR", 2018, 4, run_id="run-2"), image("1.2.2", "MR", 2018, run_id="run-2"))
    gone = frame(spark, "images", [LONE]).withColumns(
        {"replaced_at": F.current_timestamp(), "replaced_by": F.lit("run-2")}
    )
    tables.append(gone, tables.history_of(images))
    tables.delete(gone.select("SOPInstanceUID"), images, ["SOPInstanceUID"])
    delete = tables.delete

    def killed(*given: Any) -> None:
        delete(*given)
        raise KeyboardInterrupt("killed between series and studies")

    with monkeypatch.context() as killing:
        killing.setattr(tables, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            roll_up_new(spark, config, run(2))
    assert roll_up_new(spark, config, run(2)) == (2, 1)
    now = tables.read(spark, images)
    for name, expected in (("series", roll_up_series(now)), ("studies", roll_up_studies(now))):
        found = tables.read(spark, tables.table(config, f"secure/{name}"))
        assert_df_equality(found, expected, ignore_row_order=True, ignore_metadata=True, ignore_nullable=True)
    assert sorted((row.StudyInstanceUID, row.modality, row.year, row.missing_images) for row in found.collect()) == [
        ("1", "MR", 2018, 1), ("3", "CT", 2020, 0),
    ]  # fmt: skip
    before = tables.versions_below(Path(config.root))
    assert roll_up_new(spark, config, run(3)) == (0, 0)
    assert tables.versions_below(Path(config.root)) == before
