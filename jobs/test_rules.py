"""Try rejection rules on one image, given as a JSON row: columns of images in zone 2, those that are left out null.

Spark is not started. Exit codes, which are not those of other jobs: 0 the image is accepted; 1 it is rejected, and
standard output has the name of the first rule that rejects it, the reason; 2 the rules or the row cannot be used.
"""

import argparse
import sys
from typing import NoReturn

from smi_spark.analysis.rejection import load_rejection, read_row, reason


def main(rules: str, row: str) -> NoReturn:
    try:
        rejected = reason(load_rejection(rules), read_row(row))
    except Exception as error:  # whatever it is: 1 would say that the image is rejected
        print(error, file=sys.stderr)
        sys.exit(2)
    print(rejected or "accepted")
    sys.exit(1 if rejected else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", required=True, metavar="NAME", help="rules of conf/rejection, or a .yaml file")
    parser.add_argument("--row", default="-", metavar="FILE", help="file with the row (default: standard input)")
    options = parser.parse_args()
    main(options.rules, options.row)
