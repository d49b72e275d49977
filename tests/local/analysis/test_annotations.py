"""Annotations: which labels of a file are taken, what is said of the others, versions, and people who leave."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from pyspark.sql import SparkSession

from smi_spark import storage, tables
from smi_spark.analysis.annotations import (
    Terms,
    annotations_table,
    load_annotations,
    open_annotations,
    take_out,
)
from smi_spark.analysis.registry import Delivered, Registered, register, snapshot_table
from smi_spark.analysis.uid_list import UIDS
from smi_spark.config import Config
from smi_spark.deidentified.keys import load_key, project_key
from smi_spark.deidentified.opt_outs import COPIED
from smi_spark.deidentified.pseudonyms import pseudonym
from smi_spark.errors import InputError, TableError
from smi_spark.run import operator
from smi_spark.schema import load_schema
from smi_spark.secure.opt_outs import ASKED, opt_outs_copy
from tests.conftest import make_config
from tests.killed import killed_behind
from tests.leaks import find_tokens
from tests.projects import LONG, LUNG, with_projects
from tests.rows import frame

TERMS = Terms("CC BY-NC 4.0", "Readers of the project, approval 2026-017")
OTHER_TERMS = Terms("CC0", TERMS.consent)


def uid(number: int) -> str:
    return f"2.25.{10**36 + number}"


ANN, BEA, CAL = (100 * n for n in (1, 2, 3))  # a study each, with one series of two images
UNKNOWN, FOREIGN = uid(999), "1.2.840.113619.2.55.3"
FILE = f"""studyinstanceuid,SeriesInstanceUID,SOPInstanceUID,Nodule,size in mm,patient_id
{uid(ANN)},,,yes,,x
{uid(ANN)},{uid(ANN + 1)},{uid(ANN + 2)},no,4.5,x
{UNKNOWN},,,yes,,x
{FOREIGN},,,yes,,x
{uid(BEA)},,{uid(ANN + 3)},yes,,x
{uid(ANN)},,,yes,,x
,{uid(BEA + 1)},,one,3,x
,{uid(BEA + 1)},,two,3,x
,,,yes,,x
{uid(CAL)},,,yes,,x
{uid(BEA)},,,,,x
too,few
"""


def theirs(config: Config, person: int) -> str:
    """The person's id in the project; in zone 2 it is the number."""
    return pseudonym(project_key(load_key(config.keys.projects), "demo"), "patient", str(person))


def fill(spark: SparkSession, config: Config) -> None:
    """A snapshot of three people, of whom Cal said no since."""
    columns = ("patient_id", *UIDS, "modality", "year")
    others = [column.name for column in load_schema("images").columns if column.name not in columns]
    target = snapshot_table(config, "demo", "scans", "images", others)
    rows = [
        (theirs(config, who), uid(who), uid(who + 1), uid(who + n), "CT", 2020)
        for who in (ANN, BEA, CAL)
        for n in (2, 3)
    ]
    images = spark.createDataFrame(
        rows, ", ".join(f"{name} {'int' if name == 'year' else 'string'}" for name in columns)
    )
    tables.append(images, target)
    delivered = (Delivered("images", tables.latest_version(spark, target), len(rows)),)
    register(
        spark, config, Registered("demo", "scans", 1, datetime.now(UTC), "", "{}", "", delivered, (), (), "", "", "")
    )
    said = [{"patient_id": str(CAL), "opted_out_on": date(2026, 1, 1)}]
    copy = opt_outs_copy(config)
    tables.append(frame(spark, "opt_outs", said, "deidentified"), copy)
    storage.set_properties(spark, copy, {ASKED: "20261123T0-1", COPIED: "20261123T0-1 - key"})


@dataclass(frozen=True)
class Site:
    config: Config
    file: Path

    def load(self, spark: SparkSession, terms: Terms = TERMS):
        return load_annotations(spark, self.config, "demo", "nodules", str(self.file), terms)


@pytest.fixture
def site(spark: SparkSession, tmp_path: Path) -> Site:
    place = tmp_path / "site"
    place.mkdir()
    config = with_projects(make_config(place), place / "projects", LUNG | LONG | {"project": "demo"})
    fill(spark, config)
    (place / "labels.csv").write_text(FILE, encoding="utf-8")
    return Site(config, place / "labels.csv")


def test_labels_of_known_uids_are_taken_once_and_the_rest_is_told(
    spark: SparkSession, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_behind(monkeypatch, 1) as done:
        site.load(spark)
    assert done == ["append annotations"]
    table = annotations_table(site.config, "demo")
    version = tables.latest_version(spark, table)

    loaded = site.load(spark)

    assert (loaded.is_new, tables.latest_version(spark, table)) == (False, version), "the commit was made"
    assert str(loaded).splitlines() == [
        "demo/nodules: version 1 is already this, labels: 1 of studies, 1 of series, 2 of instances; said again: 2; "
        "left out: 7 (conflict 1, contradicting_uids 1, missing_uid 1, unknown_uid 3, wrong_field_count 1)",
        f"  row 3: unknown_uid {UNKNOWN}",
        "  row 4: unknown_uid",
        f"  row 5: contradicting_uids {uid(ANN + 3)}",
        f"  row 7: conflict {uid(BEA + 1)} Nodule",
        "  row 9: missing_uid",
        f"  row 10: unknown_uid {uid(CAL)}",
        "  row 12: wrong_field_count",
        "licence: CC BY-NC 4.0",
        "consent: Readers of the project, approval 2026-017",
    ]
    nodules = open_annotations(spark, site.config, "demo", "nodules")
    ann, bea = theirs(site.config, ANN), theirs(site.config, BEA)
    assert sorted(map(tuple, nodules.labels.collect()), key=str) == sorted(
        [
            (ann, uid(ANN), None, None, "study", "Nodule", "yes"),
            (ann, uid(ANN), uid(ANN + 1), uid(ANN + 2), "instance", "Nodule", "no"),
            (ann, uid(ANN), uid(ANN + 1), uid(ANN + 2), "instance", "size in mm", "4.5"),
            (bea, uid(BEA), uid(BEA + 1), None, "series", "size in mm", "3"),
        ],
        key=str,
    )
    assert str(nodules) == (
        f"demo/nodules version 1: labels.csv, loaded {nodules.loaded_at:%Y-%m-%d} by {operator(site.config)}\n"
        "licence: CC BY-NC 4.0\nconsent: Readers of the project, approval 2026-017"
    )
    assert nodules.left_out.count() == 7
    assert find_tokens(Path(site.config.zone("analysis")), [FOREIGN]) == []


@pytest.mark.long
def test_another_file_or_other_terms_are_another_version(spark: SparkSession, site: Site, tmp_path: Path) -> None:
    assert (site.load(spark).version, site.load(spark, OTHER_TERMS).version) == (1, 2)
    parquet.write_table(pa.table({"SOPInstanceUID": [uid(BEA + 2)], "grade": [3]}), tmp_path / "grades.parquet")
    grades = Site(site.config, tmp_path / "grades.parquet")
    assert (grades.load(spark).version, grades.load(spark).is_new) == (3, False)
    found = open_annotations(spark, site.config, "demo", "nodules")
    assert [(row["label"], row["value"]) for row in found.labels.collect()] == [("grade", "3")]
    licences = [open_annotations(spark, site.config, "demo", "nodules", n).licence for n in (1, 2)]
    assert licences == ["CC BY-NC 4.0", "CC0"]
    with pytest.raises(TableError, match=r"^demo has no annotations nodule\. Sets here: nodules\. Did you mean n"):
        open_annotations(spark, site.config, "demo", "nodule")
    with pytest.raises(TableError, match=r"^demo/nodules has no version 9; it has 1 \(.*\), 2 \(.*\), 3 \(.*\)\. Open"):
        open_annotations(spark, site.config, "demo", "nodules", 9)


@pytest.mark.long
def test_people_leave_all_versions_and_for_good_the_files_too(spark: SparkSession, site: Site) -> None:
    site.load(spark)
    site.load(spark, OTHER_TERMS)
    people = spark.createDataFrame([(str(ANN),), (str(CAL),)], "patient_id string")
    labels = tables.read(spark, annotations_table(site.config, "demo"))
    before = labels.where(f"patient_id = '{theirs(site.config, BEA)}'").count()

    rows, files = take_out(spark, site.config, "demo", people, None, for_good=True)

    assert (rows, files > 0) == (10, True)  # of two versions each: three labels, a contradiction, a UID of Cal's
    assert take_out(spark, site.config, "demo", people, None, for_good=True) == (0, 0)
    names = [theirs(site.config, ANN), *(uid(who + n) for who in (ANN, CAL) for n in range(4))]
    assert find_tokens(Path(annotations_table(site.config, "demo").uri), names) == []
    left = tables.read(spark, annotations_table(site.config, "demo"))
    assert left.where(f"patient_id = '{theirs(site.config, BEA)}'").count() == before > 0


@pytest.mark.long
def test_a_file_or_terms_that_cannot_be_used_are_named(spark: SparkSession, site: Site, tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "labels.csv").write_text(f"SOPInstanceUID,a\n{UNKNOWN},2\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        Site(site.config, place / "labels.csv").load(spark)
    assert str(raised.value) == (
        f"labels.csv: no label could be taken; nothing was loaded.\n  row 1: unknown_uid {UNKNOWN}"
    )
    with pytest.raises(InputError, match=r"^no consent is stated\. .* --consent TEXT\.$"):
        site.load(spark, Terms("CC0", " "))
    (place / "further.csv").touch()
    with pytest.raises(InputError, match=r" holds 2 files\. A version of a set is one file: name it\.$"):
        Site(site.config, place).load(spark)
