"""CPU time of a run: what Linux counts for the driver and the executors, each with the processes that it started."""

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

_PROC = Path("/proc")
_JVM = "java"
_PLACES = 1_000_000  # as many rows as no cluster has cores


@dataclass(frozen=True)
class Process:
    """One process as /proc has it; ``seconds`` are its own and those of children that ended."""

    parent: int
    name: str
    began: str
    seconds: float


def cpu_times(spark: SparkSession) -> dict[str, float]:
    """CPU seconds, user and system, since they began, of the driver and of each executor; none where there is no /proc.

    Each is a JVM or the Python that started it, with all that runs below it: Python workers too. In a local session
    that is one tree. On a cluster a task on each core tells of its executor: one that has ended is not among them.
    """
    processes = read_processes(_PROC)
    if not processes:
        return {}
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    driver = jvm_above(processes, os.getpid()) if submitted else os.getpid()
    times = {_name(processes, driver): tree_seconds(processes, driver)}
    if (spark.conf.get("spark.master", "") or "").startswith("local"):
        return times
    told = spark.range(_PLACES).mapInArrow(_tell, "process string, seconds double").collect()  # a row a core
    executors: dict[str, float] = {}
    for row in told:
        executors[row["process"]] = max(row["seconds"], executors.get(row["process"], 0.0))
    return executors | times


def cpu_seconds(before: Mapping[str, float], after: Mapping[str, float]) -> float | None:
    """What came between two answers of ``cpu_times``; all of an executor that is new. None where nothing is counted."""
    if not after:
        return None
    return sum(seconds - before.get(name, 0.0) for name, seconds in after.items())


def read_processes(proc: Path) -> dict[int, Process]:
    """Every process of this machine, by number."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for place in proc.glob("[0-9]*/stat"):
        try:
            head, _, rest = place.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:  # it has ended
            continue
        fields = rest.split()  # from the third on: proc(5)
        seconds = sum(map(int, fields[11:15])) / ticks  # utime, stime, cutime, cstime
        found[int(place.parent.name)] = Process(int(fields[1]), head.partition("(")[2], fields[19], seconds)
    return found


def jvm_above(processes: Mapping[int, Process], number: int) -> int:
    """The nearest Java above a process, else the process itself."""
    above = number
    while above in processes:
        if processes[above].name == _JVM:
            return above
        above = processes[above].parent
    return number


def tree_seconds(processes: Mapping[int, Process], root: int) -> float:
    """CPU seconds of a process and of all below it."""
    below: dict[int, list[int]] = {}
    for number, process in processes.items():
        below.setdefault(process.parent, []).append(number)
    tree, seconds = [root], 0.0
    while tree:
        number = tree.pop()
        seconds += processes[number].seconds
        tree += below.get(number, [])
    return seconds


def _name(processes: Mapping[int, Process], number: int) -> str:
    return f"{socket.gethostname()} {number} {processes[number].began}"


def _tell(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row: the executor that runs this task, and its CPU seconds."""
    for _ in batches:
        pass
    processes = read_processes(_PROC)
    if processes:
        executor = jvm_above(processes, os.getpid())
        told = [{"process": _name(processes, executor), "seconds": tree_seconds(processes, executor)}]
        yield pa.RecordBatch.from_pylist(told)
