"""Labels of images, told from tags and texts before the texts are left behind.

The rules are data (``label_rules``). A series' images mostly say the same, so the workers run them once for each set of
values, not for each row.
"""

from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from smi_spark.deidentified.alike import alike
from smi_spark.deidentified.label_rows import labels_of
from smi_spark.deidentified.label_rules import columns_read, label_columns
from smi_spark.deidentified.pseudonyms import in_worker
from smi_spark.schema import load_schema


def with_labels(images: DataFrame) -> DataFrame:
    """Rows of ``secure/images`` with every label that ``schemas/images.yaml`` gives zone 2 behind their columns.

    A label is null where it does not apply (mr_sequence_label of a CT), ``unknown`` where no rule decides.
    Raises ConfigError when ``conf/labels`` does not read.
    """
    labels = load_schema("images").spark("deidentified")
    kind = ",".join(f"{name}:{labels[name].dataType.simpleString()}" for name in label_columns())
    told = in_worker(_told, f"struct<{kind}>")(F.struct(*columns_read()))
    # As fields of one call, which Spark makes in the same trip to the workers as those of later steps.
    return images.select("*", *(told[name].alias(name) for name in label_columns()))


def _told(rows: Any) -> "pa.Array[Any]":
    labels = load_schema("images").arrow("deidentified")
    numbers, first = alike(rows)
    distinct = [_labels_of_values(*map(_frozen, row.values())) for row in rows.take(pa.array(first)).to_pylist()]
    return pa.array(distinct, pa.struct([labels.field(name) for name in label_columns()])).take(pa.array(numbers))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=10_000)
def _labels_of_values(*values: Any) -> dict[str, Any]:
    return labels_of(dict(zip(columns_read(), values, strict=True)))
