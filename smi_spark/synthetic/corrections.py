"""A later extract that corrects rows of an earlier one."""

import random

from smi_spark.synthetic.records import Row

CORRECTED = "smr01"  # the table that has such an extract, <table>_late/
SHARE = 0.03
_CODED_ANEW = "R69X"  # illness, unspecified


def corrected_rows(rows: list[Row], rng: random.Random) -> list[Row]:
    """A ``SHARE`` of the rows, at least one where there is any: the same keys, the condition coded anew."""
    chosen = rng.sample(rows, max(min(1, len(rows)), round(SHARE * len(rows))))
    return [{**row, "MAIN_CONDITION": _CODED_ANEW, "OTHER_CONDITION_1": row["MAIN_CONDITION"]} for row in chosen]
