"""The columns of images beside the facts: SMI's own tables, and DICOM's dictionary."""

import csv
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_description, tag_for_keyword

from smi_spark.schema import load_schema
from smi_spark.secure.partitions import MODALITIES, OTHER
from smi_spark.secure.views import columns_of

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_facts = pytest.mark.skipif(not DATA.is_dir(), reason="the facts of ../shared/data are not here")

# SMI's columns that are no columns of ours, and why.
NOT_OURS = {
    "MessageGuid": "SMI's own: a message of its queues",
    "ProcedureCodeSequence": "a whole sequence as text; its codes are ProcedureCodeSequence_CodeValue",
    "WaveformSequence": "a whole sequence as text; what describes it is in columns",
}
# Names that are others here: ours for what is no element of DICOM, and those that SMI's templates misspell.
NAMES = {
    "Modality": "modality_as_written",
    "DicomFileSize": "file_size",
    "RelativeFileArchiveURI": "path",
    "FilterThinknessMinimum": "FilterThicknessMinimum",
    "ExposureInMAs": "ExposureInmAs",
    "ExposureTimeinMs": "ExposureTimeInms",
    "XRayTubeCurrentInMs": "XRayTubeCurrentInmA",
}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# In SMI's table of US series, where they were copied from MR's.
COPIED = {"MRAcquisitionType", "AngioFlag", "MagneticFieldStrength", "TransmitCoilName"}


@needs_facts
def test_each_modality_has_every_column_that_smi_keeps_for_it() -> None:
    kept = {
        (OTHER if row["modality"] == "ECG" else row["modality"], NAMES.get(row["column"], row["column"]))
        for row in rows("smi_table_columns.csv")
        if row["column"] not in NOT_OURS
    } - {("US", name) for name in COPIED}
    ours = {(modality, name) for modality in (*MODALITIES, OTHER) for name in columns_of(modality, "secure")}
    assert sorted(kept - ours) == []


@needs_facts
def test_columns_from_inside_sequences_have_the_paths_of_smi() -> None:
    paths = {row["column"]: row["tag_path"].replace(">", ".") for row in rows("smi_nested_columns.csv")}
    assert {name: tag for name, tag in load_schema("images").tags().items() if name in paths} == paths


def test_a_view_has_no_columns_of_other_modalities() -> None:
    assert COPIED.isdisjoint(columns_of("US", "secure"))
    assert {"EchoTime", "MagneticFieldStrength"} <= set(columns_of("MR", "secure")) - set(columns_of("CT", "secure"))
    assert columns_of("CR", "secure") == columns_of("DX", "secure")
    assert columns_of("RF", "secure") == columns_of("XA", "secure")
    assert set(columns_of("MR", "deidentified")).isdisjoint({"PatientID", "StudyID", "path"})


def test_modalities_of_columns_are_those_that_partitions_know() -> None:
    named = {modality for column in load_schema("images").columns for modality in column.modalities}
    assert named == {*MODALITIES, OTHER}


def test_a_meaning_begins_with_the_elements_name_and_tag() -> None:
    for name, path in load_schema("images").tags().items():
        tag = tag_for_keyword(path.split(".")[-1])
        assert tag is not None, path
        described = f"{dictionary_description(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
        assert load_schema("images").column(name).meaning.startswith(described)
