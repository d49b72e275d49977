"""Free text that zone 2 may have: seen for enough people, passed by the detectors, adopted by a person."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zlib import crc32

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, Text
from smi_spark.deidentified.pseudonymise import run
from smi_spark.deidentified.text import review
from smi_spark.deidentified.text.candidates import count_people, judged, numbered
from smi_spark.deidentified.text.decisions import decide, put_rule
from smi_spark.deidentified.text.review import adopt, review_texts
from smi_spark.deidentified.text.rules import shipped_rules
from smi_spark.deidentified.text.scan import scan_table
from smi_spark.errors import InputError
from smi_spark.schema import load_schema
from smi_spark.secure.ingest import ingest_headers
from smi_spark.synthetic import Answers, write_archive
from tests.killed import killed_behind
from tests.leaks import find_tokens
from tests.rows import fill, frame

Rows = list[dict[str, object]]


def chi(person: int) -> str:
    return f"01015{person:05d}"


def said(text: str, people: int, column: str = "SeriesDescription", times: int = 1, first: int = 0) -> Iterator[dict]:
    """Images of so many people with the text; the one of number 7 is called Quernlock."""
    series = crc32(f"{column} {text}".encode())
    for person in range(first, first + people):
        for time in range(times):
            yield {
                "PatientID": chi(person), "PatientName": "Quernlock^Ann" if person == 7 else "Nemo^Bob", column: text,
                "modality": "CT", "year": 2020, "source": "/pacs", "path": "p", "run_id": "r",
                "StudyInstanceUID": f"1.{person}", "SeriesInstanceUID": f"1.{person}.{series}",
                "SOPInstanceUID": f"1.{person}.{series}.{time}",
            }  # fmt: skip


def texts(spark: SparkSession, config: Config, table: str = "images", column: str = "SeriesDescription") -> dict:
    """Text → how many rows of zone 2 have it, and their versions."""
    rows = tables.read(spark, tables.table(config, f"deidentified/{table}"))
    found = rows.groupBy(column).agg(F.count("*"), F.sort_array(F.collect_set("text_version"))).collect()
    return {text: (count, versions) for text, count, versions in found}


def test_a_text_passes_that_ten_people_have_and_in_which_nothing_says_who_somebody_is(spark: SparkSession) -> None:
    tens: Rows = [
        *said("AX T2", 10), *said("for nine", 9, times=100), *said("CHI 1601509456", 50), *said("home EH8 9YL", 50),
        *said("seen by Dr Campbell", 50), *said("QUERNLOCK protocol", 50), *said("MR HEAD", 10, first=100),
        *said("ax t2", 3), *said(" AX T2\0", 1, first=10), *said("  ", 20), *said("AX T2", 50, "ProtocolName"),
    ]  # fmt: skip
    padded = {"PatientID": " 101500000", "SeriesDescription": "for nine"}  # the number of somebody who has it
    merged = {"PatientID": chi(900), "SeriesDescription": "for nine"}
    nobody = {"PatientID": "  ", "SeriesDescription": "for nine"}
    schema = load_schema("images")
    columns = ("PatientID", "PatientName", *schema.text_columns)
    given = [tuple(row.get(name) for name in columns) for row in (*tens, padded, merged, nobody)]
    rows = spark.createDataFrame(given, ", ".join(f"{name} string" for name in columns))
    people = spark.createDataFrame([(chi(900), chi(3))], "chi string, person string")

    counted = count_people(rows, schema, people, shipped_rules())
    found = numbered(judged(counted, 10, shipped_rules()))

    assert {(r.column, r.text): (r.patients, r.named, r.reasons, r.parts, r.number) for r in found.collect()} == {
        ("SeriesDescription", "AX T2"): (11, 0, [], [], 6),
        ("SeriesDescription", "for nine"): (9, 0, ["few_patients"], [], None),
        ("SeriesDescription", "CHI 1601509456"): (50, 0, ["chi"], ["1601509456"], 1),
        ("SeriesDescription", "QUERNLOCK protocol"): (50, 1, ["name"], [], 2),
        ("SeriesDescription", "home EH8 9YL"): (50, 0, ["postcode"], ["EH8 9YL"], 3),
        ("SeriesDescription", "seen by Dr Campbell"): (50, 0, ["title"], ["Dr Campbell"], 4),
        ("SeriesDescription", "MR HEAD"): (10, 0, [], [], 7),
        ("SeriesDescription", "ax t2"): (3, 0, ["few_patients"], [], None),
        ("ProtocolName", "AX T2"): (50, 0, [], [], 5),
    }


def with_rules(config: Config) -> Config:
    """A folder of the site's own rules, without any."""
    rules = Path(config.root) / "rules"
    rules.mkdir(parents=True)
    return config.model_copy(update={"text": Text(rules=str(rules))})


def test_zone_2_has_the_texts_of_the_adopted_version_and_no_others(spark: SparkSession, config: Config) -> None:
    fill(spark, config, "images", [*said("AX T2", 10), *said("for nine", 9), *said("DOB 16/01/1950", 12)])
    assert str(review_texts(spark, config, column="SeriesDescription")) == (
        "1 texts pass. All are in secure/text_review of zone 1, with why others do not:\n"
        "  images.SeriesDescription: 1 pass; fail: date 1, few_patients 1\n"
        "the failures that most people have (number, column, reasons, people, shape):\n"
        "  1  images.SeriesDescription  date  12  dd/dd/dddd"
    )
    assert str(adopt(spark, config, "Ann")).startswith("version 1 of the vocabulary adopted: 1 texts, 1 new, 0 gone.")
    fill(spark, config, "images", [*said("Later", 10), *said(" AX T2 ", 1, first=20)])

    assert run(spark, config).images == 42

    assert texts(spark, config) == {"AX T2": (11, [1]), None: (31, [1])}, "frozen until the next adoption"
    assert texts(spark, config, "series") == {"AX T2": (11, [1]), None: (31, [1])}


@pytest.mark.long
def test_what_is_adopted_later_reaches_the_rows_that_were_made_before(spark: SparkSession, config: Config) -> None:
    config = with_rules(config)
    fill(spark, config, "images", [*said("AX T2", 10), *said("for nine", 9), *said("Kept 9 Nov", 11)])
    run(spark, config)
    assert texts(spark, config) == {None: (30, [])}
    review_texts(spark, config)
    adopt(spark, config, "Ann")
    assert texts(spark, config) == {None: (30, [])}, "until the next run"
    assert run(spark, config).texts == 10
    assert texts(spark, config) == {"AX T2": (10, [1]), None: (20, [])}

    decide(spark, config, 1, keep=True)
    decide(spark, config, 2, keep=False)
    with pytest.raises(InputError, match="Rules or settings have changed since the review"):
        adopt(spark, config, "Ann")
    before = tables.versions_below(Path(config.root))
    review_texts(spark, config)
    review_texts(spark, config)
    assert str(adopt(spark, config, "Bob")).startswith("version 2 of the vocabulary adopted: 1 texts, 1 new, 1 gone.")
    assert str(adopt(spark, config, "Ann")) == "version 2 of the vocabulary is already this: 1 texts"
    after = tables.versions_below(Path(config.root))
    once = {"secure/text_review", "secure/vocabulary"}
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == dict.fromkeys(once, 1)
    assert run(spark, config).texts == 21
    assert texts(spark, config) == {"Kept 9 Nov": (11, [2]), None: (19, [2])}
    before = tables.versions_below(Path(config.root))
    assert run(spark, config).texts == 0
    assert tables.versions_below(Path(config.root)) == before


@pytest.mark.long
def test_a_change_that_was_killed_is_completed_also_to_a_later_version(
    spark: SparkSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = with_rules(config)
    fill(spark, config, "images", [*said("AX T2", 10), *said("COR", 10)])
    run(spark, config)
    review_texts(spark, config)
    adopt(spark, config, "Ann")
    with killed_behind(monkeypatch, 1) as done:
        run(spark, config)
    assert done == ["merge images"]
    assert texts(spark, config) == {"AX T2": (10, [1]), "COR": (10, [1])}
    put_rule(Path(str(config.text.rules)), "SeriesDescription", "COR", keep=False)
    review_texts(spark, config)
    adopt(spark, config, "Ann")

    assert run(spark, config).texts == 20

    assert texts(spark, config) == {"AX T2": (10, [2]), None: (10, [2])}


@pytest.mark.long
def test_no_planted_identifier_passes_though_two_people_have_each_text(spark: SparkSession, config: Config) -> None:
    config = config.model_copy(update={"text": Text(least_patients=2)})
    archive = Path(config.root).parent / "archive"
    write_archive(archive, patients=30, seed=5)
    ingest_headers(spark, config, [str(archive / "dicom")])
    images = tables.table(config, "secure/images")
    rows = tables.read(spark, images)
    again = {name: F.concat(name, F.lit(".7")) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    other = {"PatientID": F.lit("9999999999"), "PatientName": F.lit("Nemo^Bob")}
    whose = {
        "ImageComments": F.concat(F.lit("seen with "), F.split_part("PatientName", F.lit("^"), F.lit(1))),
        "ProtocolName": F.concat(F.lit("CHI "), "PatientID"),
        "DerivationDescription": F.concat(F.lit("born "), F.date_format("PatientBirthDate", "dd/MM/yyyy")),
    }
    said = rows.withColumns(whose).localCheckpoint()
    tables.replace(said.union(said.withColumns(again | other)), images)

    passing = review_texts(spark, config).passing
    assert passing.keys().isdisjoint(f"images.{column}" for column in whose)
    assert passing["images.SeriesDescription"] > 50
    adopt(spark, config, "Ann")
    run(spark, config)

    planted = [text for texts in Answers.read(archive).identifiers.values() for text in texts]
    assert find_tokens(Path(config.deidentified), planted) == []
    assert scan_table(spark, config, "deidentified/images").counts == ()
    described = tables.read(spark, tables.table(config, "deidentified/series")).where("SeriesDescription IS NOT NULL")
    assert described.count() > 50


@pytest.mark.long
def test_free_text_of_a_table_of_records_goes_the_same_way(
    spark: SparkSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    smr01 = load_schema("records/smr01")
    location = smr01.column("LOCATION").model_copy(update={"deidentify": "text"})
    columns = tuple(location if column.name == "LOCATION" else column for column in smr01.columns)
    changed = smr01.model_copy(update={"columns": columns})
    for module in (tables, review):
        monkeypatch.setattr(module, "load_schema", lambda name: changed if name == smr01.table else load_schema(name))
    stays = [{"UPI_NUMBER": chi(n), "URI": f"{n}", "LOCATION": "Ward 5"} for n in range(10)]
    alone = [{"UPI_NUMBER": chi(n), "URI": f"x{n}", "LOCATION": "his room"} for n in range(9)]
    rows = [row | {"ADMISSION_DATE": date(2020, 1, 1), "run_id": "20260101"} for row in (*stays, *alone)]
    tables.append(frame(spark, "records/smr01", rows), tables.table(config, "secure/records/smr01"))
    target = tables.table(config, "deidentified/records/smr01")

    def locations() -> dict[str | None, int]:
        return dict(tables.read(spark, target).groupBy("LOCATION").count().collect())

    assert run(spark, config).records == {"records/smr01": 19}
    assert locations() == {None: 19}
    review.review_texts(spark, config)
    review.adopt(spark, config, "Ann")
    assert run(spark, config).records == {"records/smr01": 10}
    assert locations() == {"Ward 5": 10, None: 9}
    before = tables.versions_below(Path(config.root))
    assert run(spark, config).records == {"records/smr01": 0}
    assert tables.versions_below(Path(config.root)) == before
