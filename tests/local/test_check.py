from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from smi_spark import resources, tables
from smi_spark.check import check, check_writable, column_differences
from smi_spark.config import Config
from smi_spark.deidentified.keyed import KEY_ID
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.errors import MachineError


def failed(config: Config) -> list[str]:
    with pytest.raises(MachineError) as caught:
        check(config)
    return [line for line in str(caught.value).splitlines() if not line.startswith("✓")]


def test_a_sound_installation_is_a_list_of_ticks(spark: SparkSession, config: Config) -> None:
    tables.create(spark, tables.table(config, "secure/links"))

    *ticks, last = check(config).splitlines()

    assert [line for line in ticks if not line.startswith("✓ ")] == []
    assert last == f"all {len(ticks)} checks passed"
    assert "✓ secure/links has the columns of schemas/links.yaml" in ticks
    assert f"✓ zone secure is writable: {config.secure}" in ticks
    assert "✓ profile archive: no column of images, series, studies says more in zone 2 than it allows" in ticks
    assert "✓ project demo: approval none needed, from 2020-01-01 until 2099-12-31" in ticks


def test_everything_that_is_wrong_is_named_at_once(spark: SparkSession, config: Config) -> None:
    archive, projects = str(config.keys.archive.file), str(config.keys.projects.file)
    Path(archive).chmod(0o644)
    Path(projects).unlink()
    Path(config.analysis).parent.mkdir()
    Path(config.analysis).touch()
    series = tables.table(config, "deidentified/series")
    tables.create(spark, series)
    spark.sql(f"ALTER TABLE delta.`{series.uri}` ADD COLUMNS (extra int)")
    lung = Path(config.root, "projects", "lung.yaml")
    lung.parent.mkdir()
    lung.write_text((resources.folder("conf") / "projects" / "demo.yaml").read_text())

    *lines, last = failed(config.model_copy(update={"projects": str(lung.parent)}))

    assert lines[0].startswith(f"✗ zone analysis is not writable: {config.analysis}. Give this user the right")
    assert lines[1:] == [
        f"✗ key archive: key file {archive} can be read by group and others (mode 0644). Run: chmod 600 {archive}",
        f"✗ key projects: key file {projects} does not exist. Make it: jobs/create_key.py --out {projects}",
        f"✗ {lung}: project is demo. Name it as its file: lung.",
        "✗ deidentified/series: extra is not in schemas/. "
        "Rebuild the table from the one before it, or bring back the schema it has.",
    ]
    assert last.startswith("5 of ")


def test_the_two_keys_must_differ_and_the_archives_must_have_made_zone_two(spark: SparkSession, config: Config) -> None:
    Path(str(config.keys.projects.file)).write_text(Path(str(config.keys.archive.file)).read_text())
    images, archive_key = tables.table(config, "deidentified/images"), key_id(load_key(config.keys.archive))
    tables.create(spark, images)
    tables.set_property(spark, images, KEY_ID, "0123456789ab")

    assert failed(config)[:2] == [
        "✗ key projects is the same as key archive. Make another: jobs/create_key.py",
        f"✗ deidentified/images: made with key 0123456789ab, and keys.archive is key {archive_key}. Name the key there "
        "that made them, or run jobs/rotate_key.py with it as the former one: zone 2 is made anew with key "
        f"{archive_key}.",
    ]


def test_a_zone_is_tried_by_writing_and_nothing_stays(tmp_path: Path) -> None:
    assert check_writable(str(tmp_path / "secure" / "deep")) == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_does_not_take_writes_is_told(config: Config) -> None:
    lines = failed(config.model_copy(update={"analysis": "/proc/smi"}))
    assert lines[0].startswith("✗ zone analysis is not writable: /proc/smi. Give this user the right to write there. ")


def test_a_table_that_only_java_speaks_of_is_a_line_of_its_own(spark: SparkSession, config: Config) -> None:
    log = Path(config.secure, "links", "_delta_log", "00000000000000000000.json")
    log.parent.mkdir(parents=True)
    log.write_text("no commit")

    first, last = failed(config)

    assert first.startswith("✗ secure/links: Spark failed: ")
    assert last.startswith("1 of ")


def test_each_differing_column_is_named(spark: SparkSession, config: Config) -> None:
    target = tables.table(config, "secure/links")
    columns = "SOPInstanceUID string, original_sop_instance_uid long, source string, path string, run_id string, x int"
    spark.createDataFrame([], columns).write.format("delta").save(target.uri)

    assert column_differences(spark, target) == [
        "image_run_id is missing",
        "key_id is missing",
        "x is not in schemas/",
        "original_sop_instance_uid is bigint, not string",
    ]
