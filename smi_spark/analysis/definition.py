"""What a cohort is: a YAML file read into a frozen value, checked before Spark starts."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from smi_spark.analysis.conditions import OneOrMore, Text
from smi_spark.analysis.images_wanted import Images, wrong_image_names
from smi_spark.analysis.patients_wanted import Candidates, Controls, OnePerPatient
from smi_spark.analysis.rejection import Rejection, as_rejection
from smi_spark.analysis.rule_checks import wrong_rules
from smi_spark.analysis.rules import Name, Records, Rule, all_rules, record_schema
from smi_spark.analysis.windows import Part, Window
from smi_spark.config import validate
from smi_spark.errors import ConfigError, nearest, unknown_name
from smi_spark.schema import load_schema, record_tables
from smi_spark.yaml_file import load_yaml

REGISTRY = "cohorts"  # the folder of the registry in zone 3: no project can have its name
ANNOTATIONS = "annotations"  # the folder of a project's annotations: no cohort can have its name

_OF_PEOPLE = ("groups", "records", "one_per_patient", "controls")  # fields whose rules name each other's


def _one_line(text: str) -> str:
    return " ".join(text.split())


class Delivery(Window):
    """Rows of a table of records around the studies, and columns of it."""

    columns: Annotated[
        OneOrMore | None, Field(description="columns wanted; left out: all that the project may have")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _all_rows(cls, given: Any) -> Any:
        """A table with nothing behind it is all of it; a window alone is of rows with all columns."""
        if isinstance(given, Window) and not isinstance(given, Delivery):
            return {"from": given.start, "until": given.until}
        return {} if given is None else given


def _tables(given: Any) -> Any:
    """A list of tables is all rows of each."""
    return dict.fromkeys(given) if isinstance(given, list) and all(isinstance(one, str) for one in given) else given


class Deliver(Part):
    """What the snapshot holds of the images, and beside them."""

    images: Annotated[
        OneOrMore | None,
        Field(description="columns of images wanted, beside ids, modality, year and StudyDate; left out: all"),
    ] = None
    records: Annotated[
        dict[str, Delivery],
        BeforeValidator(_tables),
        Field(default_factory=dict, description="table of records → window around the studies"),
    ]


class Definition(Part):
    """A cohort as its author means it. Equal values are the same cohort, whatever the file looks like."""

    cohort: Annotated[Name, Field(description="name of the cohort: small letters, digits, _")]
    project: Annotated[Name, Field(description="name of the project: small letters, digits, _")]
    question: Annotated[
        Text, AfterValidator(_one_line), Field(description="the question that the cohort answers, in words")
    ]
    images: Annotated[Images, Field(description="the images wanted")] = Images()
    groups: Annotated[
        dict[Name, Rule] | None, Field(min_length=1, description="name → a rule, which records call by it")
    ] = None
    rejection: Annotated[
        Rejection | None,
        BeforeValidator(as_rejection),
        Field(description="rules of conf/rejection, or a .yaml file; left out: the project's, if it has any"),
    ] = None
    records: Annotated[Records, Field(description="records required and excluded")] = Records()
    one_per_patient: Annotated[OnePerPatient | None, Field(description="keep one study or series of each")] = None
    controls: Annotated[Controls | None, Field(description="patients who are no cases, matched to these")] = None
    hold_out: Annotated[
        float | None, Field(gt=0, lt=1, description="share of the patients to set apart, as in 0.2")
    ] = None
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
        tables = {rule.table for _, rule in self.rules() if rule.table is not None}
        return tuple(sorted(tables | set(self.deliver.records)))

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every rule, those that others are made of included, by its path in the file."""
        yield from all_rules(self.records, self.groups or {})
        yield from self.rules_of_patients()

    def rules_of_patients(self) -> Iterator[tuple[str, Rule]]:
        """The rules beside records and groups, likewise."""
        if self.one_per_patient and self.one_per_patient.to:
            yield "one_per_patient.to", self.one_per_patient.to
        if self.controls and self.controls.candidates:
            rules = all_rules(self.controls.candidates.records, {})
            yield from ((f"controls.from.{path}", rule) for path, rule in rules)

    def of_candidates(self) -> "Definition":
        """The definition of all images among which controls are looked for; itself where none are."""
        if self.controls is None:
            return self
        given = self.controls.candidates or Candidates(images=self.images)
        others = {"images": given.images, "records": given.records, "deliver": Deliver(records={})}
        return self.model_copy(update=others | {"controls": None, "one_per_patient": None})


def load_definition(path: str | Path) -> Definition:
    """The definition in a YAML file, every name in it checked against the schemas.

    Raises ConfigError naming each wrong field by its path in the file, what is accepted and what was meant.
    """
    source = Path(path)
    if not source.is_file():
        raise ConfigError(f"cohort definition {path} does not exist. Give --cohort conf/cohorts/<name>.yaml.")
    return read_definition(load_yaml(source), str(path), source.parent)


def read_definition(content: dict[str, Any], place: str, folder: Path | None = None) -> Definition:
    """The definition that ``content`` holds; ``place`` is what errors call it, ``folder`` where its code lists are."""
    try:
        definition = validate(Definition, content, place, folder)
    except ConfigError as error:
        raise ConfigError("\n".join([str(error), *_wrong_names_elsewhere(content, place, folder)])) from None
    wrong = list(_wrong_names(definition, place))
    if wrong:
        raise ConfigError("\n".join(wrong))
    return definition


def _wrong_names_elsewhere(content: dict[str, Any], place: str, folder: Path | None) -> Iterator[str]:
    """Wrong names in parts that can be read, where others cannot: who mends the file mends all of it."""
    for part in _parts(content):
        try:
            definition = validate(Definition, {"cohort": "a", "project": "a", "question": "?"} | part, place, folder)
        except ConfigError:  # told already
            continue
        yield from _wrong_names(definition, place)


def _parts(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What can be looked at by itself."""
    images = content.get("images")
    yield from ({"images": {name: value}} for name, value in images.items()) if isinstance(images, dict) else ()
    unknown = content.keys() - Definition.model_fields.keys()  # may be one of people, misspelt
    for names in (("cohort",), ("project",), (*_OF_PEOPLE, *unknown), ("deliver",)):
        yield {name: content[name] for name in names if name in content}


def _wrong_names(definition: Definition, place: str) -> Iterator[str]:
    if definition.project == REGISTRY:
        yield f"{place}: project: {REGISTRY} is the name of the registry in zone 3. Give the project another name."
    if definition.cohort == ANNOTATIONS:
        yield f"{place}: cohort: {ANNOTATIONS} is where the project's labels are. Give the cohort another name."
    yield from wrong_image_names(definition.images, f"{place}: images")
    if definition.controls and definition.controls.candidates:
        yield from wrong_image_names(definition.controls.candidates.images, f"{place}: controls.from.images")
    yield from wrong_rules(definition.records, definition.groups or {}, place, definition.rules_of_patients())
    of_images = {column.name for column in load_schema("images").in_zone("analysis")}
    for column in definition.deliver.images or ():
        if column not in of_images:
            told = f"{column} is not a column of images in a snapshot; docs/data-dictionary.md lists them."
            yield f"{place}: deliver.images: {told}{nearest(column, of_images)}"
    for table, delivery in definition.deliver.records.items():
        if table not in record_tables():
            yield unknown_name(f"{place}: deliver.records", table, "table", record_tables())
            continue
        known = [column.name for column in record_schema(table).in_zone("analysis")]
        for column in delivery.columns or ():
            if column not in known:
                yield unknown_name(f"{place}: deliver.records.{table}.columns", column, "column", known)
