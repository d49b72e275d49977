"""What the design says of folders and imports, and what a wheel carries."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMON = {
    "errors", "config", "schema", "session", "java", "tables", "job", "reasons", "run", "resources", "lease",
    "objectstore", "progress", "cpu", "storage", "spread", "key_range", "purge", "yaml_file", "wording",
}  # fmt: skip
KNOWS = {
    "dicom": set(),
    "secure": {"dicom"},
    "deidentified": {"dicom", "secure"},
    "analysis": {"dicom", "secure", "deidentified"},
    "synthetic": {"dicom"},
    "datasource": {"dicom"},
}
MODULES = sorted((ROOT / "smi_spark").rglob("*.py"))


def imported(file: Path) -> set[str]:
    """Full names of all modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("room", sorted(KNOWS))
def test_a_room_imports_only_the_rooms_before_it(room: str) -> None:
    for file in (ROOT / "smi_spark" / room).rglob("*.py"):
        rooms = {name.split(".")[1] for name in imported(file) if name.startswith("smi_spark.")}
        assert rooms & set(KNOWS) <= KNOWS[room] | {room}, file


def test_the_common_base_imports_itself_alone() -> None:
    for name in COMMON:
        known = {module.split(".")[1] for module in imported(ROOT / f"smi_spark/{name}.py") if "smi_spark." in module}
        assert known <= COMMON, name


def test_delta_is_imported_by_tables_for_rows_and_by_storage_for_files_alone() -> None:
    importers = {file.name for file in MODULES if any(name.split(".")[0] == "delta" for name in imported(file))}
    assert importers == {"tables.py", "storage.py"}


def test_the_header_engine_knows_no_spark() -> None:
    for file in (ROOT / "smi_spark" / "dicom").rglob("*.py"):
        assert "pyspark" not in {name.split(".")[0] for name in imported(file)}, file
    loaded = "import sys, smi_spark.dicom; print('pyspark' in sys.modules, 'pandas' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout == "False False\n"


def test_definitions_of_cohorts_are_checked_without_spark_and_arrow() -> None:
    loaded = (
        "import sys; from smi_spark.analysis.definition import load_definition;"
        "load_definition('conf/cohorts/head_ct_after_drug_then_admitted.yaml');"
        "print([name for name in ('pyspark', 'pyarrow', 'pandas') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout == "[]\n"


def test_no_file_is_over_400_lines_and_no_job_over_40() -> None:
    long = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}
    jobs = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in (ROOT / "jobs").glob("*.py")}
    assert {name: lines for name, lines in jobs.items() if lines > 40} == {}


def test_a_wheel_carries_schemas_and_configuration(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ROOT], check=True, cwd=tmp_path
    )
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "installed", wheel], check=True)
    reading = (
        "import smi_spark; from smi_spark.schema import load_schema; from smi_spark.resources import folder;"
        "print(smi_spark.__file__, load_schema('images').table, (folder('conf') / 'local.yaml').is_file())"
    )

    answer = subprocess.run(
        [sys.executable, "-c", reading], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert answer.stdout == f"{tmp_path}/installed/smi_spark/__init__.py images True\n"
