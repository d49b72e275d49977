"""Data files that queries opened, table by table, read off a session's event log."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILES, BYTES = "number of files read", "size of files read"  # what Spark calls them
_LOCATION = re.compile(r"\[file:[^,\]]+/((?:secure|deidentified|analysis)/[^,\]]+)")


def settings(folder: Path) -> dict[str, str]:
    """What a session needs to write its event log, one file, into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": str(folder),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
        "spark.sql.maxMetadataStringLength": "10000",  # a location is not cut
    }


def opened(folder: Path, begin: float, end: float, metric: str = FILES) -> Counter[str]:
    """Files opened by queries that began between two times (seconds since 1970), or their BYTES, by table:
    ``<zone>/<path>``. What lies in ``_delta_log`` counts for the table as ``<table> (log)``.
    """
    (log,) = folder.glob("[!.]*")
    events = [json.loads(row) for row in log.read_text(encoding="utf-8").splitlines()]
    during = {
        event["executionId"]
        for event in events
        if event["Event"].endswith("SQLExecutionStart") and begin <= event["time"] / 1000 <= end
    }
    tables: dict[int, str] = {}
    counts: dict[int, int] = {}
    for event in events:
        if event.get("executionId") not in during:
            continue
        if "sparkPlanInfo" in event:
            tables |= dict(_scans(event["sparkPlanInfo"], metric))
        for number, value in event.get("accumUpdates", ()):
            counts[number] = max(counts.get(number, 0), value)
    found: Counter[str] = Counter()
    for number, table in tables.items():
        found[table] += counts.get(number, 0)
    return found


def _scans(plan: dict[str, Any], metric: str) -> Iterator[tuple[int, str]]:
    """The numbers of the metrics that count files, and the table that each is of."""
    place = _LOCATION.search(plan.get("metadata", {}).get("Location", ""))
    if place:
        table, log, _ = place[1].partition("/_delta_log")
        name = f"{table} (log)" if log else table
        yield from ((one["accumulatorId"], name) for one in plan["metrics"] if one["name"] == metric)
    for child in plan["children"]:
        yield from _scans(child, metric)
