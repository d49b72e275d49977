import gzip
from pathlib import Path

import pytest

from smi_spark.errors import InputError, SourceError
from smi_spark.schema import load_schema
from smi_spark.secure.extracts import find_extracts, match_fields

DEATHS = load_schema("records/deaths")
HEADER = "REGISTRATION_DISTRICT,YEAR_OF_REGISTRATION,ENTRY_NUMBER,UPI_NUMBER,DATE_OF_DEATH\n"


def paths(uri: Path | str) -> list[str]:
    return [extract.path for extract in find_extracts(str(uri), DEATHS)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "2020").mkdir()
    for name in ("b.csv", "a, b #1.csv", "2020/c.CSV", "notes.txt", ".hidden.csv"):
        (tmp_path / name).write_text(HEADER)
    (tmp_path / "2020/d.csv.gz").write_bytes(gzip.compress(HEADER.encode()))
    return tmp_path


def test_a_folder_is_walked_a_glob_matched_and_a_file_taken_alone(folder: Path) -> None:
    assert paths(folder) == ["2020/c.CSV", "2020/d.csv.gz", "a, b #1.csv", "b.csv"]
    assert paths(folder / "*.csv") == ["a, b #1.csv", "b.csv"]
    assert paths(folder / "2020" / "d.*") == ["d.csv.gz"]
    assert paths(folder / "b.csv") == ["b.csv"]
    assert find_extracts(str(folder / "b.csv"), DEATHS)[0].source == str(folder)


def test_a_place_without_extracts_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no_such holds no extract\. Give a file, a folder or a glob of \.csv"):
        find_extracts(str(tmp_path / "no_such"), DEATHS)


def test_headers_are_matched_by_name_or_alias_whatever_their_capitals() -> None:
    smr01 = load_schema("records/smr01")

    fields = match_fields(smr01, ["uri", " CI_CHI_NUMBER", "Date of Admission(01)", "WARD"], "x.csv")

    assert fields == ("URI", "UPI_NUMBER", "ADMISSION_DATE", None)


def test_a_header_without_a_required_column_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\ufeffURI,UPI_NUMBER,DISCHARGED\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        find_extracts(str(tmp_path), load_schema("records/smr01"))
    assert str(error.value) == (
        f"{tmp_path}/x.csv has no column ADMISSION_DATE or Date of Admission(01), which records/smr01 requires. "
        "It has: URI, UPI_NUMBER, 1 that no column or alias is called. "
        "Name it so, or add its name to aliases in schemas/records/smr01.yaml."
    )


def test_of_an_extract_without_a_header_no_value_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("E1,0101031234,Quernlock\n", encoding="utf-8")
    with pytest.raises(InputError, match="It has: 3 that no column or alias is called") as error:
        find_extracts(str(tmp_path), load_schema("records/smr01"))
    assert "0101031234" not in str(error.value)
    assert "Quernlock" not in str(error.value)


def test_two_fields_for_one_column_are_refused() -> None:
    with pytest.raises(InputError, match=r"x\.csv has UPI_NUMBER more than once \(UPI_NUMBER or CHI or Pat UPI"):
        match_fields(DEATHS, [*HEADER.strip().split(","), "CHI"], "x.csv")


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "x.csv").touch()
    with pytest.raises(InputError, match=r"x\.csv is empty: the first line must name the columns"):
        find_extracts(str(tmp_path), DEATHS)


def test_a_file_that_is_not_what_it_is_called_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"x\.parquet cannot be read: .* Extracts are CSV in UTF-8"):
        find_extracts(str(tmp_path), DEATHS)
