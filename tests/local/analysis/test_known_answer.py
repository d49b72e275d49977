"""The whole way, from DICOM files and extracts to two snapshots, against answers that were found in other ways."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.analysis import Cohort, open_cohort
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import load_definition
from smi_spark.config import Config, Zone
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.pseudonymise import run as pseudonymise
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.resources import folder
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.records import load_records
from smi_spark.synthetic import Answers, write_archive
from tests.conftest import make_config
from tests.leaks import find_tokens

HEAD_CT = "head_ct_after_drug_then_admitted"
MAMMOGRAM = "mammogram_then_breast_cancer"

# The same questions in plain SQL over zone 1, with CHIs and true dates. A number stands for the one that its newest row
# in the demography names.
PATIENT = r"lpad(regexp_replace(PatientID, '\\s', ''), 10, '0')"
PERSONS = "SELECT CHI_NUMBER, max_by(UPI_NUMBER, DATE_FROM) AS chi FROM secure_demography GROUP BY CHI_NUMBER"
PATIENTS = f"SELECT i.*, p.chi FROM secure_images i JOIN ({PERSONS}) p ON p.CHI_NUMBER = {PATIENT}"


def of_persons(table: str) -> str:
    return f"(SELECT r.*, n.chi FROM secure_{table} r JOIN ({PERSONS}) n ON n.CHI_NUMBER = r.UPI_NUMBER)"


QUESTIONS = {
    HEAD_CT: f"""
        SELECT chi, StudyInstanceUID, SOPInstanceUID FROM ({PATIENTS}) i
        WHERE modality_as_written = 'CT'
          AND lower(concat_ws(' ', BodyPartExamined, StudyDescription, SeriesDescription)) RLIKE 'head|brain|skull'
          AND EXISTS (
            SELECT 1 FROM {of_persons("prescribing")} p
            WHERE p.chi = i.chi AND p.PI_BNF_ITEM_CODE LIKE '0208020V0%'
              AND p.PRESCRIBED_DATE >= add_months(i.StudyDate, -6) AND p.PRESCRIBED_DATE <= i.StudyDate)
          AND EXISTS (
            SELECT 1 FROM {of_persons("smr01")} a
            WHERE a.chi = i.chi
              AND a.ADMISSION_DATE > i.StudyDate AND a.ADMISSION_DATE <= add_months(i.StudyDate, 3))""",
    MAMMOGRAM: f"""
        SELECT chi, StudyInstanceUID, SOPInstanceUID FROM ({PATIENTS}) i
        WHERE modality_as_written = 'MG' AND PatientSex = 'F'
          AND EXISTS (
            SELECT 1 FROM {of_persons("smr06")} c
            WHERE c.chi = i.chi AND c.ICD10S_CANCER_SITE LIKE 'C50%'
              AND c.INCIDENCE_DATE >= i.StudyDate AND c.INCIDENCE_DATE <= add_months(i.StudyDate, 24))""",
}
RECORDS = ("demography", "prescribing", "smr01", "smr06")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return make_config(tmp_path_factory.mktemp("known_answer"))


@pytest.fixture(scope="module")
def answers(spark: SparkSession, config: Config) -> Answers:
    """The answers of an archive that has gone all the way into both cohorts."""
    archive = Path(config.root).parent / "archive"
    write_archive(archive, patients=45, seed=5)
    ingest_headers(spark, config, [str(archive / "dicom")])
    for table in RECORDS:
        load_records(spark, config, table, str(archive / "records" / table))
    pseudonymise(spark, config)
    for name in QUESTIONS:
        build_cohort(spark, config, load_definition(folder("conf") / "cohorts" / f"{name}.yaml"))
    return Answers.read(archive)


@pytest.fixture
def zone_1(spark: SparkSession, config: Config, answers: Answers) -> Iterator[None]:
    """Zone 1 as views for SQL."""
    names = {"secure_images": "images", **{f"secure_{table}": f"records/{table}" for table in RECORDS}}
    for view, name in names.items():
        tables.read(spark, tables.table(config, f"secure/{name}")).createOrReplaceTempView(view)
    yield
    for view in names:
        spark.catalog.dropTempView(view)


class Mapped:
    """What the project calls a patient, study or image of zone 1."""

    def __init__(self, config: Config) -> None:
        self.keys = load_key(config.keys.archive), project_key(load_key(config.keys.projects), "demo")

    def patients(self, chis: Any) -> set[str]:
        archive, project = self.keys
        return {pseudonym(project, "patient", pseudonym(archive, "patient", chi)) for chi in chis}

    def uids(self, uids: Any) -> set[str]:
        archive, project = self.keys
        return {pseudonymous_uid(project, pseudonymous_uid(archive, uid)) for uid in uids}


def delivered(cohort: Cohort) -> tuple[set[str], set[str], list[str]]:
    rows = cohort.images.select("patient_id", "StudyInstanceUID", "SOPInstanceUID").collect()
    return {r["patient_id"] for r in rows}, {r["StudyInstanceUID"] for r in rows}, [r["SOPInstanceUID"] for r in rows]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_snapshot_holds_the_planted_answer(spark: SparkSession, config: Config, answers: Answers, name: str) -> None:
    planted, mapped = answers.cohorts[name], Mapped(config)
    assert len(planted.patients) >= 5
    assert {p.chi for p in answers.planted if p.hit and "number that was merged" in p.story} & set(planted.patients)
    cohort = open_cohort(spark, config, "demo", name)
    patients, studies, images = delivered(cohort)
    assert patients == mapped.patients(planted.patients)
    assert studies == mapped.uids(planted.studies)
    assert len(images) == len(set(images)) == planted.images
    assert cohort.attrition[-1][2:] == (len(planted.patients), len(planted.studies), planted.images)
    assert cohort.studies.count() == len(planted.studies)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.usefixtures("zone_1")
def test_a_snapshot_equals_the_same_question_in_plain_sql(spark: SparkSession, config: Config, name: str) -> None:
    found, mapped = spark.sql(QUESTIONS[name]).collect(), Mapped(config)
    patients, studies, images = delivered(open_cohort(spark, config, "demo", name))
    assert patients == mapped.patients(row["chi"] for row in found)
    assert studies == mapped.uids(row["StudyInstanceUID"] for row in found)
    links = tables.read(spark, tables.table(config, "secure/links")).collect()
    zone_2 = {row["original_sop_instance_uid"]: row["SOPInstanceUID"] for row in links}
    project = mapped.keys[1]
    assert sorted(images) == sorted(pseudonymous_uid(project, zone_2[row["SOPInstanceUID"]]) for row in found)


@pytest.mark.usefixtures("zone_1")
def test_the_admissions_delivered_are_those_within_their_window(spark: SparkSession, config: Config) -> None:
    expected = spark.sql(f"""
        SELECT DISTINCT a.URI, datediff(a.ADMISSION_DATE, i.StudyDate) AS days
        FROM {of_persons("smr01")} a JOIN ({PATIENTS}) i ON a.chi = i.chi
        WHERE i.SOPInstanceUID IN (SELECT SOPInstanceUID FROM ({QUESTIONS[HEAD_CT]}))
          AND a.ADMISSION_DATE > i.StudyDate AND a.ADMISSION_DATE <= add_months(i.StudyDate, 3)""").collect()
    cohort = open_cohort(spark, config, "demo", HEAD_CT)
    admissions, scans = cohort.records["smr01"], cohort.images.select("patient_id", "StudyDate").distinct()
    joined = admissions.join(scans, "patient_id").selectExpr("URI", "datediff(ADMISSION_DATE, StudyDate) AS days")
    archive, project = Mapped(config).keys
    pairs = {(pseudonym(project, "accession", pseudonym(archive, "accession", r["URI"])), r["days"]) for r in expected}
    assert sorted(row["URI"] for row in admissions.collect()) == sorted({uri for uri, _ in pairs})
    assert {(row["URI"], row["days"]) for row in joined.collect()} >= pairs


def test_nothing_of_zone_1_stands_in_a_registry_row_or_manifest(
    spark: SparkSession, config: Config, answers: Answers
) -> None:
    for name in QUESTIONS:
        entry = open_cohort(spark, config, "demo", name).entry
        manifest = Path(config.zone("analysis")) / "demo" / name / f"manifest-v{entry.version}.json"
        text = json.dumps(json.loads(manifest.read_text())) + repr(entry)
        assert [chi for chi in answers.identifiers["chi"] if chi in text] == []
        assert config.root not in text


@pytest.mark.parametrize("zone", ["deidentified", "analysis"])
def test_nothing_that_identifies_anybody_stands_in_a_file_beyond_zone_1(
    config: Config, answers: Answers, zone: Zone
) -> None:
    texts = [text for texts in answers.identifiers.values() for text in texts]
    keys = [load_key(source) for source in (config.keys.archive, config.keys.projects)]

    assert find_tokens(Path(config.zone(zone)), [*texts, *keys, project_key(keys[1], "demo")]) == []
