"""Load an extract of health records (CSV or Parquet) into the secure zone.

Rows that do not fit the table go to secure/quarantine, with column, value and reason. A row whose key is there with
another content takes its place, and the older row goes to the table's history.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.schema import record_tables
from smi_spark.secure.records import load_records


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    return load_records(spark, config, options.table, options.source, again=options.again)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--table", required=True, metavar="NAME", help=f"one of {', '.join(record_tables())}")
    parser.add_argument("--source", required=True, metavar="URI", help="a file, a folder or a glob of extracts")
    parser.add_argument("--again", action="store_true", help="load files too whose bytes were loaded before")
    main(parser, run)
