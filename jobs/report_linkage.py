"""Of how many patients images and records can be joined: ids that are valid, known to the demography, and linked.

Printed by table, and put into secure/linkage by year and modality.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.secure.linkage import report_linkage


def run(spark: SparkSession, config: Config, _: Namespace) -> object:
    return report_linkage(spark, config)


if __name__ == "__main__":
    main(arguments(__doc__), run)
