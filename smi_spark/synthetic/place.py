"""Where an archive is written: a folder or a prefix of an object store, marked while it is unfinished."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from pyarrow import fs

from smi_spark.errors import InputError
from smi_spark.objectstore import open_files

UNFINISHED = "_unfinished"  # stands in the place while a run is at work, and stays when it is killed


class Place:
    """A root, by URI or path; it can be sent to workers, each of which opens it for itself."""

    def __init__(self, root: str) -> None:
        self.root = root if "://" in root else str(Path(root).absolute())

    @cached_property
    def _opened(self) -> tuple[fs.FileSystem, str]:
        return open_files(self.root)

    def __getstate__(self) -> dict[str, Any]:
        return {"root": self.root}

    def write(self, path: str, content: bytes) -> None:
        """Write one file; its folder is there."""
        system, base = self._opened
        with system.open_output_stream(f"{base}/{path}") as file:
            file.write(content)

    def read(self, path: str) -> bytes:
        """The bytes of one file."""
        system, base = self._opened
        with system.open_input_stream(f"{base}/{path}") as file:
            return bytes(file.read())

    def create(self, folder: str) -> None:
        """Make a folder, and those that it lies in."""
        system, base = self._opened
        system.create_dir(f"{base}/{folder}".rstrip("/"), recursive=True)

    def names(self) -> list[str]:
        """What lies in the place itself; nothing where there is none."""
        system, base = self._opened
        return [info.base_name for info in system.get_file_info(fs.FileSelector(base, allow_not_found=True))]

    @contextmanager
    def at_work(self, run: dict[str, Any], goes_on: bool) -> Iterator[None]:
        """A note of what is written while the body runs, so that what a killed run leaves does not pass for an archive.

        ``goes_on``: a run that was killed is completed by the same ``run``, which writes the same files again.
        Raises InputError where the place holds something already.
        """
        self._check_free(run, goes_on)
        self.create("")
        self.write(UNFINISHED, json.dumps(run).encode())
        yield
        system, base = self._opened
        system.delete_file(f"{base}/{UNFINISHED}")

    def _check_free(self, run: dict[str, Any], goes_on: bool) -> None:
        found = self.names()
        if UNFINISHED in found:
            of = json.loads(self.read(UNFINISHED))
            if goes_on and of == run:
                return
            told = ", ".join(f"{name} {value}" for name, value in of.items())
            remedy = "Give these to have it completed, or remove it" if goes_on else "Remove it"
            raise InputError(
                f"{self.root} holds something already: what a run of {told} left, which did not end. {remedy}, or give "
                "a place that is new or empty."
            )
        if found:
            raise InputError(f"{self.root} holds something already. Give a place that is new or empty.")
