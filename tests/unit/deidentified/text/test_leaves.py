import pyarrow as pa

from smi_spark.deidentified.text.leaves import holds_text, text_leaves


def leaves(values: pa.Array) -> list[tuple[str, list[str | None], list[int]]]:
    return [(leaf.column, leaf.texts.to_pylist(), leaf.rows.to_pylist()) for leaf in text_leaves("c", values)]


def test_each_text_of_a_list_says_in_which_row_it_stands() -> None:
    lists = pa.array([["a"], None, [], ["b", "c"]], pa.list_(pa.string()))
    assert leaves(lists) == [("c", ["a", "b", "c"], [0, 3, 3])]


def test_fields_of_structures_are_reached_at_any_depth() -> None:
    kind = pa.struct([("x", pa.string()), ("n", pa.int32()), ("y", pa.list_(pa.struct([("z", pa.string())])))])
    values = pa.array([[{"x": "a", "n": 1, "y": [{"z": "b"}]}], [{"x": "c", "n": 2, "y": None}]], pa.list_(kind))
    assert leaves(values) == [("c.x", ["a", "c"], [0, 1]), ("c.y.z", ["b"], [0])]


def test_a_field_of_a_structure_that_is_null_is_null() -> None:
    values = pa.StructArray.from_arrays([pa.array(["a", "b"])], ["x"], mask=pa.array([False, True]))
    assert leaves(values) == [("c.x", ["a", None], [0, 1])]


def test_a_part_of_an_array_keeps_its_own_rows() -> None:
    lists = pa.array([["a"], ["b"], ["c"]], pa.list_(pa.string()))
    assert leaves(lists[1:]) == [("c", ["b", "c"], [0, 1])]


def test_numbers_have_no_texts() -> None:
    assert leaves(pa.array([1])) == []
    assert not holds_text(pa.list_(pa.struct([("n", pa.int32())])))
