"""Take people who said no out of zone 2, tell which snapshots held them, and purge or erase where their policy says so.

Run it after load_opt_outs.py. A version of a cohort that is purged is marked withdrawn, and another one follows it
that is the same without them. What researchers copied elsewhere no job can reach. Zone 1 keeps all, but of people who
are to be erased; what comes of theirs later is taken out by the next run.
"""

from smi_spark.job import arguments, main
from smi_spark.withdraw import withdraw

if __name__ == "__main__":
    main(arguments(__doc__), lambda spark, config, _options: withdraw(spark, config))
