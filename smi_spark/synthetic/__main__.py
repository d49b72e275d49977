"""Write a synthetic archive: python -m smi_spark.synthetic --patients 60 --seed 7 --out DIR"""

import argparse
import sys
from pathlib import Path

from smi_spark.errors import SmiError
from smi_spark.synthetic.archive import write_archive


def main() -> int:
    """Parse the arguments, write the archive, say what it holds; 1 for the user's mistakes."""
    parser = argparse.ArgumentParser(prog="python -m smi_spark.synthetic", description="Write a synthetic archive.")
    parser.add_argument("--patients", type=int, default=60, help="people with images (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
    parser.add_argument("--out", type=Path, required=True, help="a folder, new or empty")
    options = parser.parse_args()
    try:
        answers = write_archive(options.out, patients=options.patients, seed=options.seed)
    except SmiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    rows = sum(answers.rows.values())
    print(f"{options.out}: {answers.files} files, {len(answers.broken)} of them broken; {rows} good record rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
