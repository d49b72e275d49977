"""A large extract of prescriptions into its table, against Spark's own CSV → Delta."""

import shutil
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from measures import line
from pyspark.sql import SparkSession

from secure.ground import Ground, timed
from smi_spark.schema import load_schema
from smi_spark.secure.extracts import record_columns
from smi_spark.secure.records import load_records
from smi_spark.synthetic.people import chi_check_digit

ROWS, WARM, ROUNDS, BLOCK = 10_000_000, 200_000, 2, 500_000
TABLE = "prescribing"
NEWLINES = 1_000  # one name in so many has a line break, in quotes


def records(ground: Ground) -> list[str]:
    """One file of ten million rows; rounds take turns, the median counts."""
    count = ground.count(ROWS)
    file, warm = (_extract(ground.place / f"{TABLE}-{rows}.csv", rows) for rows in (count, ground.count(WARM)))
    ours, whole, split = [], [], []
    with ground.session({"spark.driver.memory": "12g"}) as spark:
        for number, source in enumerate([warm, warm, *[file] * ROUNDS]):
            config = ground.config(f"records-{number}")
            seconds, counts = timed(lambda c=config, s=source: load_records(spark, c, TABLE, str(s)))
            if source == file and counts.added != count:
                raise RuntimeError(f"{counts.added} of {count} rows were added")
            times = [seconds, *(_plain(ground, spark, source, many) for many in (True, False))]
            if source == file:
                for into, took in zip((ours, whole, split), times, strict=True):
                    into.append(took)
            shutil.rmtree(config.root)
    mine, multiline, splitting = (statistics.median(times) for times in (ours, whole, split))
    return [
        "",
        f"records: {count:,} rows of {TABLE} in one CSV of {file.stat().st_size / 1e6:,.0f} MB, local[2], driver 12g",
        f"  load_records {mine:.1f} s, {count / mine:,.0f} rows/s; Spark's CSV → Delta with line breaks in quotes "
        f"{multiline:.1f} s, without, which reads the file in pieces, {splitting:.1f} s",
        line("load_records against Spark's CSV → Delta with the same options", mine / multiline, 2.5, at_most=True),
        line("the same against Spark without line breaks in quotes", mine / splitting, None),
    ]


def _plain(ground: Ground, spark: SparkSession, source: Path, line_breaks: bool) -> float:
    target = ground.place / "plain"
    kinds = load_schema(f"records/{TABLE}").spark("secure")
    header = source.open(encoding="utf-8").readline().strip().replace('"', "").split(",")
    schema = ", ".join(f"{name} {kinds[name].dataType.simpleString()}" for name in header)
    options: dict[str, Any] = {"header": True, "multiLine": line_breaks, "escape": '"', "dateFormat": "yyyy-MM-dd"}

    def copy() -> None:
        rows = spark.read.schema(schema).options(**options).csv(str(source))
        rows.write.format("delta").save(str(target))

    seconds, _ = timed(copy)
    shutil.rmtree(target)
    return seconds


def _extract(place: Path, rows: int) -> Path:
    """Rows with numbers of their own, people whose CHI passes its check, dates as the table's first format."""
    chance = np.random.default_rng(7)
    names = [column.name for column in record_columns(load_schema(f"records/{TABLE}"))][:8]
    writer = None
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        block = pa.table(dict(zip(names, _values(chance, start, count), strict=True)))
        writer = writer or pa_csv.CSVWriter(
            place, block.schema, write_options=pa_csv.WriteOptions(quoting_style="needed")
        )
        writer.write_table(block)
    assert writer is not None
    writer.close()
    return place


def _values(chance: np.random.Generator, start: int, count: int) -> list[Any]:
    people = chance.choice(_chis(), count)
    prescribed = np.datetime64("2010-01-01") + chance.integers(0, 5000, count)
    drug = chance.integers(0, 1000, count)
    names = np.char.add("DRUG NUMBER ", drug.astype(str))
    names[::NEWLINES] = "DRUG\nSEE LEAFLET"
    return [
        np.char.add("RX", np.arange(start, start + count).astype(str)), people, prescribed.astype("datetime64[D]"),
        (prescribed + chance.integers(0, 9, count)).astype("datetime64[D]"), np.char.add("0208020", drug.astype(str)),
        names, chance.integers(1, 4, count), chance.integers(1, 400, count) / 4,
    ]  # fmt: skip


def _chis() -> Any:
    """Numbers of people born on the first of January of some year, with their check digit."""
    found = []
    for stem in range(1_015_000, 1_015_999):
        nine = f"0{stem:07d}0"
        check = chi_check_digit(nine)
        if check < 10:
            found.append(f"{nine}{check}")
    return np.array(found)
