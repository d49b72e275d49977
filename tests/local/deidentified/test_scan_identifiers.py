"""A table of zone 2 or 3 is searched: what is reported, what stays in zone 1, what is passed over."""

from datetime import date

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.pseudonymise import Counts
from smi_spark.deidentified.text.rules import Rules
from smi_spark.deidentified.text.scan import find_in_rows, masked, scan_table, without_mapped
from smi_spark.errors import IdentifiersFoundError, InputError, TableError
from smi_spark.schema import load_schema
from tests.rows import frame

OWN = {"patient_id": "0" * 30 + "20", "StudyInstanceUID": "2.25." + "3" * 38, "year": 2020}
HEX_WITH_DATE = "a20180312b" + "c" * 22


def found(rows: DataFrame, schema: str) -> list[tuple[str, str, str]]:
    done = find_in_rows(rows, load_schema(schema), Rules(rules=())).select("column", "detector", "part")
    return sorted(tuple(row) for row in done.collect())


def test_ids_of_our_own_making_are_passed_over_and_others_reported(spark: SparkSession) -> None:
    rows = [
        {"patient_id": HEX_WITH_DATE, "SOPInstanceUID": "2.25." + "7" * 38, "AccessionNumber": "0" * 32},
        {"patient_id": "1601509456", "SOPInstanceUID": "2.25." + "8" * 38, "AccessionNumber": " "},
        {"SOPInstanceUID": "1.2.826.0.1.20180312.7", "SourceImageSeq_ReferencedSOPInstanceUID": ["1.2.840.10008.1.2"]},
    ]
    assert found(frame(spark, "images", rows, "deidentified"), "images") == [
        ("SOPInstanceUID", "date", "20180312"),
        ("SOPInstanceUID", "original_id", "1.2.826.0.1.20180312.7"),
        ("patient_id", "chi", "1601509456"),
        ("patient_id", "original_id", "1601509456"),
    ]


def test_a_sites_own_patient_ids_are_known_by_the_mapping(spark: SparkSession) -> None:
    stays = frame(spark, "records/smr02", [
        {"EPISODE_RECORD_KEY": "0" * 32, "patient_id": "SITE-1", "BABY_CI_CHI_NUMBER_BABY_1": "SITE-2"},
        {"EPISODE_RECORD_KEY": "1" * 32, "patient_id": "1601509456", "BABY_CI_CHI_NUMBER_BABY_1": "SITE-9"},
    ], "deidentified")  # fmt: skip
    mapped = frame(spark, "mapping", [{"patient_id": "SITE-1"}, {"patient_id": "SITE-2"}])
    assert found(without_mapped(stays, load_schema("records/smr02"), mapped), "records/smr02") == [
        ("BABY_CI_CHI_NUMBER_BABY_1", "original_id", "SITE-9"),
        ("patient_id", "chi", "1601509456"),
        ("patient_id", "original_id", "1601509456"),
    ]


def test_lists_structures_and_columns_that_the_schema_does_not_know_are_searched(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("2.25." + "1" * 38, ["SAG", "DOB 16/01/1950"], [("EH8 9YL", 1)], "Dr Bell")],
        "SOPInstanceUID string, ScanOptions array<string>, more array<struct<where:string,n:int>>, note string",
    )
    assert found(rows, "images") == [
        ("ScanOptions", "date", "16/01/1950"),
        ("more.where", "postcode", "EH8 9YL"),
        ("note", "title", "Dr Bell"),
    ]


def test_a_finding_says_in_which_row_it_stands(spark: SparkSession) -> None:
    rows = frame(
        spark, "images", [{"SOPInstanceUID": "2.25." + "1" * 38, "manufacturer_label": "GE, 9 Nov"}], "deidentified"
    )
    (row,) = find_in_rows(rows, load_schema("images"), Rules(rules=())).collect()
    assert row.asDict() == {
        "row_key": '{"SOPInstanceUID":"2.25.' + "1" * 38 + '"}', "column": "manufacturer_label", "detector": "date",
        "start": 4, "part": "9 Nov", "value": "GE, 9 Nov",
    }  # fmt: skip


def test_a_zone_that_was_pseudonymised_has_no_identifier(spark: SparkSession, done: tuple[Config, Counts]) -> None:
    config, _ = done
    assert str(scan_table(spark, config, "deidentified/images")) == ("deidentified/images: no identifier in 4 rows")
    assert scan_table(spark, config, "deidentified/records/smr02").counts == ()
    assert not tables.exists(spark, tables.table(config, "secure/findings"))


def test_what_is_found_stays_in_zone_one_and_the_report_has_its_shape(spark: SparkSession, config: Config) -> None:
    images = [
        OWN | {"SOPInstanceUID": f"2.25.{n}" + "1" * 37, "manufacturer_label": f"CHI 160150945{n}"} for n in (6, 7)
    ]
    leaking = tables.table(config, "deidentified/images")
    tables.append(frame(spark, "images", images, "deidentified"), leaking)
    findings = tables.table(config, "secure/findings")

    with pytest.raises(IdentifiersFoundError) as error:
        scan_table(spark, config, "deidentified/images")

    assert str(error.value) == (
        "deidentified/images: identifiers in 2 rows. Their values are in secure/findings of zone 1:\n"
        "  manufacturer_label: chi 2 in 2 rows, mostly dddddddddd"
    )
    kept = tables.read(spark, findings).orderBy("part").select("table", "column", "part", "value", "table_version")
    assert [tuple(row) for row in kept.collect()] == [
        ("deidentified/images", "manufacturer_label", "1601509456", "CHI 1601509456", 1),
        ("deidentified/images", "manufacturer_label", "1601509457", "CHI 1601509457", 1),
    ]
    version = tables.latest_version(spark, findings)
    with pytest.raises(IdentifiersFoundError):
        scan_table(spark, config, "deidentified/images")
    assert tables.latest_version(spark, findings) == version, "nothing has changed"

    tables.replace(frame(spark, "images", [], "deidentified"), leaking)
    assert scan_table(spark, config, "deidentified/images").counts == ()
    assert tables.read(spark, findings).count() == 0


def test_tables_of_records_and_of_snapshots_are_found_by_name(spark: SparkSession, config: Config) -> None:
    rows = [{"URI": "0" * 32, "patient_id": "0" * 32, "ADMISSION_DATE": date(2020, 1, 1), "LOCATION": "07700 900123"}]
    snapshot = tables.table(config, "analysis/demo/head_ct/records/smr01", schema="records/smr01")
    tables.append(frame(spark, "records/smr01", rows, "analysis"), snapshot)
    with pytest.raises(IdentifiersFoundError, match=r"LOCATION: phone 1 in 1 rows, mostly ddddd dddddd"):
        scan_table(spark, config, "analysis/demo/head_ct/records/smr01")


def test_the_persons_own_name_is_looked_for_where_asked(spark: SparkSession, copied: Config) -> None:
    images = tables.table(copied, "deidentified/images")
    named = tables.read(spark, images).withColumn("manufacturer_label", F.lit("Quernlock moved"))
    tables.replace(named.localCheckpoint(), images)
    assert scan_table(spark, copied, "deidentified/images").counts == ()
    with pytest.raises(IdentifiersFoundError, match=r"manufacturer_label: name 3 in 3 rows, mostly Aaaaaaaaa"):
        scan_table(spark, copied, "deidentified/images", with_names=True)


def test_other_tables_are_refused(spark: SparkSession, config: Config) -> None:
    with pytest.raises(InputError, match=r"secure/images is not a table of zone 2 or 3. Write deidentified/<table>"):
        scan_table(spark, config, "secure/images")
    with pytest.raises(InputError, match="is not a table of zone 2 or 3"):
        scan_table(spark, config, "analysis/demo/c' OR '1'='1/images")
    with pytest.raises(InputError, match="in deidentified/images alone, not in deidentified/studies"):
        scan_table(spark, config, "deidentified/studies", with_names=True)
    for name in ("deidentified/images", "analysis/lung/annotations"):
        with pytest.raises(TableError, match=f"{name} does not exist"):
            scan_table(spark, config, name)


def test_a_shape_has_no_letter_and_no_digit_of_the_text(spark: SparkSession) -> None:
    texts = spark.createDataFrame([("Dd Änne O'Hara 12/3 €",), ("x" * 50,)], "part string")
    assert [row[0] for row in texts.select(masked(F.col("part"))).collect()] == ["Aa Aaaa A'Aaaa dd/d ?", "a" * 40]
