"""What is wrong with a value, in words for who wrote the file: pydantic's own where these can be understood."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

_LISTS = ("tuple_type", "list_type", "set_type", "frozen_set_type")
_EMPTY = ("too_short", "string_too_short")
_WHOLE = ("int_type", "int_parsing", "int_from_float")


def in_words(problem: Mapping[str, Any], fields: Iterable[str]) -> str:
    """What a problem, as pydantic has it, says to the author of the file: a sentence.

    fields: those of the section that is wanted there; none where it is none.
    """
    told = _told(problem, ", ".join(fields))
    return told if told.endswith((".", "?")) else f"{told}."


def _told(problem: Mapping[str, Any], known: str) -> str:
    kind, given = problem["type"], problem["input"]
    if kind in ("model_type", "model_attributes_type") and known:
        return f"fields are wanted here: {known}"
    if kind in ("dict_type", "mapping_type"):
        return "names with values are wanted, each as in name: value"
    if kind in _LISTS:
        return f"a list is wanted, as in [one, another]{_quotes(given) and ', or one text'}{_quotes(given)}"
    if kind == "string_type":
        return f"a text is wanted{_quotes(given)}"
    if kind in _EMPTY:
        return "nothing is given"
    if kind in ("float_type", "float_parsing"):
        return f"a number is wanted{', without quotes' if isinstance(given, str) else ''}"
    if kind in ("bool_type", "bool_parsing"):
        return f"true or false is wanted{', without quotes' if isinstance(given, str) else ''}"
    if kind in _WHOLE:
        return f"a whole number is wanted{', without quotes' if isinstance(given, str) and given.isdigit() else ''}"
    if kind == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    return str(problem["msg"])


def _quotes(given: Any) -> str:
    """YAML makes numbers, dates and truths of some codes."""
    return ': put it in quotes, as in "0411"' if isinstance(given, bool | int | float | date) else ""
