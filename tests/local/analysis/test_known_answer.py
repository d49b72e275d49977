"""From DICOM files and extracts to what each definition of ``conf/cohorts`` chooses, and all the way to a snapshot:
against answers that were planted in the archive, that plain SQL over zone 1 finds, and a twin in plain Python.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.analysis import Cohort, open_cohort
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.controls import match_controls
from smi_spark.analysis.definition import Definition, load_definition
from smi_spark.analysis.selection import select_images
from smi_spark.config import Config, Zone
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.pseudonymise import run as pseudonymise
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.resources import folder
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.records import load_records
from smi_spark.synthetic import Answers, write_archive
from tests.cohorts import chosen_of, in_one_job, local_rows
from tests.conftest import make_config
from tests.leaks import find_tokens
from tests.twin import chosen_by
from tests.twin_of_controls import Image, pairs_of
from tests.worked_questions import QUESTIONS, RECORDS, VIEWS

HEAD_CT = "head_ct_after_drug_then_admitted"
CONTROLLED = "mammogram_cases_and_controls"

CANDIDATES = f"candidates of {CONTROLLED}"
ZONE_1 = {"secure_images": "images", **{f"secure_{of}": f"records/{of}" for of in ("demography", *RECORDS)}}
# What the definitions look at, and what says which image it is.
OF_IMAGES = (
    "patient_id", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyDate", "year", "modality",
    "PatientSex", "age_at_study", "body_part_label", "mr_sequence_label", "ImageType", "SliceThickness",
    "MRAcquisitionType",
)  # fmt: skip
OF_PAIRS = "patient_id string, StudyInstanceUID string, StudyDate date, PatientSex string, age_at_study int"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return make_config(tmp_path_factory.mktemp("known_answer"))


@pytest.fixture(scope="module")
def answers(spark: SparkSession, config: Config) -> Answers:
    """The answers of an archive that has gone all the way into a cohort."""
    archive = Path(config.root).parent / "archive"
    write_archive(archive, patients=45, seed=5, worked=True)
    ingest_headers(spark, config, [str(archive / "dicom")])
    for table in ("demography", *RECORDS):
        load_records(spark, config, table, str(archive / "records" / table))
    pseudonymise(spark, config)
    build_cohort(spark, config, worked(HEAD_CT))
    return Answers.read(archive)


def worked(name: str) -> Definition:
    return load_definition(folder("conf") / "cohorts" / f"{name}.yaml")


@pytest.fixture(scope="module")
def zone_1(spark: SparkSession, config: Config, answers: Answers) -> Iterator[None]:
    """Zone 1 as views for SQL, whose rows stand in the plans themselves."""
    for view, name in ZONE_1.items():
        tables.read(spark, tables.table(config, f"secure/{name}")).createOrReplaceTempView(view)
    for view, query in VIEWS.items():
        spark.createDataFrame(spark.sql(query).toArrow()).createOrReplaceTempView(view)
    yield
    for view in (*ZONE_1, *VIEWS):
        spark.catalog.dropTempView(view)


Found = dict[str, list[tuple[str, str, str]]]  # question → CHI, study and image, as zone 1 has them


@pytest.fixture(scope="module")
def asked(spark: SparkSession, zone_1: None) -> Found:
    """What plain SQL answers."""
    found: Found = {name: [] for name in QUESTIONS}
    for name, *of in in_one_job([spark.sql(f"SELECT '{name}', * FROM ({sql})") for name, sql in QUESTIONS.items()]):
        found[name].append((of[0], of[1], of[2]))
    return found


class ZoneTwo(NamedTuple):
    """Rows of zone 2, and the same as frames that stand in the plan itself."""

    images: list[dict[str, Any]]
    records: dict[str, list[dict[str, Any]]]
    frames: dict[str, DataFrame]

    def of(self, uids: Sequence[str]) -> list[dict[str, Any]]:
        """The images of these SOP Instance UIDs."""
        wanted = set(uids)
        return [row for row in self.images if row["SOPInstanceUID"] in wanted]


@pytest.fixture(scope="module")
def zone_2(spark: SparkSession, config: Config, answers: Answers) -> ZoneTwo:
    read = {of: tables.read(spark, tables.table(config, f"deidentified/records/{of}")).toArrow() for of in RECORDS}
    images = tables.read(spark, tables.table(config, "deidentified/images")).select(*OF_IMAGES).toArrow()
    frames = {of: spark.createDataFrame(rows) for of, rows in {**read, "images": images}.items()}
    return ZoneTwo(images.to_pylist(), {of: rows.to_pylist() for of, rows in read.items()}, frames)


@pytest.fixture(scope="module")
def zone_2_uids(spark: SparkSession, config: Config, answers: Answers) -> dict[str, str]:
    """SOP Instance UID of zone 1 → of zone 2."""
    links = tables.read(spark, tables.table(config, "secure/links")).collect()
    return {row["original_sop_instance_uid"]: row["SOPInstanceUID"] for row in links}


@pytest.fixture(scope="module")
def definitions() -> dict[str, Definition]:
    """The worked definitions, and that of the images among which controls are looked for."""
    found = {name: worked(name) for name in QUESTIONS}
    return found | {CANDIDATES: found[CONTROLLED].of_candidates()}


@pytest.fixture(scope="module")
def chosen(zone_2: ZoneTwo, definitions: dict[str, Definition]) -> dict[str, list[str]]:
    """The SOP Instance UIDs that each definition chooses, of cases alone."""
    images = zone_2.frames["images"]
    return chosen_of({name: select_images(images, zone_2.frames, one) for name, one in definitions.items()})


class Mapped:
    """What the project calls a patient, study or image of zone 1."""

    def __init__(self, config: Config) -> None:
        self.keys = load_key(config.keys.archive), project_key(load_key(config.keys.projects), "demo")

    def patients_of_zone_2(self, chis: Any) -> set[str]:
        return {pseudonym(self.keys[0], "patient", chi) for chi in chis}

    def studies_of_zone_2(self, uids: Any) -> set[str]:
        return {pseudonymous_uid(self.keys[0], uid) for uid in uids}

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
def test_a_definition_chooses_the_planted_answer(
    config: Config, answers: Answers, zone_2: ZoneTwo, chosen: dict[str, list[str]], name: str
) -> None:
    planted, mapped = answers.cohorts[name], Mapped(config)
    assert len(set(chosen[name])) == len(chosen[name]) == planted.images
    rows = zone_2.of(chosen[name])
    patients = {row["patient_id"] for row in rows}
    assert patients == mapped.patients_of_zone_2(planted.patients)
    assert {row["StudyInstanceUID"] for row in rows} == mapped.studies_of_zone_2(planted.studies)
    stories = [story for story in answers.planted if story.cohort == name and story.chi not in controls_of(answers)]
    ends = {story.story: mapped.patients_of_zone_2([story.chi]) <= patients for story in stories}
    assert ends == {story.story: story.hit for story in stories}
    assert list(ends.values()).count(True) >= 2
    assert list(ends.values()).count(False) >= 4


def controls_of(answers: Answers) -> set[str]:
    return {chi for chis in answers.controls.values() for chi in chis}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_definition_chooses_what_plain_sql_over_zone_1_finds(
    asked: Found, chosen: dict[str, list[str]], zone_2_uids: dict[str, str], name: str
) -> None:
    assert chosen[name] == sorted(zone_2_uids[image] for _, _, image in asked[name])


@pytest.mark.parametrize("name", [*QUESTIONS, CANDIDATES])
def test_a_definition_chooses_what_a_twin_in_plain_python_does(
    zone_2: ZoneTwo, definitions: dict[str, Definition], chosen: dict[str, list[str]], name: str
) -> None:
    twins = chosen_by(definitions[name], zone_2.images, zone_2.records)
    assert chosen[name] == sorted(row["SOPInstanceUID"] for row in twins)


def test_controls_are_those_that_were_planted_and_that_a_twin_pairs(
    spark: SparkSession,
    config: Config,
    answers: Answers,
    zone_2: ZoneTwo,
    definitions: dict[str, Definition],
    chosen: dict[str, list[str]],
) -> None:
    wanted, mapped = definitions[CONTROLLED].controls, Mapped(config)
    assert wanted is not None
    cases, candidates = ([_of_an_image(row) for row in zone_2.of(chosen[name])] for name in (CONTROLLED, CANDIDATES))
    pairs = match_controls(*(local_rows(spark, OF_PAIRS, rows) for rows in (cases, candidates)), wanted)
    found = {(row["patient_id"], row["StudyInstanceUID"], row["matched_patient_id"]) for row in pairs.collect()}

    assert found == pairs_of(cases, candidates, wanted)
    controls = {patient for patient, _, _ in found}
    assert controls <= mapped.patients_of_zone_2(answers.controls[CONTROLLED])
    stories = {story.story: story for story in answers.planted if story.cohort == CONTROLLED}
    planted = mapped.patients_of_zone_2(stories[name].chi for name in stories if name.startswith("control"))
    case = mapped.patients_of_zone_2([stories["case of 60 years, of two mammograms the nearest"].chi])
    assert {patient for patient, _, whose in found if whose in case} == planted
    missed = mapped.patients_of_zone_2(story.chi for story in stories.values() if not story.hit)
    assert missed.isdisjoint(controls)


def _of_an_image(row: dict[str, Any]) -> Image:
    return row["patient_id"], row["StudyInstanceUID"], row["StudyDate"], row["PatientSex"], row["age_at_study"]


def test_a_snapshot_holds_the_planted_answer(spark: SparkSession, config: Config, answers: Answers) -> None:
    planted, mapped = answers.cohorts[HEAD_CT], Mapped(config)
    assert len(planted.patients) >= 5
    assert {p.chi for p in answers.planted if p.hit and "number that was merged" in p.story} & set(planted.patients)
    cohort = open_cohort(spark, config, "demo", HEAD_CT)
    patients, studies, images = delivered(cohort)
    assert patients == mapped.patients(planted.patients)
    assert studies == mapped.uids(planted.studies)
    assert len(images) == len(set(images)) == planted.images
    assert cohort.attrition[-1][2:] == (len(planted.patients), len(planted.studies), planted.images)
    assert cohort.studies.count() == len(planted.studies)


def test_a_snapshot_equals_the_same_question_in_plain_sql(
    spark: SparkSession, config: Config, asked: Found, zone_2_uids: dict[str, str]
) -> None:
    mapped = Mapped(config)
    patients, studies, images = delivered(open_cohort(spark, config, "demo", HEAD_CT))
    assert patients == mapped.patients(chi for chi, _, _ in asked[HEAD_CT])
    assert studies == mapped.uids(study for _, study, _ in asked[HEAD_CT])
    project = mapped.keys[1]
    assert sorted(images) == sorted(pseudonymous_uid(project, zone_2_uids[image]) for _, _, image in asked[HEAD_CT])


@pytest.mark.usefixtures("zone_1")
def test_the_admissions_delivered_are_those_within_their_window(spark: SparkSession, config: Config) -> None:
    expected = spark.sql(f"""
        SELECT DISTINCT a.URI, datediff(a.ADMISSION_DATE, i.StudyDate) AS days
        FROM smr01 a JOIN images i ON a.chi = i.chi
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
    entry = open_cohort(spark, config, "demo", HEAD_CT).entry
    manifest = Path(config.zone("analysis")) / "demo" / HEAD_CT / f"manifest-v{entry.version}.json"
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
