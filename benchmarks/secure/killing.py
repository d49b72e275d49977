"""Runs of the ingest as a program, and ``kill -9`` of a process of theirs."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from secure.ground import REPOSITORY
from tests.cluster.standalone import ENVIRONMENT, SETTINGS

DRIVER, EXECUTOR, WORKER = "driver", "executor", "Python worker"
_COMMANDS = {EXECUTOR: "CoarseGrainedExecutorBackend", WORKER: "pyspark.daemon"}
_PATIENCE = 120.0  # seconds for what a killed process leaves to end


@dataclass(frozen=True)
class Installation:
    """A folder for the tables of one source, and the master that its runs work on."""

    root: Path
    source: Path
    master: str

    def run(self) -> str:
        """The job to its end; gives its exit code and the last line that it said."""
        started = self._start()
        said, _ = started.communicate()
        return f"exit {started.returncode}: {(said.splitlines() or [''])[-1]}"

    def run_killed(self, target: str, moment: float, chance: random.Random) -> str:
        """The job, one of its processes killed so many seconds after its start, or as soon as there is one after that.

        Begun again with an earlier moment, and on new tables, where the run ended before. Gives what happened.
        """
        started = self._start()
        began = time.monotonic()
        time.sleep(moment)
        while started.poll() is None:
            victims = [started.pid] if target == DRIVER else list(_processes(_COMMANDS[target]))
            if victims:
                return self._kill(started, target, chance.choice(victims), time.monotonic() - began)
            time.sleep(0.02)
        self.clear()
        return self.run_killed(target, moment * 0.7, chance)

    def clear(self) -> None:
        """Take away all tables."""
        subprocess.run(["rm", "-rf", str(self.root)], check=True)  # noqa: S603, S607

    def _kill(self, started: subprocess.Popen[str], target: str, victim: int, after: float) -> str:
        family = set(_below(started.pid))
        if target == DRIVER:
            os.killpg(victim, signal.SIGKILL)  # its JVM is in its group
        else:
            os.kill(victim, signal.SIGKILL)
        started.communicate()
        deadline = time.monotonic() + _PATIENCE
        while any(map(_alive, family)) or any(_processes(_COMMANDS[EXECUTOR])):
            if time.monotonic() > deadline:
                raise RuntimeError(f"processes of a killed run are still there after {_PATIENCE:.0f} s")
            time.sleep(0.1)
        return f"{target} killed after {after:4.1f} s, run ended with {started.returncode}"

    def _start(self) -> subprocess.Popen[str]:
        config = self.root.with_suffix(".yaml")
        config.parent.mkdir(exist_ok=True)
        spark = SETTINGS | {"spark.master": self.master, "spark.executorEnv.PYTHONPATH": str(REPOSITORY)}
        keys = {name: {"env": "NO_KEY"} for name in ("archive", "projects")}
        settings = {
            "root": str(self.root),
            "keys": keys,
            "spark": spark,
            "ingest": {"batch_files": 100, "slice_files": 1000},
        }
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        command = [sys.executable, "jobs/ingest_headers.py", "--config", str(config), "--source", str(self.source)]
        return subprocess.Popen(  # noqa: S603
            command, cwd=REPOSITORY, env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


def _processes(command: str) -> Iterator[int]:
    """Processes that this one started, or that those did, with a word in their command."""
    for process in _below(os.getpid()):
        try:
            said = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it ended
            continue
        if command in said and _alive(process):
            yield process


def _below(process: int) -> Iterator[int]:
    """All processes that descend from one."""
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield child
        yield from _below(child)


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
