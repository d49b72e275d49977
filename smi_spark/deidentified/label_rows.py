"""Labels of one row by the rules, in plain Python: what ``labels`` runs in workers, and what rules are measured by."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from smi_spark.deidentified.label_rules import (
    MODALITY,
    NORMALS,
    SURE,
    TEXT,
    Condition,
    Labeller,
    Rule,
    labellers,
    risk_labellers,
)

Row = Mapping[str, Any]


def labels_of(row: Row) -> dict[str, Any]:
    """Every label that zone 2 has of a row of ``secure/images``, by the names of its columns; null where none applies.

    row: column → value as ``read_headers`` gives them; a column that lacks is null.
    """
    known = dict(row) | _computed(row)
    deciding = [(labeller, _deciding(labeller, known)) for labeller in labellers()]
    labels: dict[str, Any] = {labeller.column: _label(labeller, known, rule) for labeller, rule in deciding}
    known |= labels
    kind = [value.strip(" ").upper() if value else "" for value in (row.get("ImageType") or ())][:2]
    labels["is_original"] = {"ORIGINAL": True, "DERIVED": False}.get(kind[0]) if kind else None
    labels["is_primary"] = {"PRIMARY": True, "SECONDARY": False}.get(kind[1]) if len(kind) > 1 else None
    for risk in risk_labellers():
        rule = _deciding(risk, known)
        labels[risk.column] = _label(risk, known, rule)
        labels[risk.reason] = rule.name if rule else None
    decided = [(labeller.column, rule.name, rule.confidence) for labeller, rule in deciding if rule]
    least = min((SURE.index(confidence) for _, _, confidence in decided), default=None)
    labels["label_confidence"] = None if least is None else SURE[least]
    told = (f"{column}: {rule} ({confidence})" for column, rule, confidence in decided)
    labels["label_rules"] = ", ".join(told) or None
    return labels


def _deciding(labeller: Labeller, row: Row) -> Rule | None:
    if not _applies(labeller, row):
        return None
    return next((rule for rule in labeller.rules if _fits(rule, labeller, row)), None)


def _label(labeller: Labeller, row: Row, rule: Rule | None) -> str | None:
    if not _applies(labeller, row):
        return None
    return rule.label if rule else labeller.otherwise


def _applies(labeller: Labeller, row: Row) -> bool:
    return not labeller.modalities or row[MODALITY] in labeller.modalities


def _fits(rule: Rule, labeller: Labeller, row: Row) -> bool:
    return all(
        _holds(condition, [row.get(name) for name in labeller.text] if place == TEXT else [row.get(place)])
        for place, condition in rule.when.items()
    )


def _holds(condition: Condition, found: Sequence[Any]) -> bool:
    """Whether the condition holds of the value, or of the texts, that were found."""
    if condition.words and not _pattern(condition.words).search(_words(found)):
        return False
    values = _values(found[0])
    if condition.any_of and not set(condition.any_of) & values:
        return False
    if set(condition.all_of) - values or set(condition.none_of) & values:
        return False
    if condition.about_numbers and not _in_range(condition, found[0]):
        return False
    return condition.present is None or condition.present == _is_present(found[0])


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})\b")


def _words(found: Sequence[Any]) -> str:
    texts = (text for value in found for text in (value if isinstance(value, list | tuple) else [value]))
    return _in_words(" ".join(text for text in texts if text is not None))


@lru_cache(maxsize=1_000)  # rule after rule asks for the same texts
def _in_words(text: str) -> str:
    return re.sub("[^a-z0-9]+", " ", text.lower())


def _values(value: Any) -> set[str]:
    parts = value if isinstance(value, list | tuple) else [value]
    return {part.strip(" ").upper() for part in parts if isinstance(part, str)}


def _in_range(condition: Condition, value: float | str | None) -> bool:
    if value is None or isinstance(value, str):  # as JSON has what is no number
        return False
    return (condition.at_least is None or value >= condition.at_least) and (
        condition.at_most is None or value <= condition.at_most
    )


def _is_present(value: Any) -> bool:
    return any(_values(value)) if isinstance(value, str | list | tuple) else value is not None


def _computed(row: Row) -> dict[str, Any]:
    modality = row.get("modality_as_written") or row.get("modality")
    normal = _normal(row.get("ImageOrientationPatient"))
    return {MODALITY: modality.strip(" ").upper() if modality else None} | dict(zip(NORMALS, normal, strict=True))


def _normal(orientation: Sequence[float | None] | None) -> tuple[float | None, ...]:
    """The parts, without sign, of the unit normal of a plane; none where the directions are no directions."""
    if orientation is None or len(orientation) != 6 or None in orientation:
        return None, None, None
    a, b, c, d, e, f = (float(part) for part in orientation if part is not None)
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2])
    if not 0.5 <= length <= 2:
        return None, None, None
    return tuple(abs(part) / length for part in normal)
