"""Three people and a cohort of them, for tests of people who said no: Ann, her mother Bea, and Cal."""

from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.config import Config, Records
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.schema import load_schema
from smi_spark.secure.opt_outs import JOB, OPT_OUTS
from smi_spark.secure.records import LoadCounts, load_rows
from tests.conftest import make_config
from tests.projects import LONG, LUNG, with_projects
from tests.rows import fill
from tests.zone_one import CT, RUN

ANN, BEA, CAL = "0101010028", "0202020052", "0303030076"
SEX = {ANN: "F", BEA: "F", CAL: "M"}
QUESTION: dict[str, Any] = {
    "cohort": "scans",
    "project": "demo",
    "question": "Who had a CT?",
    "images": {"modality": "CT"},
    "deliver": {"records": {"smr02": {}}},
    "hold_out": 0.5,
}
EPISODE = ["EPISODE_RECORD_KEY", "ADMISSION_DATE", "MAIN_CONDITION", "BABY_CI_CHI_NUMBER_BABY_1"]
PROJECT = LUNG | LONG | {"project": "demo", "modalities": "CT", "records": {"smr02": EPISODE}}


def lenient(place: Path) -> Config:
    """An installation that takes lists with bad rows, and has the cohort's project."""
    config = make_config(place).model_copy(update={"records": Records(max_bad_fraction=1.0)})
    return with_projects(config, place / "projects", PROJECT)


def fill_zone_one(spark: SparkSession, config: Config) -> None:
    """Two images of each, an episode of Ann's and one of Bea's that names Ann as her baby."""
    images = [
        CT | {"PatientID": chi, "PatientSex": SEX[chi], "StudyInstanceUID": f"1.2.{chi}", "AccessionNumber": chi,
              "SeriesInstanceUID": f"1.2.{chi}.1", "SOPInstanceUID": f"1.2.{chi}.1.{n}", "path": f"{chi}-{n}",
              "StudyDate": date(2020, 1, 15 + place), "ManufacturerModelName": model(chi), "run_id": RUN}
        for place, chi in enumerate((ANN, BEA, CAL)) for n in (1, 2)
    ]  # fmt: skip
    fill(spark, config, "images", images)
    episodes = [
        {"EPISODE_RECORD_KEY": f"key-{chi}", "UPI_NUMBER": chi, "ADMISSION_DATE": date(2020, 2, 1), "run_id": RUN,
         "MAIN_CONDITION": condition(chi), "BABY_CI_CHI_NUMBER_BABY_1": ANN if chi == BEA else None}
        for chi in (ANN, BEA)
    ]  # fmt: skip
    fill(spark, config, "records/smr02", episodes)


def model(chi: str) -> str:
    return f"Scanner {chi[4:]} of one"


def condition(chi: str) -> str:
    return f"O80 of {chi[4:]} alone"


def cohort(**images: object) -> Definition:
    """The cohort; with conditions on images other than that they are CT, and no records then."""
    more = {"images": QUESTION["images"] | images, "deliver": {}} if images else {}
    return read_definition(QUESTION | more, "test.yaml")


def load(spark: SparkSession, config: Config, file: Path, *rows: str) -> LoadCounts:
    file.write_text("\n".join(("chi,date,policy,revoked_on", *rows)) + "\n")
    return load_rows(spark, config, load_schema(OPT_OUTS), str(file), JOB)


def patient(config: Config, chi: str) -> str:
    """The person's pseudonym in zone 2."""
    return pseudonym(load_key(config.keys.archive), "patient", chi)


def project_patient(config: Config, chi: str) -> str:
    """The person's id in the project."""
    return pseudonym(project_key(load_key(config.keys.projects), "demo"), "patient", patient(config, chi))


def study(config: Config, chi: str) -> str:
    """The UID that the person's study has in the project."""
    first = pseudonymous_uid(load_key(config.keys.archive), f"1.2.{chi}")
    return pseudonymous_uid(project_key(load_key(config.keys.projects), "demo"), first)


def tokens(config: Config, chi: str) -> list[str]:
    """All that zones 2 and 3 hold of a person and of nobody else."""
    archive, project = load_key(config.keys.archive), project_key(load_key(config.keys.projects), "demo")
    uids = [f"1.2.{chi}", f"1.2.{chi}.1", *(f"1.2.{chi}.1.{n}" for n in (1, 2))]
    zone_2 = [pseudonymous_uid(archive, uid) for uid in uids]
    keys = [pseudonym(archive, "accession", text) for text in (chi, f"key-{chi}")]
    return [
        patient(config, chi), project_patient(config, chi), *zone_2, *(pseudonymous_uid(project, u) for u in zone_2),
        *keys, *(pseudonym(project, "accession", key) for key in keys), model(chi), condition(chi),
    ]  # fmt: skip
