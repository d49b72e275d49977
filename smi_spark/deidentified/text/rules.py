"""A site's rules for free text: what is no identifier after all, and what is one beside those that are known."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from smi_spark import resources
from smi_spark.config import Config, validate
from smi_spark.deidentified.text.numbers import Part
from smi_spark.errors import ConfigError
from smi_spark.yaml_file import load_yaml


class Rule(BaseModel):
    """One rule: ``Ignore`` takes away the findings that lie within the part, ``Report`` makes the part a finding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, description="what findings of a Report rule are called; once a file")]
    action: Annotated[Literal["Ignore", "Report"], Field(description="Ignore or Report")]
    column: Annotated[str, Field(description="regular expression for whole names of columns (default: all)")] = ".*"
    pattern: Annotated[str, Field(min_length=1, description="regular expression, looked for anywhere in the text")]
    part: Annotated[
        str | int, Field(description="group of the pattern that is meant, by name or number (default: all of it)")
    ] = 0

    @field_validator("column", "pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern} is not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _has_part(self) -> "Rule":
        compiled = re.compile(self.pattern)
        known: list[str | int] = [*range(compiled.groups + 1), *compiled.groupindex]
        if self.part not in known:
            raise ValueError(f"part {self.part} is no group of the pattern; it has {', '.join(map(str, known))}")
        return self

    def parts(self, text: str) -> Iterator[Part]:
        """Where the meant part stands in the text."""
        for match in re.finditer(self.pattern, text):
            if match.start(self.part) >= 0:
                yield Part(self.name, *match.span(self.part))


class Rules(BaseModel):
    """The rules of one file, or of all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: Annotated[tuple[Rule, ...], Field(description="list of rules, each with name, action, pattern")]

    def of_column(self, column: str) -> "Rules":
        """The rules that hold for a column."""
        return Rules.model_construct(rules=tuple(r for r in self.rules if re.fullmatch(r.column, column)))

    def reported(self, text: str) -> Iterator[Part]:
        """What Report rules find in the text."""
        return (part for rule in self.rules if rule.action == "Report" for part in rule.parts(text))

    def kept(self, text: str, found: Sequence[Part]) -> list[Part]:
        """The findings that no Ignore rule takes away: those that do not lie within the part that one means."""
        if not found:
            return []
        ignored = [part for rule in self.rules if rule.action == "Ignore" for part in rule.parts(text)]
        return [f for f in found if not any(part.start <= f.start and f.end <= part.end for part in ignored)]


@cache
def shipped_rules() -> Rules:
    """The rules in ``conf/text/*.yaml``."""
    return read_rules(resources.folder("conf") / "text")


def site_rules(config: Config) -> Rules:
    """The rules in ``conf/text`` and those of the folder that the configuration names.

    Raises ConfigError as ``read_rules``, and where there is no such folder.
    """
    if config.text.rules is None:
        return shipped_rules()
    own = Path(config.text.rules)
    if not own.is_dir():
        raise ConfigError(f"text.rules: {own} is no folder. Make it, or leave the field out.")
    return read_rules(resources.folder("conf") / "text", own)


def read_rules(*folders: Path) -> Rules:
    """The rules of all YAML files in folders, file by file in the order of their names.

    Raises ConfigError naming the file and the path of what is wrong in it, and for a name that stands twice.
    """
    rules: list[Rule] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.yaml"))):
        read = validate(Rules, load_yaml(path), str(path)).rules
        names = [rule.name for rule in (*rules, *read)]
        for rule in read:
            if names.count(rule.name) > 1:
                raise ConfigError(f"{path}: a rule called {rule.name} is there already. Give each a name of its own.")
        rules += read
    return Rules(rules=tuple(rules))
