"""Add columns that schemas/images.yaml has and secure/images lacks, and fill them from secure/headers.

No file is opened. A killed run is completed by the next; a run with nothing to add writes nothing.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.secure.promotion import promotable, promote_columns


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    return promote_columns(spark, config, options.column)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument(
        "--column", action="append", default=[], type=promotable, metavar="NAME",
        help="a column to add (default: all that are missing)",
    )  # fmt: skip
    main(parser, run)
