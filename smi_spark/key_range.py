"""Between which bounds the keys of a merge lie: data files whose statistics say that they hold none are not read."""

from collections.abc import Iterator, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.config import Zone
from smi_spark.schema import TableSchema

_SHOWN = 4  # characters of a text of zone 1, and never more than half of it
_LAST = "\U0010ffff"  # sorts behind every other character


def in_range(keys: DataFrame, names: Sequence[str], schema: TableSchema, zone: Zone) -> Iterator[Column]:
    """Conditions, one a column of ``names``, that hold for the rows of ``present`` with any of ``keys``.

    Bounds stand in the plan, and plans in event logs, the Spark UI and a table's history. So of a text of zone 1, be
    it a CHI number, a record's key or a path, only the beginning does: ``0101`` for ``0101031234``.
    """
    ends = {name: _ends(F.col(name), _is_shown(name, schema, zone)) for name in names}
    lowest = [F.min(low).alias(f"low_{name}") for name, (low, _) in ends.items()]
    highest = [F.max(high).alias(f"high_{name}") for name, (_, high) in ends.items()]
    bounds = keys.agg(*lowest, *highest).first()
    assert bounds is not None  # an aggregate without groups has one row
    for name in names:
        yield F.col(f"present.{name}").between(F.lit(bounds[f"low_{name}"]), F.lit(bounds[f"high_{name}"]))


def _is_shown(name: str, schema: TableSchema, zone: Zone) -> bool:
    return zone != "secure" or schema.column(name).type != "string" or name == "run_id"


def _ends(key: Column, shown: bool) -> tuple[Column, Column]:
    """Two values between which the key lies."""
    if shown:
        return key, key
    beginning = F.substring(key, F.lit(1), F.least(F.lit(_SHOWN), F.floor(F.length(key) / 2)))
    return beginning, F.concat(beginning, F.lit(_LAST))
