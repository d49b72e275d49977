"""Who is held out, against a twin in plain Python."""

import hashlib

from pyspark.sql import SparkSession

from smi_spark.analysis.hold_out import with_held_out


def twin(patient: str, share: float) -> bool:
    return int(hashlib.sha256(f"held_out|{patient}".encode()).hexdigest()[:8], 16) / 2**32 < share


def test_the_same_patients_are_held_out_whatever_else_is_asked(spark: SparkSession) -> None:
    patients = [f"{n:032x}" for n in range(2_000)]
    rows = spark.createDataFrame([(one,) for one in (*patients, *patients)], "patient_id string").coalesce(1)
    shares = [0.001, 0.2, 0.25, 0.999]
    judged = with_held_out(rows, None).withColumnRenamed("held_out", "nobody")
    for share in shares:
        judged = with_held_out(judged, share).withColumnRenamed("held_out", str(share))
    found = judged.collect()
    held = [{row["patient_id"] for row in found if row[str(share)]} for share in shares]
    assert held == [{one for one in patients if twin(one, share)} for share in shares]
    assert held[1] < held[2]
    assert 350 < len(held[1]) < 450
    assert {row["nobody"] for row in found} == {None}
