"""Look at everything before a night run: zones, keys, Java, packages, Spark with Delta, tables' columns.

Prints a line for each; ends with 2 when something is to be mended. Writes nothing that stays.
"""

from smi_spark.check import check
from smi_spark.job import arguments, main_without_spark

if __name__ == "__main__":
    main_without_spark(arguments(__doc__), lambda config, _options: check(config))
