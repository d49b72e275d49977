"""Spark sessions: a local one with Delta, or the cluster's own as it is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.errors import MachineError

DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"
JAVA_VERSIONS = (17, 21)

# What Spark already ships: left out, Delta brings five jars (12 MB) in place of 33 (87 MB).
DELTA_EXCLUDES = ",".join(
    f"{group}:*"
    for group in (
        "com.fasterxml.jackson.core", "com.fasterxml.jackson.datatype", "com.github.luben", "com.google.code.findbugs",
        "commons-logging", "commons-pool", "io.airlift", "io.unitycatalog", "javax.annotation", "org.apache.hadoop",
        "org.apache.logging.log4j", "org.apache.parquet", "org.locationtech.jts", "org.roaringbitmap", "org.slf4j",
        "org.xerial.snappy",
    )
)  # fmt: skip

DELTA_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}

# Every setting here has its reason: tiny tables otherwise run 50 to 200 tasks a step.
LOCAL_SETTINGS = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.debug.maxToStringFields": "1000",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


def get_session(config: Config, name: str = "smi_spark") -> SparkSession:
    """The running session as it is, else the one spark-submit brings, else a local one with Delta.

    Raises MachineError when there is no Java 17 or 21, or the session that a cluster brings has no Delta.
    """
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    settings = dict(DELTA_SETTINGS) if submitted else _local_settings(config)
    if not submitted:
        check_java()
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    _check_delta(spark)
    return spark


def find_java() -> Path | None:
    """The ``java`` that Spark would start: from JAVA_HOME, else from the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    return Path(found) if found else None


def check_java() -> int:
    """The major version of Java; MachineError in one line where none serves."""
    serving = " or ".join(map(str, JAVA_VERSIONS))
    remedy = f"smi_spark needs Java {serving}: install one, or point at it with JAVA_HOME=/path/to/jdk."
    java = find_java()
    if java is None:
        raise MachineError(f"No Java found. {remedy}")
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if match is None or int(match[1]) not in JAVA_VERSIONS:
        found = f"Java {match[1]}" if match else "no version"
        raise MachineError(f"{java} is {found}. {remedy}")
    return int(match[1])


def spark_jars() -> Path:
    """The folder of jars beside pip's pyspark (or under SPARK_HOME)."""
    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent) / "jars"


def delta_is_installed() -> bool:
    """Whether Delta's jars lie beside Spark's own, so that nothing needs to be fetched."""
    return any(spark_jars().glob("delta-spark_*.jar"))


def install_delta() -> list[Path]:
    """Fetch Delta's jars once and lay them beside Spark's own: spark-submit and workers then find them too."""
    if not delta_is_installed():
        check_java()
        subprocess.run(  # noqa: S603
            [_spark_submit(), "--master", "local[1]", "--packages", DELTA_PACKAGE,
             "--exclude-packages", DELTA_EXCLUDES, "--conf", f"spark.jars.ivy={_ivy()}",
             "--class", "org.apache.spark.deploy.SparkSubmit", "spark-internal", "--version"],
            check=False, capture_output=True,
        )  # fmt: skip
        for jar in (_ivy() / "jars").glob("io.delta_*.jar"):
            shutil.copy2(jar, spark_jars() / jar.name.removeprefix("io.delta_"))
        if not delta_is_installed():
            raise MachineError(
                f"{DELTA_PACKAGE} could not be fetched. Check the network to Maven Central, "
                f"or copy Delta's jars into {spark_jars()}."
            )
    return sorted(spark_jars().glob("delta-*.jar"))


def _spark_submit() -> Path:
    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent) / "bin" / "spark-submit"


def _ivy() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smi_spark" / "ivy"


def _local_settings(config: Config) -> dict[str, str]:
    settings = {**LOCAL_SETTINGS, **DELTA_SETTINGS, **config.spark}
    if not delta_is_installed():
        packages = [*filter(None, [settings.get("spark.jars.packages")]), DELTA_PACKAGE]
        excludes = [*filter(None, [settings.get("spark.jars.excludes")]), DELTA_EXCLUDES]
        settings |= {"spark.jars.packages": ",".join(packages), "spark.jars.excludes": ",".join(excludes)}
        settings.setdefault("spark.jars.ivy", str(_ivy()))
    return settings


def _check_delta(spark: SparkSession) -> None:
    if "DeltaSparkSessionExtension" not in (spark.conf.get("spark.sql.extensions", "") or ""):
        raise MachineError(
            "This Spark session runs without Delta. Submit with --properties-file conf/spark-defaults.conf, "
            "or set spark.sql.extensions and spark.sql.catalog.spark_catalog as that file does."
        )


if __name__ == "__main__":
    print("\n".join(str(jar) for jar in install_delta()))
