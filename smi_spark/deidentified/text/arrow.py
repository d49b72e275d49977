"""Findings of whole columns: each distinct text is looked at once a batch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smi_spark.deidentified.pseudonyms import map_distinct
from smi_spark.deidentified.text.findings import Finding, find_identifiers, has_name
from smi_spark.deidentified.text.rules import Rules

FINDINGS = pa.list_(
    pa.struct([("detector", pa.string()), ("start", pa.int32()), ("end", pa.int32()), ("part", pa.string())])
)


def find_in_values(texts: "pa.Array[Any]", rules: Rules, names: "pa.Array[Any] | None" = None) -> "pa.Array[Any]":
    """The findings of each text (string) as a list of structs (``FINDINGS``); null where the text is null.

    rules: those of the column. names: PatientName beside each text, null where it is not known.
    """
    if names is None:
        return map_distinct(texts, lambda text: _as_list(find_identifiers(text, None, rules)), FINDINGS)
    return _map_pairs(texts, names, lambda text, name: _as_list(find_identifiers(text, name, rules)), FINDINGS)


def names_in_values(texts: "pa.Array[Any]", names: "pa.Array[Any]", rules: Rules) -> "pa.Array[Any]":
    """Whether each text (string) has the name beside it; null where the text is null. ``rules``: the column's."""
    return _map_pairs(texts, names, lambda text, name: name is not None and has_name(text, name, rules), pa.bool_())


def _map_pairs(
    texts: "pa.Array[Any]", names: "pa.Array[Any]", look: Callable[[str, str | None], Any], result: pa.DataType
) -> "pa.Array[Any]":
    """``look`` at each text with its name, once for each pair that is there; null where the text is null."""
    text_of, known_text = _numbered(texts)
    name_of, known_name = _numbered(names)
    pairs, where = np.unique(text_of * len(known_name) + name_of, return_inverse=True)  # each pair is one number
    looked_at = [
        None if text is None else look(text, name)
        for text, name in ((known_text[p // len(known_name)], known_name[p % len(known_name)]) for p in pairs)
    ]
    return pa.array(looked_at, result).take(pa.array(where, pa.int64()))


def _numbered(values: Any) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    """The place of each value in the list of distinct ones, whose last is null."""
    encoded = values.dictionary_encode()
    distinct = [*encoded.dictionary.to_pylist(), None]
    places = pc.fill_null(encoded.indices, len(distinct) - 1).to_numpy(zero_copy_only=False)
    return places.astype(np.int64), distinct


def _as_list(found: list[Finding]) -> list[dict[str, Any]]:
    return [finding._asdict() for finding in found]
