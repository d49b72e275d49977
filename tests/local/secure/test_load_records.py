import gzip
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config, Records
from smi_spark.errors import InputError, QuarantineThresholdError
from smi_spark.secure.records import load_records

HEADER = "PRESCRIPTION_ITEM_ID,Pat UPI [C],PRESCRIBED_DATE,PI_APPROVED_NAME,NUMBER_OF_PAID_ITEMS,PAID_QUANTITY,WARD"
GOOD = "rx1,0101010028,2020-01-31,APIXABAN,1,28.5,x"


@pytest.fixture
def lenient(config: Config) -> Config:
    return config.model_copy(update={"records": Records(max_bad_fraction=1.0)})


def write(path: Path, *rows: str, header: str = HEADER) -> str:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return str(path)


def tuples(df: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in df.select(*columns).orderBy(*columns).collect()]


def loaded(spark: SparkSession, config: Config, *columns: str, table: str = "prescribing") -> list[tuple[Any, ...]]:
    return tuples(tables.read(spark, tables.table(config, f"secure/records/{table}")), *columns)


def quarantined(spark: SparkSession, config: Config, *columns: str) -> list[tuple[Any, ...]]:
    return tuples(tables.read(spark, tables.table(config, "secure/quarantine")), *columns)


def versions(spark: SparkSession, config: Config, names: Iterable[str]) -> list[int]:
    return [tables.latest_version(spark, tables.table(config, f"secure/{name}")) for name in names]


def test_an_extract_becomes_typed_rows_and_what_does_not_fit_is_quarantined(
    spark: SparkSession, lenient: Config, tmp_path: Path
) -> None:
    source = write(
        tmp_path / "rx.csv",
        GOOD,
        'rx2,101010028,31-JAN-2020,"WARFARIN\nSODIUM ""3mg""",2,,x',
        "rx3,0101010029,2020-02-30,APIXABAN,one,-1.5e1,x",
        "rx4,,2020/02/28,APIXABAN,3,1d,x",
        "rx5,0101010028,2020-01-31",
        "rx1,0101010028,2021-01-31,APIXABAN,1,28.5,x",
        "rx6,0101010029,2020-01-31, ,,,",
    )

    counts = load_records(spark, lenient, "prescribing", source)

    assert loaded(
        spark, lenient, "PRESCRIPTION_ITEM_ID", "UPI_NUMBER", "PRESCRIBED_DATE", "PI_APPROVED_NAME",
        "NUMBER_OF_PAID_ITEMS", "PAID_QUANTITY", "source", "path",
    ) == [
        ("rx1", "0101010028", date(2020, 1, 31), "APIXABAN", 1, 28.5, str(tmp_path), "rx.csv"),
        ("rx2", "0101010028", date(2020, 1, 31), 'WARFARIN\nSODIUM "3mg"', 2, None, str(tmp_path), "rx.csv"),
        ("rx6", "0101010029", date(2020, 1, 31), None, None, None, str(tmp_path), "rx.csv"),
    ]  # fmt: skip
    assert quarantined(spark, lenient, "table", "path", "row_number", "column", "reason", "value") == [
        ("records/prescribing", "rx.csv", 3, "NUMBER_OF_PAID_ITEMS", "bad_value", "one"),
        ("records/prescribing", "rx.csv", 3, "PRESCRIBED_DATE", "bad_value", "2020-02-30"),
        ("records/prescribing", "rx.csv", 4, "PAID_QUANTITY", "bad_value", "1d"),
        ("records/prescribing", "rx.csv", 4, "UPI_NUMBER", "missing_value", None),
        ("records/prescribing", "rx.csv", 5, None, "wrong_field_count", "rx5,0101010028,2020-01-31"),
        ("records/prescribing", "rx.csv", 6, "PRESCRIPTION_ITEM_ID", "duplicate_key", "rx1"),
    ]
    assert str(counts) == (
        "records/prescribing: 7 rows in 1 files, 3 added; 0 corrected; 0 already there; 4 quarantined "
        "(wrong_field_count 1, bad_value 2, missing_value 1, duplicate_key 1); "
        "1 with a CHI that fails its check, kept; columns ignored: WARD"
    )


def test_loading_again_adds_nothing(spark: SparkSession, lenient: Config, tmp_path: Path) -> None:
    source = write(tmp_path / "rx.csv", GOOD, "rx1,0101010028,2021-01-31,,,,")
    load_records(spark, lenient, "prescribing", source)
    names = ["records/prescribing", "quarantine"]
    before = versions(spark, lenient, names)

    again = load_records(spark, lenient, "prescribing", source)
    copied = load_records(spark, lenient, "prescribing", write(tmp_path / "copy.csv", GOOD))

    assert (again.added, copied.added, copied.corrected, copied.quarantined) == (0, 0, 0, 0)
    assert versions(spark, lenient, names) == before
    assert quarantined(spark, lenient, "path", "row_number", "reason", "detail") == [
        ("rx.csv", 2, "duplicate_key", "an earlier row of this load has this key, and another content"),
    ]


def test_many_files_of_one_load_plain_packed_and_parquet_give_the_same_rows(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    text = "URI,CHI,ADMISSION_DATE,LENGTH_OF_STAY\n{},0101010028,{},3\n"
    (tmp_path / "a.csv").write_text(text.format("u1", "2020/03/01 00:00:00"))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.format("u2", "2020-03-01").encode()))
    typed = {"URI": ["u3"], "CI_CHI_NUMBER": [101010028], "LENGTH_OF_STAY": [3.0]}
    pq.write_table(pa.table({**typed, "ADMISSION_DATE": [date(2020, 3, 1)]}), tmp_path / "c.parquet")
    midnight = pa.array([date(2020, 3, 1)]).cast(pa.timestamp("us"))
    pq.write_table(pa.table({**typed, "URI": ["u4"], "ADMISSION_DATE": midnight}), tmp_path / "d.parquet")

    load_records(spark, config, "smr01", str(tmp_path))

    rows = loaded(spark, config, "URI", "UPI_NUMBER", "ADMISSION_DATE", "LENGTH_OF_STAY", "path", table="smr01")
    assert rows == [
        (f"u{n}", "0101010028", date(2020, 3, 1), 3, path)
        for n, path in enumerate(("a.csv", "b.csv.gz", "c.parquet", "d.parquet"), start=1)
    ]


def test_over_the_threshold_nothing_is_visible_and_the_first_reasons_are_told_without_values(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    source = write(tmp_path / "rx.csv", *[GOOD.replace("rx1", f"rx{n}") for n in range(15)], "rx99,12,yesterday,,,,")

    with pytest.raises(QuarantineThresholdError) as error:
        load_records(spark, config, "prescribing", source)

    assert str(error.value) == (
        f"{source}: 1 of 16 rows do not fit records/prescribing, more than the 5% that records.max_bad_fraction "
        "allows; nothing was loaded. The first:\n"
        "  rx.csv row 16: PRESCRIBED_DATE: bad_value\n"
        "Mend the extract or schemas/records/prescribing.yaml, or allow more with --set records.max_bad_fraction=…"
    )
    for name in ("records/prescribing", "quarantine"):
        assert not tables.exists(spark, tables.table(config, f"secure/{name}"))


def test_rows_keep_their_number_across_blocks_of_a_file_and_rows_set_aside(
    spark: SparkSession, lenient: Config, tmp_path: Path
) -> None:
    filler = "x" * 1_000
    rows = [f"rx{n},0101010028,2020-01-01,{filler},1,1,x" for n in range(1, 3_001)]  # three blocks
    rows[99] = "too,short"
    rows[2_000] = "too,short"
    rows[2_998] = "rx2999,0101010028,never,,,,"

    load_records(spark, lenient, "prescribing", write(tmp_path / "rx.csv", *rows))

    assert quarantined(spark, lenient, "row_number", "reason") == [
        (100, "wrong_field_count"),
        (2_001, "wrong_field_count"),
        (2_999, "bad_value"),
    ]


def test_an_unknown_table_is_answered_with_those_there_are(spark: SparkSession, config: Config) -> None:
    with pytest.raises(InputError) as error:
        load_records(spark, config, "smr1", "x.csv")
    assert str(error.value) == (
        "schemas/records: smr1 is not a table. "
        "Tables here: ae, deaths, demography, prescribing, smr00, smr01, smr02, smr04, smr06. Did you mean smr01?"
    )
