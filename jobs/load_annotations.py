"""Load a project's labels by UID into analysis/<project>/annotations: the next version of a set, one file each.

The file has a column StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID, with UIDs as the project's snapshots have
them, or several of these, of which each row's finest counts; each other column is a label. UIDs that no snapshot has
are listed. Licence and consent stand with the labels wherever they are opened.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.analysis.annotations import Loaded, Terms, load_annotations
from smi_spark.config import Config
from smi_spark.job import arguments, main


def run(spark: SparkSession, config: Config, options: Namespace) -> Loaded:
    terms = Terms(options.licence, options.consent)
    return load_annotations(spark, config, options.project, options.set_name, options.source, terms)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--project", required=True, metavar="NAME", help="the project, as its file is named")
    parser.add_argument("--set-name", required=True, metavar="NAME", help="what the labels are called, as nodules")
    parser.add_argument("--source", required=True, metavar="URI", help="a file, CSV or Parquet")
    parser.add_argument("--licence", required=True, metavar="TEXT", help="what they may be used under")
    parser.add_argument("--consent", required=True, metavar="TEXT", help="on what consent or approval they were made")
    main(parser, run)
