"""A dry run over a slice of five million images of an archive of a hundred million, as somebody runs it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from measures import line
from secure.ground import REPOSITORY, SETTINGS

from analysis.ground import NO_KEYS, Place
from analysis.opening import PROJECT
from smi_spark import tables

ARCHIVE, SLICE = 100_000_000, 5_000_000
QUESTION = {
    "cohort": "slice", "project": "demo", "question": "Which CTs of the head came after warfarin, before an admission?",
    "images": {"modality": "CT", "body_part": "head"},
    "records": {
        "required": [
            {"table": "prescribing", "codes": {"BNF": "0208020V0"}, "window": {"from": "-6 months", "until": "0 days"}},
            {"table": "smr01", "window": {"from": "1 day", "until": "3 months"}},
        ]
    },
}  # fmt: skip


def rehearsing(place: Place) -> list[str]:
    """The whole command, from Python's start to its end, on two cores; the slice is CT of the years that it takes."""
    config = place.archive(ARCHIVE)
    with place.ground.session({}) as spark:
        images = tables.read(spark, tables.table(config, "deidentified/images"))
        of_ct = images.where("modality = 'CT'").groupBy("year").count().orderBy("year").collect()
        years = dict(_years({row["year"]: row["count"] for row in of_ct}, place.ground.count(SLICE, 1)))
    folder = place.ground.place
    question = QUESTION["images"] | {"study_date": {"from": f"{min(years)}-01-01", "until": f"{max(years)}-12-31"}}
    (folder / "projects").mkdir(exist_ok=True)
    files = {
        "projects/demo.yaml": PROJECT,
        "slice.yaml": QUESTION | {"images": question},
        "config.yaml": {
            "root": config.root,
            "keys": NO_KEYS,
            "projects": str(folder / "projects"),
            "spark": _settings(folder),
        },
    }
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    start = time.perf_counter()
    command = [sys.executable, "jobs/build_cohort.py", "--config", str(folder / "config.yaml"), "--dry-run"]
    done = subprocess.run(  # noqa: S603
        [*command, "--cohort", str(folder / "slice.yaml")], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    return [
        "",
        f"dry run over {sum(years.values()):,} images, CT of {min(years)} to {max(years)}, "
        f"of an archive of {place.ground.count(ARCHIVE, 1_000):,}; local[2], driver 6g",
        *(f"  {row}" for row in done.stdout.splitlines()),
        line("seconds of the whole command", seconds, 60, "s", at_most=True),
    ]


def _years(counts: dict[int, int], wanted: int) -> Iterator[tuple[int, int]]:
    """The last years that have as many images as wanted, and how many each has."""
    found = 0
    for year, count in sorted(counts.items(), reverse=True):
        if found < wanted:
            yield year, count
        found += count


def _settings(folder: Path) -> dict[str, str]:
    return SETTINGS | {"spark.local.dir": str(folder / "spark"), "spark.sql.warehouse.dir": str(folder / "warehouse")}
