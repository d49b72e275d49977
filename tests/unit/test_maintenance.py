"""What is decided about tables before any is touched."""

from datetime import timedelta
from pathlib import Path

import pytest

from smi_spark.analysis.registry import Pin
from smi_spark.config import Config, Maintenance
from smi_spark.errors import InputError
from smi_spark.maintenance import horizon_of, sort_order, writers
from smi_spark.maintenance_report import Kept, Report
from smi_spark.schema import load_schema
from smi_spark.storage import Extent
from tests.conftest import make_config

IMAGES = "deidentified/images"
PIN = Pin(IMAGES, 7, "demo", "head_ct", 3)


def days(asked: int | None = None, age: float | None = None, **settings: object) -> int:
    """The horizon of deidentified/images, with a pinned version that is ``age`` days old."""
    config = Config.model_construct(maintenance=Maintenance.model_validate(settings))
    return horizon_of(config, IMAGES, asked, *((None, None) if age is None else (PIN, timedelta(days=age))))


@pytest.mark.parametrize(
    ("given", "horizon"),
    [
        ({}, 30),
        ({"horizons": {IMAGES: 90}}, 90),
        ({"horizons": {IMAGES: 90}, "asked": 7}, 7),
        ({"age": 5}, 400),
        ({"age": 5, "pin_days": 10}, 30),
        ({"age": 450}, 800),  # cited long after it was written
        ({"age": 9.5, "asked": 10}, 10),
        ({"age": 9.5, "horizons": {IMAGES: 10}}, 10),
    ],
)
def test_old_versions_stay_as_long_as_is_asked_or_else_as_cohorts_need(given: dict[str, object], horizon: int) -> None:
    assert days(**given) == horizon  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"asked": 9}, {"horizons": {IMAGES: 9}}])
def test_a_horizon_younger_than_a_pin_is_refused_with_the_one_that_is_allowed(given: dict[str, object]) -> None:
    with pytest.raises(InputError) as refused:
        days(age=9.5, **given)  # type: ignore[arg-type]
    assert str(refused.value) == (
        "deidentified/images: a horizon of 9 days is younger than version 7, which demo/head_ct version 3 cites. "
        "Nothing was done. Give 10 days or more, or wait until that cohort is 400 days old."
    )


@pytest.mark.parametrize(
    ("table", "order"),
    [
        ("headers", ["StudyInstanceUID", "SeriesInstanceUID", "source", "path"]),
        ("images", ["StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber", "SOPInstanceUID"]),
        ("studies", ["StudyInstanceUID"]),
    ],
)
def test_rows_are_sorted_by_study_series_and_instance(table: str, order: list[str]) -> None:
    schema = load_schema(table)
    assert sort_order(schema.key, [column.name for column in schema.columns]) == order


def test_a_table_is_maintained_under_the_leases_of_those_who_write_it(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    one, two, three = (config.zone(zone) for zone in ("secure", "deidentified", "analysis"))
    assert writers(config, "secure/headers") == [(one, "images")]
    assert writers(config, "secure/records/smr01") == [(one, "records-smr01")]
    assert writers(config, "secure/links") == [(two, "images-and-records")]
    assert writers(config, "secure/replaced") == [(two, "images-and-records")]
    assert writers(config, "secure/mapping") == [(two, "images-and-records"), (one, "mapping")]
    assert writers(config, "secure/findings") == [(one, "findings")]
    assert writers(config, "secure/text_review") == writers(config, "secure/vocabulary") == [(one, "vocabulary")]
    assert writers(config, "deidentified/records/smr01") == [(two, "images-and-records")]
    assert writers(config, "secure/opt_outs") == [(one, "records-opt_outs")]
    assert writers(config, "secure/withdrawals") == [(two, "images-and-records")]
    assert (one, "records-deaths") in writers(config, "secure/quarantine")
    assert writers(config, "analysis/cohorts", {"analysis/demo/head_ct/images": PIN}) == [(three, "demo-head_ct")]


def test_a_report_has_a_line_for_each_table_where_something_was_done() -> None:
    freed = Extent(900, 3_000_000)
    report = Report(
        (
            Kept("secure/headers", 30, False, 2, Extent(24, 12_340_000), Extent(3, 9_800_000), freed),
            Kept("secure/links", 30),
            Kept("secure/images", 30, busy="another run writes images."),
        ),
        snapshots=4,
    )
    assert str(report).splitlines() == [
        "secure/headers: 2 partitions rewritten, 24 → 3 files, 12.3 → 9.8 MB; "
        "900 files removed that no version of 30 days needs, 3.0 MB",
        "secure/images: left as it is: another run writes images.",
        "1 tables: nothing to do",
        "4 tables of snapshots: left as they are, with every version",
    ]
    assert report.counts() == {
        "tables": 1, "partitions": 2, "files_before": 24, "files_after": 3, "bytes_before": 12_340_000,
        "bytes_after": 9_800_000, "files_removed": 900, "bytes_removed": 3_000_000,
    }  # fmt: skip


def test_a_dry_run_says_what_it_would_do() -> None:
    planned = Kept("secure/links", 30, True, 1, Extent(9, 1), Extent(1), Extent(1000), True, is_dry=True)
    assert str(planned) == (
        "secure/links: would let old versions be read for 30 days; would rewrite 1 partitions, 9 → 1 files; "
        "would remove 1,000 or more files that no version of 30 days needs; would make a checkpoint"
    )


def test_files_needed_are_counted_up() -> None:
    assert [Extent(9, size).needed(100) for size in (0, 100, 101)] == [1, 1, 2]
