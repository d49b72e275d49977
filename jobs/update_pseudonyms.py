"""Put a site's own patient ids in place of drawn and keyed ones, in every table of zone 2.

Rows of the people concerned are made anew from zone 1; old → new stands in secure/replaced, so that projects notice
nothing. A second run changes nothing, a killed one is completed by the next.
"""

from smi_spark.deidentified.update import update_pseudonyms
from smi_spark.job import arguments, main

if __name__ == "__main__":
    main(arguments(__doc__), lambda spark, config, _options: update_pseudonyms(spark, config))
