"""Make zone 2 anew with another archive key: keys.archive of the configuration, in place of the one given here.

Projects notice nothing: secure/replaced keeps what their ids and shifts were derived from. A killed run is completed by
the next with the same keys; a second run changes nothing.
"""

from argparse import Namespace

from pyspark.sql import SparkSession

from smi_spark.config import Config, KeySource
from smi_spark.deidentified.rotation import rotate_key
from smi_spark.job import arguments, main


def run(spark: SparkSession, config: Config, options: Namespace) -> object:
    former = KeySource(file=options.former_file, env=options.former_env, plugin=options.former_plugin)
    return rotate_key(spark, config, former)


if __name__ == "__main__":
    parser = arguments(__doc__)
    former = parser.add_mutually_exclusive_group(required=True)
    former.add_argument(
        "--former-file", metavar="FILE", help="file of mode 0600 with the key that made zone 2 until now"
    )
    former.add_argument("--former-env", metavar="NAME", help="or the environment variable of executors that holds it")
    former.add_argument("--former-plugin", metavar="NAME", help="or the plug-in that gives it")
    main(parser, run)
