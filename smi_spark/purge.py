"""What a table says no longer: data files that go for good, and what its log told of them.

A vacuum keeps what the newest version needs and no other, and a table's log says least and greatest values of files
that are long gone. Here the caller says which files go, so that versions that do not need them stay readable.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from smi_spark import storage, tables
from smi_spark.errors import TableError
from smi_spark.objectstore import open_files
from smi_spark.tables import Table

DATA_FILE = "data_file"  # column: the file that a row lies in

_LOG = "_delta_log"
_PREDICATES = ("predicate", "matchedPredicates", "notMatchedPredicates", "notMatchedBySourcePredicates")


def files_beside(spark: SparkSession, target: Table, versions: Iterable[int]) -> list[str]:
    """The data files of the table that none of these versions needs, those that killed runs left among them."""
    needed = {_name(file) for version in versions for file in tables.read(spark, target, version).inputFiles()}
    return [path for path in _data_files(target) if _name(path) not in needed]


def check_whole(spark: SparkSession, source: Table, version: int) -> None:
    """That every data file of a version is still there: Delta notices those that are not when rows are read.

    Raises TableError where some are gone, or the log does not go back to the version.
    """
    needed = {_name(file) for file in tables.read(spark, source, version).inputFiles()}
    gone = needed.difference(_name(path) for path in _data_files(source))
    if gone:
        raise TableError(f"{source.name} has lost version {version}: {len(gone):,} of its files are no longer kept.")


def files_about(spark: SparkSession, target: Table, ids: DataFrame, columns: Iterable[str]) -> list[str]:
    """Those of the data files that the newest version does not need in which one of ``columns`` has one of ``ids``.

    ids: one column of texts, each once. Of each file these columns are read, and nothing else.
    """
    (name,) = ids.columns
    names = sorted(set(columns))

    def about(rows: DataFrame) -> DataFrame:
        texts = rows.select(DATA_FILE, F.explode(F.array(*names)).alias(name))
        return texts.join(F.broadcast(ids), name, "left_semi")

    return files_with(spark, target, names, about)


def files_with(
    spark: SparkSession, target: Table, columns: Iterable[str], meant: Callable[[DataFrame], DataFrame]
) -> list[str]:
    """Those of the data files that the newest version does not need in which rows are ``meant``.

    meant: of rows with ``columns`` (none by which the table is partitioned) and DATA_FILE, those that are, with
    DATA_FILE. Of each file these columns are read, and nothing else.
    """
    old = files_beside(spark, target, [tables.latest_version(spark, target)])
    if not old:
        return []
    kinds = target.schema.spark(target.zone)
    shape = StructType([kinds[name] for name in columns])
    rows = spark.read.schema(shape).parquet(*(_as_uri(target, path) for path in old))
    found = meant(rows.withColumn(DATA_FILE, F.col("_metadata.file_path"))).select(DATA_FILE).distinct()
    names = {_name(row[DATA_FILE]) for row in found.collect()}  # of files that are to go
    return [path for path in old if _name(path) in names]


def drop_files(spark: SparkSession, target: Table, paths: Iterable[str]) -> int:
    """Delete data files for good, and what the log told of them and of those that went before; gives their number."""
    system, _ = open_files(target.uri)
    count = 0
    for path in paths:
        _delete(system, path)
        count += 1
    _forget(spark, target, count)
    return count


def drop_old_files(spark: SparkSession, target: Table) -> int:
    """``drop_files`` of all that the newest version does not need."""
    return drop_files(spark, target, files_beside(spark, target, [tables.latest_version(spark, target)]))


def _forget(spark: SparkSession, target: Table, removed: int) -> None:
    """Let the log say nothing more of data files that are gone but that they were: statistics, conditions of merges.

    A checkpoint is made first, which knows of the files there are alone, and those before it go: a version behind them
    is found by the commits as long as these reach back to the first. Each commit that says too much is written anew,
    its other lines as they were: statistics are optional in Delta's protocol, and no version reads otherwise for it.
    Of ``.crc`` files, which are too, the newest stays. Where no file was ``removed`` and no commit says too much,
    nothing is done. The commits come last: they tell the next run that one was killed before.
    """
    system, root = open_files(f"{target.uri}/{_LOG}")
    present = {_name(path) for path in _data_files(target)}
    talking = [
        path for path in _log_files(system, root) if _commit(path) is not None and _mended(system, path, present)
    ]
    if not talking and not removed:
        return
    storage.checkpoint(spark, target)
    for path in _leftover(system, root):
        _delete(system, path)
    for path in talking:
        _rewrite(system, path, _mended(system, path, present))


def _data_files(target: Table) -> Iterator[str]:
    """Paths in the table's file system."""
    system, root = open_files(target.uri)
    for info in system.get_file_info(fs.FileSelector(root, recursive=True)):
        parts = info.path[len(root.rstrip("/")) + 1 :].split("/")
        if info.type == fs.FileType.File and not any(part.startswith(("_", ".")) for part in parts):
            yield str(info.path)


def _log_files(system: fs.FileSystem, root: str) -> list[str]:
    infos = system.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
    return sorted(str(info.path) for info in infos if info.type == fs.FileType.File)


def _commit(path: str) -> int | None:
    match = re.fullmatch(r"(\d{20})\.json", _name(path))
    return int(match[1]) if match else None


def _leftover(system: fs.FileSystem, root: str) -> list[str]:
    """Files of the log but commits and the newest of each kind: older checkpoints, with their parts, and checksums."""
    names = {path: _name(path) for path in _log_files(system, root)}
    commits = [number for path in names if (number := _commit(path)) is not None]
    made = [int(name[:20]) for name in names.values() if re.match(r"\d{20}\.checkpoint\.", name)]
    old = []
    for path, name in names.items():
        number = int(name[:20]) if re.match(r"\d{20}\.", name) else None
        if number is None:
            continue
        is_checkpoint = ".checkpoint." in name and made and number < max(made)
        is_checksum = name.endswith(".crc") and commits and number < max(commits)
        if is_checkpoint or is_checksum or name.endswith(".compacted.json"):
            old.append(path)
    return old


def _mended(system: fs.FileSystem, path: str, present: set[str]) -> str:
    """A commit that says nothing of files that are gone but their names; empty where it is so already."""
    with system.open_input_stream(path) as stream:
        text = bytes(stream.read()).decode()
    lines, changed = [], False
    for line in text.splitlines():
        action = json.loads(line)
        less = _says_less(action, present)
        changed = changed or less
        lines.append(json.dumps(action, separators=(",", ":"), ensure_ascii=False) if less else line)
    return "\n".join(lines) + "\n" if changed else ""


def _says_less(action: dict[str, Any], present: set[str]) -> bool:
    """Take out of an action what it need not say; whether there was anything."""
    less = False
    for kind in ("add", "remove"):
        file = action.get(kind, {})
        if file and _name(file["path"]) not in present:
            for told in ("stats", "tags"):
                less = file.pop(told, None) is not None or less
    parameters = action.get("commitInfo", {}).get("operationParameters", {})
    if action.get("commitInfo", {}).get("operation") == "MERGE":
        for name in _PREDICATES:
            if parameters.get(name) not in (None, "[]"):
                parameters[name], less = "[]", True
    return less


def _rewrite(system: fs.FileSystem, path: str, text: str) -> None:
    """A commit in its own place: at once, as a file that is cut short would end the table."""
    folder, _, name = path.rpartition("/")
    is_local = isinstance(system, fs.LocalFileSystem)
    place = f"{folder}/.{name}.tmp" if is_local else path  # an object is there once it is whole
    with system.open_output_stream(place) as stream:
        stream.write(text.encode())
    if is_local:
        _delete_if_there(system, f"{folder}/.{name}.crc")  # Hadoop's checksum of what was there
        system.move(place, path)


def _delete(system: fs.FileSystem, path: str) -> None:
    folder, _, name = path.rpartition("/")
    _delete_if_there(system, path)
    _delete_if_there(system, f"{folder}/.{name}.crc")


def _delete_if_there(system: fs.FileSystem, path: str) -> None:
    if system.get_file_info(path).type == fs.FileType.File:
        system.delete_file(path)


def _as_uri(target: Table, path: str) -> str:
    """A path of the table's file system as Spark reads it."""
    _, root = open_files(target.uri)
    return target.uri + path[len(root.rstrip("/")) :]


def _name(path: str) -> str:
    """The last part of a path: Spark gives each data file a name of its own."""
    return path.rpartition("/")[2]
