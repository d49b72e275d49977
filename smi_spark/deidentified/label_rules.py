"""Rules of labels, read from ``conf/labels/*.yaml`` and checked: what decides, in what order, how surely.

No Spark here: ``label_rows`` runs the rules over a row, ``labels`` over a DataFrame.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator

from smi_spark import resources
from smi_spark.config import validate
from smi_spark.errors import ConfigError, nearest, unknown_name
from smi_spark.schema import load_schema
from smi_spark.yaml_file import load_yaml

Confidence = Literal["high", "medium", "low"]
UNKNOWN = "unknown"
SURE: tuple[Confidence, ...] = ("low", "medium", "high")  # in ascending order
RISKS = ("none", "low", "possible", "high")  # in ascending order
DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription")
TEXT = "text"  # in a rule: the text columns of its file, taken together
MODALITY = "modality"
NORMALS = ("normal_x", "normal_y", "normal_z")
MANUFACTURER = "manufacturer_label"
_RULE_FILES = ("mr_sequences", "ct_kinds", "planes", "contrast", "captures")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _check_words(words: Iterable[str]) -> None:
    for word in words:
        try:
            re.compile(word)
        except re.error as error:
            raise ValueError(f"{word} is not a regular expression: {error}") from None


class Condition(_Part):
    """What must hold of one column; all that is given must. A column without a value holds nothing but ``none_of``."""

    any_of: Annotated[tuple[str, ...], Field(description="the value, or one of several, is one of these")] = ()
    all_of: Annotated[tuple[str, ...], Field(description="each of these is among the values")] = ()
    none_of: Annotated[tuple[str, ...], Field(description="none of these is the value or among the values")] = ()
    words: Annotated[tuple[str, ...], Field(description="regular expressions for whole words, in small letters")] = ()
    at_least: Annotated[float | None, Field(description="number from which on it fits")] = None
    at_most: Annotated[float | None, Field(description="number up to which it fits")] = None
    present: Annotated[bool | None, Field(description="whether there is a value")] = None

    @field_validator("any_of", "all_of", "none_of")
    @classmethod
    def _in_capitals(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.strip().upper() for value in values)

    @field_validator("words")
    @classmethod
    def _compiles(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        _check_words(words)
        return words

    @property
    def about_values(self) -> bool:
        return bool(self.any_of or self.all_of or self.none_of)

    @property
    def about_numbers(self) -> bool:
        return self.at_least is not None or self.at_most is not None


class Rule(_Part):
    """A label, and what must hold of a row for it: column → condition."""

    name: Annotated[str, Field(pattern="^[a-z0-9_]+$", description="name of the rule, small letters, digits and _")]
    label: Annotated[str, Field(description="what the row is labelled where the rule decides")]
    confidence: Annotated[Confidence, Field(description="high: a tag says so; medium: a text; low: inferred")] = "high"
    when: Annotated[Mapping[str, Condition], Field(min_length=1, description="column → what must hold of it")]


class _Rules(_Part):
    otherwise: Annotated[str, Field(description="label where no rule fits")] = UNKNOWN
    rules: Annotated[tuple[Rule, ...], Field(description="in order: the first that fits decides")]


class _RuleFile(_Rules):
    column: Annotated[str, Field(description="column of zone 2 that holds the label")]
    modalities: Annotated[tuple[str, ...], Field(description="whose rows get the label; none: all")] = ()
    text: Annotated[tuple[str, ...], Field(description="columns that `text` stands for in rules")] = ()


class _RiskFile(_Part):
    thresholds: Annotated[Mapping[str, float], Field(description="numbers that rules take up by *name")] = {}
    burned_in: _Rules
    face: _Rules


class WordLists(RootModel[dict[str, list[str]]]):
    """Label → regular expressions for whole words, in order of precedence."""

    @field_validator("root")
    @classmethod
    def _compiles(cls, rules: dict[str, list[str]]) -> dict[str, list[str]]:
        _check_words(word for words in rules.values() for word in words)
        return rules


@dataclass(frozen=True)
class Labeller:
    """One column of labels: the first of ``rules`` that fits a row of ``modalities`` (none: of any) decides."""

    column: str
    rules: tuple[Rule, ...]
    otherwise: str = UNKNOWN
    modalities: tuple[str, ...] = ()
    text: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The column that holds the name of the rule of a risk."""
        return self.column.replace("_risk", "_reason")

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Every condition of the rules with the name of what it is about; ``text`` stands as it is."""
        for rule in self.rules:
            yield from rule.when.items()


@cache
def body_part_rules() -> dict[str, list[str]]:
    """Body part → words, from ``conf/labels/body_parts.yaml``; ConfigError when they do not read."""
    return _word_lists(_folder() / "body_parts.yaml")


@cache
def labellers() -> tuple[Labeller, ...]:
    """The labels of a row that stand on its columns alone, from ``conf/labels``; ConfigError when it does not read."""
    return (
        _body_parts(),
        *(read_labeller(_folder() / f"{name}.yaml") for name in _RULE_FILES),
        _manufacturers(_folder() / "manufacturers.yaml"),
    )


@cache
def risk_labellers() -> tuple[Labeller, ...]:
    """Risks, which stand on columns and labels; their reason is the name of the rule. ConfigError as ``labellers``."""
    return read_risks(_folder() / "risks.yaml")


def read_labeller(path: Path) -> Labeller:
    """The rules in one file, checked; ConfigError naming the file, the field or rule and the nearest right name."""
    file = validate(_RuleFile, load_yaml(path), str(path))
    labeller = Labeller(file.column, file.rules, file.otherwise, file.modalities, file.text)
    _check(labeller, str(path), ())
    return labeller


def read_risks(path: Path) -> tuple[Labeller, ...]:
    """The rules of burned-in text and of faces in one file, checked as by ``read_labeller``."""
    file = validate(_RiskFile, load_yaml(path), str(path))
    risks = (
        Labeller("burned_in_risk", file.burned_in.rules, file.burned_in.otherwise),
        Labeller("face_risk", file.face.rules, file.face.otherwise),
    )
    for risk in risks:
        _check(risk, str(path), [labeller.column for labeller in labellers()])
        for said in (risk.otherwise, *(rule.label for rule in risk.rules)):
            if said not in RISKS:
                raise ConfigError(unknown_name(str(path), said, "risk", RISKS))
    return risks


def label_columns() -> list[str]:
    """The columns of zone 2 that hold labels, risks and what they rest on, in the order of ``schemas/images.yaml``."""
    risks = [name for risk in risk_labellers() for name in (risk.column, risk.reason)]
    labels = [labeller.column for labeller in labellers()]
    return [*labels, "is_original", "is_primary", *risks, "label_confidence", "label_rules"]


def columns_read() -> list[str]:
    """The columns of ``secure/images`` that labels are made of, sorted."""
    known = {column.name for column in load_schema("images").in_zone("secure")}
    read = {"modality", "modality_as_written", "ImageType", "ImageOrientationPatient"}
    for labeller in (*labellers(), *risk_labellers()):
        read |= {*labeller.text, *(place for place, _ in labeller.conditions())}
    return sorted(read & known)


def _folder() -> Path:
    return Path(str(resources.folder("conf"))) / "labels"


def _word_lists(path: Path) -> dict[str, list[str]]:
    return validate(WordLists, load_yaml(path), str(path)).root


def _body_parts() -> Labeller:
    """By what was examined, else by the descriptions: these count only where BodyPartExamined says nothing known."""
    listed = body_part_rules().items()
    sources: tuple[tuple[str, Confidence], ...] = (("BodyPartExamined", "high"), (TEXT, "medium"))
    rules = tuple(
        Rule(name="examined" if place != TEXT else "descriptions", label=label, confidence=sure,
             when={place: Condition(words=tuple(words))})
        for place, sure in sources
        for label, words in listed
    )  # fmt: skip
    return Labeller("body_part_label", rules, text=DESCRIPTIONS)


def _manufacturers(path: Path) -> Labeller:
    listed = (
        Rule(name="listed", label=label, when={"Manufacturer": Condition(words=tuple(words))})
        for label, words in _word_lists(path).items()
    )
    other = Rule(name="not_listed", label="other", when={"Manufacturer": Condition(present=True)})
    return Labeller(MANUFACTURER, (*listed, other))


def _check(labeller: Labeller, path: str, labels: Iterable[str]) -> None:
    load_schema("images").column(labeller.column)
    columns = {column.name: column.type for column in load_schema("images").in_zone("secure")}
    kinds = columns | {TEXT: "string"} | dict.fromkeys(NORMALS, "double") | dict.fromkeys(labels, "string")
    for name in labeller.text:
        if columns.get(name) != "string":
            raise ConfigError(
                f"{path}: text: {name} is not a column of text in schemas/images.yaml.{nearest(name, columns)}"
            )
    names = [rule.name for rule in labeller.rules]
    for rule in labeller.rules:
        if names.count(rule.name) > 1:
            raise ConfigError(f"{path}: {rule.name} is the name of several rules. Rename all but one.")
        for place, condition in rule.when.items():
            _check_condition(f"{path}: rule {rule.name}", place, condition, kinds)


def _check_condition(where: str, place: str, condition: Condition, kinds: Mapping[str, str]) -> None:
    if place not in kinds:
        raise ConfigError(f"{where}: {place} is not a column of schemas/images.yaml.{nearest(place, kinds)}")
    kind = kinds[place]
    if condition.about_numbers and kind not in ("double", "long", "int"):
        raise ConfigError(f"{where}: {place} is {kind}, not a number. Ask for any_of, all_of, none_of or words of it.")
    if (condition.about_values or condition.words) and kind not in ("string", "array<string>"):
        raise ConfigError(f"{where}: {place} is {kind}, not text. Ask for at_least, at_most or present of it.")
    if condition == Condition():
        raise ConfigError(f"{where}: nothing is asked of {place}. Ask for {', '.join(Condition.model_fields)}.")
