import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

import smi_spark
from smi_spark.dicom import read_headers
from smi_spark.errors import InputError
from smi_spark.job import explain
from smi_spark.secure.header_functions import dicom_json, dicom_tag, dicom_variant
from tests.unit.dicom import oracle
from tests.unit.dicom.files import dataset, write

SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
WHOLE = (None, "no_study_instance_uid", "no_series_instance_uid", "no_sop_instance_uid")
TAGS = (
    "PatientName", "PatientID", "StudyDate", "StudyTime", "ImageType", "PixelSpacing", "SliceThickness", "Rows",
    "InstanceNumber", "FrameIncrementPointer", "ReferencedImageSequence.ReferencedSOPInstanceUID", "(0019,10BB)",
)  # fmt: skip


def stored(spark: SparkSession, paths: list[Path]) -> DataFrame:
    """The columns of ``secure/headers`` that the functions take, with each file's path and what was said of it."""
    read = read_headers(paths, {}, with_header=True)
    table = pa.Table.from_batches([read.select(["source", "reason", "header", "left_out"])])
    return spark.createDataFrame(table)


@pytest.fixture(scope="module")
def all_paths() -> list[Path]:
    return sorted(path for path in SHIPPED.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def everything(spark: SparkSession, all_paths: list[Path]) -> DataFrame:
    smi_spark.register(spark)
    headers = stored(spark, all_paths)
    headers.createOrReplaceTempView("shipped_headers")
    return headers


@pytest.fixture(scope="module")
def two(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    """One header that is whole, and one that lacks a value."""
    smi_spark.register(spark)
    place = tmp_path_factory.mktemp("two")
    long = dataset(EchoTime="5.50", SOPInstanceUID="2.25.2")
    long.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    long.add_new(0x00291010, "OB", bytes(6000))
    whole = dataset(EchoTime="4.5", PatientName="Müller^Ann", ImageType=["ORIGINAL", "PRIMARY"])
    whole.SpecificCharacterSet = "ISO_IR 192"
    headers = stored(spark, [write(place / "whole.dcm", whole), write(place / "long.dcm", long)])
    headers.createOrReplaceTempView("two_headers")
    return headers


def texts_by_pydicom(path: Path) -> list[str | None]:
    """The values of TAGS as text, by pydicom's own reading of bytes: backslashes between values, padding cut off."""
    columns = {tag: tag for tag in TAGS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        return [_text(ds, column.path) for column in oracle.plan_columns(columns)]


def _text(ds: Dataset, path: tuple[int, ...]) -> str | None:
    found = []
    for one in oracle._elements(ds, path):
        values = one.value if one.VM > 1 else [] if one.value is None else [one.value]
        found.append("\\".join(_written(value, one.VR) for value in values).strip(" \0"))
    return "\\".join(found) or None


def _written(value: Any, vr: str) -> str:
    if vr == "AT":
        return f"({value >> 16:04X},{value & 0xFFFF:04X})"
    text = getattr(value, "original_string", value) if vr in ("DS", "IS") else value
    return text.decode("latin-1") if isinstance(text, bytes) else str(text)


def test_elements_of_all_files_are_the_text_that_pydicom_reads(everything: DataFrame, all_paths: list[Path]) -> None:
    columns = [dicom_tag("header", tag, "left_out").alias(str(number)) for number, tag in enumerate(TAGS)]
    rows = everything.select("source", "reason", *columns).collect()
    wrong, agreed = [], 0
    for source, reason, *found in rows:
        if reason in WHOLE:
            expected = texts_by_pydicom(Path(source))
            wrong += [
                (Path(source).name, *both) for both in zip(TAGS, found, expected, strict=True) if both[1] != both[2]
            ]
            agreed += sum(text is not None for text in found)
    assert wrong == []
    assert agreed > 500


def expected_model(path: Path, left_out: set[str]) -> dict[str, Any]:
    """pydicom's JSON. The one normalisation: values that the stored header lacks have none, group lengths, which the
    standard forbids, are away, and what pydicom cannot convert is away.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        return normalised(json.loads(json.dumps(_convertible(ds))), left_out)


def _convertible(ds: Dataset) -> dict[str, Any]:
    found = {}
    for tag in ds.keys():  # noqa: SIM118  # a data set iterates over its elements
        try:
            found[f"{tag:08X}"] = ds[tag].to_json_dict(None, 0)
        except Exception:
            continue
    return found


def normalised(model: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    return {tag: _normalised(tag, one, left_out) for tag, one in model.items() if not tag.endswith("0000")}


def _normalised(tag: str, element: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    if element["vr"] == "SQ":
        return {"vr": "SQ", "Value": [normalised(item, left_out) for item in element["Value"]]}
    long = len(json.dumps(element)) > 4096
    return {"vr": element["vr"]} if long and f"({tag[:4]},{tag[4:]})" in left_out else element


def test_all_files_have_the_json_that_pydicom_gives(spark: SparkSession, everything: DataFrame) -> None:
    rows = spark.sql("SELECT source, reason, left_out, dicom_json(header, left_out) FROM shipped_headers").collect()
    compared = elements = 0
    for source, reason, left_out, text in rows:
        if reason not in WHOLE:
            continue
        found = json.loads(text)
        expected = expected_model(Path(source), {gap["tag"] for gap in left_out})
        unconverted = {tag for tag in found if tag not in expected and found[tag]["vr"] == "UN"}
        assert {tag: one for tag, one in found.items() if tag not in unconverted} == expected, source
        assert list(found) == sorted(found)
        compared, elements = compared + 1, elements + len(found)
    assert compared > 60
    assert elements > 3000


def test_the_functions_in_sql_with_and_without_what_was_left_out(spark: SparkSession, two: DataFrame) -> None:
    path = "$.00180081.Value[0]"
    asked = f"""
        SELECT dicom_tag(header, 'EchoTime', left_out) AS text,
               dicom_tag(header, 'EchoTime') AS short,
               get_json_object(dicom_json(header), '{path}') AS json,
               variant_get(dicom_variant(header), '{path}', 'double') AS number,
               variant_get(dicom_variant(header, left_out), '$.00100010.Value[0].Alphabetic', 'string') AS name
        FROM two_headers WHERE size(left_out) = 0"""
    assert [tuple(row) for row in spark.sql(asked).collect()] == [("4.5", "4.5", "4.5", 4.5, "Müller^Ann")]
    smi_spark.register(spark)  # again


def test_the_functions_as_columns(two: DataFrame) -> None:
    number = dicom_variant("header", two["left_out"])
    rows = two.select(
        dicom_tag("header", "EchoTime", "left_out"),
        dicom_tag(two["header"], "ImageType", two["left_out"]),
        dicom_json("header", "left_out").alias("json"),
        number.cast("string").alias("variant"),
    ).collect()
    assert [tuple(row)[:2] for row in rows] == [("4.5", "ORIGINAL\\PRIMARY"), ("5.50", None)]
    assert [json.loads(row["json"]) for row in rows] == [json.loads(row["variant"]) for row in rows]
    assert json.loads(rows[1]["json"])["00291010"] == {"vr": "OB"}


def said(run: Callable[[], object]) -> str:
    """What a user reads of a query that fails."""
    with pytest.raises(PySparkException) as failed:
        run()
    return explain(failed.value)[0]


@pytest.mark.parametrize("function", ["dicom_tag(header, 'EchoTime')", "dicom_json(header)", "dicom_variant(header)"])
def test_a_header_that_lacks_values_needs_to_know_which(spark: SparkSession, two: DataFrame, function: str) -> None:
    message = said(lambda: spark.sql(f"SELECT {function} FROM two_headers").collect())
    assert message.startswith("1 of ")
    assert "headers lack values that were left out when they were stored, and it was not said which" in message
    assert "Give the column left_out as the last argument: dicom_" in message


def test_a_wrong_keyword_is_named_with_the_nearest(spark: SparkSession, two: DataFrame) -> None:
    with pytest.raises(InputError, match=r"EchoTme is not a DICOM keyword.*Did you mean EchoTime"):
        dicom_tag("header", "EchoTme")
    message = said(lambda: spark.sql("SELECT dicom_tag(header, 'EchoTme', left_out) FROM two_headers").collect())
    assert message.endswith("Did you mean EchoTime?")
    with pytest.raises(InputError, match="has the value representation SQ"):
        dicom_tag("header", "ReferencedImageSequence")


def test_each_row_may_ask_for_another_element(spark: SparkSession, two: DataFrame) -> None:
    asked = (
        "SELECT dicom_tag(header, IF(size(left_out) = 0, 'PatientName', 'SOPInstanceUID'), left_out) FROM two_headers"
    )
    assert [row[0] for row in spark.sql(asked).collect()] == ["Müller^Ann", "2.25.2"]


def test_no_header_is_null(spark: SparkSession, two: DataFrame) -> None:
    functions = "dicom_tag(header, 'EchoTime'), dicom_json(header), dicom_variant(header)"
    asked = (
        f"SELECT {functions} FROM VALUES (CAST(NULL AS BINARY)), (X'00'), (CAST('no header' AS BINARY)) AS t(header)"
    )
    assert [tuple(row) for row in spark.sql(asked).collect()] == [(None, None, None)] * 3
