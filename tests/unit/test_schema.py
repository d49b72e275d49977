import re
from pathlib import Path

import pyarrow as pa
import pytest
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pyspark.sql.types import DateType, LongType

from smi_spark.errors import ConfigError
from smi_spark.schema import load_schema, parse_type, read_schema, table_names

TABLE = """
table: scans
zone: secure
meaning: For this test.
key: [uid]
columns:
  - {name: uid, type: string, deidentify: uid, meaning: Key}
  - {name: name, type: string, deidentify: remove, meaning: Name}
  - {name: patient_id, type: string, from_zone: deidentified, meaning: Pseudonym}
"""
BY_VR = {"DA": "date", **dict.fromkeys(("DS", "FD", "FL"), "double"), **dict.fromkeys(("IS", "US", "UL", "SS"), "long")}


def written(folder: Path, text: str) -> Path:
    file = folder / "scans.yaml"
    file.write_text(text)
    return file


def test_a_zone_has_what_the_schema_lets_through(tmp_path: Path) -> None:
    schema = read_schema(written(tmp_path, TABLE))

    assert schema.arrow("secure").names == ["uid", "name"]
    assert schema.arrow("deidentified").names == ["uid", "patient_id"]
    assert schema.arrow("analysis").names == ["uid", "patient_id"]


@pytest.mark.parametrize(
    ("text", "arrow"),
    [
        ("string", pa.string()),
        ("date", pa.date32()),
        ("array<double>", pa.list_(pa.field("element", pa.float64()))),
        ("array<struct<tag:string,offset:long>>",
         pa.list_(pa.field("element", pa.struct({"tag": pa.string(), "offset": pa.int64()})))),
        ("struct<name:string,parts:array<long>>",
         pa.struct({"name": pa.string(), "parts": pa.list_(pa.field("element", pa.int64()))})),
    ],
)  # fmt: skip
def test_a_type_is_written_as_spark_writes_it(text: str, arrow: pa.DataType) -> None:
    assert parse_type(text) == arrow


def test_spark_gets_each_columns_type_and_meaning() -> None:
    fields = {field.name: field for field in load_schema("images").spark("secure")}

    assert fields["StudyDate"].dataType == DateType()
    assert fields["Rows"].dataType == LongType()
    assert fields["Rows"].metadata == {"comment": "Rows (0028,0010)"}


def test_every_column_of_images_has_the_type_of_its_element() -> None:
    for name, path in load_schema("images").tags().items():
        keyword = path.split(".")[-1]
        column = load_schema("images").column(name)
        tag = tag_for_keyword(keyword)
        assert tag is not None, f"{path} is not a DICOM keyword"
        plain = BY_VR.get(dictionary_VR(tag), "string")
        several = dictionary_VM(tag) != "1" or "." in path
        assert column.type == (f"array<{plain}>" if several else plain), name


def test_patient_id_stands_for_the_patient_beyond_zone_one() -> None:
    columns = {column.name for column in load_schema("records/smr02").in_zone("deidentified")}

    assert columns & {"UPI_NUMBER", "patient_id", "BABY_CI_CHI_NUMBER_BABY_1"} == {
        "patient_id",
        "BABY_CI_CHI_NUMBER_BABY_1",
    }


def test_nothing_that_names_a_patient_stands_beyond_zone_one() -> None:
    beyond = {column.name for column in load_schema("images").in_zone("deidentified")}
    assert beyond.isdisjoint({"PatientName", "PatientBirthDate", "StudyID", "InstitutionName", "path"})


def test_no_year_or_month_goes_on_beside_the_date_that_it_is_of() -> None:
    tables = [load_schema(name) for name in table_names() if name.startswith("records/")]
    beyond = [column for schema in tables for column in schema.in_zone("analysis") if column.type == "int"]
    years = {column.name: column.year_of for column in beyond if re.search("YEAR|MONTH", column.name)}
    assert years == {"YEAR_OF_REGISTRATION": "DATE_OF_REGISTRATION"}


@pytest.mark.parametrize("name", table_names())
def test_every_schema_reads_and_has_its_keys_in_its_zone(name: str) -> None:
    schema = load_schema(name)
    assert set(schema.key) <= set(schema.arrow().names)
    for zone in schema.zones[1:]:
        assert set(schema.key_in(zone)) <= set(schema.arrow(zone).names)


def test_a_table_without_a_schema_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        load_schema("records/smr1")
    assert str(caught.value).endswith("Did you mean records/smr01?")


def test_a_column_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        load_schema("links").column("paths")
    assert str(caught.value) == (
        "schemas/links.yaml: paths is not a column. Columns here: SOPInstanceUID, original_sop_instance_uid, source, "
        "path, image_run_id, key_id, run_id. Did you mean path?"
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: name", "name: UID", "uid stands twice. Spark does not tell capitals apart: rename one."),
        ("type: string, deidentify: uid", "type: text, deidentify: uid",
         "text is not a type. Types here: string, int, long, double, date, timestamp, boolean, binary, array<…>, "
         "struct<…>."),
        ("type: string, deidentify: uid", "type: long, deidentify: text",
         "uid is long; deidentify: text is for string. Write remove."),
        ("deidentify: remove", "deidentify: drop",
         "columns[1].deidentify: Input should be 'keep', 'remove', 'pseudonym', 'uid', 'accession', 'date', "
         "'date_after_infancy', 'age', 'area' or 'text'. Given: 'drop'. It is: what zone 2 holds of it."),
        ("key: [uid]", "key: [id]", "id is not a column. Columns here: uid, name, patient_id. Did you mean uid?"),
    ],
)  # fmt: skip
def test_a_wrong_schema_is_refused_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_schema(written(tmp_path, TABLE.replace(old, new, 1)))
    assert str(caught.value).split(": ", 1)[1] == told
