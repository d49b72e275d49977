"""Patient ids from a mapping: who gets which, whatever runs at once, and what becomes of a site's that come later."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, KeySource, Pseudonyms
from smi_spark.deidentified.images import images_to_deidentified
from smi_spark.deidentified.keys import create_key, load_key
from smi_spark.deidentified.mapping import mapping
from smi_spark.deidentified.pseudonymise import run
from smi_spark.deidentified.pseudonyms import pseudonym
from smi_spark.deidentified.rotation import Keys, rekey_mapping, rotate_key
from smi_spark.deidentified.site_ids import judge, load_mapping
from smi_spark.deidentified.swappers import Keyed, choose_swapper
from smi_spark.deidentified.text.vocabulary import NO_TEXTS
from smi_spark.deidentified.update import update_pseudonyms
from smi_spark.errors import ConfigError, InputError
from tests.conftest import make_config
from tests.killed import killed_behind
from tests.rows import fill, frame
from tests.two_people import BABY, A, B, fill_two_people, load
from tests.zone_one import CT

C = "0404040083"


def chosen(config: Config, patients: str, misses: str = "draw") -> Config:
    given = Pseudonyms.model_validate({"patients": patients, "misses": misses})
    return config.model_copy(update={"pseudonyms": given})


def rows(spark: SparkSession, config: Config, name: str) -> DataFrame:
    return tables.read(spark, tables.table(config, name))


def ids(spark: SparkSession, config: Config, name: str, key: str, column: str = "patient_id") -> list[str | None]:
    return [row[0] for row in rows(spark, config, f"deidentified/{name}").orderBy(key).select(column).collect()]


def site_table(place: Path, *lines: str) -> str:
    place.write_text("chi,id\n" + "".join(f"{line}\n" for line in lines))
    return str(place)


def test_runs_at_once_give_each_person_one_random_id(spark: SparkSession, config: Config) -> None:
    swapper = choose_swapper(spark, chosen(config, "lookup"))
    people = [[A, B, C], [B, C, BABY]]
    frames = [spark.createDataFrame([(chi,) for chi in some], "identity string") for some in people]
    tables.create(spark, mapping(config))  # as the first run with a mapping does, which has the lease of zone 2

    with ThreadPoolExecutor(len(frames)) as threads:
        list(threads.map(lambda some: swapper.provide(some, "run"), frames))

    found = rows(spark, config, "secure/mapping").collect()
    stand = {row["identity"]: row for row in found}
    assert len(found) == len(stand) == 4, "nobody twice"
    drawn = [row["patient_id"] for row in stand.values()]
    assert len({*drawn}) == 4
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in drawn)
    assert {row["origin"] for row in stand.values()} == {"drawn"}
    known = spark.createDataFrame([(A, "1.2.3"), (None, None)], "patient string, uid string")
    swapped = swapper.swap(known, ["patient"], {"uid": "uid"})
    assert [row["patient"] for row in swapped.orderBy(F.desc("uid")).collect()] == [stand[A]["patient_id"], None]
    before = tables.versions_below(Path(config.root))
    swapper.provide(frames[0], "later")
    assert tables.versions_below(Path(config.root)) == before


def test_a_keyed_id_costs_no_join(spark: SparkSession, config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    images = frame(spark, "images", [CT])
    images_to_deidentified(images, Keyed(config.keys.archive), None, NO_TEXTS).explain(True)
    plan = capsys.readouterr().out
    assert "Join" not in plan
    assert plan.split("== Physical Plan ==")[1].count("ArrowEvalPython") <= 2, "labels, and all pseudonyms together"


PEOPLE = [(B, A)]  # B is A's number since
MAPPING = [
    {"identity": "0505050055", "patient_id": "S5", "origin": "site"},
    {"identity": "0606060060", "patient_id": "9" * 32, "origin": "keyed"},
    {"identity": "0707070075", "patient_id": "8" * 32, "origin": "drawn", "arrived_id": "S7"},
]
SITE = [
    # chi            id               reason                    outcome
    (A,              "S1",            None,                     "added"),
    (B,              "S1",            None,                     "added"),
    ("404040083",    "S-4_a.b",       None,                     "added"),
    ("0808080080",   "S8",            "two_ids_of_a_person",    None),
    ("0808080080",   "S8b",           "two_ids_of_a_person",    None),
    ("0909090095",   "S9",            "two_persons_of_an_id",   None),
    ("1010101008",   "S9",            "two_persons_of_an_id",   None),
    ("1111111101",   "S5",            "two_persons_of_an_id",   None),
    ("0505050055",   "S5",            None,                     "known"),
    ("0505050055 ",  "S5",            None,                     "known"),
    ("0606060060",   "S6",            None,                     "arrived"),
    ("0707070075",   "S7",            None,                     "known"),
    ("12345",        "S10",           "bad_value",              None),
    ("0000000000",   "S11",           "bad_value",              None),
    ("1212121210",   "121212-1210",   "unfit_id",               None),
    ("0112121202",   "P112121202X",   "unfit_id",               None),
    ("1312121206",   "0909090095",    "unfit_id",               None),
    ("1412121200",   "S 14",          "unfit_id",               None),
    ("1512121205",   "S" * 65,        "unfit_id",               None),
]  # fmt: skip


def test_each_row_of_a_sites_table_is_judged_by_the_others_and_by_what_stands(spark: SparkSession) -> None:
    given = [("/x", "ids.csv", n, chi, id_, None) for n, (chi, id_, _, _) in enumerate(SITE)]
    read = spark.createDataFrame(given, (
        "source string, path string, row_number long, identity string, patient_id string, "
        "problems array<struct<column:string,reason:string,detail:string,value:string>>"
    ))  # fmt: skip
    present = frame(spark, "mapping", MAPPING)
    merged = spark.createDataFrame(PEOPLE, "chi string, person string")

    judged = judge(read, present, merged).orderBy("row_number").select("patient_id", "reason", "outcome")

    expected = spark.createDataFrame([row[1:] for row in SITE], judged.schema)
    assert_df_equality(judged, expected, ignore_nullable=True)
    two = judge(read.limit(0), present, None).select("outcome")
    assert two.collect() == []


def test_another_id_of_the_site_does_not_take_the_place_of_the_one_that_stands(spark: SparkSession) -> None:
    given = [("/x", "ids.csv", 1, "0505050055", "S5b", None), ("/x", "ids.csv", 2, "0707070075", "S7b", None)]
    read = spark.createDataFrame(given, (
        "source string, path string, row_number long, identity string, patient_id string, "
        "problems array<struct<column:string,reason:string,detail:string,value:string>>"
    ))  # fmt: skip
    judged = judge(read, frame(spark, "mapping", MAPPING), None).select("reason", "outcome")
    assert [tuple(row) for row in judged.collect()] == [("other_id_in_mapping", None)] * 2


@pytest.fixture
def changed(two_people: Config, tmp_path: Path) -> Config:
    """A copy of the two people, whose zone 2 was made by the key, with a site's table to come."""
    shutil.copytree(two_people.root, tmp_path / "data")
    return chosen(make_config(tmp_path), "lookup_or_keyed")


@pytest.mark.long
def test_a_sites_ids_that_come_later_take_the_place_of_keyed_ones_everywhere(
    spark: SparkSession, changed: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = {chi: pseudonym(load_key(changed.keys.archive), "patient", chi) for chi in (A, B, BABY)}
    source = site_table(tmp_path / "ids.csv", f"{A},SITE-1", f"{BABY[1:]},SITE-3", f"{C},SITE-4", "x,SITE-9")
    loaded = load_mapping(spark, changed, source)
    assert (loaded.rows, loaded.added, loaded.reasons) == (4, 3, {"bad_value": 1})

    with killed_behind(monkeypatch, 4) as commits:
        update_pseudonyms(spark, changed)
    assert commits == ["merge mapping", "append replaced", "merge mapping", "merge images"]
    done = update_pseudonyms(spark, changed)

    assert dict(done.rows) == {"images": 1, "series": 2, "studies": 2, "records/smr02": 1} | dict.fromkeys(
        (name for name in done.rows if name.startswith("records/") and name != "records/smr02"), 0
    )
    assert ids(spark, changed, "images", "StudyInstanceUID") in (["SITE-1", keyed[B]], [keyed[B], "SITE-1"])
    assert set(ids(spark, changed, "series", "SeriesInstanceUID")) == {"SITE-1", keyed[B]}
    assert set(ids(spark, changed, "studies", "StudyInstanceUID")) == {"SITE-1", keyed[B]}
    assert ids(spark, changed, "records/smr02", "ADMISSION_DATE") == ["SITE-1", keyed[B]]
    assert ids(spark, changed, "records/smr02", "ADMISSION_DATE", "BABY_CI_CHI_NUMBER_BABY_1") == ["SITE-3", None]
    replaced = {(row["old"], row["new"]) for row in rows(spark, changed, "secure/replaced").collect()}
    assert replaced == {(keyed[A], "SITE-1"), (keyed[BABY], "SITE-3")}
    stand = {row["identity"]: (row["patient_id"], row["origin"], row["arrived_id"])
             for row in rows(spark, changed, "secure/mapping").collect()}  # fmt: skip
    assert stand == {
        A: ("SITE-1", "site", None), B: (keyed[B], "keyed", None), BABY: ("SITE-3", "site", None),
        C: ("SITE-4", "site", None),
    }  # fmt: skip
    before = tables.versions_below(Path(changed.root))
    assert str(update_pseudonyms(spark, changed)) == "no patient id waits to be replaced"
    assert str(load_mapping(spark, changed, source)).startswith("4 rows: people who got an id 0, ids that arrived")
    assert tables.versions_below(Path(changed.root)) == before
    with pytest.raises(ConfigError, match=r"^pseudonyms.patients is keyed, and zone 2 has the patient ids of secure/m"):
        choose_swapper(spark, chosen(changed, "keyed"))


def other_key(config: Config) -> Config:
    """The configuration with another archive key."""
    file = Path(config.root) / "other.key"
    create_key(file)
    keys = config.keys.model_copy(update={"archive": KeySource(file=str(file))})
    return config.model_copy(update={"keys": keys})


def test_of_a_mappings_ids_those_that_the_key_made_follow_a_new_key(spark: SparkSession, config: Config) -> None:
    config = chosen(config, "lookup_or_keyed")
    later = other_key(config)
    keys = Keys(choose_swapper(spark, config), choose_swapper(spark, later), "former", "new")
    made, anew = (pseudonym(load_key(one.keys.archive), "patient", B) for one in (config, later))
    given = [
        {"identity": A, "patient_id": "S1", "origin": "site"},
        {"identity": B, "patient_id": made, "origin": "keyed", "arrived_id": "S2"},
        {"identity": C, "patient_id": "8" * 32, "origin": "drawn"},
    ]
    tables.append(frame(spark, "mapping", [{"run_id": "1"} | row for row in given]), mapping(config))

    counts = [rekey_mapping(spark, later, keys, run_id) for run_id in ("2", "3")]

    assert counts == [1, 0]
    found = rows(spark, config, "secure/mapping").orderBy("identity").select("patient_id", "origin", "arrived_id")
    assert found.collect() == [("S1", "site", None), (anew, "keyed", "S2"), ("8" * 32, "drawn", None)]
    replaced = rows(spark, config, "secure/replaced").select("kind", "old", "new", "first", "key_id", "run_id")
    assert replaced.collect() == [("patient", made, anew, made, "new", "2")]


@pytest.mark.long
def test_zone_2_with_a_mapping_has_nothing_of_the_former_key_behind_a_rotation(
    spark: SparkSession, changed: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_mapping(spark, changed, site_table(tmp_path / "ids.csv", f"{A},SITE-1"))
    update_pseudonyms(spark, changed)
    later = other_key(changed)
    with killed_behind(monkeypatch, 2, ["append", "merge"]) as commits:
        rotate_key(spark, later, changed.keys.archive)
    assert commits == ["append replaced", "merge mapping"]
    told = rotate_key(spark, later, changed.keys.archive)

    keyed = {chi: pseudonym(load_key(later.keys.archive), "patient", chi) for chi in (B, BABY)}
    assert told.rows["deidentified/records/smr02"] == 2
    assert set(ids(spark, changed, "images", "StudyInstanceUID")) == {"SITE-1", keyed[B]}
    assert set(ids(spark, changed, "studies", "StudyInstanceUID")) == {"SITE-1", keyed[B]}
    assert ids(spark, changed, "records/smr02", "ADMISSION_DATE") == ["SITE-1", keyed[B]]
    assert ids(spark, changed, "records/smr02", "ADMISSION_DATE", "BABY_CI_CHI_NUMBER_BABY_1") == [keyed[BABY], None]
    assert run(spark, later).rekeyed == 0
    before = tables.versions_below(Path(changed.root))
    assert str(rotate_key(spark, later, changed.keys.archive)).endswith("nothing to do")
    assert run(spark, later).rekeyed == 0
    assert tables.versions_below(Path(changed.root)) == before


@pytest.mark.long
def test_who_is_not_in_the_mapping_waits_in_quarantine_until_an_id_comes(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    config = chosen(config, "lookup", "quarantine")
    fill_two_people(spark, config, tmp_path)
    others = {"A twice": f"{A}\\{A[1:]} ", "two": f"{A}\\{B}", "nobody": "unknown", "zeros": "0"}
    fill(spark, config, "images", [
        CT | {"PatientID": given, "SOPInstanceUID": f"1.8.{n}", "path": name}
        for n, (name, given) in enumerate(others.items())
    ])  # fmt: skip
    load_mapping(spark, config, site_table(tmp_path / "ids.csv", f"{A},SITE-1"))

    first = run(spark, config)

    why = {row["path"]: row["reason"] for row in rows(spark, config, "secure/quarantine").collect()}
    assert why == {
        "1": "not_in_mapping", "two": "two_patient_ids", "nobody": "default_patient_id", "zeros": "default_patient_id"
    }  # fmt: skip
    assert (first.images, first.quarantined) == (2, 4)
    assert ids(spark, config, "images", "SOPInstanceUID") == ["SITE-1", "SITE-1"]
    assert ids(spark, config, "records/smr02", "ADMISSION_DATE") == ["SITE-1", None]

    load_mapping(spark, config, site_table(tmp_path / "more.csv", f"{B},SITE-2", f"{BABY},SITE-3"))
    second = run(spark, config)

    assert (second.images, second.quarantined, second.records["records/smr02"]) == (1, 0, 2)
    assert sorted(map(str, ids(spark, config, "images", "SOPInstanceUID"))) == ["SITE-1", "SITE-1", "SITE-2"]
    assert ids(spark, config, "records/smr02", "ADMISSION_DATE") == ["SITE-1", "SITE-2"]
    waiting = tables.table(config, "secure/quarantine")
    still, settled = (tables.read(spark, one).collect() for one in (waiting, tables.history_of(waiting)))
    assert {row["path"] for row in still} == {"two", "nobody", "zeros"}
    assert [(row["path"], row["reason"]) for row in settled] == [("1", "not_in_mapping")]
    before = tables.versions_below(Path(config.root))
    assert run(spark, config).images == 0
    assert tables.versions_below(Path(config.root)) == before


@pytest.mark.long
def test_a_merge_of_numbers_leads_to_one_id_of_the_mapping(
    spark: SparkSession, changed: Config, tmp_path: Path
) -> None:
    load(spark, changed, "demography", tmp_path / "d.csv", f"CHI_NUMBER,UPI_NUMBER,DATE_FROM\n{B},{A},2021-01-01\n")
    run(spark, changed)
    assert len(set(ids(spark, changed, "images", "SOPInstanceUID"))) == 1
    source = site_table(tmp_path / "ids.csv", f"{A},SITE-1", f"{B},SITE-1")
    loaded = load_mapping(spark, changed, source)
    assert (loaded.arrived, loaded.aliases) == (1, 1)
    assert "; other numbers of the same people 1; quarantined 0" in str(loaded)

    update_pseudonyms(spark, changed)

    assert ids(spark, changed, "images", "SOPInstanceUID") == ["SITE-1", "SITE-1"]
    assert ids(spark, changed, "records/smr02", "ADMISSION_DATE") == ["SITE-1", "SITE-1"]


def test_without_a_mapping_no_id_is_loaded_and_none_can_arrive(spark: SparkSession, config: Config) -> None:
    with pytest.raises(InputError, match=r"^pseudonyms.patients is keyed: no table of ids is used\. Set it to lookup"):
        load_mapping(spark, config, "ids.csv")
    with pytest.raises(InputError, match=r"^pseudonyms.patients is keyed: no id can arrive\. There is nothing to"):
        update_pseudonyms(spark, config)
    assert not tables.exists(spark, mapping(config))
