"""Load a site's own table of patient ids (CSV or Parquet: CHI number, id) into secure/mapping.

Rows that contradict each other or the mapping go to secure/quarantine. Where a person has a drawn or keyed id already,
the site's waits until jobs/update_pseudonyms.py puts it in place everywhere.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.deidentified.site_ids import load_mapping
from smi_spark.job import arguments, main


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    return load_mapping(spark, config, options.source, options.chi, options.id)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--source", required=True, metavar="URI", help="a file, a folder or a glob of CSV or Parquet")
    parser.add_argument("--chi", metavar="COLUMN", help="the column with CHI numbers (default: chi, or CHI_NUMBER)")
    parser.add_argument("--id", metavar="COLUMN", help="the column with the site's ids (default: id, or patient_id)")
    main(parser, run)
