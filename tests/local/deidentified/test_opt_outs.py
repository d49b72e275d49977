"""People whose data have to leave zone 2: which rows go, and which only name them no longer."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.keys import load_key
from smi_spark.deidentified.opt_outs import Taken, take_out
from smi_spark.deidentified.pseudonyms import pseudonym
from smi_spark.deidentified.records import bring_up_records
from smi_spark.deidentified.swappers import Keyed
from smi_spark.deidentified.text.vocabulary import NO_TEXTS
from smi_spark.secure.changes import changes_since
from smi_spark.secure.people import People
from tests.rows import fill, frame
from tests.said_no import ANN, BEA, CAL

IMAGES = [
    {"SOPInstanceUID": f"{who}-{n}", "patient_id": who, "modality": "CT", "year": 2019 + n, "PatientSex": "F"}
    for who in ("ann", "bea") for n in (1, 2)
]  # fmt: skip
EPISODES = [
    {"EPISODE_RECORD_KEY": "e1", "patient_id": "ann", "BABY_CI_CHI_NUMBER_BABY_1": "dan"},
    {"EPISODE_RECORD_KEY": "e2", "patient_id": "bea", "BABY_CI_CHI_NUMBER_BABY_1": "eve",
     "BABY_CI_CHI_NUMBER_BABY_2": "ann", "MAIN_CONDITION": "O84"},
    {"EPISODE_RECORD_KEY": "e3", "patient_id": "cat"},
]  # fmt: skip


def read(spark: SparkSession, config: Config, name: str) -> DataFrame:
    return tables.read(spark, tables.table(config, name))


def test_their_rows_go_and_rows_of_others_name_them_no_longer(spark: SparkSession, config: Config) -> None:
    for name, rows in (("images", IMAGES), ("records/smr02", EPISODES)):
        tables.append(frame(spark, name, rows, "deidentified"), tables.table(config, f"deidentified/{name}"))
    fill(spark, config, "links", [{"SOPInstanceUID": image["SOPInstanceUID"], "path": "a"} for image in IMAGES])
    patients = spark.createDataFrame([("ann",), ("nobody",)], "patient_id string")

    taken = take_out(spark, config, patients)

    assert taken == Taken(images=2, records=1, unnamed=1)
    images = read(spark, config, "deidentified/images").orderBy("SOPInstanceUID")
    left = [image for image in IMAGES if image["patient_id"] != "ann"]
    assert images.collect() == frame(spark, "images", left, "deidentified").collect()
    assert {row["SOPInstanceUID"] for row in read(spark, config, "secure/links").collect()} == {"bea-1", "bea-2"}
    episodes = read(spark, config, "deidentified/records/smr02").orderBy("EPISODE_RECORD_KEY").collect()
    unnamed = [EPISODES[1] | {"BABY_CI_CHI_NUMBER_BABY_2": None}, EPISODES[2]]
    assert episodes == frame(spark, "records/smr02", unnamed, "deidentified").collect()
    before = [
        tables.latest_version(spark, tables.table(config, f"deidentified/{name}"))
        for name in ("images", "records/smr02")
    ]
    assert take_out(spark, config, patients) == Taken()
    assert [
        tables.latest_version(spark, tables.table(config, f"deidentified/{n}")) for n in ("images", "records/smr02")
    ] == before


def test_a_record_that_a_later_extract_gives_to_somebody_who_is_out_leaves(spark: SparkSession, config: Config) -> None:
    given = [{"EPISODE_RECORD_KEY": key, "UPI_NUMBER": chi} for key, chi in (("e1", ANN), ("e2", BEA))]
    fill(spark, config, "records/smr02", [row | {"run_id": "1"} for row in given])
    people = People(None, "", changes_since(spark, config), barred=spark.createDataFrame([(CAL,)], "chi string"))
    swapper = Keyed(config.keys.archive)

    def bring_up() -> int:
        return bring_up_records(spark, config, people, swapper, NO_TEXTS, "records/smr02", "key", "run")

    assert bring_up() == 2
    corrected = frame(spark, "records/smr02", [given[0] | {"UPI_NUMBER": CAL, "run_id": "2"}])
    tables.merge(corrected, tables.table(config, "secure/records/smr02"), ["EPISODE_RECORD_KEY"])
    assert bring_up() == 0

    left = read(spark, config, "deidentified/records/smr02").select("EPISODE_RECORD_KEY", "patient_id").collect()
    archive = load_key(config.keys.archive)
    assert left == [(pseudonym(archive, "accession", "e2"), pseudonym(archive, "patient", BEA))]
    before = tables.versions_below(Path(config.root))
    assert bring_up() == 0
    assert tables.versions_below(Path(config.root)) == before
