"""Headers a second: the engine, the bare reading of the same files, pydicom, and the peers that pip can install.

    python benchmarks/headers.py [--files 5000] [--save benchmarks/results/headers.txt]

Every contender reads the same files in a process of its own, on one core, with the files in the page cache; the
median of the rounds counts. A peer that ends its process is reported as such.
"""

import argparse
import multiprocessing
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pydicom
import pydicom.data
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from smi_spark.dicom import read_headers
from smi_spark.schema import load_schema

COMMON = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "SeriesInstanceUID",
    "SOPInstanceUID", "SOPClassUID", "Modality", "StudyDate", "StudyTime", "StudyDescription", "SeriesDescription",
    "AccessionNumber", "Manufacturer", "ManufacturerModelName", "BodyPartExamined", "SliceThickness", "PixelSpacing",
    "Rows", "Columns", "ImageType",
)  # fmt: skip
FIRST_READ = 16_384
Reader = Callable[[Sequence[str], dict[str, str]], int | None]  # gives how many files it refused
Measured = tuple[float, int] | str


def bare(paths: Sequence[str], columns: dict[str, str]) -> None:  # noqa: ARG001
    """Open, read the first bytes, close: what no reader of headers can be faster than."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        os.read(file, FIRST_READ)
        os.close(file)


def engine(paths: Sequence[str], columns: dict[str, str]) -> None:
    read_headers(paths, columns, first_read=FIRST_READ)


def by_pydicom(paths: Sequence[str], columns: dict[str, str]) -> None:
    trails = [path.split(".") for path in columns.values()]
    tags: list[Any] = [trail[0] for trail in trails]
    for path in paths:
        ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags, force=True)
        for trail in trails:
            _follow(ds.file_meta if trail[0] == "TransferSyntaxUID" else ds, trail)


def _follow(ds: Dataset, trail: list[str]) -> Any:
    try:
        value = ds.get(trail[0])
    except (ValueError, TypeError):
        return None
    return value if len(trail) == 1 else [_follow(item, trail[1:]) for item in value or ()]


def by_dicomsdl(paths: Sequence[str], columns: dict[str, str]) -> int:
    import dicomsdl

    refused = 0
    for path in paths:
        try:
            ds = dicomsdl.open(path, load_until=0x7FE00000)
            for keyword in columns.values():
                getattr(ds, keyword, None)
        except Exception:
            refused += 1
    return refused


def by_fastdicom(paths: Sequence[str], columns: dict[str, str]) -> int:
    import fastdicom

    refused = 0
    for path in paths:
        try:
            ds = fastdicom.dcmread(path, stop_before_pixels=True)
            for keyword in columns.values():
                ds.get(keyword, None)
        except Exception:
            refused += 1
    return refused


def by_gdcm(paths: Sequence[str], columns: dict[str, str]) -> None:
    import gdcm
    from pydicom.datadict import tag_for_keyword

    scanner = gdcm.Scanner()
    numbers = [tag_for_keyword(keyword) or 0 for keyword in columns.values()]
    tags = [gdcm.Tag(number >> 16, number & 0xFFFF) for number in numbers]
    for tag in tags:
        scanner.AddTag(tag)
    scanner.Scan(list(paths))
    for path in paths:
        for tag in tags:
            scanner.GetValue(path, tag)


PEERS: dict[str, tuple[Reader, str]] = {
    "dicomsdl": (by_dicomsdl, "dicomsdl"),
    "fastdicom": (by_fastdicom, "fastdicom"),
    "gdcm Scanner": (by_gdcm, "python-gdcm"),
}


def small_files(folder: Path, count: int) -> list[str]:
    """CT-like files of 100 to 200 elements, with private elements and sequences, all different."""
    chance = random.Random(1)  # noqa: S311
    paths = []
    for i in range(count):
        ds = _ct(i, chance.randint(60, 150))
        path = folder / f"{i:06}.dcm"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds.save_as(path, enforce_file_format=True)
        paths.append(str(path))
    return paths


def _ct(i: int, private: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"1.2.826.0.1.3680043.8.498.{10**20 + i}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.826.0.1.{i // 400}", f"1.2.826.0.1.{i // 400}.{i // 100}"
    ds.PatientID, ds.PatientName, ds.PatientSex = f"{i // 400:010}", "Macdonald^Flora", "F"
    ds.PatientBirthDate, ds.StudyDate, ds.StudyTime = "19700101", "20240229", "101530.25"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "CT", "Maker", "Model 64"
    ds.StudyDescription, ds.SeriesDescription, ds.BodyPartExamined = "CT HEAD", "Axial 1.25", "HEAD"
    ds.AccessionNumber, ds.InstanceNumber, ds.ImageType = f"A{i}", i, ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SliceThickness, ds.PixelSpacing, ds.KVP = "1.25", ["0.488281", "0.488281"], "120"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = ["-125", "-125", str(i)], ["1", "0", "0", "0", "1", "0"]
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.SamplesPerPixel = 512, 512, 16, 12, 1
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C0001", "99SMI", "CT of head"
    ds.ProcedureCodeSequence = [code]
    ds.add_new(0x00090010, "LO", "MAKER PRIVATE")
    for element in range(private):
        ds.add_new(0x00091000 + element, "LO" if element % 3 else "DS", "private text" if element % 3 else "1.5")
    ds.add_new(0x7FE00010, "OW", bytes(512))
    return ds


def real_files() -> list[str]:
    """The files that come with pydicom, and those of ../shared/data/dicom where it is there, forty times over."""
    shared = Path(__file__).parents[2] / "shared" / "data" / "dicom"
    folders = [Path(pydicom.data.__file__).parent / "test_files", shared]
    paths = [str(path) for folder in folders for path in sorted(folder.rglob("*.dcm"))]
    readable = [path for path, row in zip(paths, read_headers(paths, {})["reason"].to_pylist(), strict=True) if not row]
    return readable * 40


def rate(reader: Reader, paths: Sequence[str], columns: dict[str, str], rounds: int) -> Measured:
    """Files a second in a process of its own, the median of the rounds after one that warms up; or what went wrong."""
    context = multiprocessing.get_context("fork")
    mine, other = context.Pipe()
    child = context.Process(target=_measure, args=(other, reader, paths, columns, rounds))
    child.start()
    other.close()
    try:
        answer: Measured = mine.recv()
    except EOFError:
        answer = "its process ended"
    child.join()
    return answer


def _measure(pipe: Any, reader: Reader, paths: Sequence[str], columns: dict[str, str], rounds: int) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    warnings.simplefilter("ignore")
    try:
        reader(paths[: max(len(paths) // 10, 1)], columns)
        times, refused = [], 0
        for _ in range(rounds):
            start = time.perf_counter()
            refused = reader(paths, columns) or 0
            times.append(time.perf_counter() - start)
        pipe.send((len(paths) / statistics.median(times), refused))
    except Exception as error:  # a peer's own
        pipe.send(f"failed: {type(error).__name__}")


def cold_start(paths: Sequence[str]) -> float:
    """Seconds from the start of an interpreter to its first 1,000 headers, machine code from the cache."""
    code = "import sys; from smi_spark.dicom import read_headers; read_headers(sys.argv[1:])"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *paths[:1000]], check=True)  # noqa: S603
    return time.perf_counter() - start


def compare(title: str, paths: list[str], columns: dict[str, str], rounds: int, *, peers: bool) -> list[str]:
    """One table: each contender's rate, and its ratio to pydicom's."""
    slow = paths[: max(len(paths) // 10, 1)] if len(paths) > 2000 else paths
    rates = {"bare open, read, close": rate(bare, paths, columns, rounds)}
    rates["smi_spark.dicom"] = rate(engine, paths, columns, rounds)
    rates["pydicom"] = rate(by_pydicom, slow, columns, rounds)
    for name, (reader, package) in PEERS.items() if peers else ():
        installed = _version(package) is not None
        rates[name] = rate(reader, paths, columns, rounds) if installed else f"not installed: pip install {package}"
    lines = ["", f"{title}: {len(paths)} files, {len(columns)} columns"]
    base = rates["pydicom"]
    for name, found in rates.items():
        if isinstance(found, str) or isinstance(base, str):
            lines.append(f"  {name:24}  {found}")
            continue
        refused = f"   ({found[1]} files refused)" if found[1] else ""
        lines.append(f"  {name:24}{found[0]:12,.0f}/s {found[0] / base[0]:8.1f} × pydicom{refused}")
    return lines


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def machine() -> list[str]:
    cpu = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")]
    packages = ["numba", "numpy", "pyarrow", "pydicom", *(package for _, package in PEERS.values())]
    versions = ", ".join(f"{name} {_version(name)}" for name in packages if _version(name))
    return [
        f"{time.strftime('%Y-%m-%d')}: python {' '.join(sys.argv)}",
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores; each contender on one of them",
        f"Python {platform.python_version()}, {versions}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000, help="how many small files to make")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    common = {keyword: keyword for keyword in COMMON}
    everything = load_schema("images").tags()
    with tempfile.TemporaryDirectory() as folder:
        small, real = small_files(Path(folder), options.files), real_files()
        engine(real[:10], everything)  # compiled before the clock starts, if it never was
        lines = machine()
        for title, paths in (("small CT headers", small), ("real headers", real)):
            lines += compare(title, paths, common, options.rounds, peers=True)
            lines += compare(title, paths, everything, options.rounds, peers=False)
        lines += ["", f"first 1,000 headers in a new interpreter, start-up included: {cold_start(small):.2f} s"]
    print("\n".join(lines))
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
