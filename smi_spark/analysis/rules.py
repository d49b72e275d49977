"""What a definition asks of a study's patient: records around a date, and rules that are made of rules."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from smi_spark.analysis.code_lists import read_codes
from smi_spark.analysis.conditions import Conditions, Text, any_of, as_a_set, in_words, one_or_more
from smi_spark.analysis.windows import Part, Whole, Window
from smi_spark.errors import InputError
from smi_spark.schema import TableSchema, load_schema

OF_RULES = ("any_of", "all_of", "none_of")
_OF_RECORDS = ("codes", "having", "at_least", "which", "window", "around")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _codes(given: Any, info: ValidationInfo) -> Any:
    """Codes as they are written, or as a file has them: they count, not its name."""
    if not isinstance(given, dict):
        return one_or_more(given)
    if not {"file"} <= set(given) <= {"file", "column"}:
        raise PydanticCustomError("code_list", "a code list is {file: codes.csv}, with column where it has several")
    folder = (info.context or {}).get("folder") or Path()
    try:
        return read_codes(folder / str(given["file"]), given.get("column"))
    except InputError as error:
        raise PydanticCustomError("code_list", "{told}", {"told": str(error)}) from None


def _named(given: Any) -> Any:
    return {"group": given} if isinstance(given, str) else given


def _listed(given: Any) -> Any:
    """One rule is a list of one: without its dash in a file, by itself in Python."""
    return (given,) if isinstance(given, str | dict | Part) else given


def _more_than_one(count: int) -> int | None:
    return None if count == 1 else count


Rules = Annotated[tuple[Annotated["Rule", BeforeValidator(_named)], ...], BeforeValidator(_listed)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Codes = Annotated[tuple[Code, ...], BeforeValidator(_codes), AfterValidator(as_a_set), Field(min_length=1)]


class Rule(Part):
    """A record of the study's patient, around the study's date or another event; or a combination of such rules.

    It is true or false for everybody, people without any record included.
    """

    table: Annotated[Text | None, Field(description="a table of records, as in smr01")] = None
    codes: Annotated[
        dict[str, Codes],
        Field(
            default_factory=dict,
            description="coding system or column → beginnings of codes, in quotes where they are digits, or {file: …}",
        ),
    ]
    having: Annotated[
        Conditions | None, Field(description="column of the table → value, or one_of, begins_with, at_least …")
    ] = None
    at_least: Annotated[
        Whole | None,
        Field(ge=1, description="on how many days there must be such a record"),
        AfterValidator(_more_than_one),
    ] = None
    which: Annotated[
        Literal["first ever", "last ever", "first", "last"] | None,
        Field(description="first ever or last ever of the person; first or last in the window"),
    ] = None
    window: Annotated[Window, Field(description="from and until, counted from the study")] = Window()
    around: Annotated[
        Name | None, Field(description="the group from whose record the window counts; left out: the study")
    ] = None
    any_of: Annotated[Rules | None, Field(min_length=1, description="rules of which one must hold")] = None
    all_of: Annotated[Rules | None, Field(min_length=1, description="rules that must all hold")] = None
    none_of: Annotated[Rules | None, Field(min_length=1, description="rules of which none may hold")] = None
    group: Annotated[Name | None, Field(description="name of a group, which must hold")] = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Rule":
        kinds = [name for name in ("table", *OF_RULES, "group") if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise PydanticCustomError(
                "rule", "a rule has a table, or any_of, all_of or none_of, or names a group: give one of these"
            )
        beside = [name for name in _OF_RECORDS if getattr(self, name) not in (None, {}, Window())]
        if beside and self.table is None:
            raise PydanticCustomError(
                "rule", f"{' and '.join(beside)} belong to a rule with a table, not to {kinds[0]}"
            )
        if self.at_least and self.which:
            raise PydanticCustomError(
                "rule", f"{self.which} is one record, at_least asks for more: give one of the two"
            )
        longest = self.window.most_days()
        if self.at_least and longest is not None and longest < self.at_least:
            raise PydanticCustomError("rule", f"no {self.at_least} days lie {self.window}: make the window longer")
        return self

    @model_serializer(mode="wrap")
    def _alone(self, told: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What belongs to a table is not told of a rule without one."""
        value: dict[str, Any] = told(self)
        return value if self.table is not None else {name: value[name] for name in value if name not in _OF_RECORDS}

    def __str__(self) -> str:
        if self.table is None:
            made = [(name, getattr(self, name)) for name in OF_RULES if getattr(self, name)]
            told = [f"{name.replace('_', ' ')} ({'; '.join(map(str, rules))})" for name, rules in made]
            return told[0] if told else str(self.group)
        codes = ", ".join(f"{where} {any_of(starts)}" for where, starts in self.codes.items())
        having = ", ".join(in_words(self.having or {}, self.table_schema))
        which = f"the {self.which}" if self.which else f"on {self.at_least} or more days" if self.at_least else ""
        window = f"{self.window} of {self.around}" if self.around else str(self.window)
        records = ", ".join(filter(None, (codes, having))) or "any record"
        return ", ".join(filter(None, (f"{self.table}: {records}", which, window)))

    @property
    def table_schema(self) -> TableSchema:
        """Of the table that the rule is about."""
        return record_schema(str(self.table))

    def code_columns(self, where: str) -> list[str]:
        """The columns that ``where`` means: itself, or all of that coding system."""
        return [
            column.name for column in self.table_schema.in_zone("deidentified") if where in (column.name, column.codes)
        ]

    def looked_at(self) -> Iterator[tuple[str, list[str]]]:
        """Each field that is about columns, as written, and the columns of the table that it looks at."""
        yield from ((f"codes.{where}", self.code_columns(where)) for where in self.codes)
        yield from ((f"having.{column}", [column]) for column in self.having or ())

    def parts(self, path: str) -> Iterator[tuple[str, "Rule"]]:
        """The rule and all that it is made of, by their paths; groups that it names are not looked into."""
        yield path, self
        for name in OF_RULES:
            for number, rule in enumerate(getattr(self, name) or ()):
                yield from rule.parts(f"{path}.{name}[{number}]")


class Records(Part):
    """What must hold of a study's patient, and what must not."""

    required: Annotated[Rules, Field(description="rules that must all hold")] = ()
    excluded: Annotated[Rules, Field(description="rules of which none may hold")] = ()


def all_rules(records: Records, groups: Mapping[str, Rule]) -> Iterator[tuple[str, Rule]]:
    """Every rule, those that others are made of included, by its path in the file."""
    for field in ("required", "excluded"):
        for number, rule in enumerate(getattr(records, field)):
            yield from rule.parts(f"records.{field}[{number}]")
    for name, rule in groups.items():
        yield from rule.parts(f"groups.{name}")


def record_schema(name: str) -> TableSchema:
    """The schema of a table of records by its short name (``smr01``)."""
    return load_schema(f"records/{name}")
