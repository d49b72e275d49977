"""Spark sessions: a local one with Delta, or the cluster's own as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

from smi_spark import resources
from smi_spark.config import Config
from smi_spark.errors import MachineError
from smi_spark.java import check_java
from smi_spark.schema import ZONES

DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"

# What Spark already ships: left out, Delta brings five jars (12 MB) in place of 33 (87 MB).
DELTA_EXCLUDES = ",".join(
    group if ":" in group else f"{group}:*"
    for group in (
        "com.fasterxml.jackson.core", "com.fasterxml.jackson.datatype", "com.github.luben", "com.google.code.findbugs",
        "commons-logging", "commons-pool", "io.airlift", "io.unitycatalog", "javax.annotation",
        "org.apache.hadoop:hadoop-client*", "org.apache.logging.log4j", "org.apache.parquet", "org.locationtech.jts",
        "org.roaringbitmap", "org.slf4j", "org.xerial.snappy",
    )
)  # fmt: skip

# Zones in S3 need hadoop-aws and the AWS SDK, in the versions that pyspark's Hadoop was built with: of the SDK the
# modules that S3A calls (12 MB), not the bundle of all services (686 MB).
_AWS_SDK = "2.35.4"
S3_PACKAGES = ",".join(
    ["org.apache.hadoop:hadoop-aws:3.5.0"]
    + [f"software.amazon.awssdk:{part}:{_AWS_SDK}"
       for part in ("s3", "s3-transfer-manager", "sts", "apache-client", "netty-nio-client")]
)  # fmt: skip
S3_EXCLUDES = ",".join(
    group if ":" in group else f"{group}:*"
    for group in (
        "software.amazon.awssdk:bundle", "software.amazon.awssdk.crt",
        "org.wildfly.openssl", "io.netty", "org.apache.httpcomponents", "commons-codec", "commons-logging", "org.slf4j",
    )
)  # fmt: skip

DELTA_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}

# Empty: the region is AWS_REGION, as for the readers of sources, not the one that S3A would assume.
S3_SETTINGS = {"spark.hadoop.fs.s3a.endpoint.region": ""}

# What results depend on: a session that is submitted gets these too.
RESULT_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.compression.codec": "zstd",
}

# Of each version that it reads Delta logs what it holds (at INFO): of a small table its files, with the least and
# greatest value of each column, CHI numbers in zone 1. Without the list nothing is slower.
LOG_SETTINGS = {"spark.databricks.delta.allFilesInCrc.enabled": "false"}

# Arrow's Java checks every access to every value. The arrays are those that Spark's own Python workers wrote, and a
# value is asked for only where it is not null.
_UNCHECKED = "-Darrow.enable_unsafe_memory_access=true -Darrow.enable_null_check_for_get=false"
JAVA_SETTINGS = {f"spark.{side}.defaultJavaOptions": _UNCHECKED for side in ("driver", "executor")}

# Where it is true, PySpark tells the JVM the line of each operation on a column, which an error then names: 25 times as
# long an operation (SPARK-50310), half of the time that making the plan of a cohort takes.
PLAN_SETTINGS = {"spark.python.sql.dataFrameDebugging.enabled": "false"}

# Every setting here has its reason: tiny tables otherwise run 50 to 200 tasks a step.
LOCAL_SETTINGS = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.debug.maxToStringFields": "1000",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


_GIVEN: dict[str, Config] = {}


def get_session(config: Config, name: str = "smi_spark") -> SparkSession:
    """The running session as it is, else the one spark-submit brings, else a local one with Delta.

    A session that is submitted keeps its master, its memory and its extensions; ``config.spark`` is for local ones.
    Raises MachineError when there is no Java 17 or 21, or the session that a cluster brings has no Delta.
    """
    _GIVEN["config"] = config
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if not submitted:
        check_java()
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    for key, value in (RESULT_SETTINGS | LOG_SETTINGS if submitted else _local_settings(config)).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    _check_delta(spark)
    return spark


def given_config() -> Config:
    """The configuration that a session was last asked for with; MachineError where none was."""
    if "config" not in _GIVEN:
        raise MachineError(
            "This session does not say which installation it is of. Start it with get_session(load_config(FILE)), or "
            "give the configuration: smi_spark.analysis.open_cohort(spark, config, project, cohort)."
        )
    return _GIVEN["config"]


def spark_jars() -> Path:
    """The folder of jars beside pip's pyspark (or under SPARK_HOME)."""
    return _spark_home() / "jars"


def delta_is_installed() -> bool:
    """Whether Delta's jars lie beside Spark's own, so that nothing needs to be fetched."""
    return any(spark_jars().glob("delta-spark_*.jar"))


def s3_is_installed() -> bool:
    """Whether hadoop-aws lies beside Spark's own jars, with the AWS SDK that goes with it."""
    return any(spark_jars().glob("hadoop-aws-*.jar"))


def install_delta() -> list[Path]:
    """Fetch Delta's jars once and lay them beside Spark's own: spark-submit and workers then find them too.

    Where Spark has no settings of its own, it gets Delta's extension and a quiet log as its defaults.
    """
    if not delta_is_installed():
        check_java()
        subprocess.run(  # noqa: S603
            [_spark_home() / "bin" / "spark-submit", "--master", "local[1]", "--packages", DELTA_PACKAGE,
             "--exclude-packages", DELTA_EXCLUDES, "--conf", f"spark.jars.ivy={ivy()}",
             "--class", "org.apache.spark.deploy.SparkSubmit", "spark-internal", "--version"],
            check=False, capture_output=True,
        )  # fmt: skip
        for jar in (ivy() / "jars").glob("io.delta_*.jar"):
            shutil.copy2(jar, spark_jars() / jar.name.removeprefix("io.delta_"))
        if not delta_is_installed():
            raise MachineError(
                f"{DELTA_PACKAGE} could not be fetched. Check the network to Maven Central, "
                f"or copy Delta's jars into {spark_jars()}."
            )
    _lay_defaults(_spark_home() / "conf")
    return sorted(spark_jars().glob("delta-*.jar"))


def _lay_defaults(place: Path) -> None:
    place.mkdir(exist_ok=True)
    defaults = place / "spark-defaults.conf"
    if not defaults.exists():
        defaults.write_text("".join(f"{name} {value}\n" for name, value in DELTA_SETTINGS.items()), encoding="utf-8")
    if not (place / "log4j2.properties").exists():
        shutil.copyfile(resources.folder("conf") / "log4j2.properties", place / "log4j2.properties")


def _spark_home() -> Path:
    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)


def ivy() -> Path:
    """Where jars from Maven Central are kept once they were fetched."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smi_spark" / "ivy"


def _local_settings(config: Config) -> dict[str, str]:
    in_s3 = any(config.zone(zone).startswith("s3a://") for zone in ZONES)
    settings = {
        **RESULT_SETTINGS, **LOG_SETTINGS, **PLAN_SETTINGS, **LOCAL_SETTINGS, **JAVA_SETTINGS, **DELTA_SETTINGS,
        **(S3_SETTINGS if in_s3 else {}), **config.spark,
    }  # fmt: skip
    fetched = [] if delta_is_installed() else [(DELTA_PACKAGE, DELTA_EXCLUDES)]
    if in_s3 and not s3_is_installed():
        fetched.append((S3_PACKAGES, S3_EXCLUDES))
    for packages, excludes in fetched:
        _add(settings, "spark.jars.packages", packages)
        _add(settings, "spark.jars.excludes", excludes)
        settings.setdefault("spark.jars.ivy", str(ivy()))
    return settings


def _add(settings: dict[str, str], name: str, more: str) -> None:
    settings[name] = ",".join(filter(None, [settings.get(name), more]))


def _check_delta(spark: SparkSession) -> None:
    if "DeltaSparkSessionExtension" not in (spark.conf.get("spark.sql.extensions", "") or ""):
        raise MachineError(
            "This Spark session runs without Delta. Submit with --properties-file conf/spark-defaults.conf, "
            "or set spark.sql.extensions and spark.sql.catalog.spark_catalog as that file does."
        )


if __name__ == "__main__":
    try:
        print(f"Delta lies beside Spark: {', '.join(jar.name for jar in install_delta())}")
    except MachineError as error:
        sys.exit(str(error))
