"""Programs that listen on this machine alone: a free port, waiting for them, ending them."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def program(*names: str, how: str) -> str:
    """The path of the first program that is there; the test fails with how to get it when none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(f"{names[0]} is not on the PATH: {how}", pytrace=False)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: list[str], log: Path, ready: Callable[[], bool], **options) -> Iterator[None]:
    """A program for as long as the block lasts, from when it is ready; its output is told when it never is."""
    with log.open("w") as output:
        started = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
    try:
        deadline = time.monotonic() + 60
        while not ready():
            if started.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start:\n{log.read_text()[-2000:]}", pytrace=False)
            time.sleep(0.1)
        yield
    finally:
        started.terminate()
        started.wait(30)
