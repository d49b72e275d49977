"""Private elements that do not say their VR have the one that their creator gives them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from smi_spark.dicom import read_headers
from smi_spark.dicom.private import nearest_before
from tests.unit.dicom.files import dataset, write

GE = "GEMS_ACQU_01"  # (0019,xx02) is SL there, (0019,xx5A) FL


def of_ge(detectors: int, creator: str | None = GE) -> Dataset:
    ds = dataset()
    if creator is not None:
        ds.add_new(0x00190010, "LO", creator)
    ds.add_new(0x00191002, "SL", detectors)
    ds.add_new(0x0019105A, "FL", 1.5)
    return ds


def read(path: Path, *columns: str) -> list[Any]:
    row = read_headers([path], {name: name for name in columns}).to_pylist()[0]
    return [row[name] for name in columns]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=["implicit", "explicit"])
def test_a_known_creator_says_the_vr(tmp_path: Path, syntax: str) -> None:
    path = write(tmp_path / "ge.dcm", of_ge(912), syntax)
    assert read(path, "(0019,1002)", "(0019,105A)") == ["912", "1.5"]


@pytest.mark.parametrize("creator", ["NOBODY KNOWS", None], ids=["unknown", "absent"])
def test_without_a_known_creator_the_bytes_are_text(tmp_path: Path, creator: str | None) -> None:
    path = write(tmp_path / "x.dcm", of_ge(0x41424344, creator), ImplicitVRLittleEndian)
    assert read(path, "(0019,1002)") == ["DCBA"]


def test_in_items_the_creator_beside_the_element_counts(tmp_path: Path) -> None:
    ds = of_ge(1, "NOBODY KNOWS")
    ds.ProcedureCodeSequence = [of_ge(912), of_ge(0x41424344, "NOBODY KNOWS"), of_ge(913)]
    path = write(tmp_path / "ge.dcm", ds, ImplicitVRLittleEndian)
    assert read(path, "ProcedureCodeSequence.(0019,1002)") == [["912", "DCBA", "913"]]


def test_the_nearest_before_is_of_the_same_row() -> None:
    rows, places = np.array([0, 1, 1, 2]), np.array([5, 7, 9, 1])
    of_rows, of_places = np.array([0, 1, 1]), np.array([3, 6, 8])
    assert nearest_before(rows, places, of_rows, of_places).tolist() == [0, 1, 2, -1]
