"""A cohort of head CT, built again and again while its inputs and its project move, for tests of builds."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from smi_spark import storage, tables
from smi_spark.analysis.build import Built, build_cohort
from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.registry import TERMS
from smi_spark.config import Config, KeySource
from tests.conftest import make_config
from tests.projects import LONG, LUNG, with_projects
from tests.rows import frame

SCAN = date(2020, 1, 3)
QUESTION: dict[str, Any] = {
    "cohort": "head_ct",
    "project": "demo",
    "question": "Head CT, then admitted?",
    "images": {"modality": "CT", "body_part": "head"},
    "records": {"required": [{"table": "smr01", "window": {"from": "1 day", "until": "3 months"}}]},
    "deliver": {"records": {"smr01": {"from": "-1 month", "until": "3 months"}, "deaths": {}}},
}


def definition() -> Definition:
    return read_definition(QUESTION, "test.yaml")


def soon_admitted() -> Definition:
    late = {"table": "smr01", "window": {"from": "2 months", "until": "3 months"}}
    columns = {"smr01": {"from": "1 day", "columns": ["ADMISSION_DATE", "MAIN_CONDITION"]}}
    records = {**QUESTION["records"], "excluded": [late]}
    further = {"records": records, "deliver": {"records": columns}, "hold_out": 0.5}
    return read_definition({**QUESTION, **further}, "test.yaml")


PROJECT = LUNG | LONG | {"project": "demo", "modalities": "CT", "records": ["smr01", "smr06", "deaths"]}
PROJECT |= {"licence": "For the study named in approval 2026-017 alone."}
# As in the project's own profile, but for patient characteristics and exceptions.
STRICT = "profile: strict\nmeaning: Dates alone.\noptions: [retain_modified_dates]\n"


def image(number: int, patient: str, day: date | None, modality: str = "CT", **values: object) -> dict[str, object]:
    study = f"{patient}-{modality}"
    return {
        "SOPInstanceUID": f"2.25.{number}", "SeriesInstanceUID": f"{study}-1", "StudyInstanceUID": study,
        "AccessionNumber": f"accession of {study}", "patient_id": patient, "StudyDate": day, "ContentDate": day,
        "modality": modality, "year": day.year if day else 0, "body_part_label": "head", "PatientSex": "F",
        "age_at_study": 50, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", **values,
    }  # fmt: skip


def fill_zone_2(spark: SparkSession, config: Config) -> None:
    images = [
        image(1, "ann", SCAN, RefImageSeq_ReferencedSOPInstanceUID=["2.25.2"]),
        image(2, "ann", SCAN),
        image(3, "bob", SCAN),
        image(4, "cat", SCAN, "MR"),
        image(5, "dan", SCAN, PatientSex="M"),
    ]
    admissions = [
        {"URI": uri, "patient_id": who, "ADMISSION_DATE": day}
        for uri, who, day in (
            ("u1", "ann", date(2020, 1, 10)),
            ("u2", "ann", date(2019, 12, 25)),
            ("u3", "ann", date(2015, 1, 1)),
            ("u4", "dan", date(2020, 4, 3)),
            ("u5", "bob", SCAN),
            ("u6", "cat", date(2020, 1, 10)),
        )
    ]
    deaths = [{"ENTRY_NUMBER": who, "patient_id": who, "DATE_OF_DEATH": date(2021, 1, 1)} for who in ("ann", "bob")]
    for name, rows in (("images", images), ("records/smr01", admissions), ("records/deaths", deaths)):
        target = tables.table(config, f"deidentified/{name}")
        tables.append(frame(spark, name, rows, "deidentified"), target)


def make_older_registry(spark: SparkSession, config: Config) -> None:
    """A registry from before there were approvals, with a row."""
    whole = tables.table(config, "analysis/cohorts")
    later = (*TERMS, "approval_reference", "built_by", "columns", "rebuilds")
    columns = tuple(column for column in whole.schema.columns if column.name not in later)
    target = replace(whole, schema=whole.schema.model_copy(update={"columns": columns}))
    row = {"project": "demo", "cohort": "older", "version": 1, "built_at": datetime(2026, 1, 1, tzinfo=UTC)}
    values = tuple((row | {"tables": [], "inputs": [], "attrition": []}).get(name) for name in target.columns)
    tables.append(spark.createDataFrame([values], target.schema.spark("analysis")), target)


def files_below(root: str) -> set[str]:
    return {str(path.relative_to(root)) for path in Path(root).rglob("*") if path.is_file()}


@dataclass(frozen=True)
class Story:
    """One installation: a dry run, a build killed before its row, one that ends, the same again after an input was
    maintained, another definition, and that one again after an input has moved."""

    config: Config
    dry: Built
    files_after_dry: set[str]
    first: Built
    first_files: dict[str, bytes]
    again: Built
    files_added_by_again: set[str]
    other: Built
    moved: Built


def build_again_and_again(spark: SparkSession, place: Path) -> Story:
    """The story, told in the folder ``place``. Small counts are shown of the first build alone."""
    config = with_projects(make_config(place), place / "projects", PROJECT)
    keys = config.keys.model_copy(update={"archive": KeySource(env="SMI_SPARK_NO_KEY")})
    config = config.model_copy(
        update={"operator": "A. Coordinator", "keys": keys, "secure": "/proc/none"}
    )  # nothing of zone 1 is needed to build
    fill_zone_2(spark, config)
    make_older_registry(spark, config)
    before = files_below(config.root)
    dry = build_cohort(spark, config, definition(), dry_run=True)
    files_after_dry = files_below(config.root) - before
    with_projects(config, place / "projects", PROJECT | {"minimum_cell": 1})
    leftover = tables.table(config, "analysis/demo/head_ct/images", schema="images")
    tables.replace(frame(spark, "images", [image(99, "left by a killed build", SCAN)], "analysis"), leftover)
    first = build_cohort(spark, config, definition())
    analysis = Path(config.zone("analysis"))
    first_files = {name: (analysis / name).read_bytes() for name in files_below(str(analysis))}
    maintained = tables.table(config, "deidentified/images")
    storage.rewrite_sorted(spark, maintained, "modality = 'CT' AND year = 2020", 1, ["SOPInstanceUID"])
    again = build_cohort(spark, config, definition())
    added = files_below(str(analysis)) - set(first_files)
    (place / "strict.yaml").write_text(STRICT)
    with_projects(config, place / "projects", {**PROJECT, "dates": "truncate", "profile": str(place / "strict.yaml")})
    other = build_cohort(spark, config, soon_admitted())
    nothing_asked_for = frame(spark, "images", [image(9, "zoe", None, "MR")], "deidentified")
    tables.append(nothing_asked_for, tables.table(config, "deidentified/images"))
    moved = build_cohort(spark, config, soon_admitted())
    return Story(config, dry, files_after_dry, first, first_files, again, added, other, moved)
