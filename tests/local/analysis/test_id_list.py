"""What a list of ids keeps, what of it is unknown, and that it may be long."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.selection import Left, attrition, select_images, unknown_ids


def listing(place: Path, header: str, *ids: str) -> Definition:
    place.write_text("\n".join([header, *ids, ""]))
    images = {"modality": "CT", "from_list": str(place)}
    return read_definition({"cohort": "c", "project": "p", "question": "Who?", "images": images}, "test.yaml")


def test_a_long_list_keeps_its_own_and_tells_what_is_unknown(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("1", "ann", "2.25.1", "CT"), ("2", "ann", "2.25.1", "CT"), ("3", "bob", "2.25.3", "CT"),
            ("4", "cat", "2.25.4", "MR"), ("5", "dan", None, "CT")]  # fmt: skip
    images = spark.createDataFrame(
        [(*row, 2020, None) for row in rows],
        "SOPInstanceUID string, patient_id string, StudyInstanceUID string, modality string, year int, StudyDate date",
    ).coalesce(1)
    place, beside = tmp_path / "studies.csv", tmp_path / "studies.unknown.csv"

    long = listing(place, "StudyInstanceUID", "2.25.4", "2.25.1", *(f"2.25.{n}" for n in range(10_000, 110_000)))
    assert attrition(images, {}, long)[1:] == (Left(2, "in the list of 100,002 ids (StudyInstanceUID)", 1, 1, 2),)
    chosen = select_images(images, {}, long)
    assert sorted(row[0] for row in chosen.select("SOPInstanceUID").collect()) == ["1", "2"]
    chosen.explain()
    plan = capsys.readouterr().out
    assert "LeftSemi" in plan
    assert "2.25." not in plan
    told = unknown_ids(images, long, write=False)
    assert told.startswith("not found among CT images: 100,001 of 100,002 ids, lines 2, 4, 5, 6, ")
    assert told.endswith(" and 99,981 more")
    assert not beside.exists()
    told = unknown_ids(images, long, write=True)
    assert told.endswith(f" and 99,981 more; all of them in {beside}")
    assert beside.read_text().splitlines()[:3] == ["StudyInstanceUID", "2.25.4", "2.25.10000"]

    people = listing(place, "patient_id", "dan", "bob", "dan", "zoe")
    assert attrition(images, {}, people)[1:] == (Left(2, "in the list of 3 ids (patient_id)", 2, 2, 2),)
    assert (
        unknown_ids(images, people, write=True)
        == f"not found among CT images: 1 of 3 ids, line 5; all of them in {beside}"
    )
    beside.unlink()
    assert unknown_ids(images, listing(place, "patient_id", "bob"), write=True) == ""
    assert not beside.exists()
    beside.mkdir()
    assert unknown_ids(images, people, write=True).endswith(f"; {beside} cannot be written: Is a directory")
