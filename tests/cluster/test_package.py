"""``make package``: what it holds, that it runs anywhere, and jobs on workers that have nothing else."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pydicom.data
import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import load_config
from tests.cluster.standalone import SETTINGS, SUBMIT, Installation, bare_environment, flags

pytestmark = [pytest.mark.cluster, pytest.mark.long]

ROOT = Path(__file__).parents[2]
CT = Path(pydicom.data.__file__).parent / "test_files" / "CT_small.dcm"
PACKED = "./environment/bin/python"
READ = """
import json, ssl, sys
from smi_spark.dicom import read_headers
rows = read_headers([sys.argv[1]], with_header=True).column("Rows").to_pylist()
modules = [vars(module) for name, module in list(sys.modules.items()) if name.startswith("smi_spark.dicom")]
stats = {id(f): f.stats for names in modules for f in names.values() if hasattr(f, "py_func") and hasattr(f, "stats")}
compiled, found = (sum(sum(s[i].values()) for s in stats.values()) for i in (2, 1))
spark = [name for name in ("pyspark", "py4j", "pytest") if __import__("importlib.util").util.find_spec(name)]
print(json.dumps({"prefix": sys.prefix, "rows": rows, "compiled": compiled, "found": found > 0, "not ours": spark}))
"""


@dataclass(frozen=True)
class Package:
    """What was built, the environment unpacked elsewhere, and the folder that it was put together in."""

    dist: Path
    environment: Path
    making: Path


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    made = Package(*(tmp_path_factory.mktemp(name) for name in ("dist", "elsewhere", "making")))
    given = [f"DIST={made.dist}", f"BIN={Path(sys.executable).parent}"]
    command = ["make", "--old-file", ".venv/ready", "package", *given]
    subprocess.run(command, env={**os.environ, "TMPDIR": str(made.making)}, cwd=ROOT, check=True)
    with tarfile.open(made.dist / "environment.tar.gz") as archive:
        archive.extractall(made.environment, filter="tar")
    return made


def test_the_wheel_and_the_jobs_are_there(package: Package) -> None:
    (wheel,) = package.dist.glob("smi_spark-*-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"smi_spark/tables.py", "smi_spark/schemas/images.yaml", "smi_spark/conf/local.yaml"} <= names
    jobs = {file.name for file in (package.dist / "jobs").iterdir()}
    assert jobs == {file.name for file in (ROOT / "jobs").glob("*.py")} - {"demo.py"}


def test_nothing_in_the_environment_names_the_place_where_it_was_made(package: Package) -> None:
    files = [file for file in package.environment.rglob("*") if not file.is_dir()]
    links = {file.name: file.readlink() for file in files if file.is_symlink()}
    assert "python" in links
    assert not any(to.is_absolute() or ".." in to.parts for to in links.values())

    # Compiled code tells files in its errors, and is named by content: the next test sees that it is found.
    files = [file for file in files if not file.is_symlink() and file.suffix not in (".nbc", ".nbi")]
    places = [str(place).encode() for place in (package.making, ROOT, sys.prefix)]
    assert [file for file in files if any(place in file.read_bytes() for place in places)] == []
    assert len(files) > 3000


def test_it_runs_elsewhere_with_nothing_around_it_and_compiles_nothing(package: Package) -> None:
    command = [str(package.environment / "bin" / "python"), "-c", READ, str(CT)]
    answer = subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {
        "prefix": str(package.environment), "rows": [128], "compiled": 0, "found": True, "not ours": [],
    }  # fmt: skip


def test_its_programs_find_their_libraries_beside_themselves(package: Package) -> None:
    inside = package.environment
    modules = [*inside.glob("lib*/python*/lib-dynload/*.so"), (inside / "bin" / "python").resolve()]
    answer = subprocess.run(["ldd", *modules], env={}, capture_output=True, text=True, check=True).stdout
    foreign = {line.split()[0] for line in answer.splitlines() if "=> /" in line and str(inside) not in line}
    assert foreign <= {f"{name}.so.{n}" for name in ("libc", "libm", "libpthread", "libdl", "librt", "libutil",
                                                     "libgcc_s", "libstdc++") for n in (0, 1, 2, 6)}  # fmt: skip
    assert "not found" not in answer


def submit(package: Package, master: str, *command: str) -> list[str]:
    """A command of spark-submit: workers get the archive and nothing else, the driver runs it unpacked."""
    settings = {
        **SETTINGS,
        "spark.pyspark.python": PACKED,
        "spark.pyspark.driver.python": str(package.environment / "bin" / "python"),
        "spark.cores.max": "2",
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",  # both executors, before a task is given to one
    }
    archive = f"{package.dist / 'environment.tar.gz'}#environment"
    return [SUBMIT, "--master", master, "--archives", archive, *flags(settings), *command]


def test_jobs_run_on_workers_that_have_only_the_packed_environment(
    package: Package, installed: Installation, master: str, spark: SparkSession
) -> None:
    bare, jobs = bare_environment(), package.dist / "jobs"
    source = ["--source", str(installed.source)]
    ingested = installed.run(*submit(package, master, str(jobs / "ingest_headers.py"), *source), environment=bare)
    assert ingested.returncode == 0, ingested.stderr
    assert "3 images added" in ingested.stdout

    asking = [str(Path(__file__).with_name("where.py")), str(jobs / "pseudonymise.py")]
    ended = installed.run(*submit(package, master, *asking), environment=bare)
    assert ended.returncode == 0, ended.stderr
    told, added = ended.stdout.splitlines()
    assert added == "added: images 3; rolled up: series 3, studies 3; quarantined: 0"
    executors = json.loads(told)
    assert len({executor["folder"] for executor in executors}) == 2
    for executor in executors:
        assert Path(executor["python"]) == Path(executor["folder"], PACKED)
        assert Path(executor["package"]).is_relative_to(Path(executor["folder"], "environment"))
        assert str(ROOT) not in executor["pythonpath"].split(":")

    config = load_config(installed.config)
    images = tables.read(spark, tables.table(config, "deidentified/images")).select("modality").collect()
    assert sorted(row.modality for row in images) == ["CT", "MR", "OTHER"]
