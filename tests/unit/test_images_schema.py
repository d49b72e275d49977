"""The columns of images beside the facts: SMI's own tables, and the profile of PS3.15."""

import csv
import json
from pathlib import Path

import pytest
from pydicom.datadict import tag_for_keyword

from smi_spark.schema import load_schema

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the facts of ../shared/data are not here")

# SMI's columns that are no columns of ours, and why.
NOT_OURS = {
    "DicomFileSize": "SMI's own: the size is in secure/headers",
    "MessageGuid": "SMI's own: a message of its queues",
    "RelativeFileArchiveURI": "SMI's own: here it is path",
    "ProcedureCodeSequence": "a whole sequence as text; its codes are ProcedureCodeSequence_CodeValue",
    "WaveformSequence": "a whole sequence as text; what describes it is in columns",
}
# Names that SMI's templates misspell.
SLIPS = {
    "FilterThinknessMinimum": "FilterThicknessMinimum",
    "ExposureInMAs": "ExposureInmAs",
    "ExposureTimeinMs": "ExposureTimeInms",
    "XRayTubeCurrentInMs": "XRayTubeCurrentInmA",
}
PROFILE = "dicom_ps3.15_table_E.1-1_2024b_innolitics.json"
# What zone 2 retains: device identity, patient characteristics, full dates.
OPTIONS = ("rtnDevIdOpt", "rtnPatCharsOpt", "rtnLongFullDatesOpt")


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_column_of_smi_is_a_column_or_has_a_reason_not_to_be() -> None:
    columns = load_schema("images").columns
    names, tags = {column.name for column in columns}, {column.tag for column in columns}
    nested = {row["column"]: row["tag_path"].replace(">", ".") for row in rows("smi_nested_columns.csv")}
    wanted = {SLIPS.get(row["column"], row["column"]) for row in rows("smi_table_columns.csv")} - set(NOT_OURS)
    assert sorted(name for name in wanted if name not in names and nested.get(name) not in tags) == []
    assert sorted(name for name, path in nested.items() if path not in tags) == []


def test_zone_2_is_at_least_as_strict_as_the_profile_with_its_options() -> None:
    profile = {row["id"]: row for row in json.loads((DATA / PROFILE).read_text(encoding="utf-8"))}
    kept = []
    for column in load_schema("images").columns:
        if column.tag is None or column.deidentify != "keep":
            continue
        row = profile.get(f"{tag_for_keyword(column.tag.split('.')[-1]):08X}")
        if row is not None and not any(row.get(option) in ("K", "C") for option in OPTIONS):
            kept.append(f"{column.name}: {row['basicProfile']}")
    assert kept == []
