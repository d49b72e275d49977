"""List what is in quarantine, by reason; try files again, or release them.

Without --again or --release nothing is changed.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.secure.retry import Selection, list_quarantine, release, try_again


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    act = try_again if options.again else release if options.release else list_quarantine
    return act(spark, config, Selection(tuple(options.reason), tuple(options.path), tuple(options.study)))


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--reason", action="append", default=[], help="rows with this reason")
    parser.add_argument("--path", action="append", default=[], help="rows of this file, as the table writes it")
    parser.add_argument("--study", action="append", default=[], metavar="UID", help="rows of this study")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--again", action="store_true", help="read the files anew, and take in what comes of it")
    what.add_argument("--release", action="store_true", help="use the files as they are, until they change")
    main(parser, run)
