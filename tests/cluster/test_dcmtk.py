"""DCMTK as a second oracle: the columns of our engine against what dcm2json reads in the same files."""

import json
import math
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from pydicom.datadict import tag_for_keyword

from smi_spark.dicom import read_headers
from smi_spark.schema import load_schema
from smi_spark.synthetic import Answers, write_archive
from tests.cluster.loopback import program

pytestmark = pytest.mark.dcmtk

REAL = Path(pydicom.data.__file__).parent / "test_files"
CLASSES = {
    "CT Image Storage", "Enhanced CT Image Storage", "MR Image Storage", "Enhanced MR Image Storage",
    "Computed Radiography Image Storage", "Digital Mammography X-Ray Image Storage - For Presentation",
    "Ultrasound Image Storage", "Secondary Capture Image Storage", "Enhanced SR Storage",
    "X-Ray Radiation Dose SR Storage", "Positron Emission Tomography Image Storage",
}  # fmt: skip
PLAIN = {name: tag for name, tag in load_schema("images").tags().items() if "." not in tag}


def read_by_dcmtk(file: Path) -> dict[str, dict[str, Any]] | None:
    """Tag → element of DICOM JSON (PS3.18 annex F), or None for a file that DCMTK does not read to its end."""
    command = [program("dcm2json", how="apt install dcmtk"), "-q", "+m", str(file)]
    answer = subprocess.run(command, capture_output=True, check=False)
    return json.loads(answer.stdout) if answer.returncode == 0 else None


def values(element: dict[str, Any]) -> list[Any]:
    """The values of an element as our columns hold them: dates and numbers as such, text without padding."""
    found = [value.get("Alphabetic") if isinstance(value, dict) else value for value in element.get("Value", [])]
    if element["vr"] == "DA":
        return [datetime.strptime(day.replace(".", ""), "%Y%m%d").date() if day else None for day in found]
    return [value.strip() if isinstance(value, str) else value for value in found]


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-6)
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours.rstrip("^") == theirs.rstrip("^")  # empty components at the end of a name
    return ours == theirs or (ours in (None, "") and theirs in (None, ""))


def differences(files: list[Path]) -> tuple[int, list[str]]:
    """How many values were compared, and those that differ; a value that we say does not parse is not compared."""
    compared, differing = 0, []
    for file, row in zip(files, read_headers([str(file) for file in files]).to_pylist(), strict=True):
        theirs = None if row["reason"] else read_by_dcmtk(file)
        if theirs is None:
            continue
        unparsed = {error["tag"] for error in row["value_errors"]}
        for name, keyword in PLAIN.items():
            tag = f"{tag_for_keyword(keyword):08X}"
            if tag not in theirs or keyword in unparsed or any(tag in error.replace(",", "") for error in unparsed):
                continue
            wanted = values(theirs[tag])
            ours = row[name] if isinstance(row[name], list) else [row[name]]
            compared += len(wanted)
            if not all(map(same, ours, wanted)) or (len(ours) != len(wanted) and any(wanted)):
                differing.append(f"{file.name} {name}: {ours}, DCMTK {wanted}")
    return compared, differing


def test_the_real_files_of_pydicom_read_as_dcmtk_reads_them() -> None:
    files = sorted(file for file in REAL.rglob("*") if file.is_file() and file.suffix in (".dcm", ""))
    compared, differing = differences(files)
    assert differing == []
    assert compared > 3000


def test_the_synthetic_archive_reads_as_dcmtk_reads_it(tmp_path: Path) -> None:
    write_archive(tmp_path, patients=3, seed=7)
    compared, differing = differences(sorted((tmp_path / "dicom").rglob("*.dcm"))[:60])
    assert differing == []
    assert compared > 3000


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of a synthetic archive without those that are broken, or careless on purpose."""
    root = tmp_path_factory.mktemp("archive") / "out"
    write_archive(root, patients=48, seed=3)
    answers = Answers.read(root)
    spoilt = {root / "dicom" / path for path in (*answers.broken, *answers.value_errors)}
    return sorted(set((root / "dicom").rglob("*.dcm")) - spoilt)


def test_dcmtk_dumps_every_good_file_without_a_warning(good_files: list[Path]) -> None:
    headers = [pydicom.dcmread(file, specific_tags=["SOPClassUID"]) for file in good_files]
    assert {header.SOPClassUID.name for header in headers} >= CLASSES
    assert len({header.file_meta.TransferSyntaxUID for header in headers}) == 6
    dcmdump = program("dcmdump", how="apt install dcmtk")

    answer = subprocess.run([dcmdump, "-ll", "warn", *good_files], capture_output=True, check=False)

    assert (answer.returncode, answer.stderr) == (0, b"")
    assert answer.stdout.count(b"# Dicom-Data-Set") == len(good_files)


def test_dcmtk_reads_the_content_of_every_report(good_files: list[Path]) -> None:
    headers = [pydicom.dcmread(file, specific_tags=["Modality", "PatientName"]) for file in good_files]
    reports = [header for header in headers if header.Modality == "SR"]
    dsrdump = program("dsrdump", how="apt install dcmtk")
    assert len(reports) > 10
    for report in reports:
        answer = subprocess.run([dsrdump, "-q", "+U8", report.filename], capture_output=True, check=False)
        assert answer.returncode == 0, report.filename
        assert f"Patient             : {report.PatientName}".encode() in answer.stdout
        assert answer.stdout.count(b"<contains CONTAINER") >= 3
