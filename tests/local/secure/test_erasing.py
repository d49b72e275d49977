"""Which rows about files are whose, of people who are to be erased."""

from collections.abc import Callable
from pathlib import Path

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.erasing import rows_about
from smi_spark.secure.instances import as_index
from tests.rows import fill, frame

WriteDicom = Callable[..., Path]
ANN, BEA = "0101010028", "0202020052"
PLACE = {"source": "/in", "modality": "CT", "year": 2018, "run_id": "2"}


def test_her_files_are_those_that_name_her_and_those_of_her_studies_that_name_nobody(
    spark: SparkSession, config: Config, tmp_path: Path, write_dicom: WriteDicom
) -> None:
    def header(path: str, patient: str, study: str | None, reason: str | None = None) -> dict[str, object]:
        file = write_dicom(tmp_path / path, f"1.{path}", PatientID=patient, StudyInstanceUID=study)
        uids = {"StudyInstanceUID": study, "SOPInstanceUID": f"1.{path}"}
        return {**PLACE, **uids, "path": path, "reason": reason, "header": file.read_bytes(), "left_out": []}

    def image(path: str, patient: str | None, study: str, **more: object) -> dict[str, object]:
        uids = {"StudyInstanceUID": study, "SOPInstanceUID": f"1.{path}"}
        return {**PLACE, **uids, "path": path, "PatientID": patient, **more}

    headers = [
        header("1", ANN, "1.1"), header("2", "", "1.1"), header("3", BEA, "1.1"), header("4", BEA, "1.2"),
        header("5", "", "1.2"), header("6", ANN, "1.1"), header("7", f"{BEA}\\{ANN}", "1.3"), header("8", BEA, "1.3"),
        header("9", ANN[1:], None, "no_study_instance_uid"), header("10", BEA, None, "no_study_instance_uid"),
        header("11", ANN, "1.4"), header("12", ANN, "1.1"), header("13", "?", "1.1"),
    ]  # fmt: skip
    fill(spark, config, "headers", headers)
    fill(spark, config, "images", [
        image("1", ANN, "1.1", filled_from=[("/in", "12")]), image("2", None, "1.1"), image("3", BEA, "1.1"),
        image("4", BEA, "1.2"), image("5", None, "1.2"), image("13", "?", "1.1"),
    ])  # fmt: skip
    reasons = {"6": "identical_copy", "7": "conflicting_study", "8": "conflicting_study",
               "9": "no_study_instance_uid", "10": "no_study_instance_uid"}  # fmt: skip
    fill(spark, config, "quarantine", [
        {"table": "images", "source": "/in", "path": path, "reason": reason, "run_id": "2"}
        for path, reason in reasons.items()
    ])  # fmt: skip
    gone = [image("11", ANN, "1.4", run_id="1"), image("4", ANN, "1.2", run_id="1"), image("4", BEA, "1.2", run_id="0")]
    history = tables.history_of(tables.table(config, "secure/images"))
    tables.append(tables.completed(frame(spark, "images", gone), history), history)
    tables.append(as_index(frame(spark, "headers", headers)), tables.table(config, "secure/instances"))
    fill(spark, config, "runs", [{"run_id": "2", "job": "ingest_headers"}])
    ann = spark.createDataFrame([(ANN,)], "chi string")

    found = rows_about(spark, config, ann).collect()

    told = {name: {row["path"] for row in found if row["table"] == name} for name in {row["table"] for row in found}}
    assert told == {
        # 4 was hers once, and is another's by now: so is 5, of its study, which names nobody
        "headers": {"1", "2", "6", "7", "9", "11", "12", "13"}, "images": {"1", "2", "13"},
        "images_history": {"4", "11"},
    }  # fmt: skip
    assert {row["run_id"] for row in found if row["table"] == "images_history"} == {"1"}
    assert rows_about(spark, config, ann, since="2").isEmpty()
