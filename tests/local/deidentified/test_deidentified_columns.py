"""What column functions of zone 2 make of values, each in a row of its own beside what is expected."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from chispa import assert_column_equality, assert_df_equality
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pyspark.errors import PySparkException
from pyspark.serializers import CloudPickleSerializer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark.config import Config
from smi_spark.deidentified.actions import deidentify, postcode_area
from smi_spark.deidentified.dates import (
    POLICIES,
    age_in_years,
    capped_age,
    mover,
    shift_weeks,
    with_policy,
    with_shift_days,
    years_of_age_string,
)
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.profile import Profile, Replacements, apply, for_patient
from smi_spark.deidentified.pseudonyms import (
    in_worker,
    map_distinct,
    pseudonym,
    pseudonymise,
    pseudonymous_uid,
)
from smi_spark.deidentified.swappers import Keyed
from smi_spark.job import explain
from smi_spark.schema import load_schema
from smi_spark.secure.chi import identity_fault, ids_in, patient_identity
from tests.rows import frame

BLANKS = " \0"


def test_ages_turn_on_the_birthday(spark: SparkSession) -> None:
    rows = [
        (date(1950, 5, 5), date(2020, 5, 4), 69),
        (date(1950, 5, 5), date(2020, 5, 5), 70),
        (date(2000, 2, 29), date(2023, 2, 28), 22),
        (date(2000, 2, 29), date(2023, 3, 1), 23),
        (date(2000, 2, 29), date(2024, 2, 29), 24),
        (date(2020, 1, 1), date(2020, 1, 1), 0),
        (date(2020, 1, 2), date(2020, 1, 1), None),
        (None, date(2020, 1, 1), None),
        (date(2020, 1, 2), None, None),
    ]
    df = spark.createDataFrame(rows, "birth date, event date, expected int")
    assert_column_equality(df.withColumn("age", age_in_years(F.col("birth"), F.col("event"))), "age", "expected")


def test_ages_are_capped_at_90(spark: SparkSession) -> None:
    df = spark.createDataFrame([(89, 89), (90, 90), (91, 90), (104, 90), (0, 0), (None, None)], "age int, expected int")
    assert_column_equality(df.withColumn("capped", capped_age(F.col("age"))), "capped", "expected")


def test_dicom_ages_are_whole_years(spark: SparkSession) -> None:
    rows = [
        ("045Y", 45), (" 045Y ", 45), ("018M", 1), ("024M", 2), ("003W", 0), ("053W", 1), ("010D", 0), ("366D", 1),
        ("45Y", None), ("045", None), ("045y", None), ("ABCY", None), ("", None), (None, None),
    ]  # fmt: skip
    df = spark.createDataFrame(rows, "text string, expected int")
    assert_column_equality(df.withColumn("age", years_of_age_string(F.col("text"))), "age", "expected")


CHI, ZEROS = "0101031234", "0000000000"
NOBODY, DEFAULT, TWO = "no_patient_id", "default_patient_id", "two_patient_ids"
IDS = [
    # raw                      identity       why there is none
    ("0101031234",             CHI,           None),
    ("101031234",              CHI,           None),
    (" 0101031234 ",           CHI,           None),
    ("0101031234\n",           CHI,           None),
    ("010103 1234",            CHI,           None),
    ("0101031234\0",           CHI,           None),
    ("12345678",               "12345678",    None),
    (" MRN 77",                "MRN 77",      None),
    ("A\\A",                   "A",           None),
    ("MRN 77 \\MRN 77\\",      "MRN 77",      None),
    ("0101031234\\101031234 ", CHI,           None),
    ("\\010103 1234\\ ",       CHI,           None),
    ("A\\B",                   None,          TWO),
    ("0101031234\\MRN 77",     None,          TWO),
    ("0101031234\\0101031235", None,          TWO),
    ("Anon\\0101031234",       None,          TWO),
    ("0",                      None,          DEFAULT),
    (ZEROS,                    None,          DEFAULT),
    ("000000000",              None,          DEFAULT),
    ("000-000-0000",           None,          DEFAULT),
    ("---",                    None,          DEFAULT),
    ("\u00a0",                None,          DEFAULT),
    ("٠١٠١٠٣",                 "٠١٠١٠٣",      None),
    (" anon ",                 None,          DEFAULT),
    ("ANON\\ANON",             None,          DEFAULT),
    ("9999999999",             None,          DEFAULT),
    ("ANON7",                  "ANON7",       None),
    ("  ",                     None,          NOBODY),
    (" \\ \0",                 None,          NOBODY),
    ("",                       None,          NOBODY),
    (None,                     None,          NOBODY),
]  # fmt: skip


def test_all_ways_of_writing_one_chi_are_one_patient_and_nobody_is_none(spark: SparkSession) -> None:
    nobody = ("Anon ", "9999999999")
    df = spark.createDataFrame(IDS, "raw string, id string, why string")
    told = df.withColumns({
        "i": patient_identity(F.col("raw"), nobody), "w": identity_fault(F.col("raw"), nobody)
    })  # fmt: skip
    assert_column_equality(told, "i", "id")
    assert_column_equality(told, "w", "why")


@pytest.mark.parametrize(("raw", "identity", "fault"), IDS)
def test_in_a_data_set_the_same_rule_says_whose_an_id_is(
    raw: str | None, identity: str | None, fault: str | None
) -> None:
    found = ids_in(raw or "")
    if identity is not None:
        assert found == {identity}
    assert (len(found) > 1, len(found) == 0) == (fault == TWO, fault == NOBODY)


def test_a_postcode_is_left_its_area(spark: SparkSession) -> None:
    rows = [
        ("EH8 9YL", "EH"),
        (" g12 8qq", "G"),
        ("NK010AA", "NK"),
        ("eh89yl", "EH"),
        ("G1", "G"),
        ("ZZ99", "ZZ"),
        ("EH", None),
        ("", None),
        (None, None),
    ]
    df = spark.createDataFrame(rows, "postcode string, expected string")
    assert_column_equality(df.withColumn("area", postcode_area(F.col("postcode"))), "area", "expected")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=200))
def test_spark_makes_the_pseudonyms_that_the_plain_functions_make(
    spark: SparkSession, config: Config, values: list[str | None]
) -> None:
    key = load_key(config.keys.projects)
    lung = project_key(key, "lung")
    texts = [(value or "").strip(BLANKS) or None for value in values]
    rows = [(value, value, [value, None], value) for value in values]
    df = spark.createDataFrame(rows, "patient string, uid string, uids array<string>, patient_id string")
    expected = [
        (
            text and pseudonym(lung, "patient", text),
            text and pseudonymous_uid(lung, text),
            [text and pseudonymous_uid(lung, text), None],
            None if value is None else 7 * shift_weeks(lung, value),
        )
        for value, text in zip(values, texts, strict=True)
    ]

    made = with_shift_days(df, config.keys.projects, "lung").transform(
        lambda shifted: pseudonymise(
            shifted, {"patient": "patient", "uid": "uid", "uids": "uid"}, config.keys.projects, "lung"
        )
    )

    assert [tuple(row) for row in made.drop("patient_id").collect()] == expected


def test_lists_keep_their_length_their_nulls_and_their_place(spark: SparkSession, config: Config) -> None:
    key = load_key(config.keys.archive)
    rows = [(1, ["1.2.3", None, "1.2.3"]), (2, None), (3, []), (4, ["1.2.840.10008.1.1"])]
    made = pseudonymise(spark.createDataFrame(rows, "n int, uids array<string>"), {"uids": "uid"}, config.keys.archive)

    one = pseudonymous_uid(key, "1.2.3")
    expected = [(1, [one, None, one]), (2, None), (3, []), (4, ["1.2.840.10008.1.1"])]
    assert_df_equality(made, spark.createDataFrame(expected, "n int, uids array<string>"))


def test_every_interval_of_a_patient_survives_the_shift(spark: SparkSession, config: Config) -> None:
    days = [date(2019, 12, 31), date(2020, 2, 29), date(2020, 3, 1)]
    df = spark.createDataFrame(
        [(patient, day) for patient in ("P1", "P2") for day in days], "patient_id string, day date"
    )

    shifted = with_shift_days(df, config.keys.projects, "lung").withColumn("day", F.expr("date_add(day, shift_days)"))

    found: dict[str, list[date]] = {}
    for row in shifted.collect():
        found.setdefault(row["patient_id"], []).append(row["day"])
    key = project_key(load_key(config.keys.projects), "lung")
    assert found == {
        patient: [day + timedelta(weeks=shift_weeks(key, patient)) for day in days] for patient in ("P1", "P2")
    }
    assert found["P1"] != days


FAR, NEAR = date(9999, 12, 31), date(1900, 1, 1)  # what systems write for no date
DAYS = [date(2019, 12, 31), date(2020, 2, 29), date(1910, 1, 1), date(2090, 12, 31), FAR, NEAR]


def test_images_records_and_data_sets_have_the_same_dates_by_each_policy(spark: SparkSession, config: Config) -> None:
    key = project_key(load_key(config.keys.projects), "lung")
    rows = [(patient, day, [day, None]) for patient in ("P1", "P2") for day in DAYS]
    df = spark.createDataFrame(rows, "patient_id string, day date, days array<date>").coalesce(1)
    for policy in POLICIES:
        made = with_policy(df, ["day", "days"], policy, config.keys.projects, "lung")
        assert made.columns == df.columns
        for (patient, true, _), row in zip(rows, made.collect(), strict=True):
            day = mover(policy, key, patient)(true)
            assert (row["day"], row["days"]) == (day, [day, None]), policy
            assert released(true, policy, for_patient(key, patient, policy)) == day, policy


def released(day: date, policy: str, given: Replacements) -> date | None:
    """What becomes of the day as a data set's StudyDate."""
    dates = "retain_full_dates" if policy == "keep" else "retain_modified_dates"
    dataset = Dataset()
    dataset.StudyDate = f"{day:%Y%m%d}"
    text = apply(dataset, Profile.model_validate({"profile": "t", "meaning": "t", "options": [dates]}), given).StudyDate
    return datetime.strptime(text, "%Y%m%d").date() if text else None


def test_a_period_that_begins_at_birth_or_in_infancy_does_not_say_when(spark: SparkSession, config: Config) -> None:
    born, later, chi, other = date(2003, 4, 5), date(2010, 1, 1), "0504031234", "1111111111"
    rows: list[tuple[str, date | None, date, date | None]] = [
        # number, birth date, first day of the period, as zone 2 has it
        (chi, born, born, None),
        (chi, born, date(2003, 4, 9), None),
        (chi, born, date(2004, 4, 4), None),
        (chi, born, date(2003, 4, 1), None),  # before birth
        (chi, born, date(2004, 4, 5), date(2004, 4, 5)),
        (chi, None, born, None),  # the number says it
        (chi, None, date(2004, 4, 4), None),
        (chi, None, later, later),
        (chi, date(1950, 1, 1), born, None),
        (other, born, born, None),
        (other, born, later, later),
        ("9999999999", None, born, born),  # nothing says when somebody was born
    ]
    given = [
        {"CHI_NUMBER": number, "UPI_NUMBER": number, "DATE_OF_BIRTH": birth, "DATE_FROM": first}
        for number, birth, first, _ in rows
    ]
    zone_1 = frame(spark, "records/demography", given).coalesce(1)
    made = deidentify(zone_1, load_schema("records/demography"), Keyed(config.keys.archive))
    assert "DATE_OF_BIRTH" not in made.columns

    found = made.collect()
    assert [row["DATE_FROM"] for row in found] == [expected for *_, expected in rows]
    key = load_key(config.keys.archive)
    assert [row["period_id"] for row in found] == [
        pseudonym(key, "accession", f"{number}|{first}") for number, _, first, _ in rows
    ]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every command that is serialised for the workers while the test runs."""
    commands: list[bytes] = []
    plain = CloudPickleSerializer.dumps

    def listening(serializer: CloudPickleSerializer, command: object) -> bytes:
        commands.append(plain(serializer, command))
        return commands[-1]

    monkeypatch.setattr(CloudPickleSerializer, "dumps", listening)
    return commands


def test_no_key_is_in_the_plan_or_in_what_is_sent_to_the_workers(
    spark: SparkSession, config: Config, sent: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    df = spark.createDataFrame([("0101031234", "0101031234")], "PatientID string, patient_id string")
    made = with_shift_days(df, config.keys.projects, "lung").transform(
        pseudonymise, {"PatientID": "patient"}, config.keys.projects, "lung"
    )
    made.collect()
    made.explain(True)
    written = b"".join([*sent, capsys.readouterr().out.encode()])

    assert str(config.keys.projects.file).encode() in written, "the search must see where the workers look"
    secret = load_key(config.keys.projects)
    for key in (secret, project_key(secret, "lung")):
        assert key not in written
        assert key.hex().encode() not in written


def test_a_key_in_a_closure_would_be_found(spark: SparkSession, config: Config, sent: list[bytes]) -> None:
    secret = load_key(config.keys.archive)
    careless = in_worker(
        lambda values: map_distinct(values, lambda v: pseudonym(secret, "patient", v), pa.string()), "string"
    )
    spark.createDataFrame([("0101031234",)], "PatientID string").select(careless(F.col("PatientID"))).collect()

    assert secret in b"".join(sent)


def test_a_key_that_the_worker_may_not_read_is_told_in_one_line(spark: SparkSession, config: Config) -> None:
    file = Path(str(config.keys.archive.file))
    file.chmod(0o644)
    df = spark.createDataFrame([("0101031234",)], "PatientID string")

    with pytest.raises(PySparkException) as caught:
        pseudonymise(df, {"PatientID": "patient"}, config.keys.archive).collect()

    message = f"key file {file} can be read by group and others (mode 0644). Run: chmod 600 {file}"
    assert explain(caught.value) == (message, 2)
