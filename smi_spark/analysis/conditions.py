"""What is asked of a column: as definitions write it, checked against the column's type, and in words."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from smi_spark.analysis.windows import Part
from smi_spark.errors import nearest
from smi_spark.schema import Column, TableSchema

_MOST_WORDS = 5  # values that are told one by one
_KINDS = {
    "string": "text", "int": "a whole number", "long": "a whole number", "double": "a number", "date": "a date",
    "boolean": "true or false",
}  # fmt: skip
_ORDERED = ("int", "long", "double", "date")
_IDS = ("uid", "accession", "pseudonym")  # actions that make ids


def one_or_more(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


def _values(given: Any) -> Any:
    return (given,) if isinstance(given, str | bool | int | float | date) else given


def as_a_set(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted({(type(value).__name__, value): value for value in values}.values(), key=_type_and_value))


def _type_and_value(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value


def _plain(given: Any) -> Any:
    """Values that mean the same as one: 2.0 is 2, a date its text."""
    if isinstance(given, date):
        return given.isoformat()
    return int(given) if isinstance(given, float) and given.is_integer() else given


def _condition(given: Any) -> Any:
    return {"one_of": given} if isinstance(_values(given), tuple | list) else given


Text = Annotated[str, Field(min_length=1)]
OneOrMore = Annotated[tuple[Text, ...], BeforeValidator(one_or_more), AfterValidator(as_a_set), Field(min_length=1)]
Value = Annotated[bool | int | Annotated[float, Field(allow_inf_nan=False)] | Text, BeforeValidator(_plain)]
Values = Annotated[tuple[Value, ...], BeforeValidator(_values), AfterValidator(as_a_set), Field(min_length=1)]


class Condition(Part):
    """What must hold of one column: all that is given. Of several values of a row, one for which all of it holds is
    enough. A column without a value holds nothing but ``present: false``.
    """

    one_of: Annotated[Values | None, Field(description="the value is one of these")] = None
    begins_with: Annotated[OneOrMore | None, Field(description="the text begins with one of these")] = None
    at_least: Annotated[Value | None, Field(description="least number, or first date")] = None
    at_most: Annotated[Value | None, Field(description="greatest number, or last date")] = None
    present: Annotated[bool | None, Field(description="whether there is a value")] = None

    @model_validator(mode="after")
    def _can_hold(self) -> "Condition":
        about_value = any(of is not None for of in (self.one_of, self.begins_with, self.at_least, self.at_most))
        if self.present is None and not about_value:
            raise PydanticCustomError("condition", "nothing is asked: give a value, or one_of, at_least …")
        if self.present is False and about_value:
            raise PydanticCustomError("condition", "what is not there has no value: ask for one of the two")
        return self

    def in_words(self, unit: str | None = None) -> str:
        after = f" {unit}" if unit else ""
        told = [
            any_of(self.one_of) + after if self.one_of else "",
            f"beginning with {any_of(self.begins_with)}" if self.begins_with else "",
            f"at least {self.at_least}{after}" if self.at_least is not None else "",
            f"at most {self.at_most}{after}" if self.at_most is not None else "",
            {True: "present", False: "not present", None: ""}[self.present],
        ]
        return " and ".join(filter(None, told))


Conditions = Annotated[
    dict[str, Annotated[Condition, BeforeValidator(_condition)]],
    Field(min_length=1),
]


def any_of(values: Iterable[Any]) -> str:
    """``A or B``; of many the first and how many more.

    >>> any_of(["F00", "F01"])
    'F00 or F01'
    """
    told = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    beyond = len(told) - _MOST_WORDS
    return " or ".join([*told[:_MOST_WORDS], f"{beyond} more"] if beyond > 0 else told)


def in_words(conditions: Mapping[str, Condition], schema: TableSchema) -> list[str]:
    """Each condition with its column and unit, sorted."""
    return [f"{name} {of.in_words(schema.column(name).unit)}" for name, of in sorted(conditions.items())]


def value_type(column: Column) -> str:
    """The type of the column's values: of each where there are several."""
    inner = column.type.removeprefix("array<").removesuffix(">") if column.type.startswith("array<") else column.type
    return inner if inner in _KINDS else ""


def wrong_conditions(conditions: Mapping[str, Condition], schema: TableSchema, place: str) -> Iterator[str]:
    """A line for each condition on a column that zone 2 lacks, that is an id, or whose values are of another kind."""
    known = {column.name: column for column in schema.in_zone("deidentified") if not _is_id(column)}
    for name, condition in conditions.items():
        if any(column.name == name and _is_id(column) for column in schema.in_zone("deidentified")):
            yield f"{place}.{name}: {name} is an id, of which a definition asks nothing. Take it out."
        elif name not in known and any(column.name == name for column in schema.columns):
            yield f"{place}.{name}: {name} stands in no table beyond zone 1. Take it out."
        elif name not in known:
            yield (
                f"{place}: {name} is not a column of {schema.table} in zone 2. docs/data-dictionary.md lists them."
                f"{nearest(name, known)}"
            )
        else:
            yield from _wrong_condition(condition, known[name], f"{place}.{name}")


def _is_id(column: Column) -> bool:
    return column.deidentify in _IDS or column.name == "patient_id"


def _wrong_condition(condition: Condition, column: Column, place: str) -> Iterator[str]:
    kind = value_type(column)
    told = f"{column.name} is {_KINDS[kind]}" if kind else f"{column.name} is a list of flags"
    if condition.begins_with and kind != "string":
        yield f"{place}.begins_with: {told}. Ask for one_of or present{_order(kind)}."
    ends = {"at_least": condition.at_least, "at_most": condition.at_most}
    for field, value in ends.items():
        if value is not None and kind not in _ORDERED:
            yield f"{place}.{field}: {told}, which has no least and most. Ask for one_of, begins_with or present."
        elif value is not None and not _is_of(value, kind):
            yield f"{place}.{field}: {value!r} is not {_KINDS[kind]}, as {column.name} is.{_remedy(value, kind)}"
    for value in condition.one_of or ():
        if not kind:
            yield f"{place}.one_of: {told}. Ask for present."
        elif not _is_of(value, kind):
            yield f"{place}.one_of: {value!r} is not {_KINDS[kind]}, as {column.name} is.{_remedy(value, kind)}"
    least, most = ends.values()
    if least is not None and most is not None and _is_of(least, kind) and _is_of(most, kind) and least > most:  # type: ignore[operator]  # of one kind
        yield f"{place}: nothing is at least {least} and at most {most}."


def _order(kind: str) -> str:
    return ", at_least or at_most" if kind in _ORDERED else ""


def _remedy(value: Any, kind: str) -> str:
    if kind not in ("string", "date"):
        return " Write it without quotes." if isinstance(value, str) else ""
    return " Write it in quotes." if kind == "string" else " Write it as 2015-01-31."


def _is_of(value: Any, kind: str) -> bool:
    if kind in ("string", "boolean"):
        return isinstance(value, str if kind == "string" else bool)
    if kind == "date":
        return isinstance(value, str) and _is_date(value)
    numbers = int | float if kind == "double" else int
    return isinstance(value, numbers) and not isinstance(value, bool)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
