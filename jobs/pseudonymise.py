"""Bring zone 2 up to zone 1: pseudonymous images with their series and studies, records, and the links back.

Reads secure/images and secure/records/…; a second run adds nothing, a killed one is completed by the next.
"""

from smi_spark.deidentified.pseudonymise import run
from smi_spark.job import arguments, main

if __name__ == "__main__":
    main(arguments(__doc__), lambda spark, config, _options: run(spark, config))
