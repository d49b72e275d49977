"""What a cohort is: a YAML file read into a frozen value, checked before Spark starts."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from smi_spark.analysis.windows import Dates, Part, Window
from smi_spark.config import load_yaml, validate
from smi_spark.deidentified.label_rules import UNKNOWN, body_part_rules
from smi_spark.errors import ConfigError, unknown_name
from smi_spark.schema import TableSchema, load_schema, record_tables
from smi_spark.secure.partitions import MODALITIES, OTHER

SEXES = ("F", "M", "O")
REGISTRY = "cohorts"  # the folder of the registry in zone 3: no project can have its name


def _one_or_more(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


def _as_a_set(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _one_line(text: str) -> str:
    return " ".join(text.split())


Text = Annotated[str, Field(min_length=1)]
OneOrMore = Annotated[tuple[Text, ...], BeforeValidator(_one_or_more), AfterValidator(_as_a_set), Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Ages(Part):
    """Whole years at the study, both ends included; 90 stands for 90 and over."""

    min: Annotated[int | None, Field(ge=0, le=90, description="youngest age, whole years")] = None
    max: Annotated[int | None, Field(ge=0, le=90, description="oldest age, whole years; 90 is 90 and over")] = None

    @model_validator(mode="after")
    def _can_match(self) -> "Ages":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("ages", f"nobody is at least {self.min} and at most {self.max}")
        return self

    def __str__(self) -> str:
        return f"{0 if self.min is None else self.min}–{90 if self.max is None else self.max}"


class Images(Part):
    """The images wanted; every field narrows them, and one left out does not."""

    modality: Annotated[OneOrMore | None, Field(description="one or more of CT, MR …")] = None
    body_part: Annotated[OneOrMore | None, Field(description="one or more body part labels")] = None
    study_date: Annotated[Dates | None, Field(description="from and until, dates of the study")] = None
    sex: Annotated[OneOrMore | None, Field(description="one or more of F, M, O")] = None
    age: Annotated[Ages | None, Field(description="min and max, whole years at the study")] = None


class Rule(Part):
    """A record of the study's patient, around the study's date."""

    table: Annotated[Text, Field(description="a table of records, as in smr01")]
    codes: Annotated[
        dict[str, OneOrMore],
        Field(
            default_factory=dict,
            description="coding system or column → beginnings of codes, in quotes where they are digits",
        ),
    ]
    window: Annotated[Window, Field(description="from and until, counted from the study")] = Window()

    def __str__(self) -> str:
        codes = ", ".join(f"{where} {' or '.join(starts)}" for where, starts in self.codes.items())
        return f"{self.table}: {codes or 'any record'}, {self.window}"

    def code_columns(self, where: str) -> list[str]:
        """The columns that ``where`` means: itself, or all of that coding system."""
        columns = record_schema(self.table).in_zone("deidentified")
        return [column.name for column in columns if where in (column.name, column.codes)]


class Records(Part):
    """Records that a study's patient must have, and must not have."""

    required: Annotated[tuple[Rule, ...], Field(description="rules that must all hold")] = ()
    excluded: Annotated[tuple[Rule, ...], Field(description="rules of which none may hold")] = ()


class Delivery(Window):
    """Rows of a table of records around the studies, and columns of it."""

    columns: Annotated[
        OneOrMore | None, Field(description="columns wanted; left out: all that the project may have")
    ] = None


class Deliver(Part):
    """What the snapshot holds beside the images and their studies."""

    records: Annotated[
        dict[str, Delivery], Field(default_factory=dict, description="table of records → window around the studies")
    ]


class Definition(Part):
    """A cohort as its author means it. Equal values are the same cohort, whatever the file looks like."""

    cohort: Annotated[Name, Field(description="name of the cohort: small letters, digits, _")]
    project: Annotated[Name, Field(description="name of the project: small letters, digits, _")]
    question: Annotated[
        Text, AfterValidator(_one_line), Field(description="the question that the cohort answers, in words")
    ]
    images: Annotated[Images, Field(description="the images wanted")] = Images()
    records: Annotated[Records, Field(description="records required and excluded")] = Records()
    deliver: Annotated[Deliver, Field(default_factory=Deliver, description="records to deliver")]

    def to_json(self) -> str:
        """The value as canonical JSON: sorted names, no spaces, nothing that was left out."""
        value = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def sha256(self) -> str:
        """SHA-256 of the value, 64 hexadecimal digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def record_tables(self) -> tuple[str, ...]:
        """The tables of records that selecting and delivering read, sorted."""
        rules = (*self.records.required, *self.records.excluded)
        return tuple(sorted({rule.table for rule in rules} | set(self.deliver.records)))


def load_definition(path: str | Path) -> Definition:
    """The definition in a YAML file, every name in it checked against the schemas.

    Raises ConfigError naming each wrong field by its path in the file, what is accepted and what was meant.
    """
    source = Path(path)
    if not source.is_file():
        raise ConfigError(f"cohort definition {path} does not exist. Give --cohort conf/cohorts/<name>.yaml.")
    return read_definition(load_yaml(source), str(path))


def read_definition(content: dict[str, Any], place: str) -> Definition:
    """The definition that ``content`` holds; ``place`` is what errors call it."""
    definition = validate(Definition, content, place)
    wrong = list(_wrong_names(definition, place))
    if wrong:
        raise ConfigError("\n".join(wrong))
    return definition


def record_schema(name: str) -> TableSchema:
    """The schema of a table of records by its short name (``smr01``)."""
    return load_schema(f"records/{name}")


def _wrong_names(definition: Definition, place: str) -> Iterator[str]:
    if definition.project == REGISTRY:
        yield f"{place}: project: {REGISTRY} is the name of the registry in zone 3. Give the project another name."
    yield from _wrong_image_names(definition.images, place)
    for group in ("required", "excluded"):
        for number, rule in enumerate(getattr(definition.records, group)):
            yield from _wrong_rule_names(rule, f"{place}: records.{group}[{number}]")
    for table, delivery in definition.deliver.records.items():
        if table not in record_tables():
            yield unknown_name(f"{place}: deliver.records", table, "table", record_tables())
            continue
        known = [column.name for column in record_schema(table).in_zone("analysis")]
        for column in delivery.columns or ():
            if column not in known:
                yield unknown_name(f"{place}: deliver.records.{table}.columns", column, "column", known)


def _wrong_image_names(images: Images, place: str) -> Iterator[str]:
    body_parts = (*body_part_rules(), UNKNOWN)
    for field, known in (("modality", (*MODALITIES, OTHER)), ("body_part", body_parts), ("sex", SEXES)):
        for given in getattr(images, field) or ():
            if given not in known:
                yield unknown_name(f"{place}: images.{field}", given, "value", known)


def _wrong_rule_names(rule: Rule, place: str) -> Iterator[str]:
    if rule.table not in record_tables():
        yield unknown_name(f"{place}.table", rule.table, "table", record_tables())
        return
    coded = [column for column in record_schema(rule.table).in_zone("deidentified") if column.codes]
    known = dict.fromkeys([*(str(column.codes) for column in coded), *(column.name for column in coded)])
    for where in rule.codes:
        if where not in known:
            yield unknown_name(f"{place}.codes", where, "code system or column", known)
