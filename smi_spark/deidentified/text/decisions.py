"""What a person decides of a text of the review: a rule in the site's own folder, by which the next review judges."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, validate
from smi_spark.deidentified.text.review import REVIEW
from smi_spark.deidentified.text.rules import Rule, Rules, read_rules, shipped_rules
from smi_spark.errors import ConfigError, InputError
from smi_spark.yaml_file import load_yaml

FILE = "decided.yaml"
Action = Literal["Ignore", "Report"]
_HEAD = "# Written by jobs/review_text.py: one rule for each text that a person decided on. May be changed by hand.\n"
# What these find is a number or address of somebody, in which each digit counts; in others one stands for any.
_EXACT = {"chi", "nhs", "phone", "postcode", "email"}


@dataclass(frozen=True)
class Decided:
    """The rule of a decision, and the file that has it."""

    rule: Rule
    file: Path
    is_new: bool

    def __str__(self) -> str:
        done = "written to" if self.is_new else "is already in"
        return f"rule '{self.rule.name}' {done} {self.file}. Review again, and adopt what passes."


def decide(spark: SparkSession, config: Config, number: int, *, keep: bool) -> Decided:
    """Write the rule that keeps a failing text of the last review, or drops one that passes; by its number there.

    The rule stands in ``decided.yaml`` of the folder ``text.rules``; an opposite one about the text goes.
    Raises ConfigError where no such folder is configured, TableError where nothing was reviewed, and InputError for a
    number that the review does not have, or a text that is to be kept and passes. A text that too few people have has
    no number.
    """
    if config.text.rules is None:
        raise ConfigError("text.rules is missing: the folder for the site's own rules. Give it a place in zone 1.")
    review = tables.read(spark, tables.table(config, REVIEW))
    row = review.where(F.col("number") == number).first()
    if row is None:
        last = review.agg(F.max("number")).collect()[0][0] or 0
        raise InputError(f"{REVIEW} has no text with number {number}; it has 1 to {last}. Take one from the list.")
    if keep and row["passes"]:
        raise InputError(f"text {number} of {REVIEW} passes already. Nothing is to be decided.")
    return put_rule(Path(config.text.rules), row["column"], row["text"], frozenset(row["reasons"]), keep=keep)


def put_rule(folder: Path, column: str, text: str, reasons: frozenset[str] = frozenset(), *, keep: bool) -> Decided:
    """Put the rule about a text into the folder's file, in place of opposite ones; nothing where it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    action: Action = "Ignore" if keep else "Report"
    before = validate(Rules, load_yaml(file), str(file)).rules if file.exists() else ()
    pattern = pattern_of(text, exact=bool(keep and reasons & _EXACT))
    for rule in before:
        if (rule.action, rule.column, rule.pattern) == (action, column, pattern):
            return Decided(rule, file, is_new=False)
    others = [rule for rule in before if rule.action == action or not _is_about(rule, column, text)]
    taken = {rule.name for rule in (*shipped_rules().rules, *read_rules(folder).rules)}
    name = next(n for i in range(1, len(taken) + 2) if (n := f"{'keep' if keep else 'drop'} {column} {i}") not in taken)
    decided = Rule(name=name, action=action, column=column, pattern=pattern)
    _write(file, (*others, decided))
    return Decided(decided, file, is_new=True)


def pattern_of(text: str, *, exact: bool) -> str:
    r"""The regular expression for the whole text; each digit stands for any, unless it is to be ``exact``.

    >>> pattern_of("Spi 5.0 B30f", exact=False)
    '^Spi \\d\\.\\d B\\d\\df$'
    """
    escaped = re.escape(text).replace(r"\ ", " ")
    if not exact:
        escaped = re.sub("[0-9]", r"\\d", escaped)
    return f"^{escaped}$"


def _is_about(rule: Rule, column: str, text: str) -> bool:
    return rule.column == column and re.fullmatch(rule.pattern, text) is not None


def _write(file: Path, rules: tuple[Rule, ...]) -> None:
    """In one go, and for this user alone: a text that was dropped may say who somebody is."""
    content = {"rules": [rule.model_dump(exclude_defaults=True) for rule in rules]}
    beside = file.with_suffix(".new")
    beside.touch(mode=0o600)
    text = _HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10_000)
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
