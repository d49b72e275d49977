"""Write a synthetic archive: python -m smi_spark.synthetic --patients 60 --seed 7 --out DIR

Or the tables of zone 2 alone, without files, as large as wanted: … --tables-only --images 100000000 --out URI
"""

import argparse
import sys

from pyspark.errors import PySparkException

from smi_spark.config import Config, Keys, KeySource, load_config
from smi_spark.errors import SmiError
from smi_spark.job import explain, log_to_stderr
from smi_spark.session import get_session
from smi_spark.synthetic.archive import Summary, write_archive
from smi_spark.synthetic.courses import PATIENTS_A_BLOCK
from smi_spark.synthetic.profile import DEFAULT, PROFILES
from smi_spark.synthetic.tables_only import Written, write_tables

# Minutes of work on few cores: all is compiled well, and a file's rows are sorted in memory.
_SESSION = {"spark.driver.memory": "8g"}


def main() -> int:
    """Parse the arguments, write the archive, say what it holds; 1 for the user's mistakes, 2 for the machine's."""
    options = _parser().parse_args()
    try:
        with log_to_stderr():
            written = _write_tables(options) if options.tables_only else _write_files(options)
    except (SmiError, PySparkException) as error:
        message, code = explain(error)
        print(message, file=sys.stderr)
        return code
    print(f"{options.out}: {written}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m smi_spark.synthetic", description="Write a synthetic archive.")
    parser.add_argument("--patients", type=int, default=60, help="people with images (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
    parser.add_argument("--out", required=True, help="a folder or URI, new or empty")
    parser.add_argument(
        "--profile", default=DEFAULT, help=f"rates: {', '.join(PROFILES)} or a file (default {DEFAULT})"
    )
    parser.add_argument(
        "--worked", action="store_true", help="and people whose answers to the definitions of conf/cohorts are known"
    )
    parser.add_argument("--tables-only", action="store_true", help="tables of zone 2 and no files, by rates alone")
    parser.add_argument("--images", type=int, default=1_000_000, help="rows of its images (default 1,000,000)")
    parser.add_argument("--config", help="a configuration whose Spark settings it takes (default: all cores, 8g)")
    return parser


def _write_files(options: argparse.Namespace) -> Summary:
    """A small archive in this process, a larger one through Spark."""
    given = {name: getattr(options, name) for name in ("patients", "seed", "profile", "worked")}
    if options.patients <= PATIENTS_A_BLOCK:
        return write_archive(options.out, **given)
    return write_archive(options.out, **given, spark=get_session(_config(options.out, options.config)))


def _write_tables(options: argparse.Namespace) -> Written:
    config = _config(options.out, options.config)
    return write_tables(get_session(config), config, images=options.images, seed=options.seed)


def _config(out: str, file: str | None) -> Config:
    """The place as an installation of its own; no key is read."""
    no_key = KeySource(env="SMI_NO_KEY")
    settings = load_config(file).spark if file else _SESSION
    return Config(root=out, keys=Keys(archive=no_key, projects=no_key), spark=settings)


if __name__ == "__main__":
    sys.exit(main())
