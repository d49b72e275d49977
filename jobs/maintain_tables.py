"""Bring small files together, sorted by study; remove what old versions left; keep logs short. Rows stay as they are.

A killed run is completed by the next; a run with nothing to do writes nothing. Tables that another run writes are
left alone. A horizon younger than a version that a cohort pins is refused.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.maintenance import Report, maintain_tables


def run(spark: SparkSession, config: Config, options: Namespace) -> Report:
    return maintain_tables(spark, config, options.table, options.horizon, options.dry_run)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument(
        "--table", action="append", default=[], metavar="NAME", help="a table, as secure/headers (default: all)"
    )
    parser.add_argument(
        "--horizon", type=int, metavar="DAYS",
        help="for how long old versions of these tables can be read (default: as configured)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="write nothing, say what would be done")
    main(parser, run)
