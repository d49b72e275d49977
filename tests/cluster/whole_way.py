"""Submitted by the test of tables in an object store: every job twice over, then what is there, as a line of JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.analysis import open_cohort
from smi_spark.analysis.build import build_cohort
from smi_spark.analysis.definition import load_definition
from smi_spark.check import check_writable
from smi_spark.config import Config, load_config
from smi_spark.deidentified import pseudonymise
from smi_spark.secure.ingest import ingest_headers
from smi_spark.secure.records import load_records
from smi_spark.session import get_session


def run_all(spark: SparkSession, config: Config, bucket: str, cohort: Path, stored: Path) -> dict[str, Any]:
    """What a night's jobs say, and the versions of all tables after them."""
    said = [
        str(ingest_headers(spark, config, [f"{bucket}/dicom"])),
        str(load_records(spark, config, "smr01", f"{bucket.replace('s3://', 's3a://')}/records/smr01")),
        str(pseudonymise.run(spark, config)),
        str(build_cohort(spark, config, load_definition(str(cohort)))).splitlines()[-1],
    ]
    return {"said": said, "versions": tables.versions_below(stored)}


def look(spark: SparkSession, config: Config) -> dict[str, Any]:
    """The snapshot, read back."""
    snapshot = open_cohort(spark, config, "lab", "ct_then_admitted")

    def distinct(frame: DataFrame, name: str) -> int:
        return int(frame.agg(F.countDistinct(name)).collect()[0][0])

    return {
        "version": snapshot.version,
        "modalities": [row[0] for row in snapshot.images.select("modality").distinct().collect()],
        "images": distinct(snapshot.images, "SOPInstanceUID"),
        "patients": distinct(snapshot.images, "patient_id"),
        "stays": snapshot.records["smr01"].count(),
        "writable": check_writable(config.zone("secure")),
    }


if __name__ == "__main__":
    settings = load_config(sys.argv[1])
    session = get_session(settings)
    cohort, stored = map(Path, sys.argv[3:])
    nights = [run_all(session, settings, sys.argv[2], cohort, stored) for _ in range(2)]
    print(json.dumps({"nights": nights, "found": look(session, settings)}))
