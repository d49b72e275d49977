"""Build the next version of a cohort: definition → attrition → snapshot in analysis/<project>/<cohort>/.

The definition, and what its project may have (conf/projects/<project>.yaml), are checked before Spark starts.
"""

from argparse import Namespace

from smi_spark.analysis.build import Built, build_cohort
from smi_spark.analysis.definition import load_definition
from smi_spark.analysis.permission import load_permitted
from smi_spark.analysis.rebuild import Rebuilt, rebuild_cohort
from smi_spark.config import Config
from smi_spark.errors import InputError
from smi_spark.job import arguments, main_without_spark
from smi_spark.session import get_session


def run(config: Config, options: Namespace) -> Built | Rebuilt:
    if options.rebuild:
        given = load_definition(options.cohort) if options.cohort else None
        spark = get_session(config, "build_cohort")
        return rebuild_cohort(spark, config, options.rebuild, options.dry_run, given)
    if not options.cohort:
        raise InputError("one of the arguments --cohort --rebuild is required. See build_cohort.py --help.")
    definition = load_permitted(config, options.cohort)
    return build_cohort(get_session(config, "build_cohort"), config, definition, options.dry_run)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--cohort", metavar="FILE", help="definition, as in conf/cohorts/X.yaml")
    rebuild = "a version, again from its recorded inputs; with --cohort where the definition has a list of ids"
    parser.add_argument("--rebuild", metavar="PROJECT/COHORT/VERSION", help=rebuild)
    parser.add_argument("--dry-run", action="store_true", help="write nothing, show what each step would leave")
    main_without_spark(parser, run)
