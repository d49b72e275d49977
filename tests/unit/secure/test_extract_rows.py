from pathlib import Path

from smi_spark.secure.csv_pieces import WHOLE, Piece, cut
from smi_spark.secure.extract_rows import read_piece

Row = dict[str, object]


def rows(place: Path, piece: Piece) -> list[Row]:
    batches = read_piece(str(place.parent), place.name, ["one", None, "two"], piece, ["one", "two"])
    found = [row for batch in batches for row in batch.to_pylist()]
    return sorted(found, key=lambda row: row["row_number"])


def test_pieces_of_a_file_give_the_rows_of_the_whole_with_their_numbers(tmp_path: Path) -> None:
    place = tmp_path / "x.csv"
    lines = [f'{n},skipped,"line\nbreak {n}"' for n in range(1, 51)]
    lines[6], lines[30] = "too,short", "much,too,long,by far"
    data = ("\ufeffone,other,two\n" + "\n".join(lines) + "\n").encode()
    place.write_bytes(data)

    whole = rows(place, WHOLE)
    pieces = cut([data], least=100)

    assert len(pieces) > 5
    assert [row for piece in pieces for row in rows(place, piece)] == whole
    assert [row["row_number"] for row in whole] == list(range(1, 51))
    assert (whole[0]["one"], whole[0]["two"]) == ("1", "line\nbreak 1")
    assert (whole[6]["field_count"], whole[6]["line"]) == (2, "too,short")
    assert (whole[30]["field_count"], whole[49]["two"]) == (4, "line\nbreak 50")


def test_lines_that_are_no_utf8_are_latin1(tmp_path: Path) -> None:
    place = tmp_path / "x.csv"
    place.write_bytes(b"one,other,two\n" + "é,x,½\né,wrong\n".encode("latin-1") + "é,x,½".encode())

    found = [(row["one"], row["two"], row["line"]) for row in rows(place, WHOLE)]

    assert found == [("é", "½", None), (None, None, "é,wrong"), ("é", "½", None)]
