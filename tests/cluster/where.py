"""Submitted by the test of the packed environment: says, as JSON, which Python two executors run; then runs a job."""

import json
import os
import runpy
import sys
from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import SparkSession

TOLD = "folder string, python string, package string, pythonpath string"


def told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import smi_spark

    for _ in batches:
        pass
    path = os.environ.get("PYTHONPATH", "")
    found = {"folder": os.getcwd(), "python": sys.executable, "package": smi_spark.__file__, "pythonpath": path}  # noqa: PTH109
    yield pa.RecordBatch.from_pylist([found])


if __name__ == "__main__":
    spark = SparkSession.builder.getOrCreate()
    tasks = spark.range(0, 2, numPartitions=2).mapInArrow(told, TOLD, barrier=True)  # both at once: on both executors
    print(json.dumps([row.asDict() for row in tasks.collect()]))
    job, *sys.argv[1:] = sys.argv[1:]
    runpy.run_path(job, run_name="__main__")
