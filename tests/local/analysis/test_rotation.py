"""Another archive key: what of zone 2 becomes new, what a kill leaves to the next run, and that no project notices."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.analysis import open_cohort
from smi_spark.analysis.build import Built, build_cohort
from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.config import Config, KeySource
from smi_spark.deidentified import rotation
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.pseudonymise import Counts, run
from smi_spark.deidentified.pseudonyms import pseudonym, pseudonymous_uid
from smi_spark.deidentified.rotation import Rotated, rotate_key
from smi_spark.errors import InputError, OtherKeyError
from tests.built import QUESTION as ADMITTED
from tests.conftest import make_config
from tests.killed import killed_behind
from tests.rows import fill, frame
from tests.zone_one import CHI, CT, RUN

pytestmark = pytest.mark.long  # some two minutes; the transforms are tested with the room of zone 2

OTHER = "0202020052"
MR = {"modality": "MR", "year": 2019, "PatientID": OTHER, "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1"}
IMAGES = [
    CT | {"SOPInstanceUID": "1.9.1", "path": "a"},
    CT | {"SOPInstanceUID": "1.9.2", "path": "b", "SourceImageSeq_ReferencedSOPInstanceUID": ["1.9.1", "1.9.7"]},
    CT | MR | {"SOPInstanceUID": "1.9.3", "path": "c", "AccessionNumber": None},
]
LATER = CT | MR | {"SOPInstanceUID": "1.9.4", "path": "d"}
ADMISSION = {"URI": "u1", "UPI_NUMBER": CHI, "ADMISSION_DATE": date(2020, 1, 20), "run_id": RUN}
GONE = {"SOPInstanceUID": "2.25.77", "modality": "MR", "year": 2019}  # of an image that zone 1 has no more
IDS = {
    "patient": [CHI, OTHER],
    "uid": ["1.2.1", "1.2.1.1", "1.2.3", "1.2.3.1", "1.9.1", "1.9.2", "1.9.3", "1.9.4", "1.9.7"],
    "accession": ["ACC7", "u1"],
}
MADE = (
    "deidentified/images",
    "deidentified/series",
    "deidentified/studies",
    "deidentified/records/smr01",
    "secure/links",
)
QUESTION = ADMITTED | {"deliver": {"records": {"smr01": {}}}}
Rows = list[dict[str, Any]]


def definition() -> Definition:
    return read_definition(QUESTION, "test.yaml")


def with_key(config: Config, name: str) -> Config:
    """The configuration, which names the archive key ``<name>.key``."""
    file = Path(config.root).parent / "keys" / f"{name}.key"
    return config.model_copy(update={"keys": config.keys.model_copy(update={"archive": KeySource(file=str(file))})})


def write_key(config: Config, name: str) -> Config:
    later = with_key(config, name)
    file = Path(str(later.keys.archive.file))
    file.touch(mode=0o600)
    file.write_text(name[0] * 64 + "\n")
    return later


def renewed(value: Any, config: Config, later: Config) -> Any:
    """A value of zone 2 or the links with ids as the later key makes them."""
    if isinstance(value, list):
        return [renewed(one, config, later) for one in value]
    before, after = (load_key(each.keys.archive) for each in (config, later))
    known = {key_id(before): key_id(after)} | {old: new for _, old, new in pairs(before, after)}
    return known.get(value, value) if isinstance(value, str) else value


def pairs(before: bytes, after: bytes) -> list[tuple[str, str, str]]:
    def made(key: bytes, kind: Any, value: str) -> str:
        return pseudonymous_uid(key, value) if kind == "uid" else pseudonym(key, kind, value)

    return [(kind, made(before, kind, v), made(after, kind, v)) for kind, values in IDS.items() for v in values]


def all_rows(spark: SparkSession, config: Config) -> Mapping[str, Rows]:
    made = {name: tables.read(spark, tables.table(config, name)).collect() for name in MADE}
    return {name: sorted((row.asDict() for row in rows), key=repr) for name, rows in made.items()}


@dataclass(frozen=True)
class Story:
    """One installation: a cohort, a rotation that is killed between two partitions, what others say then, the same
    rotation completed and done again, an image that came new, and the cohort built again."""

    config: Config
    later: Config
    untouched: Path
    before: Mapping[str, Rows]
    first: Built
    refused: list[str]
    told: Rotated
    after: Mapping[str, Rows]
    again: Rotated
    versions: list[dict[str, int]]
    added: Counts
    second: Built


@pytest.fixture(scope="module")
def story(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Story:
    place = tmp_path_factory.mktemp("rotation")
    config = make_config(place)
    later = write_key(config, "c")
    fill(spark, config, "images", [{"run_id": RUN} | image for image in IMAGES])
    fill(spark, config, "records/smr01", [ADMISSION])
    run(spark, config)
    before = all_rows(spark, config)
    # Who builds has neither the archive's key nor a right to zone 1.
    builder = with_key(config, "none").model_copy(update={"secure": "/proc/none"})
    first = build_cohort(spark, builder, definition())
    assert open_cohort(spark, builder, "demo", "head_ct").images.count() == 2
    fill(spark, config, "images", [{"run_id": RUN} | LATER])
    tables.append(frame(spark, "images", [GONE], "deidentified"), tables.table(config, "deidentified/images"))
    shutil.copytree(config.root, place / "untouched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotation, "_PORTION_ROWS", 1)
        with killed_behind(patch, 1, ["rewrite"]):
            rotate_key(spark, later, config.keys.archive)
    refused = []
    for each in (config, later):
        with pytest.raises(OtherKeyError) as raised:
            run(spark, each)
        refused.append(str(raised.value))
    with pytest.raises(OtherKeyError) as raised:
        build_cohort(spark, with_key(config, "none"), definition())
    refused.append(str(raised.value))
    told = rotate_key(spark, later, config.keys.archive)
    after = all_rows(spark, config)
    versions = [tables.versions_below(Path(config.root))]
    again = rotate_key(spark, later, config.keys.archive)
    versions.append(tables.versions_below(Path(config.root)))
    with pytest.raises(OtherKeyError) as raised:
        run(spark, config)
    refused.append(str(raised.value))
    added = run(spark, later)
    second = build_cohort(spark, with_key(config, "none"), definition())
    return Story(
        config, later, place / "untouched", before, first, refused, told, after, again, versions, added, second
    )


def test_ids_alone_become_what_the_new_key_makes(story: Story) -> None:
    for name in MADE:
        expected = [{k: renewed(v, story.config, story.later) for k, v in row.items()} for row in story.before[name]]
        assert story.after[name] == sorted(expected, key=repr), name
        assert story.after[name] != story.before[name], name


def test_it_is_told_what_was_made_anew(spark: SparkSession, story: Story) -> None:
    before, after = (key_id(load_key(each.keys.archive)) for each in (story.config, story.later))
    assert str(story.told) == (
        f"key {before} → {after}; rows made anew: deidentified/images 1, secure/links 3, deidentified/series 2, "
        "deidentified/studies 2, deidentified/records/smr01 1; ids replaced: 1"
    ), "the run before made the other two, and recorded the ids of images"
    runs = tables.read(spark, tables.table(story.config, "secure/runs")).where("job = 'rotate_key'").collect()
    assert [{one["name"]: one["value"] for one in row["counts"]}["secure/links"] for row in runs] == [3]


def test_zone_one_keeps_what_each_id_became(spark: SparkSession, story: Story) -> None:
    before, after = (load_key(each.keys.archive) for each in (story.config, story.later))
    rows = tables.read(spark, tables.table(story.config, "secure/replaced")).drop("run_id").collect()
    expected = {(kind, old, new, old, key_id(after)) for kind, old, new in pairs(before, after)}
    assert (set(map(tuple, rows)), len(rows)) == (expected, len(expected))


def test_between_two_keys_nobody_adds_or_builds(story: Story) -> None:
    before, after = (key_id(load_key(each.keys.archive)) for each in (story.config, story.later))
    for text in story.refused[:3]:
        assert text.startswith("deidentified/images, deidentified/records/smr01: run ")
        assert text.endswith(
            f" makes zone 2 anew, with key {after} in place of {before}, and has not ended. Where it is not at work, "
            "complete it: jobs/rotate_key.py with the same keys."
        )


def test_the_former_key_is_refused_behind_it(story: Story) -> None:
    before, after = (key_id(load_key(each.keys.archive)) for each in (story.config, story.later))
    assert story.refused[3] == (
        f"deidentified/images, deidentified/records/smr01: made with key {after}, and keys.archive is key {before}. "
        "Name the key there that made them, or run jobs/rotate_key.py with it as the former one: zone 2 is made anew "
        f"with key {before}."
    )


def test_a_second_run_changes_nothing_and_new_images_are_added(story: Story) -> None:
    assert str(story.again) == f"zone 2 is made with key {key_id(load_key(story.later.keys.archive))}: nothing to do"
    assert story.versions[0] == story.versions[1]
    assert (story.added.images, story.added.records) == (1, {"records/smr01": 0})


def test_a_cohort_built_before_and_after_has_the_same_content(story: Story) -> None:
    first, second = story.first.entry, story.second.entry
    assert first is not None
    assert second is not None
    assert (second.version, second.content_checksum) == (2, first.content_checksum)
    assert second.inputs != first.inputs
    assert second.key_id == first.key_id


def test_keys_that_do_not_fit_are_refused(spark: SparkSession, story: Story) -> None:
    config, later = story.config, story.later
    before, after = (key_id(load_key(each.keys.archive)) for each in (config, later))
    with pytest.raises(InputError, match=f"are the same, key {after}. Name the new key in the configuration"):
        rotate_key(spark, later, later.keys.archive)
    with pytest.raises(OtherKeyError) as raised:
        rotate_key(spark, write_key(config, "d"), config.keys.archive)
    assert str(raised.value) == (
        f"deidentified/images was made with key {after}, and the former key given is {before}. "
        "Give the one that made it."
    )


COMMITS = ["append replaced", "rewrite images", "rewrite images", "rewrite links", "replace series", "replace studies",
           "append replaced", "rewrite records/smr01", "append runs"]  # fmt: skip


@pytest.mark.parametrize("commits", range(1, 10))
def test_a_kill_behind_any_commit_is_completed_by_the_next_run(
    spark: SparkSession, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    shutil.copytree(story.untouched, tmp_path / "data")
    config = make_config(tmp_path)
    later = write_key(config, "c")
    monkeypatch.setattr(rotation, "_PORTION_ROWS", 1)
    with killed_behind(monkeypatch, commits, ["append", "rewrite", "replace"]) as done:
        rotate_key(spark, later, config.keys.archive)
    rotate_key(spark, later, config.keys.archive)

    assert done == COMMITS[:commits]
    assert all_rows(spark, config) == story.after
    assert tables.read(spark, tables.table(config, "secure/replaced")).count() == 13


def test_a_chain_of_keys_one_that_comes_back_and_images_made_again_leave_projects_as_they_are(
    spark: SparkSession, story: Story, tmp_path: Path
) -> None:
    shutil.copytree(story.untouched, tmp_path / "data")
    config = make_config(tmp_path)
    sums = set()
    for name in "cd":
        write_key(config, name)
    for former, new in pairwise(["archive", "c", "d", "archive", "c"]):
        rotate_key(spark, with_key(config, new), with_key(config, former).keys.archive)
        entry = build_cohort(spark, with_key(config, "none"), definition()).entry
        assert entry is not None
        sums.add(entry.content_checksum)
    for name in ("deidentified/images", "secure/links"):  # as one does to have labels told anew
        shutil.rmtree(tables.table(config, name).uri)
    run(spark, with_key(config, "c"))
    entry = build_cohort(spark, with_key(config, "none"), definition()).entry
    assert story.first.entry is not None
    assert entry is not None
    assert {*sums, entry.content_checksum} == {story.first.entry.content_checksum}
