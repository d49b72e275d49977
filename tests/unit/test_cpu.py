import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smi_spark.cpu import cpu_seconds, jvm_above, read_processes, tree_seconds

BURN = "import time\nwhile time.process_time() < 0.3: pass"


def write_process(proc: Path, number: int, parent: int, name: str, *ticks: int) -> None:
    """A process as proc(5) shows it: ticks are utime, stime, cutime, cstime."""
    place = proc / str(number)
    place.mkdir()
    fields = ["S", parent, *[0] * 9, *ticks, 20, 0, 1, 0, 4711, *[0] * 30]
    (place / "stat").write_text(f"{number} ({name}) {' '.join(map(str, fields))}\n")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    second = os.sysconf("SC_CLK_TCK")
    write_process(tmp_path, 1, 0, "init", 900 * second, 0, 0, 0)
    write_process(tmp_path, 10, 1, "java", 40 * second, 2 * second, 0, 0)
    write_process(tmp_path, 11, 10, "odd) name (x", second, 0, 5 * second, second)
    write_process(tmp_path, 12, 11, "python", 7 * second, second // 2, 0, 0)
    write_process(tmp_path, 20, 1, "python", 100 * second, 0, 0, 0)
    (tmp_path / "meminfo").write_text("no process")
    return tmp_path


def test_a_worker_stands_below_its_executor_whose_time_is_that_of_all_below(proc: Path) -> None:
    processes = read_processes(proc)

    assert jvm_above(processes, 12) == 10
    assert tree_seconds(processes, 10) == 42 + 7 + 7.5
    assert jvm_above(processes, 20) == 20  # a driver that started its Java itself
    assert processes[11].began == "4711"


def test_a_machine_without_proc_counts_nothing(tmp_path: Path) -> None:
    assert read_processes(tmp_path / "proc") == {}
    assert cpu_seconds({}, {}) is None


def test_an_executor_that_is_new_counts_whole_and_one_that_ended_not_at_all() -> None:
    before = {"a 1 7": 100.0, "b 1 7": 30.0}
    assert cpu_seconds(before, {"a 1 7": 160.5, "c 1 9": 4.0}) == 64.5


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux counts it")
def test_a_process_that_ended_is_counted_with_the_one_that_started_it() -> None:
    before = tree_seconds(read_processes(Path("/proc")), os.getpid())
    own = time.process_time()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    taken = tree_seconds(read_processes(Path("/proc")), os.getpid()) - before
    assert taken - (time.process_time() - own) > 0.25
