"""People who are erased: nothing of them is left in zone 1 but their no, and nothing of anybody else is lost."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.pseudonymise import run as pseudonymise
from smi_spark.errors import InputError
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.records import load_records
from smi_spark.secure.retry import Selection, try_again
from smi_spark.withdraw import Report, withdraw
from tests.killed import killed_behind
from tests.leaks import find_tokens
from tests.rows import fill
from tests.said_no import ANN, BEA, lenient, load, patient

pytestmark = pytest.mark.long
WriteDicom = Callable[..., Path]

FORMER = "0404040083"  # another number of Ann's
UID = "2.25.7777{}0".format
# What says who Ann is and nobody else. Each study has its number, each instance that of its study and its own.
TOKENS = [ANN, ANN[1:], FORMER, FORMER[1:], "Quernlock", "Knarrevik", *(UID(number) for number in (10, 20, 30, 40))]
OF_THE_NO = ("opt_outs", "opt_outs_history", "people", "withdrawals")


def hers(place: Path, write: WriteDicom, name: str, study: int, number: int, **more: str | int | None) -> None:
    uids = {"StudyInstanceUID": UID(study), "SeriesInstanceUID": f"{UID(study)}.1", "AccessionNumber": "Knarrevik"}
    given = {**uids, "PatientID": ANN, "PatientName": "Quernlock^Ann", **more}
    write(place / "in/ann" / name, f"{UID(study)}.1.{number}", **given)


def write_files(place: Path, write: WriteDicom) -> None:
    """Ann's files, good and bad, a file of both, and Bea's."""
    hers(place, write, "1.dcm", 10, 1)
    hers(place, write, "1 again.dcm", 10, 1)
    hers(place, write, "2a.dcm", 10, 2, StudyDate=None, EchoTime="4")
    hers(place, write, "2b.dcm", 10, 2, FlipAngle="30")
    hers(place, write, "former number.dcm", 10, 3, PatientID=FORMER[1:])
    hers(place, write, "nameless.dcm", 10, 4, PatientID="", StudyDate="20190101")
    hers(place, write, "no study.dcm", 20, 1, StudyInstanceUID=None)
    hers(place, write, "contradicted.dcm", 30, 1, EchoTime="4")
    hers(place, write, "contradicting.dcm", 30, 1, EchoTime="5")
    hers(place, write, "of both.dcm", 40, 1, PatientID=f"{ANN}\\{BEA}")
    write(place / "in/bea/1.dcm", "2.25.51", StudyInstanceUID="2.25.5", PatientID=BEA, EchoTime="4")
    write(place / "in/bea/2.dcm", "2.25.52", StudyInstanceUID="2.25.5", PatientID=BEA, EchoTime="5")
    write(place / "in/bea/no study.dcm", "2.25.61", StudyInstanceUID=None, PatientID=BEA)
    # Sent as Ann's first, and corrected then: of another year, so that its former row stands elsewhere.
    write(place / "in/corrected.dcm", "2.25.53", StudyInstanceUID="2.25.5", PatientID=ANN, PatientName="Quernlock^Ann",
          StudyDate="20170101")  # fmt: skip


OF_BEA = f"CHI_NUMBER,UPI_NUMBER,DATE_FROM\n{BEA},{BEA},2000-01-01\n"
DEMOGRAPHY = OF_BEA + f"{ANN},{ANN},2000-01-01\n{FORMER},{ANN},2000-01-01\n"
EPISODES = (
    "EPISODE_RECORD_KEY,UPI_NUMBER,ADMISSION_DATE,BABY_CI_CHI_NUMBER_BABY_1,MAIN_CONDITION\n"
    f"e1,{ANN},2020-02-01,,O80\ne2,{BEA},2020-02-02,{FORMER[1:]},O81\ne3,{BEA},2020-02-03,,O82\n"
)


def load_table(spark: SparkSession, config: Config, place: Path, name: str, text: str) -> None:
    place.write_text(text)
    load_records(spark, config, name, str(place))


@dataclass(frozen=True)
class Story:
    before: Config
    config: Config
    report: Report
    place: Path


@pytest.fixture(scope="module")
def story(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, write_dicom: WriteDicom) -> Story:
    place = tmp_path_factory.mktemp("erasure")
    before = fill_zones(spark, place, write_dicom)
    config = copied(before, place / "erased")
    return Story(before, config, withdraw(spark, config), place)


def fill_zones(spark: SparkSession, place: Path, write: WriteDicom) -> Config:
    """Zones 1 and 2 of Ann and Bea, and Ann on a list, to be erased."""
    config = lenient(place)
    write_files(place, write)
    ingest_headers(spark, config, [str(place / "in")])
    write(place / "in/corrected.dcm", "2.25.53", StudyInstanceUID="2.25.5", PatientID=BEA, EchoTime="6")
    ingest_headers(spark, config, [str(place / "in")])
    load_table(spark, config, place / "demography.csv", "demography", DEMOGRAPHY)
    load_table(spark, config, place / "smr02.csv", "smr02", EPISODES)
    late = EPISODES.replace("O80", "O85") + f"e4,{ANN},2020-02-01,,O80,and more\ne5,{BEA},soon,,O80\n"
    load_table(spark, config, place / "late.csv", "smr02", late)
    pseudonymise(spark, config)
    fill_tables_of_ids(spark, config)
    load(spark, config, place / "list.csv", f"{ANN},2020-01-01,erase,")
    return config


def fill_tables_of_ids(spark: SparkSession, config: Config) -> None:
    """As if ids had been looked up once, and another key had been: no job is asked for that."""
    people = {ANN: patient(config, ANN), BEA: patient(config, BEA)}
    ids = [{"identity": chi, "patient_id": one, "origin": "keyed", "run_id": "1"} for chi, one in people.items()]
    fill(spark, config, "mapping", ids)
    former = [{"kind": "patient", "old": f"former {one}", "new": one, "first": f"former {one}", "run_id": "1"}
              for one in people.values()]  # fmt: skip
    fill(spark, config, "replaced", former)
    finding = {"table": "deidentified/images", "row_key": "{}", "column": "ImageComments", "detector": "name"}
    fill(spark, config, "findings", [finding | {"start": 0, "part": "Quernlock", "value": "Quernlock"}])
    studies = f"identical_copy, {UID(10)}, 2.25.9"
    fill(spark, config, "runs", [{"run_id": "1", "job": "retry_quarantine", "inputs": [studies]}])


def copied(config: Config, place: Path) -> Config:
    shutil.copytree(config.root, place / "data")
    return lenient(place)


def found(config: Config) -> set[tuple[str, str]]:
    """Where tokens stand in zone 1 or 2 but in what says that she said no."""
    zones = (Path(config.zone("secure")), Path(config.zone("deidentified")))
    leaks = [leak for zone in zones for leak in find_tokens(zone, TOKENS)]
    return {(leak.file, str(leak.token)) for leak in leaks if leak.file.split("/")[0] not in OF_THE_NO}


def rows(spark: SparkSession, config: Config, name: str, where: str = "true", *columns: str) -> list[tuple[Any, ...]]:
    table = tables.table(config, f"secure/{name.removesuffix('_history')}")
    read = tables.read_or_empty(spark, tables.history_of(table) if name.endswith("_history") else table).where(where)
    return sorted(map(tuple, read.select(*columns or read.columns).collect()), key=repr)


def test_no_file_of_zones_1_and_2_says_anything_of_her_but_that_she_said_no(story: Story) -> None:
    assert {token for _, token in found(story.before)} == set(TOKENS)
    assert found(story.config) == set()
    told = "out of zone 1: files 10, images 5, rows of records 4, named in rows of others 1; files of old"
    assert str(story.report).splitlines()[-1].startswith(told)


@pytest.mark.parametrize(
    ("name", "of_bea"),
    [
        ("images", f"PatientID = '{BEA}'"),
        ("headers", "path LIKE 'bea/%' OR path = 'corrected.dcm'"),
        ("quarantine", "path LIKE 'bea/%' OR row_number = 5"),
        ("series", f"PatientID = '{BEA}'"),
        ("studies", f"PatientID = '{BEA}'"),
        ("records/demography", f"UPI_NUMBER = '{BEA}'"),
        ("records/smr02", "EPISODE_RECORD_KEY = 'e3'"),
        ("mapping", f"identity = '{BEA}'"),
    ],
)
def test_rows_of_others_are_as_they_were(spark: SparkSession, story: Story, name: str, of_bea: str) -> None:
    assert rows(spark, story.config, name, of_bea) == rows(spark, story.before, name, of_bea) != []


def test_a_record_of_another_one_names_her_no_longer_and_histories_have_no_row_of_hers(
    spark: SparkSession, story: Story
) -> None:
    columns = ("EPISODE_RECORD_KEY", "UPI_NUMBER", "BABY_CI_CHI_NUMBER_BABY_1", "MAIN_CONDITION")
    assert rows(spark, story.before, "records/smr02", "true", *columns)[1] == ("e2", BEA, FORMER, "O81")
    assert rows(spark, story.config, "records/smr02", "true", *columns) == [
        ("e2", BEA, None, "O81"), ("e3", BEA, None, "O82"),
    ]  # fmt: skip
    for name in ("headers_history", "images_history", "records/smr02_history"):
        assert len(rows(spark, story.before, name)) == 1
        assert rows(spark, story.config, name) == []


def test_each_file_of_hers_is_accounted_for_and_was_read(spark: SparkSession, story: Story) -> None:
    kept = ("path", "modality", "year", "size", "run_id", "listed_run_id")
    hers = "path LIKE 'ann/%'"
    assert rows(spark, story.config, "headers", hers, *kept) == rows(spark, story.before, "headers", hers, *kept)
    said = ("reason", "detail", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "header", "left_out")
    assert set(rows(spark, story.config, "headers", hers, *said)) == {("erased", *[None] * 6)}
    assert set(rows(spark, story.config, "quarantine", hers, "reason", "value", "StudyInstanceUID")) == {
        ("erased", None, None)
    }
    files = {path for (path,) in rows(spark, story.config, "files", "true", "path")}
    used = {path for (path,) in rows(spark, story.config, "images", "true", "path")}
    assert used | {path for (path,) in rows(spark, story.config, "quarantine", "table = 'images'", "path")} == files
    assert rows(spark, story.config, "people", "true", "chi", "person") == [(FORMER, ANN)]
    assert rows(spark, story.config, "replaced", "true", "new") == [(patient(story.config, BEA),)]
    assert rows(spark, story.config, "runs", "run_id = '1'", "inputs") == [(["identical_copy", "2.25.9", "erased"],)]
    assert rows(spark, story.config, "withdrawals", "true", "chi", "policy") == [(ANN, "erase")]


def test_the_next_night_reads_no_file_again_and_a_second_run_changes_nothing(spark: SparkSession, story: Story) -> None:
    before = tables.versions_below(Path(story.config.root))
    assert ingest_headers(spark, story.config, [str(story.place / "in")]).counts() == {}
    assert str(withdraw(spark, story.config)) == "nobody waits to be taken out; deidentified/opt_outs is up to date"
    assert tables.versions_below(Path(story.config.root)) == before


def test_what_comes_later_leaves_with_the_next_run_and_what_others_are_stays(
    spark: SparkSession, story: Story, tmp_path: Path, write_dicom: WriteDicom
) -> None:
    config = copied(story.config, tmp_path)
    shutil.copytree(story.place / "in", tmp_path / "kept")
    hers(story.place, write_dicom, "new.dcm", 10, 5)
    hers(story.place, write_dicom, "1.dcm", 10, 1, EchoTime="7")
    ingest_headers(spark, config, [str(story.place / "in")])
    load_table(spark, config, tmp_path / "demography.csv", "demography", OF_BEA + f"{BEA},{BEA},2001-01-01\n")
    load_table(spark, config, tmp_path / "smr02.csv", "smr02", EPISODES + f"e6,{BEA},2020-02-06,,O86\n")
    assert rows(spark, config, "people", "true", "chi", "person") == [(FORMER, ANN)]
    assert {token for _, token in found(config)} >= {ANN, FORMER, "Quernlock", UID(10)}
    pseudonymise(spark, config)

    report = withdraw(spark, config)

    told = "out of zone 1: files 2, images 2, rows of records 1, named in rows of others 1; files of old"
    assert str(report).splitlines()[1].startswith(f"came since people were erased, and {told}")
    assert found(config) == set()
    assert rows(spark, config, "records/smr02", "true", "EPISODE_RECORD_KEY", "BABY_CI_CHI_NUMBER_BABY_1") == [
        ("e2", None), ("e3", None), ("e6", None),
    ]  # fmt: skip
    assert len(rows(spark, config, "headers", "path LIKE 'ann/%' AND reason = 'erased'")) == 11
    before = tables.versions_below(Path(config.root))
    assert withdraw(spark, config).erased is None
    assert tables.versions_below(Path(config.root)) == before

    load(spark, config, tmp_path / "list.csv", f"{ANN},2020-01-01,erase,2020-06-01")
    with pytest.raises(InputError):
        try_again(spark, config, Selection(paths=("ann/new.dcm",)))
    try_again(spark, config, Selection(reasons=("erased",), paths=("ann/new.dcm",)))
    assert rows(spark, config, "images", "path LIKE 'ann/%'", "path", "PatientID") == [("ann/new.dcm", ANN)]
    shutil.rmtree(story.place / "in")
    shutil.move(tmp_path / "kept", story.place / "in")


COMMITS = [
    "merge opt_outs", "delete links", "delete images", "delete records/demography", "delete records/smr02",
    "merge records/smr02", "delete opt_outs", "append erasing", "append quarantine", "append instances",
    "merge headers", "delete headers_history", "delete images", "delete images_history", "delete quarantine",
    "delete instances", "delete changes", "merge runs", "merge series", "delete series", "merge studies",
    "delete studies", "delete records/demography", "delete records/smr02", "delete records/smr02_history",
    "merge records/smr02", "delete quarantine", "delete changes", "delete mapping", "delete replaced",
    "delete findings", "delete erasing", "append withdrawals", "append runs",
]  # fmt: skip
SAME = {
    "headers": ("path", "reason", "modality", "year", "run_id"), "images": ("path", "PatientID"),
    "quarantine": ("path", "reason", "row_number"), "instances": ("file", "modality", "year", "instance", "study"),
    "series": ("PatientID", "image_count"), "studies": ("PatientID", "image_count"), "people": ("chi", "person"),
    "records/smr02": ("EPISODE_RECORD_KEY", "BABY_CI_CHI_NUMBER_BABY_1"), "records/demography": ("CHI_NUMBER",),
    "changes": ("table", "action", "path"), "erasing": ("path",), "withdrawals": ("chi", "policy"),
}  # fmt: skip


@pytest.mark.parametrize("commits", [8, 11, 14, 21, 28, 32])
def test_a_run_killed_behind_a_commit_is_completed_by_the_next(
    spark: SparkSession, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    config = copied(story.before, tmp_path)
    with killed_behind(monkeypatch, commits) as done:
        withdraw(spark, config)
    assert done == COMMITS[:commits]
    withdraw(spark, config)

    assert found(config) == set()
    for name, columns in SAME.items():
        assert rows(spark, config, name, "true", *columns) == rows(spark, story.config, name, "true", *columns), name
