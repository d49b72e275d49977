import io

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smi_spark.secure.csv_pieces import Piece, cut

TEXT = st.text(st.sampled_from('a",\n\r é'), max_size=6)
CELL = st.one_of(TEXT.map(lambda text: '"' + text.replace('"', '""') + '"'), st.sampled_from(["", "a", 'a"b', "xyz"]))
ENDS = st.sampled_from(["\n", "\r\n", "\n\n"])


def rows_of(data: bytes) -> list[tuple[str | None, ...]]:
    """What pyarrow reads."""
    options = pa_csv.ReadOptions(use_threads=False, column_names=["one", "two"])
    parse = pa_csv.ParseOptions(newlines_in_values=True)
    convert = pa_csv.ConvertOptions(column_types={"one": pa.string(), "two": pa.string()})
    table = pa_csv.read_csv(io.BytesIO(data), options, parse, convert)
    return list(zip(*table.to_pydict().values(), strict=True))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(CELL, CELL, ENDS), min_size=1, max_size=12), st.integers(1, 40), st.integers(1, 20))
def test_pieces_hold_the_rows_that_the_whole_holds(rows: list[tuple[str, str, str]], least: int, block: int) -> None:
    data = "".join(f"{one},{two}{end}" for one, two, end in rows).encode()

    pieces = cut([data[start : start + block] for start in range(0, len(data), block)], least)

    assert b"".join(data[piece.offset : piece.offset + piece.size] for piece in pieces) == data
    read = [rows_of(data[piece.offset : piece.offset + piece.size]) for piece in pieces]
    assert [row for part in read for row in part] == rows_of(data)
    assert [piece.rows_before for piece in pieces] == [sum(map(len, read[:n])) for n in range(len(read))]
    assert all(piece.size >= least for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("data", "pieces"),
    [
        (b"", [Piece(0, 0, 0)]),
        (b"a,b\n1,2\n3,4\n", [Piece(0, 4, 0), Piece(4, 4, 1), Piece(8, 4, 2)]),
        (b'a,b\n1,"2\n3"\n4,5', [Piece(0, 4, 0), Piece(4, 8, 1), Piece(12, 3, 2)]),
        (b'a,b\n1,2" wide\n3,4\n', [Piece(0, 4, 0), Piece(4, 10, 1), Piece(14, 4, 2)]),
        (b'a,b\n1,"2"" wide\n"\n3,4\n', [Piece(0, 4, 0), Piece(4, 14, 1), Piece(18, 4, 2)]),
        (b"a,b\r\n\r\n1,2\r\n", [Piece(0, 5, 0), Piece(5, 7, 1)]),
    ],
)
def test_a_file_is_cut_behind_rows(data: bytes, pieces: list[Piece]) -> None:
    assert cut([data], least=1) == pieces


def test_a_small_file_is_one_piece() -> None:
    assert cut([b"a,b\n", b"1,2\n"], least=100) == [Piece(0, 8, 0)]
