"""What expressions keep, against SQLite on the same rows: another parser, other operators, the same logic of nulls."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis import expression_columns, where
from smi_spark.analysis.definition import read_definition
from smi_spark.analysis.expression_columns import expression_column
from smi_spark.analysis.grammar import parse_expression
from smi_spark.analysis.selection import Left, attrition, select_images
from smi_spark.analysis.where import wrong_parts
from tests.rows import frame

SCHEMA = (
    "id int, ProtocolName string, PatientSex string, KVP double, Rows long, age_at_study int, is_original boolean, "
    "is_primary boolean, StudyDate date, SeriesDate date"
)
DAYS = [None, date(2015, 1, 31), date(2016, 2, 29), date(2016, 3, 1)]
ROWS = [
    (
        number,
        [None, "", "a", "A", "ab", " b ", "a%", "a\\%"][number % 8],
        [None, "a", "F", "M"][number // 2 % 4],
        [None, -1.5, 0.0, 2.0, 2.5][number % 5],
        [None, -3, 0, 1, 2, 512][number % 6],
        [None, 0, 2, 90][number // 3 % 4],
        [None, True, False][number % 3],
        [False, None, True, True][number // 4 % 4],
        DAYS[number % 4],
        DAYS[number // 5 % 4],
    )
    for number in range(60)
]

Both = tuple[str, str]  # the same expression as ours and as SQLite's


def same(text: str) -> Both:
    return text, text


def joined(form: str, *parts: Both, theirs: str | None = None) -> Both:
    return form.format(*(part[0] for part in parts)), (theirs or form).format(*(part[1] for part in parts))


def any_of(*texts: str) -> st.SearchStrategy[Both]:
    return st.sampled_from([same(text) for text in texts])


def numbers(dates: st.SearchStrategy[Both], texts: st.SearchStrategy[Both]) -> st.SearchStrategy[Both]:
    plain = any_of("KVP", "Rows", "age_at_study", "0", "2", "-3", "2.5", "1e0")
    of_dates = st.one_of(
        st.builds(lambda day: joined("year({0})", day, theirs="CAST(strftime('%Y', {0}) AS INTEGER)"), dates),
        st.builds(lambda day: joined("month({0})", day, theirs="CAST(strftime('%m', {0}) AS INTEGER)"), dates),
        st.builds(
            lambda a, b: joined(
                "datediff({0}, {1})", a, b, theirs="CAST(julianday({0}) - julianday({1}) AS INTEGER)"
            ), dates, dates,
        ),
    )  # fmt: skip
    counted = st.builds(lambda text: joined("length({0})", text), texts)
    sums = ("{0} + {1}", "{0} - {1}", "({0}) * ({1})", "-({0})", "({0})", "abs({0})", "coalesce({0}, {1})")
    return st.recursive(
        st.one_of(plain, of_dates, counted),
        lambda inner: st.one_of(
            st.builds(lambda form, a, b: joined(form, a, b), st.sampled_from(sums), inner, inner),
            st.builds(lambda a, b: joined("({0}) / ({1})", a, b, theirs="CAST({0} AS REAL) / ({1})"), inner, inner),
        ),
        max_leaves=3,
    )


TEXTS = st.one_of(
    any_of("ProtocolName", "PatientSex", "'a'", "'A'", "''", "' b '", "'O''Neill'"),
    st.builds(
        lambda form, part: joined(form, part),
        st.sampled_from(["lower({0})", "upper({0})", "trim({0})", "coalesce({0}, 'a')"]),
        any_of("ProtocolName", "PatientSex"),
    ),
)
DATES = any_of("StudyDate", "SeriesDate") | st.just(("DATE '2016-02-29'", "'2016-02-29'"))
NUMBERS = numbers(DATES, TEXTS)
COMPARING = ("{0} = {1}", "{0} <> {1}", "{0} < {1}", "{0} <= {1}", "{0} > {1}", "{0} >= {1}", "{0} IS NULL",
             "{0} IS NOT NULL", "{0} BETWEEN {1} AND {0}", "{0} NOT BETWEEN {1} AND {2}")  # fmt: skip


def comparisons() -> Iterator[st.SearchStrategy[Both]]:
    for kind in (NUMBERS, TEXTS, DATES):
        yield st.builds(lambda form, *parts: joined(form, *parts), st.sampled_from(COMPARING), kind, kind, kind)
    yield any_of("is_original", "is_primary", "TRUE", "FALSE")
    among = st.sampled_from(["{0} IN (2, 2.5, -3)", "{0} NOT IN (0, 1)"])
    yield st.builds(lambda form, part: joined(form, part), among, NUMBERS)
    patterns = st.sampled_from(["'a%'", "'%b%'", "'_'", "'%'", "'a\\%'", "''"])
    yield st.builds(lambda part, pattern, form: joined(form.replace("P", pattern), part), TEXTS, patterns,
                    st.sampled_from(["{0} LIKE P", "{0} NOT LIKE P"]))  # fmt: skip
    begins = "substr({0}, 1, length({1})) = {1}"
    yield st.builds(lambda a, b: joined("startswith({0}, {1})", a, b, theirs=begins), TEXTS, TEXTS)
    yield st.builds(lambda a, b: joined("contains({0}, {1})", a, b, theirs="instr({0}, {1}) > 0"), TEXTS, TEXTS)


# Without brackets, so that which operator binds closer is compared too.
LOGIC = ("{0} AND {1}", "{0} OR {1}", "NOT {0}", "({0})", "({0}) = ({1})", "({0}) <> ({1})", "({0}) IS NULL",
         "coalesce({0}, is_primary)", "{0} AND NOT {1} OR {0}")  # fmt: skip
CONDITIONS = st.recursive(
    st.one_of(*comparisons()),
    lambda inner: st.builds(lambda form, a, b: joined(form, a, b), st.sampled_from(LOGIC), inner, inner),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def images(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ROWS, SCHEMA).coalesce(1)


@pytest.fixture(scope="module")
def sqlite() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    typed = {"string": "text", "int": "int", "long": "int", "double": "real", "boolean": "int", "date": "text"}
    columns = [column.split() for column in SCHEMA.split(", ")]
    connection.execute(f"CREATE TABLE images ({', '.join(f'{name} {typed[kind]}' for name, kind in columns)})")
    rows = [tuple(str(v) if isinstance(v, date) else v for v in row) for row in ROWS]
    connection.executemany(f"INSERT INTO images VALUES ({', '.join('?' * len(ROWS[0]))})", rows)
    yield connection
    connection.close()


def kept(images: DataFrame, expressions: list[str]) -> list[list[int]]:
    """The ids that each expression keeps."""
    parsed = [parse_expression(text) for text in expressions]
    assert [line for one in parsed for line in wrong_parts(one, "x")] == []
    columns = [expression_column(one, F.col).alias(f"c{n}") for n, one in enumerate(parsed)]
    rows = images.select("id", *columns).collect()
    return [sorted(row["id"] for row in rows if row[f"c{n}"]) for n in range(len(parsed))]


# Not made smaller where they fail: each try is a run of Spark.
@settings(
    max_examples=1, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(expressions=st.lists(CONDITIONS, min_size=80, max_size=80))
def test_sqlite_keeps_the_same_images(images: DataFrame, sqlite: sqlite3.Connection, expressions: list[Both]) -> None:
    for found, (ours, theirs) in zip(kept(images, [ours for ours, _ in expressions]), expressions, strict=True):
        expected = [row[0] for row in sqlite.execute(f"SELECT id FROM images WHERE {theirs} ORDER BY id")]
        assert found == expected, ours


@pytest.fixture(scope="module")
def scans(spark: SparkSession) -> DataFrame:
    rows: list[dict[str, Any]] = [
        {"ImageType": ["ORIGINAL", "PRIMARY"], "PixelSpacing": [0.5, 0.6], "Rows": 2**62},
        {"ImageType": ["DERIVED", None], "PixelSpacing": [], "Rows": -(2**63), "KVP": 0.0},
        {"ImageType": [], "ProtocolName": "CHEST 50% \\d"},
        {"KVP": 120.0, "is_original": False},
    ]
    ids = [
        {"SOPInstanceUID": str(n), "patient_id": f"p{n}", "StudyInstanceUID": f"s{n}", "modality": "CT", "year": 2020}
        for n in range(1, len(rows) + 1)
    ]
    return frame(spark, "images", [one | row for one, row in zip(ids, rows, strict=True)], "deidentified").coalesce(1)


KEPT = {
    "array_contains(ImageType, 'PRIMARY')": "1",
    "NOT array_contains(ImageType, 'PRIMARY')": "3",  # of image 2 nobody knows, as one of its values is null
    "element_at(ImageType, 2) = 'PRIMARY'": "1",
    "element_at(PixelSpacing, 1) < 1": "1",  # an empty list has no first value, and that is no error
    "size(ImageType) = 0": "3",
    "size(ImageType) IS NULL": "4",
    "endswith(ProtocolName, '\\d') AND ProtocolName LIKE '%50% \\_'": "3",
    "ProtocolName LIKE '%50\\% \\d'": "",  # a backslash stands for itself
    "Rows + Rows > 0 OR -Rows > 0 OR abs(Rows) > 0": "1",  # what is too great is null, and no error
    "1 / KVP > 0": "4",  # nor is a division by 0
    "is_original": "",
    "NOT is_original": "4",
    "is_original OR TRUE": "1234",
}


def test_what_is_neither_true_nor_false_is_not_kept_and_ends_no_run(scans: DataFrame) -> None:
    found = kept(scans.withColumn("id", F.col("SOPInstanceUID").cast("int")), list(KEPT))
    assert {text: "".join(map(str, ids)) for text, ids in zip(KEPT, found, strict=True)} == KEPT


def test_all_that_is_accepted_can_be_built() -> None:
    assert list(where.OPERATIONS) == list(expression_columns.OPERATIONS)
    assert list(where.FUNCTIONS) == list(expression_columns.FUNCTIONS)


def test_an_expression_is_a_step_of_the_selection(scans: DataFrame) -> None:
    content = {"cohort": "c", "project": "p", "question": "Who?"}
    definition = read_definition(content | {"images": {"where": "year=2020 and coalesce(KVP,1)>0"}}, "test.yaml")
    assert attrition(scans, {}, definition) == (
        Left(1, "all images", 4, 4, 4),
        Left(2, "where year = 2020 AND coalesce(KVP, 1) > 0", 3, 3, 3),
    )
    rows = select_images(scans, {}, definition).select("SOPInstanceUID").collect()
    assert sorted(row[0] for row in rows) == ["1", "3", "4"]
