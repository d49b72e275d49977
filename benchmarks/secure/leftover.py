"""What a run left in the tables of zone 1, by plain reads, and what is wrong with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

Rows = list[dict[str, Any]]
_OF_THE_RUN = (
    "run_id",
    "state_run_id",
    "listed_run_id",
    "first_seen",
    "valid_from",
    "quarantined_at",
)  # other each time
_KEYS = {"files": "path", "headers": "path", "images": "SOPInstanceUID"}


def look(spark: SparkSession, root: Path) -> dict[str, Rows]:
    """Every row of every table of zone 1 that has a commit, without nulls and without what names runs and times."""
    commits = {log.parent.parent for log in root.glob("secure/*/_delta_log/*.json")}
    found = {}
    for place in sorted(commits):
        rows = spark.read.format("delta").load(str(place)).drop(*_OF_THE_RUN).toArrow().to_pylist()
        found[place.name] = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return found


def faults(found: Mapping[str, Rows], source: Path, *, whole: bool = True) -> list[str]:
    """Files that are there twice or were never in the source; with ``whole``, those that lack too."""
    wrong = []
    paths = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    for name, key in _KEYS.items():
        counts = Counter(row[key] for row in found.get(name, ()))
        wrong += [f"{name} has {count} × {one}" for one, count in counts.items() if count > 1][:3]
        known = {row["path"] for row in found.get(name, ())}
        wrong += [f"{name} has {one}, which nobody wrote" for one in known - paths][:3]
        if whole and name != "images":
            wrong += [f"{name} lacks {one}" for one in paths - known][:3]
    return wrong


def differences(found: Mapping[str, Rows], expected: Mapping[str, Rows]) -> list[str]:
    """Tables, and rows in them, that only one of the two has; ``runs`` aside, which tells of runs."""
    wrong = [f"{name} is in one only" for name in sorted(found.keys() ^ expected.keys())]
    for name in sorted(found.keys() & expected.keys() - {"runs"}):
        ours, theirs = (Counter(map(repr, rows[name])) for rows in (found, expected))
        if ours != theirs:
            wrong.append(f"{name}: {(ours - theirs).total()} rows too many or other, {(theirs - ours).total()} lack")
    return wrong


def told(found: Mapping[str, Sequence[Any]]) -> str:
    """How many rows each table has."""
    return ", ".join(f"{name} {len(rows):,}" for name, rows in found.items() if rows) or "nothing"
