"""What the demonstration ends by printing: what was read, what was not and why, cohorts, tables, what to try next."""

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.reasons import REMEDIES, Reason
from smi_spark.schema import record_tables

COHORT = "head_ct_after_drug_then_admitted"


def report(
    spark: SparkSession,
    config: Config,
    linkage: str,
    cohorts: Sequence[str],
    before: Mapping[str, int],
    given: Sequence[str],
    seconds: str,
) -> str:
    """The closing text of a demonstration: ``linkage`` and ``cohorts`` are what these jobs printed, ``before`` the
    tables' versions before it, ``given`` its arguments.
    """
    parts = [
        _part("Read", _read(spark, config)),
        _part("Linked, by table, modality and year in secure/linkage", _of_images(linkage)),
        _part("Quarantined, in secure/quarantine", quarantined(tables.read(spark, _secure(config, "quarantine")))),
        _part("Cohorts, in analysis/cohorts", "\n\n".join(map(_headed, cohorts))),
        _part("Tables", places(Path(config.root), before)),
        _part("Try next", _next(given)),
    ]
    return "\n\n".join(["", *parts, seconds])


def lined(rows: Sequence[Sequence[object]]) -> str:
    """Rows as lines of columns that stand under each other, numbers to the right."""
    widths = [max(len(_cell(value)) for value in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            f"{_cell(value):>{width}}" if isinstance(value, int) else f"{_cell(value):<{width}}"
            for value, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def quarantined(quarantine: DataFrame) -> str:
    """How much stands in quarantine for each table and reason, and what to do about it."""
    counts = quarantine.groupBy("table", "reason").count().orderBy("table", "reason").collect()
    rows = [(row["count"], row["table"], row["reason"], REMEDIES[Reason(row["reason"])]) for row in counts]
    return lined(rows) if rows else "nothing"


def places(root: Path, before: Mapping[str, int]) -> str:
    """Where each Delta table is, its version, and what became of the versions ``before``."""
    after = tables.versions_below(root)
    rows = [(name, "version", version, f"was {before[name]}" if before.get(name, version) != version else "")
            for name, version in after.items()]  # fmt: skip
    return f"in {root}:\n{lined(rows)}\n{_changes(before, after)}"


def _changes(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    if not before:
        return f"{len(after)} tables made; run it again, and none of them changes"
    changed = [name for name, version in after.items() if before.get(name) != version]
    if changed:
        return f"{len(changed)} of {len(after)} tables have a new version: {', '.join(changed)}"
    return f"nothing new: all {len(after)} tables have the same versions as before"


def _read(spark: SparkSession, config: Config) -> str:
    headers = tables.read(spark, _secure(config, "headers"))
    files = headers.groupBy("source").agg(F.count("*"), F.sum("size"), F.sum("bytes_read")).orderBy("source").collect()
    images = tables.read(spark, _secure(config, "images")).groupBy("modality").agg(
        F.count("*"), F.count_distinct("StudyInstanceUID"), F.count_distinct("PatientID")
    )  # fmt: skip
    lines = [f"{count:,} files in {source}: {read:,} of {size:,} bytes" for source, count, size, read in files]
    lines.append(lined([("", "images", "studies", "patients"), *map(tuple, images.orderBy("modality").collect())]))
    lines.append(lined([(name, rows, "rows") for name, rows in _records(spark, config)]))
    return "\n".join(lines)


def _records(spark: SparkSession, config: Config) -> list[tuple[str, int]]:
    names = [f"records/{name}" for name in record_tables()]
    counts = [
        tables.read_or_empty(spark, _secure(config, name)).agg(F.lit(name).alias("name"), F.count("*").alias("rows"))
        for name in names
    ]
    return [(row["name"], row["rows"]) for row in reduce(DataFrame.unionByName, counts).orderBy("name").collect()]


def _of_images(linkage: str) -> str:
    """What report_linkage printed of images."""
    return next(line for line in linkage.splitlines() if line.startswith("images:"))


def _headed(built: str) -> str:
    """What build_cohort printed, its last line first."""
    *attrition, outcome = built.splitlines()
    return "\n".join([outcome, *attrition])


def _next(given: Sequence[str]) -> str:
    build = f"python jobs/build_cohort.py {' '.join(given)} --cohort conf/cohorts/{COHORT}.yaml --dry-run"
    return "\n".join(["source .venv/bin/activate", build, "jupyter execute --inplace notebooks/explore_cohort.ipynb"])


def _secure(config: Config, name: str) -> tables.Table:
    return tables.table(config, f"secure/{name}")


def _part(title: str, text: str) -> str:
    indented = "\n".join(f"  {line}".rstrip() for line in text.splitlines())
    return f"{title}\n{indented}"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
