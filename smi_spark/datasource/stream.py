"""``spark.readStream.format("dicom")``: a folder or prefix that grows, a convenience beside the nightly job."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import datasource as ds
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadLimit, ReadMaxFiles, SupportsTriggerAvailableNow

from smi_spark.datasource.batch import with_path
from smi_spark.datasource.taken import Found, TakenLog
from smi_spark.dicom.engine import BATCH
from smi_spark.dicom.sources import list_files, list_prefixes
from smi_spark.errors import InputError


@dataclass
class Files(ds.InputPartition):
    """Files of one root, as many as one task reads."""

    root: str
    paths: list[str]


class HeaderStream(ds.DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Each file below the roots once, as soon as its size rests.

    The offset is the stream's id and the number of its last batch; which files a batch has stands in a log below
    ``log``, one folder a stream, which a restart needs as it needs the checkpoint. A file is taken when two listings,
    ``settle`` seconds apart, find it with one size and one time of last change; a change after it was taken is not
    seen. The driver lists all files for each batch: for millions, ``jobs/ingest_headers.py`` is made.
    """

    def __init__(self, roots: list[str], columns: dict[str, str] | None, options: "StreamOptions") -> None:
        self._roots, self._columns, self._options = roots, columns, options
        self._id = uuid.uuid4().hex
        self._logs: dict[str, TakenLog] = {}
        self._target: Found | None = None

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802
        return {"stream": self._id, "batch": 0}

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802
        return ReadMaxFiles(self._options.most) if self._options.most else ReadAllAvailable()

    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:  # noqa: N802
        log, batch = self._log(start), int(start["batch"])
        end = start | {"batch": batch + 1}
        if log.is_planned(batch + 1):  # written before a crash, and not yet run
            return end
        new = self._resting(log, batch) if self._target is None else log.untaken(batch, self._target)
        if not new:
            return start
        files = sorted(new.items(), key=lambda file: (file[1][1], file[0]))
        log.plan(batch + 1, files[: limit.max_files] if isinstance(limit, ReadMaxFiles) else files)
        return end

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802
        self._target = resting(self._list, self._wait)

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> list[Files]:
        files = self._log(end).files(int(start["batch"]) + 1, int(end["batch"]))
        parts = []
        for root in self._roots:
            paths = [path for at, path in files if at == root]
            parts += [Files(root, paths[i : i + BATCH]) for i in range(0, len(paths), BATCH)]
        return parts

    def read(self, partition: Files) -> Iterator[pa.RecordBatch]:  # type: ignore[override]  # gets what partitions gives
        yield with_path(partition.root, partition.paths, self._columns)

    def commit(self, end: dict[str, Any]) -> None:
        self._log(end).tidy(int(end["batch"]))

    def _log(self, offset: dict[str, Any]) -> TakenLog:
        name = str(offset["stream"])
        return self._logs.setdefault(name, TakenLog(self._options.log / name))

    def _resting(self, log: TakenLog, batch: int) -> Found:
        """New files that rest. Where the first listing has nothing new, there is no second one."""
        first = log.untaken(batch, self._list())
        return resting(lambda: first, self._wait, self._list) if first else {}

    def _list(self) -> Found:
        return {
            (root, path): (size, int(modified.timestamp() * 1e6))
            for root in self._roots
            for prefix in list_prefixes(root)
            for path, size, modified in list_files(root, prefix)
            if size is not None and modified is not None  # what a list names may not be there yet
        }

    def _wait(self) -> None:
        time.sleep(self._options.settle)


@dataclass(frozen=True)
class StreamOptions:
    """``log``: folder for logs of streams. ``settle``: seconds. ``most``: files a batch, 0 for no limit."""

    log: Path
    settle: float
    most: int


def stream_options(options: dict[str, str]) -> StreamOptions:
    """The options log, settle and maxFilesPerTrigger; InputError for one that is no number."""
    given = {name.lower(): value for name, value in options.items()}
    try:
        settle, most = float(given.get("settle", 2)), int(given.get("maxfilespertrigger", 0))
    except ValueError as error:
        raise InputError(f"options settle and maxFilesPerTrigger are numbers: {error}.") from None
    if settle < 0 or most < 0:
        raise InputError("options settle (seconds) and maxFilesPerTrigger (files) cannot be less than 0.")
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111
    return StreamOptions(Path(given.get("log") or f"{state}/smi_spark/streams"), settle, most)


def resting(first: Callable[[], Found], wait: Callable[[], None], second: Callable[[], Found] | None = None) -> Found:
    """The files that two listings find unchanged."""
    before = first()
    wait()
    after = (second or first)()
    return {file: state for file, state in before.items() if after.get(file) == state}
