"""Review the free text of zone 1: which texts may go on to zone 2, which may not and why.

Without --adopt, --keep or --drop it reviews: counts, and the failures that most people have by number and shape; the
texts are in secure/text_review. --keep and --drop write a rule for the text of that number, --adopt takes what passed
as the next version of the vocabulary, to which the next pseudonymise brings zone 2.
"""

from argparse import Namespace
from getpass import getuser

from pyspark.sql import SparkSession

from smi_spark.config import Config
from smi_spark.deidentified.text.decisions import decide
from smi_spark.deidentified.text.review import adopt, review_texts
from smi_spark.job import arguments, main


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    if options.adopt:
        return adopt(spark, config, options.by)
    if options.keep is not None or options.drop is not None:
        keep = options.keep is not None
        return decide(spark, config, options.keep if keep else options.drop, keep=keep)
    return review_texts(spark, config, column=options.column, most=options.most)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--column", metavar="NAME", help="list failures of this column alone")
    parser.add_argument("--most", type=int, default=20, metavar="N", help="list so many of them (default: 20)")
    parser.add_argument("--by", default=getuser(), metavar="NAME", help="who adopts (default: this user)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--adopt", action="store_true", help="take what passed as the next version")
    what.add_argument("--keep", type=int, metavar="NUMBER", help="write a rule that lets the text pass")
    what.add_argument("--drop", type=int, metavar="NUMBER", help="write a rule that lets it fail")
    main(parser, run)
