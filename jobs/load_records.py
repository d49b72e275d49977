"""Load an extract of health records (CSV or Parquet) into the secure zone.

Rows that do not fit the table go to secure/quarantine, with column, value and reason.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.secure.records import load_records, record_tables


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    return load_records(spark, config, options.table, options.source)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--table", required=True, metavar="NAME", help=f"one of {', '.join(record_tables())}")
    parser.add_argument("--source", required=True, metavar="URI", help="a file, a folder or a glob of extracts")
    main(parser, run)
