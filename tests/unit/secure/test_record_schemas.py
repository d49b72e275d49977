"""The record tables beside the facts: the official names of columns in BOXI and in the SMRA views."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from smi_spark.schema import load_schema, table_names
from smi_spark.secure.extracts import match_fields, record_columns

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_facts = pytest.mark.skipif(not DATA.is_dir(), reason="the facts of ../shared/data are not here")

RECORDS = [name for name in table_names() if name.startswith("records/")]

# Which table a dataset of BOXI goes to, and what its extracts need beside the columns of the facts: those have anon_chi
# where an extract has the CHI, and BOXI's deaths lack the key of the register.
BOXI = {
    "SMR00": ("smr00", ["Pat UPI [C]"]),
    "SMR01": ("smr01", ["Pat UPI [C]"]),
    "SMR02": ("smr02", ["Pat UPI [C]"]),
    "SMR04": ("smr04", ["Pat UPI [C]"]),
    "A&E2": ("ae", ["Pat UPI [C]"]),
    "NRS deaths": ("deaths", ["Pat UPI", "REGISTRATION_DISTRICT", "YEAR_OF_REGISTRATION", "ENTRY_NUMBER"]),
}
NO_TABLE = {"GP OOH", "CMH"}
# The same of SMRA: the facts have the columns that public analyses use, not all of a view.
SMRA = {
    "SMR00": ("smr00", ["EPISODE_RECORD_KEY"]),
    "SMR01": ("smr01", []),
    "SMR02": ("smr02", []),
    "SMR04": ("smr04", ["URI", "UPI_NUMBER", "ADMISSION_DATE"]),
    "SMR06": ("smr06", []),
    "NRS_DEATHS": ("deaths", []),
}
OTHER_CHI = {"CI_CHI_NUMBER", "CHI_NO", "CHI"}  # beside UPI_NUMBER in their views; an extract has one of both

# Headers that their table does not take, and why.
LEFT_OUT = {
    "anon_chi": "a pseudonym that is not ours",
    "Age at Midpoint of Financial Year": "age_at_event is the age at the event",
    "Age at Midpoint of Financial Year (01)": "age_at_event is the age at the event",
    "Age at Midpoint of Financial Year (04)": "age_at_event is the age at the event",
    "Clinic Date Fin Year": "a financial year",
    "Costs Financial Month Number (01)": "costs",
    "Costs Financial Month Number (04)": "costs",
    "Costs Financial Year": "costs",
    "Costs Financial Year (01)": "costs",
    "Costs Financial Year (04)": "costs",
    "Total Net Costs": "costs",
    "Total Net Costs (01)": "costs",
    "Total Net Costs (04)": "costs",
    "Line Number (01)": "bookkeeping",
    "DATE_RECORD_INSERTED": "bookkeeping; a row that was inserted anew would stand for another one",
}

# The beginnings of short names in the facts whose columns hold codes.
CODED = {r"(diag|adcon|deathdiag)\d": "ICD-10", r"op\d": "OPCS-4"}
# Dates that may be those of birth under another name.
BIRTH_LIKE = {"records/demography": {"DATE_FROM": "date_after_infancy"}}
BOXI_DATE = "%Y/%m/%d %H:%M:%S"  # how BOXI writes a date


def facts(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def boxi(dataset: str) -> list[dict[str, str]]:
    return [row for row in facts("phs_boxi_columns.csv") if row["dataset"] == dataset]


def columns_of(table: str, headers: list[str], others: list[str]) -> dict[str, str | None]:
    """Header → the column it fills, for an extract that has all of them at once."""
    header = [*headers, *others]
    return dict(zip(header, match_fields(load_schema(f"records/{table}"), header, "x.csv"), strict=True))


def untaken(filled: dict[str, str | None]) -> set[str]:
    return {header for header, column in filled.items() if column is None}


@needs_facts
def test_every_dataset_of_the_facts_is_read_or_known_to_have_no_table() -> None:
    assert {row["dataset"] for row in facts("phs_boxi_columns.csv")} == {*BOXI, *NO_TABLE}
    assert {row["dataset"] for row in facts("smra_view_columns_seen.csv")} == {*SMRA}


@needs_facts
@pytest.mark.parametrize("dataset", BOXI)
def test_a_boxi_extract_with_all_its_columns_is_read_but_for_those_left_out(dataset: str) -> None:
    table, others = BOXI[dataset]
    headers = [row["official_boxi_name"] for row in boxi(dataset)]

    assert untaken(columns_of(table, headers, others)) == {header for header in headers if header in LEFT_OUT}


@needs_facts
@pytest.mark.parametrize("dataset", SMRA)
def test_an_smra_view_with_all_its_columns_is_read_but_for_those_left_out(dataset: str) -> None:
    table, others = SMRA[dataset]
    headers = [row["column"] for row in facts("smra_view_columns_seen.csv") if row["dataset"] == dataset]
    one_chi = [header for header in headers if header not in OTHER_CHI]

    assert untaken(columns_of(table, one_chi, others)) == {header for header in headers if header in LEFT_OUT}


@needs_facts
def test_every_header_left_out_is_one_of_the_facts() -> None:
    boxi_names = {row["official_boxi_name"] for row in facts("phs_boxi_columns.csv")}
    smra_names = {row["column"] for row in facts("smra_view_columns_seen.csv")}
    assert set(LEFT_OUT) <= boxi_names | smra_names


@needs_facts
@pytest.mark.parametrize("dataset", BOXI)
def test_dates_of_boxi_are_dates_in_its_format_and_its_diagnoses_and_operations_are_coded(dataset: str) -> None:
    table, others = BOXI[dataset]
    rows = boxi(dataset)
    filled = columns_of(table, [row["official_boxi_name"] for row in rows], others)
    for row in rows:
        name = filled[row["official_boxi_name"]]
        if name is None:
            continue
        column = load_schema(f"records/{table}").column(name)
        assert (column.type == "date") == (row["type"] == "date"), name
        assert column.type != "date" or BOXI_DATE in column.formats, name
        codes = {system for start, system in CODED.items() if re.match(start, row["slf_short_name"])}
        assert {column.codes} - {None} == codes, name


@pytest.mark.parametrize(
    ("table", "header"),
    [("smr01", "CI_CHI_NUMBER"), ("smr06", "CHI_NO"), ("deaths", "CHI"), ("deaths", "Pat UPI"),
     ("prescribing", "Pat UPI [C]")],
)  # fmt: skip
def test_the_patient_goes_by_several_names(table: str, header: str) -> None:
    schema = load_schema(f"records/{table}")
    required = [column.name for column in schema.columns if column.required and column.name != "UPI_NUMBER"]

    assert columns_of(table, [header], required)[header] == "UPI_NUMBER"


@pytest.mark.parametrize("table", RECORDS)
def test_a_header_stands_for_one_column(table: str) -> None:
    names = Counter(
        name.casefold() for column in record_columns(load_schema(table)) for name in (column.name, *column.aliases)
    )
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("table", RECORDS)
def test_a_chi_becomes_a_pseudonym(table: str) -> None:
    schema = load_schema(table)
    actions = {
        column.name: column.deidentify
        for column in schema.columns
        if {"CHI", "UPI"} & set(column.name.split("_")) and column.name != schema.further_chi
    }
    assert "UPI_NUMBER" in actions
    assert set(actions.values()) == {"pseudonym"}


def test_three_babies_have_the_same_columns() -> None:
    names = {column.name for column in load_schema("records/smr02").columns}
    of_babies = [{name[:-1] for name in names if re.search(rf"_B(ABY_)?{baby}$", name)} for baby in (1, 2, 3)]

    assert of_babies[0] == of_babies[1] == of_babies[2]
    assert of_babies[0] == {
        "OUTCOME_OF_PREGNANCY_BABY_", "MODE_OF_DELIVERY_BABY_", "PRESENTATION_AT_DELIVERY_B", "BIRTHWEIGHT_BABY_",
        "APGAR_5_MINUTES_BABY_", "SEX_BABY_", "OFC_BABY_", "BABY_CI_CHI_NUMBER_BABY_",
    }  # fmt: skip


@pytest.mark.parametrize("table", RECORDS)
def test_neither_birth_nor_home_nor_practice_nor_who_cares_stands_beyond_zone_one(table: str) -> None:
    schema = load_schema(table)
    told = re.compile(r"DOB|DATE_OF_BIRTH|DR_POSTCODE|ZONE_\d|GP_PRACTICE|CONSULTANT|AGE_IN|AGE$")
    assert [column.name for column in schema.in_zone("deidentified") if told.search(column.name)] == []
    postcodes = {c.name: c.deidentify for c in schema.columns if c.name.startswith("POSTCODE")}
    assert set(postcodes.values()) == {"area"}
    assert schema.birth_date is not None
    assert schema.column(schema.birth_date).deidentify == "remove"


@pytest.mark.parametrize("table", RECORDS)
def test_dates_other_than_of_birth_go_on_as_dates_and_say_how_they_are_written(table: str) -> None:
    schema = load_schema(table)
    for column in schema.columns:
        if column.type == "date":
            birth = {str(schema.birth_date): "remove"} | BIRTH_LIKE.get(table, {})
            assert column.deidentify == birth.get(column.name, "date"), column.name
            assert column.formats, column.name


@pytest.mark.parametrize("table", RECORDS)
def test_a_row_has_a_key_a_patient_and_the_date_of_an_event(table: str) -> None:
    schema = load_schema(table)

    assert schema.patient == "UPI_NUMBER"
    assert schema.event_date is not None
    assert schema.column(schema.event_date).type == "date"
    assert schema.key
    for name in (*schema.key, schema.patient, schema.event_date):
        assert schema.column(name).required, name


@pytest.mark.parametrize("table", RECORDS)
def test_a_table_has_what_every_record_table_has(table: str) -> None:
    columns = load_schema(table).columns

    ours = [name for name in load_schema(table).key_beyond if name != "patient_id"]
    begin = [column.name for column in columns if column.from_zone == "deidentified"]
    assert sorted(begin) == sorted(["patient_id", "age_at_event", *ours])
    assert [(column.name, column.deidentify) for column in columns[-3:]] == [
        ("source", "remove"),
        ("path", "remove"),
        ("run_id", "remove"),
    ]
