"""Zone 1 → zone 2: rows in, one run, rows out; and what a second run, new images or a kill change."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from smi_spark import storage, tables
from smi_spark.config import Config
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.pseudonymise import Counts, run
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.errors import KeyFileError, TableError
from smi_spark.schema import load_schema
from smi_spark.secure.changes import record_changes
from smi_spark.secure.instances import index_merged
from tests.killed import killed_behind
from tests.rows import fill
from tests.zone_one import CHI, CT, DAY, RUN


def rows(spark: SparkSession, config: Config, name: str) -> DataFrame:
    return tables.read(spark, tables.table(config, name))


def only(df: DataFrame) -> Row:
    (row,) = df.collect()
    return row


def of(config: Config, domain: str, value: str) -> str:
    key = load_key(config.keys.archive)
    return pseudonymous_uid(key, value) if domain == "uid" else pseudonym(key, domain, value)  # type: ignore[arg-type]


def test_a_run_tells_what_it_added(done: tuple[Config, Counts]) -> None:
    assert str(done[1]) == (
        "added: images 4, records/ae 1, records/deaths 2, records/demography 1, records/prescribing 1, "
        "records/smr00 1, records/smr01 1, records/smr02 2, records/smr04 1, records/smr06 1; "
        "rolled up: series 3, studies 2; quarantined: 1"
    )


def test_an_image_keeps_what_its_schema_allows(spark: SparkSession, done: tuple[Config, Counts]) -> None:
    config = done[0]
    images = rows(spark, config, "deidentified/images")
    image = only(images.where(F.col("SOPInstanceUID") == of(config, "uid", "1.2.1.1.2")))

    assert images.columns == load_schema("images").spark("deidentified").names
    assert {name: value for name, value in image.asDict().items() if value is not None} == {
        "modality": "CT",
        "year": 2020,
        "patient_id": of(config, "patient", CHI),
        "age_at_study": 69,
        "body_part_label": "head",
        "ct_kind_label": "unknown",
        "plane_label": "unknown",
        "contrast_label": "without",
        "capture_label": "none",
        "manufacturer_label": "other",
        "is_original": True,
        "is_primary": True,
        "burned_in_risk": "low",
        "face_risk": "possible",
        "face_reason": "ct_of_unknown_thickness",
        "label_confidence": "low",
        "label_rules": "body_part_label: descriptions (medium), contrast_label: study_without_words (low), "
        "manufacturer_label: not_listed (high)",
        "PatientSex": "F",
        "StudyInstanceUID": of(config, "uid", "1.2.1"),
        "StudyDate": DAY,
        "AccessionNumber": of(config, "accession", "ACC7"),
        "SeriesInstanceUID": of(config, "uid", "1.2.1.1"),
        "SOPInstanceUID": of(config, "uid", "1.2.1.1.2"),
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "PixelSpacing": [0.5, 0.5],
        "SourceImageSeq_ReferencedSOPInstanceUID": [of(config, "uid", "1.2.1.1.1")],
    }


def test_images_lie_by_modality_and_year(done: tuple[Config, Counts]) -> None:
    folders = {str(path.parent) for path in Path(done[0].deidentified, "images").rglob("*.parquet")}
    assert {folder.split("images/")[1] for folder in folders} == {
        "modality=CT/year=2020",
        "modality=MR/year=2019",
        "modality=OTHER/year=0",
    }


def test_series_and_studies_add_their_images_up(spark: SparkSession, done: tuple[Config, Counts]) -> None:
    config = done[0]
    series = (
        rows(spark, config, "deidentified/series")
        .where("year != 2019")
        .select("modality", "year", "body_part_label", "image_count")
    )
    study = only(rows(spark, config, "deidentified/studies").where("modality = 'CT'"))

    expected = spark.createDataFrame([("CT", 2020, "head", 2), ("OTHER", 0, "unknown", 1)], series.schema)
    assert_df_equality(series, expected, ignore_row_order=True, ignore_metadata=True, ignore_nullable=True)
    assert study.asDict() == {
        "modality": "CT",
        "year": 2020,
        "StudyInstanceUID": of(config, "uid", "1.2.1"),
        "patient_id": of(config, "patient", CHI),
        "AccessionNumber": of(config, "accession", "ACC7"),
        "StudyDate": DAY,
        "StudyDescription": None,
        "PatientSex": "F",
        "age_at_study": 69,
        "modalities": ["CT", "OTHER"],
        "body_part_labels": ["head", "unknown"],
        "mr_sequence_labels": [],
        "burned_in_risk": "low",
        "face_risk": "possible",
        "series_count": 2,
        "image_count": 3,
        "text_version": None,
    }


def test_a_record_has_the_patient_id_of_the_images(spark: SparkSession, done: tuple[Config, Counts]) -> None:
    config = done[0]
    record = only(rows(spark, config, "deidentified/records/smr02").where("ADMISSION_DATE IS NOT NULL"))

    assert {name: value for name, value in record.asDict().items() if value is not None} == {
        "EPISODE_RECORD_KEY": of(config, "accession", "E1"),
        "patient_id": of(config, "patient", CHI),
        "ADMISSION_DATE": date(2020, 1, 16),
        "age_at_event": 70,
        "BABY_CI_CHI_NUMBER_BABY_1": of(config, "patient", "0101205678"),
        "HBTREAT_CURRENTDATE": "S08000024",
    }


def test_an_age_as_stated_serves_where_there_is_no_birth_date(spark: SparkSession, done: tuple[Config, Counts]) -> None:
    death = only(rows(spark, done[0], "deidentified/records/deaths").where("DATE_OF_DEATH IS NOT NULL"))

    assert (death["age_at_event"], death["DATE_OF_DEATH"]) == (90, date(2021, 3, 1))
    assert set(death.asDict()).isdisjoint({"AGE", "UPI_NUMBER"})
    assert death["POSTCODE"] == "NK", "its area is what is left of it"


def test_links_lead_back_to_the_files(spark: SparkSession, done: tuple[Config, Counts]) -> None:
    config = done[0]
    links = rows(spark, config, "secure/links").drop("run_id", "image_run_id").where("source = '/pacs'")
    name = key_id(load_key(config.keys.archive))

    assert [tuple(row) for row in links.orderBy("path").collect()] == [
        (of(config, "uid", uid), uid, "/pacs", path, name)
        for uid, path in (("1.2.1.1.1", "a"), ("1.2.1.1.2", "b"), ("1.2.1.2.1", "c"))
    ]


def test_an_image_without_a_patient_is_quarantined(spark: SparkSession, done: tuple[Config, Counts]) -> None:
    row = only(rows(spark, done[0], "secure/quarantine"))

    kept = ("table", "source", "path", "column", "reason", "SOPInstanceUID")
    assert tuple(row[name] for name in kept) == (
        "deidentified/images", "/pacs", "d", "PatientID", "no_patient_id", "1.2.2.1.1",
    )  # fmt: skip


def test_a_second_run_adds_no_version_to_any_table(
    spark: SparkSession, done: tuple[Config, Counts], copied: Config
) -> None:
    storage.keep_for(spark, tables.table(copied, "deidentified/images"), 30)  # maintenance makes versions, not rows
    before = tables.versions_below(Path(copied.root))

    assert run(spark, copied) == Counts(0, 0, 0, 0, dict.fromkeys(done[1].records, 0))
    assert tables.versions_below(Path(copied.root)) == before


def test_new_images_of_a_study_are_added_to_its_roll_up(spark: SparkSession, copied: Config) -> None:
    fill(spark, copied, "images", [CT | {"SOPInstanceUID": "1.2.1.1.3", "path": "e"}])

    counts = run(spark, copied)

    study = only(rows(spark, copied, "deidentified/studies").where("modality = 'CT'"))
    assert (counts.images, study["image_count"], study["series_count"]) == (1, 4, 2)
    assert rows(spark, copied, "deidentified/images").count() == 5


def test_a_run_killed_between_two_commits_is_completed_by_the_next(spark: SparkSession, copied: Config) -> None:
    for name in ("secure/links", "deidentified/series", "deidentified/studies", "deidentified/records/smr02"):
        shutil.rmtree(tables.table(copied, name).uri)

    counts = run(spark, copied)

    assert (counts.images, counts.series, counts.studies, counts.records["records/smr02"]) == (0, 3, 2, 2)
    assert rows(spark, copied, "deidentified/images").count() == rows(spark, copied, "secure/links").count() == 4


def test_a_run_killed_before_it_wrote_links_adds_no_image_twice(
    spark: SparkSession, copied: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(spark, copied, "images", [CT | {"SOPInstanceUID": "1.2.1.1.3", "path": "e"}])

    with killed_behind(monkeypatch, 1) as done:
        run(spark, copied)
    counts = run(spark, copied)

    assert (done, counts.images) == (["append images"], 0)
    assert rows(spark, copied, "deidentified/images").count() == rows(spark, copied, "secure/links").count() == 5
    assert only(rows(spark, copied, "deidentified/studies").where("modality = 'CT'"))["image_count"] == 4


@pytest.mark.long
def test_a_later_run_opens_no_file_of_images_that_were_dealt_with(spark: SparkSession, copied: Config) -> None:
    fill(spark, copied, "runs", [{"run_id": RUN, "job": "ingest_headers"}])
    assert run(spark, copied).images == 0
    for file in Path(copied.secure, "images").rglob("*.parquet"):
        file.unlink()
    later = {"run_id": "20260102T000000.000000Z-0000", "path": "e", "SeriesInstanceUID": "1.2.1.3"}
    fill(spark, copied, "images", [CT | later | {"SOPInstanceUID": "1.2.1.3.1"}])

    counts = run(spark, copied)

    assert (counts.images, counts.series, counts.studies) == (1, 3, 1)
    study = only(rows(spark, copied, "deidentified/studies").where("modality = 'CT'"))
    assert (study["image_count"], study["series_count"]) == (4, 3)
    assert rows(spark, copied, "deidentified/series").count() == 4
    assert rows(spark, copied, "secure/links").where("source = '/pacs'").count() == 4


def test_what_left_zone_one_leaves_zone_two_and_what_was_read_again_is_made_again(
    spark: SparkSession, copied: Config
) -> None:
    images = tables.table(copied, "secure/images")
    index_merged(tables.read(spark, images), copied)  # the partitions in which they stand
    a, b, c = ({"source": "/pacs", "path": path, "SOPInstanceUID": uid, "action": "withdrawn"}
               for path, uid in (("a", "1.2.1.1.1"), ("b", "1.2.1.1.2"), ("c", "1.2.1.2.1")))  # fmt: skip
    gone = spark.createDataFrame([a, b, c])
    tables.delete(gone.select("SOPInstanceUID"), images, ["SOPInstanceUID"])
    record_changes(gone, copied, "images", "run-2")
    fill(spark, copied, "images", [CT | {"SOPInstanceUID": "1.2.1.1.1", "path": "a", "run_id": "run-2",
                                         "ManufacturerModelName": "Later"}])  # fmt: skip

    counts = run(spark, copied)

    assert str(counts).startswith("withdrawn: images 3; added: images 1, ")
    left = rows(spark, copied, "deidentified/images").where("modality != 'MR'")
    assert [(r.SOPInstanceUID, r.ManufacturerModelName) for r in left.collect()] == [
        (of(copied, "uid", "1.2.1.1.1"), "Later")
    ]
    links = rows(spark, copied, "secure/links").where("source = '/pacs'")
    assert [(r.path, r.image_run_id) for r in links.collect()] == [("a", "run-2")]
    assert only(rows(spark, copied, "deidentified/studies").where("modality = 'CT'"))["image_count"] == 1
    before = tables.versions_below(Path(copied.root))
    assert run(spark, copied).withdrawn == 0
    assert tables.versions_below(Path(copied.root)) == before


def test_an_open_key_ends_the_run_before_anything_is_written(spark: SparkSession, copied: Config) -> None:
    fill(spark, copied, "images", [CT | {"SOPInstanceUID": "1.2.1.1.3", "path": "e"}])
    before = tables.versions_below(Path(copied.root))
    Path(str(copied.keys.archive.file)).chmod(0o644)

    with pytest.raises(KeyFileError, match=r"\(mode 0644\). Run: chmod 600 "):
        run(spark, copied)
    assert tables.versions_below(Path(copied.root)) == before


def test_an_empty_zone_one_is_told(spark: SparkSession, config: Config) -> None:
    with pytest.raises(TableError, match=r"^secure/images does not exist in .* Run the job that fills it first\.$"):
        run(spark, config)
