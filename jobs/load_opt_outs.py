"""Load a list of people who said no into secure/opt_outs: CHI number, date, and what the policy says of their data.

Columns: chi, opted_out_on (or date), and where they are given policy (stop, withdraw, purge or erase; stop where
nothing is said) and revoked_on. Rows that do not fit go to secure/quarantine; a later list corrects an earlier one.
Until withdraw.py or pseudonymise.py has run, no cohort is built.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.schema import load_schema
from smi_spark.secure.opt_outs import JOB, OPT_OUTS
from smi_spark.secure.records import load_rows


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    return load_rows(spark, config, load_schema(OPT_OUTS), options.source, JOB, again=options.again)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--source", required=True, metavar="URI", help="a file, a folder or a glob of lists")
    parser.add_argument("--again", action="store_true", help="load files too whose bytes were loaded before")
    main(parser, run)
