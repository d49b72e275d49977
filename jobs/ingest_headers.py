"""Take new DICOM files into the secure zone: files, headers, images; what cannot be used goes to quarantine.

Each file is read once. Running it again over the same files changes nothing.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.job import arguments, main
from smi_spark.secure.ingest import ingest_headers


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    return ingest_headers(spark, config, options.source)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument(
        "--source",
        required=True,
        nargs="+",
        metavar="URI",
        help="folders, files, globs or s3:// prefixes of DICOM files; pacs:ROOT[@DAY..DAY]; list:FILE@ROOT",
    )
    main(parser, run)
