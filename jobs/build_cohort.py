"""Build the next version of a cohort: definition → attrition → snapshot in analysis/<project>/<cohort>/."""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.analysis.build import Built, build_cohort
from smi_spark.analysis.definition import load_definition
from smi_spark.config import Config
from smi_spark.job import arguments, main


def run(spark: SparkSession, config: Config, options: Namespace) -> Built:
    return build_cohort(spark, config, options.cohort, options.dry_run)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument(
        "--cohort", required=True, type=load_definition, metavar="FILE", help="definition, as in conf/cohorts/X.yaml"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing, show what each step would leave")
    main(parser, run)
