"""Write a synthetic archive: python -m smi_spark.synthetic --patients 60 --seed 7 --out DIR

Or the tables of zone 2 alone, without files, as large as wanted: … --tables-only --images 100000000 --out URI
"""

import argparse
import sys
from pathlib import Path

from smi_spark.config import Config, Keys, KeySource, load_config
from smi_spark.errors import SmiError
from smi_spark.synthetic.archive import write_archive
from smi_spark.synthetic.profile import DEFAULT, PROFILES

# Minutes of work on few cores: all is compiled well, and a file's rows are sorted in memory.
_SESSION = {"spark.driver.memory": "8g"}


def main() -> int:
    """Parse the arguments, write the archive, say what it holds; 1 for the user's mistakes, 2 for the machine's."""
    options = _parser().parse_args()
    if options.tables_only:
        return _write_tables(options)
    try:
        out = Path(options.out)
        answers = write_archive(out, patients=options.patients, seed=options.seed, profile=options.profile)
    except SmiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    rows = sum(answers.rows.values())
    print(f"{out}: {answers.files} files, {len(answers.broken)} of them broken; {rows} good record rows")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m smi_spark.synthetic", description="Write a synthetic archive.")
    parser.add_argument("--patients", type=int, default=60, help="people with images (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
    parser.add_argument("--out", required=True, help="a folder, new or empty; with --tables-only a URI too")
    parser.add_argument("--profile", default=DEFAULT, help=f"rates: {', '.join(PROFILES)} (default {DEFAULT})")
    parser.add_argument("--tables-only", action="store_true", help="tables of zone 2 and no files, by rates alone")
    parser.add_argument("--images", type=int, default=1_000_000, help="rows of its images (default 1,000,000)")
    parser.add_argument("--config", help="a configuration whose Spark settings it takes (default: all cores, 8g)")
    return parser


def _write_tables(options: argparse.Namespace) -> int:
    from pyspark.errors import PySparkException  # the archive of files is made without Spark

    from smi_spark.job import explain
    from smi_spark.session import get_session
    from smi_spark.synthetic.tables_only import write_tables

    try:
        config = _config(options.out, options.config)
        written = write_tables(get_session(config), config, images=options.images, seed=options.seed)
    except (SmiError, PySparkException) as error:
        message, code = explain(error)
        print(message, file=sys.stderr)
        return code
    print(f"{config.root}: {written}")
    return 0


def _config(out: str, file: str | None) -> Config:
    """The place as an installation of its own; no key is read."""
    no_key = KeySource(env="SMI_NO_KEY")
    settings = load_config(file).spark if file else _SESSION
    return Config(root=out, keys=Keys(archive=no_key, projects=no_key), spark=settings)


if __name__ == "__main__":
    sys.exit(main())
