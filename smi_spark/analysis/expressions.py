"""Conditions on columns as trees, and the one way in which each is written. ``grammar`` reads them from text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")

# How closely an operation binds its parts. What is not listed compares, and a function or a value binds closest.
_LEVELS = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "negative": 7}
_COMPARING, _CLOSEST = 4, 8
_TURNED = ("is null", "in", "between", "like")  # whose NOT stands within


@dataclass(frozen=True)
class Value:
    """A number, text, date, or true and false, as it stands in the text."""

    value: str | int | float | bool | date
    at: int = field(compare=False, default=0)
    depth: int = field(compare=False, default=1)

    @property
    def is_number(self) -> bool:
        return type(self.value) in (int, float)


@dataclass(frozen=True)
class Name:
    """The name of a column."""

    name: str
    at: int = field(compare=False, default=0)
    depth: int = field(compare=False, default=1)


@dataclass(frozen=True)
class Call:
    """An operation (``=``, ``and``, ``is null``, ``in``, ``negative`` …) or a function on further parts.

    at: where it stands in the text, characters from 0. depth: levels of operations from it down.
    """

    operation: str
    parts: tuple["Part", ...]
    is_function: bool = False
    at: int = field(compare=False, default=0)
    depth: int = field(compare=False, default=1)


Part = Value | Name | Call


@dataclass(frozen=True)
class Expression:
    """An expression: its tree, and the text that stands for all that mean it. Of equal text, equal expressions."""

    text: str
    tree: Any = field(compare=False, repr=False)  # a Part

    def __str__(self) -> str:
        return self.text

    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at, sorted."""
        return tuple(sorted({part.name for part in parts_of(self.tree) if isinstance(part, Name)}))


def parts_of(tree: Part) -> Iterator[Part]:
    """The tree and all that it is made of."""
    yield tree
    if isinstance(tree, Call):
        for part in tree.parts:
            yield from parts_of(part)


def as_text(tree: Part) -> str:
    """The expression as this function writes it, whatever capitals, spaces and brackets it had: reads back the same."""
    if isinstance(tree, Name):
        return tree.name
    if isinstance(tree, Value):
        return _value_text(tree.value)
    if tree.is_function:
        return f"{tree.operation}({', '.join(map(as_text, tree.parts))})"
    level = _level(tree)
    if tree.operation in ("or", "and"):
        return f" {tree.operation.upper()} ".join(_within(part, level + 1) for part in tree.parts)
    if tree.operation in _TURNED:
        return _turned(tree, "")
    if tree.operation == "not":
        (part,) = tree.parts
        is_turned = isinstance(part, Call) and part.operation in _TURNED
        return _turned(part, "NOT ") if is_turned else f"NOT {_within(part, level)}"
    if tree.operation == "negative":
        return f"-{_within(tree.parts[0], _CLOSEST)}"
    left, right = tree.parts
    beside = level + 1 if level == _COMPARING else level  # a - b - c is (a - b) - c, and a = b = c is nothing
    return f"{_within(left, beside)} {tree.operation} {_within(right, level + 1)}"


def _turned(tree: Any, negation: str) -> str:
    first, *others = (_within(part, _COMPARING + 1) for part in tree.parts)
    if tree.operation == "is null":
        return f"{first} IS {negation}NULL"
    if tree.operation == "between":
        return f"{first} {negation}BETWEEN {' AND '.join(others)}"
    if tree.operation == "in":
        return f"{first} {negation}IN ({', '.join(others)})"
    return f"{first} {negation}LIKE {others[0]}"


def _level(tree: Part) -> int:
    if not isinstance(tree, Call) or tree.is_function:
        return _CLOSEST
    (first, *_) = tree.parts
    if tree.operation == "not" and isinstance(first, Call) and first.operation in _TURNED:
        return _COMPARING
    return _LEVELS.get(tree.operation, _COMPARING)


def _within(tree: Part, level: int) -> str:
    text = as_text(tree)
    return text if _level(tree) >= level else f"({text})"


def _value_text(value: str | int | float | bool | date) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, date):
        return f"DATE '{value}'"
    return str(value).upper() if isinstance(value, bool) else repr(value)
