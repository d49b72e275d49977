from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from smi_spark.deidentified.alike import alike

KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), st.sampled_from([None, "", "a", "b"])),
    "texts": (pa.list_(pa.string()), st.none() | st.lists(st.sampled_from([None, "", "a"]), max_size=3)),
    "number": (pa.float64(), st.sampled_from([None, 0.0, 1.5, float("inf")])),
    "numbers": (pa.list_(pa.float64()), st.none() | st.lists(st.sampled_from([0.0, 1.0]), max_size=2)),
}
KIND = pa.struct([pa.field(name, kind) for name, (kind, _) in KINDS.items()])
ROWS = st.lists(st.fixed_dictionaries({name: values for name, (_, values) in KINDS.items()}), max_size=40)


@settings(deadline=None)  # the first array of rows takes longer
@given(rows=ROWS, before=st.integers(0, 2))
def test_rows_have_one_number_where_they_hold_the_same(rows: list[dict[str, Any]], before: int) -> None:
    numbers, first = alike(pa.array(rows, KIND)[before:])

    rows = rows[before:]
    distinct = [row for place, row in enumerate(rows) if row not in rows[:place]]
    assert [rows[place] for place in first] == distinct
    assert [distinct[number] for number in numbers] == rows


def test_more_sets_of_values_than_a_number_can_count_are_told_apart() -> None:
    kind = pa.struct([pa.field(f"column {n}", pa.int64()) for n in range(12)])
    rows = [{field.name: row if n < 11 else row // 2 for n, field in enumerate(kind)} for row in range(64)]

    numbers, first = alike(pa.array([*rows, rows[5]], kind))

    assert [*numbers] == [*range(64), 5]
    assert [*first] == [*range(64)]
