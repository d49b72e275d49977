"""Labels of images, told from tags and texts before the texts are left behind.

The rules are data (``label_rules``). A series' images mostly say the same, so the workers run them once for each set of
values, not for each row: about 30 µs a row beside the pseudonyms, where the same patterns as columns took 300.
"""

import json
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from smi_spark.deidentified.label_rows import labels_of
from smi_spark.deidentified.label_rules import columns_read, label_columns
from smi_spark.deidentified.pseudonyms import in_worker, map_distinct
from smi_spark.schema import load_schema

_LABELS = "labels"


def with_labels(images: DataFrame) -> DataFrame:
    """Rows of ``secure/images`` with every label that ``schemas/images.yaml`` gives zone 2 behind their columns.

    A label is null where it does not apply (mr_sequence_label of a CT), ``unknown`` where no rule decides.
    Raises ConfigError when ``conf/labels`` does not read.
    """
    labels = load_schema("images").spark("deidentified")
    kind = ",".join(f"{name}:{labels[name].dataType.simpleString()}" for name in label_columns())
    told = in_worker(_told, f"struct<{kind}>")(F.to_json(F.struct(*columns_read())))
    return images.withColumn(_LABELS, told).select(*images.columns, f"{_LABELS}.*")


def _told(texts: "pa.Array[Any]") -> "pa.Array[Any]":
    labels = load_schema("images").arrow("deidentified")
    return map_distinct(texts, _labels_of_text, pa.struct([labels.field(name) for name in label_columns()]))


@lru_cache(maxsize=10_000)
def _labels_of_text(text: str) -> dict[str, Any]:
    return labels_of(json.loads(text))
