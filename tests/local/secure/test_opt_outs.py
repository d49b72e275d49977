"""People who said no, in zone 1: lists of them loaded, and what holds for whom."""

from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.secure.opt_outs import ASKED, all_numbers, in_force, opt_outs, opt_outs_copy, people_who_said_no
from tests.rows import frame
from tests.said_no import ANN, BEA, CAL, lenient, load


def test_a_list_is_loaded_once_and_its_bad_rows_are_put_aside(spark: SparkSession, tmp_path: Path) -> None:
    config = lenient(tmp_path)
    rows = (
        f"{ANN},2020-01-01,purge,",
        f"{BEA[1:]},31/12/2021,,2022-01-01",
        f"{CAL},2020-01-01,delete,",
        f"{CAL},soon,stop,",
    )

    counts = load(spark, config, tmp_path / "list.csv", *rows)

    assert (counts.added, counts.quarantined, dict(counts.reasons)) == (2, 2, {"bad_value": 2})
    loaded = tables.read(spark, opt_outs(config)).orderBy("opted_out_on").collect()
    assert [(r["chi"], r["opted_out_on"], r["policy"], r["revoked_on"]) for r in loaded] == [
        (ANN, date(2020, 1, 1), "purge", None), (BEA, date(2021, 12, 31), None, date(2022, 1, 1)),
    ]  # fmt: skip
    bad = tables.read(spark, tables.table(config, "secure/quarantine")).orderBy("row_number").collect()
    assert [(r["table"], r["row_number"], r["column"], r["detail"], r["value"]) for r in bad] == [
        ("opt_outs", 3, "policy", "not one of stop, withdraw, purge, erase", "delete"),
        ("opt_outs", 4, "opted_out_on", "not a date written as %Y-%m-%d or %d/%m/%Y or %d-%b-%Y", "soon"),
    ]
    assert tables.get_property(spark, opt_outs_copy(config), ASKED) == loaded[0]["run_id"]
    before = tables.versions_below(Path(config.root))
    assert str(load(spark, config, tmp_path / "again.csv", *rows)) == (
        "opt_outs: 1 files, all loaded before; nothing new"
    )  # fmt: skip
    assert tables.versions_below(Path(config.root)) == before


def test_a_person_is_all_their_numbers_and_their_strictest_row(spark: SparkSession) -> None:
    rows = frame(spark, "opt_outs", [
        {"chi": ANN, "opted_out_on": date(2020, 1, 1), "run_id": "1"},
        {"chi": f"{BEA[:6]} {BEA[6:]}", "opted_out_on": date(2021, 1, 1), "policy": "withdraw", "run_id": "2"},
        {"chi": CAL, "opted_out_on": date(2030, 1, 1), "policy": "purge", "run_id": "1"},
        {"chi": "A7", "opted_out_on": date(2020, 1, 1), "revoked_on": date(2022, 1, 1), "run_id": "1"},
    ])  # fmt: skip
    numbers = spark.createDataFrame([(ANN, BEA), ("0404040090", BEA)], "chi string, person string")

    people = people_who_said_no(rows, numbers)

    told = people.withColumn("holds", in_force(date(2022, 1, 1))).orderBy("person").collect()
    assert [tuple(row) for row in told] == [
        (BEA, "withdraw", date(2020, 1, 1), None, "2", True),
        (CAL, "purge", date(2030, 1, 1), None, "1", False),
        ("A7", "stop", date(2020, 1, 1), date(2022, 1, 1), "1", False),
    ]
    theirs = all_numbers(people.where(F.col("person") == BEA), numbers).select("chi").collect()
    assert sorted(row["chi"] for row in theirs) == sorted([ANN, BEA, "0404040090"])
