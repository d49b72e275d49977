import os
import subprocess
import sys
from pathlib import Path

import pytest

from smi_spark import session
from smi_spark.errors import MachineError
from smi_spark.java import check_java
from smi_spark.session import delta_is_installed, install_delta
from tests.conftest import make_config

REMEDY = "smi_spark needs Java 17 or 21: install one, or point at it with JAVA_HOME=/path/to/jdk."


def java_home(folder: Path, version: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{version}' >&2\n")
    java.chmod(0o755)
    return folder


def told(monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(MachineError) as caught:
        check_java()
    return str(caught.value)


@pytest.mark.parametrize(
    ("version", "major"), [('openjdk version "17.0.15" 2025-04-15', 17), ('java version "21" 2023-09-19 LTS', 21)]
)
def test_java_17_and_21_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, major: int) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_home(tmp_path, version)))
    assert check_java() == major


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ('openjdk version "11.0.27" 2025-04-15', "is Java 11."),
        ('java version "1.8.0_392"', "is Java 8."),
        ("Unable to locate a Java Runtime.", "does not say its version."),
    ],
)
def test_another_java_is_told_with_what_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, found: str
) -> None:
    home = java_home(tmp_path, version)
    assert told(monkeypatch, home) == f"{home}/bin/java {found} {REMEDY}"


def test_no_java_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, tmp_path) == f"No Java found in JAVA_HOME={tmp_path}. {REMEDY}"


def test_jars_that_lie_beside_spark_are_taken_and_nothing_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jars").mkdir()
    jar = tmp_path / "jars" / "delta-spark_4.2_2.13-4.4.0.jar"
    jar.touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))

    assert install_delta() == [jar]
    assert (tmp_path / "conf" / "spark-defaults.conf").read_text().splitlines() == [
        "spark.sql.extensions io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog org.apache.spark.sql.delta.catalog.DeltaCatalog",
    ]


def test_settings_that_a_spark_already_has_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("jars", "conf"):
        (tmp_path / folder).mkdir()
    (tmp_path / "jars" / "delta-spark_4.2_2.13-4.4.0.jar").touch()
    own = tmp_path / "conf" / "spark-defaults.conf"
    own.write_text("spark.master yarn\n")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))

    install_delta()

    assert own.read_text() == "spark.master yarn\n"


def test_delta_that_cannot_be_fetched_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = tmp_path / "bin" / "spark-submit"
    submit.parent.mkdir()
    submit.write_text("#!/bin/sh\nexit 1\n")
    submit.chmod(0o755)
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    with pytest.raises(MachineError) as caught:
        install_delta()

    assert str(caught.value) == (
        "io.delta:delta-spark_4.2_2.13:4.4.0 could not be fetched. Check the network to Maven Central, "
        f"or copy Delta's jars into {tmp_path}/jars."
    )


def test_without_jars_a_local_session_asks_for_delta_by_name_and_leaves_out_what_spark_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    config = make_config(tmp_path).model_copy(update={"spark": {"spark.jars.packages": "org.example:own:1"}})

    settings = session._local_settings(config)

    assert not delta_is_installed()
    assert settings["spark.jars.packages"] == "org.example:own:1,io.delta:delta-spark_4.2_2.13:4.4.0"
    assert "org.apache.hadoop:hadoop-client*" in settings["spark.jars.excludes"].split(",")


def test_a_local_session_with_a_zone_in_s3_asks_for_hadoop_aws_unless_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "delta-spark_4.2_2.13-4.4.0.jar").touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    config = make_config(tmp_path)
    in_s3 = config.model_copy(update={"analysis": "s3a://smi-analysis"})

    settings = session._local_settings(in_s3)
    assert settings["spark.jars.packages"] == session.S3_PACKAGES
    assert settings["spark.jars.excludes"] == session.S3_EXCLUDES
    assert settings["spark.hadoop.fs.s3a.endpoint.region"] == ""
    assert "spark.jars.packages" not in session._local_settings(config)

    (tmp_path / "jars" / "hadoop-aws-3.5.0.jar").touch()
    assert "spark.jars.packages" not in session._local_settings(in_s3)


@pytest.mark.parametrize(
    ("file", "packages", "excludes"),
    [
        ("spark-defaults.conf", session.DELTA_PACKAGE, session.DELTA_EXCLUDES),
        ("spark-s3.conf", f"{session.DELTA_PACKAGE},{session.S3_PACKAGES}",
         f"{session.DELTA_EXCLUDES},{session.S3_EXCLUDES}"),
    ],
)  # fmt: skip
def test_what_is_submitted_with_a_properties_file_is_what_a_local_session_has(
    file: str, packages: str, excludes: str
) -> None:
    lines = (Path(__file__).parents[2] / "conf" / file).read_text(encoding="utf-8").splitlines()
    given = (line.partition(" ") for line in lines if not line.startswith("#"))
    settings = {name: value.strip() for name, _, value in given}

    assert settings.pop("spark.jars.packages") == packages
    assert settings.pop("spark.jars.excludes") == excludes
    in_s3 = session.S3_SETTINGS if file == "spark-s3.conf" else {}
    ours = session.DELTA_SETTINGS | session.RESULT_SETTINGS | session.LOG_SETTINGS | session.JAVA_SETTINGS
    assert settings == ours | session.PLAN_SETTINGS | in_s3


def test_the_configurations_settings_go_before_our_own(tmp_path: Path) -> None:
    config = make_config(tmp_path).model_copy(update={"spark": {"spark.sql.shuffle.partitions": "16"}})
    assert session._local_settings(config)["spark.sql.shuffle.partitions"] == "16"


def test_the_java_check_needs_nothing_but_python(tmp_path: Path) -> None:
    """``make setup`` runs it with the machine's own Python: no package, and no traceback, only the line."""
    answer = subprocess.run(
        [sys.executable, "-S", "-m", "smi_spark.java"],
        env={**os.environ, "JAVA_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (answer.returncode, answer.stderr) == (1, f"No Java found in JAVA_HOME={tmp_path}. {REMEDY}\n")


def test_a_session_of_no_installation_opens_no_cohort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_GIVEN", {})
    with pytest.raises(MachineError, match=r"^This session does not say which installation it is of\. Start it with"):
        session.given_config()
