"""Make secret keys: every key file that a configuration names and that is not there yet, or one at --out.

A key file is never overwritten: pseudonyms hang on it.
"""

import sys
from pathlib import Path

from smi_spark.config import load_config
from smi_spark.deidentified.keys import create_key
from smi_spark.errors import SmiError
from smi_spark.job import Arguments


def missing_files(config: str, settings: list[str]) -> list[str]:
    """The key files that the configuration names and that do not exist."""
    keys = load_config(config, settings).keys
    return [source.file for source in (keys.archive, keys.projects) if source.file and not Path(source.file).exists()]


if __name__ == "__main__":
    parser = Arguments(description=__doc__)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--config", metavar="FILE", help="make the key files that this configuration names")
    place.add_argument("--out", metavar="FILE", help="make one key file")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="settings")
    options = parser.parse_args()
    try:
        files = [options.out] if options.out else missing_files(options.config, options.settings)
        lines = [f"{file}: key {create_key(file)} made" for file in files]
        print("\n".join(lines) or "Every key file is there already.")
    except SmiError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
