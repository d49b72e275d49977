from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from smi_spark.schema import TableSchema, load_schema
from smi_spark.secure.extracts import record_columns
from smi_spark.secure.record_rows import key_hashes, typed_rows
from smi_spark.secure.row_counts import count_rows

SMR02 = load_schema("records/smr02")
KEYS = st.lists(st.tuples(st.text(max_size=20), st.one_of(st.none(), st.integers(-99, 99))), unique=True, max_size=30)


def batch(schema: TableSchema, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Rows of text as an extract has them, with what is not given null."""
    numbered = [{"source": "s", "path": "p", "row_number": n, **row} for n, row in enumerate(rows, start=1)]
    numbers = {name: pa.int64() for name in ("row_number", "field_count")}
    names = ["source", "path", *numbers, "line", *(column.name for column in record_columns(schema))]
    return pa.RecordBatch.from_pylist(numbered, pa.schema([(name, numbers.get(name, pa.string())) for name in names]))


ROWS = batch(
    SMR02,
    [
        {"EPISODE_RECORD_KEY": "e1", "UPI_NUMBER": "0101010028", "ADMISSION_DATE": "2020-01-31 "},
        {"EPISODE_RECORD_KEY": "e2", "UPI_NUMBER": "101010029", "ADMISSION_DATE": "2020-01-31",
         "BABY_CI_CHI_NUMBER_BABY_2": "x", "ESTIMATED_GESTATION": "2"},
        {"EPISODE_RECORD_KEY": " ", "UPI_NUMBER": "1", "ADMISSION_DATE": "soon", "ESTIMATED_GESTATION": "2.5"},
        {"field_count": 3, "line": "a,b,c"},
    ],
)  # fmt: skip


def test_what_is_amiss_is_said_of_each_row_in_the_order_of_its_columns() -> None:
    rows = typed_rows(ROWS, SMR02).to_pylist()

    assert [row["chi_flags"] for row in rows] == [
        None,
        [
            {"column": "UPI_NUMBER", "flag": "restored"},
            {"column": "UPI_NUMBER", "flag": "wrong_check"},
            {"column": "BABY_CI_CHI_NUMBER_BABY_2", "flag": "not_ten_digits"},
        ],
        [{"column": "UPI_NUMBER", "flag": "not_ten_digits"}],
        None,
    ]
    problems = [row["problems"] and [tuple(problem.values()) for problem in row["problems"]] for row in rows]
    formats = " or ".join(SMR02.column("ADMISSION_DATE").formats)
    assert problems == [
        None,
        None,
        [
            ("EPISODE_RECORD_KEY", "missing_value", "required and empty", None),
            ("ADMISSION_DATE", "bad_value", f"not a date written as {formats}", "soon"),
            ("ESTIMATED_GESTATION", "bad_value", "not a int", "2.5"),
        ],
        [(None, "wrong_field_count", "3 fields, not as many as the header", "a,b,c")],
    ]


def test_counts_of_chi_numbers_are_of_the_rows_that_are_used() -> None:
    rows = typed_rows(ROWS, SMR02)
    outcome = pa.array(["added", "known", None, None])

    assert count_rows(rows.append_column("outcome", outcome), ["UPI_NUMBER", "BABY_CI_CHI_NUMBER_BABY_2"]) == {
        "rows": 4, "added": 1, "quarantined": 2, "wrong_field_count": 1, "bad_value": 1, "missing_value": 1,
        "failing_chi": 1, "UPI_NUMBER.given": 2, "UPI_NUMBER.in_order": 1, "UPI_NUMBER.wrong_check": 1,
        "UPI_NUMBER.restored": 1, "BABY_CI_CHI_NUMBER_BABY_2.given": 1, "BABY_CI_CHI_NUMBER_BABY_2.not_ten_digits": 1,
    }  # fmt: skip


@given(KEYS, st.randoms())
def test_keys_have_a_number_of_their_own_wherever_they_stand(keys: list[tuple[str, int | None]], random: Any) -> None:
    def hashes(rows: list[tuple[str, int | None]]) -> list[int]:
        columns = [pa.array([row[0] for row in rows], pa.string()), pa.array([row[1] for row in rows], pa.int32())]
        return list(key_hashes(columns).tolist())

    found = dict(zip(keys, hashes(keys), strict=True))
    assert len(set(found.values())) == len(keys)
    random.shuffle(keys)
    assert hashes(keys) == [found[key] for key in keys]
