"""What the benchmark measures beside the race on one core: cold files, Spark's share, start-up, memory, frugality."""

import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow.compute as pc
from contenders import bare

import smi_spark
from smi_spark.dicom import read_headers

READERS = 16
_WARMING = 8  # rounds until the JVM has compiled what it runs, as in the first minute of any long job
REPOSITORY = Path(__file__).parents[1]
Columns = dict[str, str]


def line(what: str, ratio: float, target: float | None, unit: str = "×", *, at_most: bool = False) -> str:
    """One figure beside its target, where it has one."""
    if target is None:
        return f"  {what:66} {ratio:8.2f} {unit:3}  no target"
    met = ratio <= target if at_most else ratio >= target
    sign = "≤" if at_most else "≥"
    return f"  {what:66} {ratio:8.2f} {unit:3}  target {sign} {target:g}  {'met' if met else 'NOT MET'}"


def median_of(rounds: int, run: Callable[[], None], before: Callable[[], None] | None = None) -> float:
    """Seconds of one run, the median of the rounds."""
    times = []
    for _ in range(rounds):
        if before:
            before()
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def cold(paths: Sequence[str], columns: Columns, rounds: int) -> list[str]:
    """Files that are not in the page cache: the engine against as many bare readers."""
    os.sync()

    def forget() -> None:
        for path in paths:
            file = os.open(path, os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)

    parts = [paths[i::READERS] for i in range(READERS)]

    def bare_readers() -> None:
        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(lambda part: bare(part, {}, random=True), parts))

    read_headers(paths[:100], columns)
    floor = median_of(rounds, bare_readers, forget)
    seen = median_of(rounds, lambda: _drop(read_headers(paths, columns, readers=READERS)), forget)
    warm = median_of(rounds, bare_readers)
    return [
        "",
        f"cold cache: {len(paths)} files, {READERS} readers",
        f"  bare {len(paths) / floor:,.0f}/s (warm {len(paths) / warm:,.0f}/s), engine {len(paths) / seen:,.0f}/s",
        line("engine against as many bare readers, cold", floor / seen, 0.7),
    ]


def spark(paths: Sequence[str], columns: Columns, rounds: int) -> list[str]:
    """``format("dicom")`` on local[2] against the engine alone in two processes, and what Spark's share is made of."""
    from smi_spark.config import Config, validate
    from smi_spark.session import get_session

    folder = os.path.commonpath(paths)
    alone = median_of(rounds, lambda: _two_processes(paths, columns))
    content = {"root": folder, "keys": {"archive": {"env": "NO_KEY"}, "projects": {"env": "NO_KEY"}}}
    settings = {"spark.master": "local[2]", "spark.driver.memory": "3g"}
    session = get_session(validate(Config, content | {"spark": settings}, "the benchmark"))
    session.sparkContext.setLogLevel("ERROR")
    smi_spark.register(session)
    reader = session.read.format("dicom").option("columns", ",".join(columns))

    def through() -> None:
        reader.load(folder).write.format("noop").mode("overwrite").save()

    def listed() -> None:
        reader.load(folder).select("reason").limit(0).write.format("noop").mode("overwrite").save()

    for _ in range(_WARMING):
        through()
    seen = median_of(rounds, through)
    batch = read_headers(paths[:2048], columns)
    times, schema = len(paths) // 2048 + 1, reader.load(folder).drop("path").schema

    def same_batch(parts: Iterable[object]) -> Iterator[object]:
        for _ in parts:
            for _ in range(times // 2):
                yield batch

    def from_memory() -> None:
        frame = session.range(0, 2, 1, 2).mapInArrow(same_batch, schema)
        frame.write.format("noop").mode("overwrite").save()

    from_memory()
    memory, start = median_of(rounds, from_memory), median_of(rounds, listed)
    session.stop()
    return [
        "",
        f'format("dicom"): {len(paths)} files on local[2], {len(columns)} columns',
        f"  engine alone, two processes {len(paths) / alone:,.0f}/s; through Spark {len(paths) / seen:,.0f}/s",
        line('format("dicom") on local[2] against the engine alone on two processes', alone / seen, 0.4),
        f"  of {seen:.2f} s: planning, listing folders, starting tasks {start:.2f} s; the engine {alone:.2f} s;"
        f" as many rows from memory, Arrow to Spark's rows, {memory:.2f} s",
    ]


def start_up(paths: Sequence[str]) -> list[str]:
    """The first batch in a new interpreter; and as nobody, from an install that cannot be written."""
    took = statistics.median(_first_batch(paths, sys.executable, {}, ())[0] for _ in range(5))
    lines = ["", "start-up: a new interpreter, kernels cached, to the end of its first batch of 1,000 headers"]
    lines.append(line("seconds from the start of the interpreter", took, 1.0, "s", at_most=True))
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        return [*lines, "  as nobody: not measured, which needs root and setpriv"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name in ("smi_spark", "schemas"):
            shutil.copytree(
                REPOSITORY / name, Path(folder, "install", name), ignore=shutil.ignore_patterns("__pycache__")
            )
        for place in Path(folder, "install").rglob("*"):
            place.chmod(0o555 if place.is_dir() else 0o444)
        Path(folder, "install").chmod(0o555)
        given = {"PYTHONPATH": f"{folder}/install", "HOME": "/nonexistent"}
        cache = Path(folder, "cache")
        cache.mkdir()
        cache.chmod(0o777)
        foreign = Path(folder, "temporary", "smi_spark-65534")  # nobody's folder for code, which is not nobody's
        foreign.mkdir(parents=True, mode=0o700)
        foreign.parent.chmod(0o777)
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        readable = [shutil.copy(path, cache) for path in paths[:100]]
        for name, more in (
            ("cached by NUMBA_CACHE_DIR", {"NUMBA_CACHE_DIR": str(cache)}),
            ("nothing can be written", {"TMPDIR": str(foreign.parent)}),
        ):
            seen = [_first_batch(readable, sys.executable, given | more, nobody) for _ in range(2)]
            warnings = seen[1][1].count("no folder can hold")
            lines.append(
                f"  nobody, read-only install, {name}: {seen[0][0]:.1f} s, then {seen[1][0]:.1f} s, {warnings} warning"
            )
    return lines


def memory(paths: Sequence[str], large: Sequence[str], columns: Columns) -> list[str]:
    """The peak of a process that reads all files batch by batch as a Spark task does."""
    mixed = [*paths]
    mixed[::40] = [large[i % len(large)] for i in range(len(mixed[::40]))]
    lines = ["", f"memory: {len(paths)} files in one process, batch by batch"]
    for name, given in (
        ("small headers", paths),
        ("every fortieth header large", mixed),
        ("2,048 large ones", large * (2048 // len(large))),
    ):
        lines.append(line(f"peak of resident memory, {name}", _peak(given, columns), 600, "MiB", at_most=True))
    return lines


def frugality(title: str, paths: Sequence[str]) -> list[str]:
    """Bytes and requests a header, against what the headers hold without the values that are stepped over."""
    found = read_headers(paths, {}, with_header=True)
    total = {name: pc.sum(found[name]).as_py() or 0 for name in ("bytes_read", "requests", "size")}
    held = pc.sum(pc.binary_length(found["header"])).as_py() or 0
    first = pc.sum(pc.min_element_wise(found["size"], 16_384)).as_py() or 0
    return [
        "",
        f"frugality, {title}: {len(paths)} files of {total['size'] / 1e6:,.1f} MB",
        f"  {held / 1e6:.2f} MB of headers without what is stepped over, {first / 1e6:.2f} MB of first reads",
        f"  {total['bytes_read'] / len(paths):,.0f} bytes and {total['requests'] / len(paths):.2f} requests a header",
        line(
            "bytes read against 1.3 × headers and the first reads",
            total["bytes_read"] / (1.3 * held + first),
            1.0,
            at_most=True,
        ),
    ]


def _drop(_: object) -> None:
    """The result is not wanted."""


def _two_processes(paths: Sequence[str], columns: Columns) -> None:
    children = [
        multiprocessing.get_context("fork").Process(target=_by_batches, args=(paths[i::2], columns)) for i in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()


def _by_batches(paths: Sequence[str], columns: Columns) -> None:
    for start in range(0, len(paths), 2048):
        read_headers(paths[start : start + 2048], columns)


def _peak(paths: Sequence[str], columns: Columns) -> float:
    """MiB of a process that holds one batch at a time, interpreter and libraries included."""
    context = multiprocessing.get_context("spawn")
    mine, other = context.Pipe()
    child = context.Process(target=_measure_peak, args=(other, list(paths), columns))
    child.start()
    peak: float = mine.recv()
    child.join()
    return peak


def _measure_peak(pipe: Connection, paths: Sequence[str], columns: Columns) -> None:
    for start in range(0, len(paths), 2048):
        read_headers(paths[start : start + 2048], columns, with_header=True)
    pipe.send(_high_water_mark())


def _high_water_mark() -> float:
    """MiB of this process at most so far. Not ``ru_maxrss``, which begins with what the parent had when it forked."""
    (line,) = (row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _first_batch(paths: Sequence[str], python: str, given: dict[str, str], before: Sequence[str]) -> tuple[float, str]:
    code = "import sys; from smi_spark.dicom import read_headers; read_headers(sys.argv[1:])"
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603
        [*before, python, "-c", code, *paths[:1000]],
        check=True,
        env=os.environ | given,
        cwd="/",
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - start, done.stderr
