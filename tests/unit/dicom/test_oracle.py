"""Every value of every real file is the one that pydicom reads."""

from pathlib import Path

import pydicom.data
import pytest

from smi_spark.dicom import decode_headers, read_headers
from tests.unit.dicom import oracle
from tests.unit.dicom.further import FURTHER

SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
SHARED = Path(__file__).parents[4] / "shared" / "data" / "dicom"
READABLE = (None, "no_study_instance_uid", "no_series_instance_uid", "no_sop_instance_uid")

COLUMNS = {path: path for path in FURTHER}

# Where the engine and pydicom differ (file, column), and why. Every difference is here, and everything here differs.
DIFFERENT: dict[tuple[str, str], str] = {}


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def differences(paths: list[Path], columns: dict[str, str] | None) -> tuple[list[str], int]:
    """Where the engine and pydicom disagree, and how many values they agree on that are not null."""
    rows = read_headers(paths, columns).to_pylist()
    found, agreed = [], 0
    for path, row in zip(paths, rows, strict=True):
        if row["reason"] not in READABLE:
            continue
        for name, expected in oracle.read(path, columns).items():
            if (row[name] != expected) != ((path.name, name) in DIFFERENT):
                found.append(f"{path.name} {name}: {row[name]!r}, pydicom {expected!r}")
            agreed += row[name] == expected and expected is not None
    return found, agreed


@pytest.mark.parametrize(("columns", "values"), [(None, 2500), (COLUMNS, 400)], ids=["image columns", "further"])
def test_files_that_come_with_pydicom(columns: dict[str, str] | None, values: int) -> None:
    found, agreed = differences(files_below(SHIPPED), columns)
    assert not found
    assert agreed > values


@pytest.mark.parametrize(("columns", "values"), [(None, 4000), (COLUMNS, 800)], ids=["image columns", "further"])
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files of ../shared/data/dicom are not here")
def test_real_files_of_many_vendors(columns: dict[str, str] | None, values: int) -> None:
    found, agreed = differences([path for path in files_below(SHARED) if path.suffix != ".csv"], columns)
    assert not found
    assert agreed > values


@pytest.mark.parametrize("folder", [SHIPPED, SHARED], ids=["pydicom", "shared"])
def test_stored_headers_give_the_same_columns(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("the real files of ../shared/data/dicom are not here")
    for limits in ({}, {"keep_binary": 64, "keep_text": 128, "first_read": 512}):
        read = read_headers(files_below(folder), with_header=True, **limits)
        decoded = decode_headers(read["header"], read["left_out"])
        assert [n for n in decoded.schema.names if decoded[n].to_pylist() != read[n].to_pylist()] == []


def test_small_reads_and_jumps_change_no_value() -> None:
    paths = files_below(SHIPPED)
    whole = read_headers(paths, first_read=1 << 20, with_header=True)
    parts = read_headers(paths, first_read=512, with_header=True)
    kept = [name for name in whole.schema.names if name not in ("bytes_read", "requests")]
    assert [name for name in kept if whole[name].to_pylist() != parts[name].to_pylist()] == []
    assert sum(parts["bytes_read"].to_pylist()) < sum(whole["bytes_read"].to_pylist()) / 2
