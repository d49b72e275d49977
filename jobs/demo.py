"""Show everything once: a synthetic archive and real DICOM files through every job, to two cohorts."""

from argparse import Namespace
from pathlib import Path

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.demo import run_demo
from smi_spark.job import arguments, main


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    settings = [part for setting in options.settings for part in ("--set", setting)]
    return run_demo(spark, config, Path(__file__).parent, ["--config", options.config, *settings])


if __name__ == "__main__":
    print("starting Spark …", flush=True)
    main(arguments(__doc__), run)
