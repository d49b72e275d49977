"""A small zone 1: rows that are easily followed, and one row a table with an identity planted in every column whose
values must not stand beyond zone 1."""

from datetime import UTC, date, datetime

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.schema import Column, load_schema, table_names
from tests.rows import fill

CHI = "0101031234"
DAY = date(2020, 1, 15)
CT = {
    "source": "/pacs", "modality": "CT", "year": 2020, "StudyInstanceUID": "1.2.1", "SeriesInstanceUID": "1.2.1.1",
    "PatientID": CHI, "PatientName": "Quernlock^Ann", "PatientBirthDate": date(1950, 1, 16), "PatientSex": "F",
    "StudyDate": DAY, "AccessionNumber": "ACC7", "StudyDescription": "CT Head w/o", "Manufacturer": "ACME",
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "PixelSpacing": [0.5, 0.5], "ImageType": ["ORIGINAL", "PRIMARY"],
}  # fmt: skip
IMAGES = [
    CT | {"SOPInstanceUID": "1.2.1.1.1", "path": "a"},
    CT | {"SOPInstanceUID": "1.2.1.1.2", "path": "b", "PatientID": "101031234",
          "SourceImageSeq_ReferencedSOPInstanceUID": ["1.2.1.1.1"]},
    CT | {"SOPInstanceUID": "1.2.1.2.1", "SeriesInstanceUID": "1.2.1.2", "path": "c", "modality": "OTHER", "year": 0,
          "StudyDescription": None},
    CT | {"SOPInstanceUID": "1.2.2.1.1", "SeriesInstanceUID": "1.2.2.1", "StudyInstanceUID": "1.2.2", "path": "d",
          "PatientID": "  "},
]  # fmt: skip
SMR02 = [
    {"EPISODE_RECORD_KEY": "E1", "UPI_NUMBER": CHI, "ADMISSION_DATE": date(2020, 1, 16), "DOB": date(1950, 1, 16),
     "BABY_CI_CHI_NUMBER_BABY_1": "101205678", "HBTREAT_CURRENTDATE": "S08000024", "path": "smr02.csv"},
]  # fmt: skip
DEATHS = [
    {"REGISTRATION_DISTRICT": "101", "YEAR_OF_REGISTRATION": 2021, "ENTRY_NUMBER": "7", "UPI_NUMBER": CHI,
     "DATE_OF_DEATH": date(2021, 3, 1), "AGE": 97, "POSTCODE": "NK01 0AA"},
]  # fmt: skip
PLACES = {"images": {"modality": "MR", "year": 2019}}
TABLES = ["images", *(name for name in table_names() if name.startswith("records/"))]
BORN = date(1931, 2, 3)
RUN = "20260101T000000.000000Z-0000"


def fill_zone_one(spark: SparkSession, config: Config) -> None:
    """Write every table of zone 1 that pseudonymise reads."""
    followed = {"images": IMAGES, "records/smr02": SMR02, "records/deaths": DEATHS}
    for table in TABLES:
        rows: list[dict[str, object]] = [*followed.get(table, []), _planted(table)]
        fill(spark, config, table, [{"run_id": RUN} | row for row in rows])


def planted_texts() -> list[str]:
    """Every text that identifies somebody in what ``fill_zone_one`` wrote."""
    texts = [_text(table, column.name) for table in TABLES for column in _hidden(table) if "string" in column.type]
    return [*texts, f"{BORN:%Y-%m-%d}", f"{BORN:%Y%m%d}", CHI, CHI[1:], "101205678", "Quernlock", "NK01 0AA"]


def _planted(table: str) -> dict[str, object]:
    return {column.name: _identity(table, column) for column in _hidden(table)} | PLACES.get(table, {})


def _hidden(table: str) -> list[Column]:
    shown = {"keep", "date", "age", "area"}
    columns = load_schema(table).in_zone("secure")
    return [column for column in columns if column.deidentify not in shown and column.name != "run_id"]


def _text(table: str, column: str) -> str:
    return f"Planted/{table}/{column}"


def _identity(table: str, column: Column) -> object:
    text = _text(table, column.name)
    if "struct" in column.type:
        return [tuple(text for _ in column.arrow_type.value_type)]
    planted: dict[str, object] = {
        "string": text,
        "array<string>": [text, text + "/2"],
        "date": BORN,
        "array<date>": [BORN],
        "int": 97,
        "timestamp": datetime(BORN.year, BORN.month, BORN.day, tzinfo=UTC),
    }
    return planted[column.type]
