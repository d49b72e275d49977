"""Extracts of records that come late, again, corrected, in other writings, or whose load was killed."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.records import load_records
from tests.killed import killed_behind

HEADER = "PRESCRIPTION_ITEM_ID,UPI_NUMBER,PRESCRIBED_DATE,PI_APPROVED_NAME\n"
FIRST = HEADER + "rx1,0101010028,2020-01-31,APIXABAN\nrx2,0101010028,2020-02-01,WARFARIN\n"
CORRECTION = HEADER + "rx1,0101010028,2020-01-30,APIXABAN\nrx3,0101010028,2020-03-01,HEPARIN\n"


def written(place: Path, text: str, encoding: str = "utf-8") -> str:
    place.parent.mkdir(exist_ok=True)
    place.write_text(text, encoding=encoding)
    return str(place)


def rows(spark: SparkSession, config: Config, name: str, *columns: str) -> list[tuple[Any, ...]]:
    records = tables.table(config, "secure/records/prescribing")
    source = tables.history_of(records) if name == "history" else tables.table(config, f"secure/{name}")
    return [tuple(row) for row in tables.read(spark, source).select(*columns).orderBy(*columns).collect()]


def test_a_later_load_corrects_a_row_and_the_older_one_stays_in_the_history(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    load_records(spark, config, "prescribing", written(tmp_path / "a.csv", FIRST))

    counts = load_records(spark, config, "prescribing", written(tmp_path / "b.csv", CORRECTION))

    assert (counts.added, counts.corrected, counts.quarantined) == (1, 1, 0)
    assert rows(spark, config, "records/prescribing", "PRESCRIPTION_ITEM_ID", "PRESCRIBED_DATE", "path") == [
        ("rx1", date(2020, 1, 30), "b.csv"),
        ("rx2", date(2020, 2, 1), "a.csv"),
        ("rx3", date(2020, 3, 1), "b.csv"),
    ]
    assert rows(spark, config, "history", "PRESCRIPTION_ITEM_ID", "PRESCRIBED_DATE", "path") == [
        ("rx1", date(2020, 1, 31), "a.csv")
    ]
    ((new_run,),) = set(rows(spark, config, "history", "replaced_by"))
    assert (new_run,) in rows(spark, config, "submissions", "run_id")
    assert rows(spark, config, "submissions", "path", "rows", "added", "corrected", "quarantined") == [
        ("a.csv", 2, 2, 0, 0),
        ("b.csv", 2, 1, 1, 0),
    ]
    runs = rows(spark, config, "runs", "run_id", "job", "inputs", "bytes_read", "counts")
    assert runs[1][:4] == (new_run, "load_records", [str(tmp_path / "b.csv")], len(CORRECTION))
    assert [dict(run[4]) for run in runs] == [
        {"read": 1, "rows": 2, "added": 2},
        {"read": 1, "rows": 2, "added": 1, "corrected": 1},
    ]


def test_a_file_loaded_before_does_not_undo_its_correction_unless_asked_to(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    first = written(tmp_path / "a.csv", FIRST)
    load_records(spark, config, "prescribing", first)
    load_records(spark, config, "prescribing", written(tmp_path / "b.csv", CORRECTION))
    before = tables.versions_below(Path(config.root))

    moved = load_records(spark, config, "prescribing", written(tmp_path / "moved.csv", FIRST))

    assert str(moved) == "records/prescribing: 1 files, all loaded before; nothing new"
    assert tables.versions_below(Path(config.root)) == before
    again = load_records(spark, config, "prescribing", first, again=True)
    assert (again.added, again.corrected) == (0, 1)
    assert ("rx1", date(2020, 1, 31)) in rows(
        spark, config, "records/prescribing", "PRESCRIPTION_ITEM_ID", "PRESCRIBED_DATE"
    )


def test_of_a_folder_only_the_files_that_are_new_are_loaded(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    written(tmp_path / "in/a.csv", FIRST)
    load_records(spark, config, "prescribing", str(tmp_path / "in"))
    written(tmp_path / "in/b.csv", CORRECTION)
    written(tmp_path / "in/c.csv", CORRECTION)

    counts = load_records(spark, config, "prescribing", str(tmp_path / "in"))

    assert (counts.files, counts.loaded_before, counts.rows) == (3, 2, 2)
    assert "2 rows in 3 files, 2 of them loaded before, 1 added" in str(counts)


def test_rows_that_two_extracts_share_are_one_and_no_fault(spark: SparkSession, config: Config, tmp_path: Path) -> None:
    written(tmp_path / "in/january.csv", FIRST)
    written(tmp_path / "in/february.csv", FIRST + "rx4,0101010028,2020-02-28,HEPARIN\n")

    counts = load_records(spark, config, "prescribing", str(tmp_path / "in"))

    assert (counts.rows, counts.added, counts.quarantined) == (5, 3, 0)
    assert "2 already there" in str(counts)


def test_an_extract_is_read_in_utf8_and_in_latin1(spark: SparkSession, config: Config, tmp_path: Path) -> None:
    for number, encoding in enumerate(("utf-8", "utf-8-sig", "latin-1")):
        text = HEADER + f"rx{number},0101010028,2020-01-31,CAFÉINE ½\n"
        written(tmp_path / f"in/{encoding}.csv", text, encoding)

    load_records(spark, config, "prescribing", str(tmp_path / "in"))

    assert rows(spark, config, "records/prescribing", "PRESCRIPTION_ITEM_ID", "PI_APPROVED_NAME") == [
        (f"rx{number}", "CAFÉINE ½") for number in range(3)
    ]


def test_a_table_made_before_its_schema_gained_a_column_gains_it(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    target = tables.table(config, "secure/records/prescribing")
    older = [column for column in target.schema.columns if column.name != "PAID_QUANTITY"]
    narrow = target.schema.model_copy(update={"columns": tuple(older)})
    tables.create(spark, tables.Table(target.name, target.uri, target.zone, narrow))

    load_records(spark, config, "prescribing", written(tmp_path / "a.csv", FIRST))

    assert "PAID_QUANTITY" in tables.read(spark, target).columns
    assert rows(spark, config, "records/prescribing", "PRESCRIPTION_ITEM_ID", "PAID_QUANTITY")[0] == ("rx1", None)


COMMITS = (
    "append quarantine", "merge records/prescribing_history", "merge records/prescribing",
    "append records/prescribing", "append submissions", "append runs",
)  # fmt: skip


SHORT = {3}  # the correction stands, what is new does not; the others take a minute


@pytest.mark.parametrize(
    "commit", [pytest.param(n, marks=() if n in SHORT else pytest.mark.long) for n in range(1, len(COMMITS) + 1)]
)
def test_a_load_killed_behind_any_commit_is_completed_by_the_next(
    spark: SparkSession, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: int
) -> None:
    lenient = config.model_copy(update={"records": config.records.model_copy(update={"max_bad_fraction": 1.0})})
    load_records(spark, lenient, "prescribing", written(tmp_path / "a.csv", FIRST))
    second = written(tmp_path / "b.csv", CORRECTION + "rx5,,2020-01-01,\n")

    with killed_behind(monkeypatch, commit) as committed:
        load_records(spark, lenient, "prescribing", second)
    load_records(spark, lenient, "prescribing", second)

    assert tuple(committed) == COMMITS[:commit]
    assert rows(spark, lenient, "records/prescribing", "PRESCRIPTION_ITEM_ID", "PRESCRIBED_DATE") == [
        ("rx1", date(2020, 1, 30)), ("rx2", date(2020, 2, 1)), ("rx3", date(2020, 3, 1)),
    ]  # fmt: skip
    assert rows(spark, lenient, "history", "PRESCRIPTION_ITEM_ID", "PRESCRIBED_DATE") == [("rx1", date(2020, 1, 31))]
    assert rows(spark, lenient, "quarantine", "path", "row_number", "column") == [("b.csv", 3, "UPI_NUMBER")]
    assert rows(spark, lenient, "submissions", "path") == [("a.csv",), ("b.csv",)]
