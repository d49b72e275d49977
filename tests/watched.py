"""Runs jobs one behind the other in one process, and leaves what Spark wrote where it lies.

Given: a JSON file with ``jobs`` (lists of a program and its arguments), ``heap`` (where the memory of the driver, which
in local mode is the executor too, is written to) and ``planned`` (a text that is put into a plan on purpose).
"""

import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def run_job(program: str, arguments: list[str]) -> None:
    sys.argv = [program, *arguments]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as ended:
        print(f"{Path(program).name} ended with {ended.code}", flush=True)


def put_into_plan(spark: SparkSession, text: str) -> None:
    spark.range(1).select(F.col("id").cast("string").alias("PatientID")).where(F.col("PatientID") == text).collect()


def dump_heap(java: Any, place: str) -> None:
    factory = java.java.lang.management.ManagementFactory
    kind = java.java.lang.Class.forName("com.sun.management.HotSpotDiagnosticMXBean")
    name = "com.sun.management:type=HotSpotDiagnostic"
    factory.newPlatformMXBeanProxy(factory.getPlatformMBeanServer(), name, kind).dumpHeap(place, False)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    for program, *arguments in given["jobs"]:
        run_job(program, arguments)
    session = SparkSession.active()
    try:
        put_into_plan(session, given["planned"])
        dump_heap(session._jvm, given["heap"])
    finally:  # Spark takes its folders away when it ends in order
        os.kill(session.sparkContext._gateway.proc.pid, signal.SIGKILL)
