"""Search every text of a table of zones 2 or 3 for identifiers: CHI and NHS numbers, dates, postcodes, names …

Prints counts by column and detector, and the shape that most of them have; the values go into secure/findings, in place
of what the last scan of the table found. Ends with 3 when anything is found.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.deidentified.text.scan import Report, scan_table
from smi_spark.job import arguments, main


def run(spark: SparkSession, config: Config, options: Namespace) -> Report:
    return scan_table(spark, config, options.table, with_names=options.names)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument(
        "--table", required=True, metavar="NAME",
        help="a table, as deidentified/images or analysis/<project>/<cohort>/records/smr01",
    )  # fmt: skip
    parser.add_argument(
        "--names", action="store_true", help="look for each person's own name too: reads secure/links and secure/images"
    )
    main(parser, run)
