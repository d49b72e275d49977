"""An archive of files that Spark's workers write."""

import hashlib
from pathlib import Path

from pyspark.sql import SparkSession

from smi_spark.synthetic import write_archive


def digest(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_workers_write_the_same_bytes_as_one_process(spark: SparkSession, tmp_path: Path) -> None:
    given = {"patients": 5, "seed": 3, "in_block": 2}
    alone = write_archive(tmp_path / "alone", **given)
    spread = write_archive(tmp_path / "spread", **given, spark=spark)
    assert spread == alone
    assert digest(tmp_path / "spread") == digest(tmp_path / "alone")
