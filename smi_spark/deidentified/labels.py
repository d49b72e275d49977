"""The body part of an image, told from its text before the text is left behind."""

import re
from functools import cache

from pydantic import RootModel, field_validator
from pyspark.sql import Column
from pyspark.sql import functions as F

from smi_spark import resources
from smi_spark.config import load_yaml, validate

UNKNOWN = "unknown"
DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription")


class BodyPartRules(RootModel[dict[str, list[str]]]):
    """Label → regular expressions for whole words, in order of precedence."""

    @field_validator("root")
    @classmethod
    def _compiles(cls, rules: dict[str, list[str]]) -> dict[str, list[str]]:
        for word in (word for words in rules.values() for word in words):
            try:
                re.compile(word)
            except re.error as error:
                raise ValueError(f"{word} is not a regular expression: {error}") from None
        return rules


@cache
def body_part_rules() -> dict[str, list[str]]:
    """The rules in ``conf/labels/body_parts.yaml``; ConfigError when they do not read."""
    path = resources.folder("conf") / "labels" / "body_parts.yaml"
    return validate(BodyPartRules, load_yaml(path), str(path)).root


def body_part(examined: Column, *descriptions: Column) -> Column:
    """The label (string) of the part that ``examined`` names, else of the one that the descriptions name.

    A description counts only where BodyPartExamined says nothing known; ``unknown`` where none does.
    Labels and words: ``conf/labels/body_parts.yaml``.
    """
    return F.coalesce(_label(examined), _label(F.concat_ws(" ", *descriptions)), F.lit(UNKNOWN))


def _label(text: Column) -> Column:
    words = F.regexp_replace(F.lower(text), "[^a-z0-9]+", " ")
    # Within a lambda the words are made once a row, and Spark compiles no Java for each of the rules.
    return F.transform(F.array(words), _first_fitting)[0]


def _first_fitting(words: Column) -> Column:
    rules = [(label, rf"\b(?:{'|'.join(terms)})\b") for label, terms in body_part_rules().items()]
    return F.coalesce(*(F.when(words.rlike(pattern), F.lit(label)) for label, pattern in rules))
