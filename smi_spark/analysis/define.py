"""Definitions in Python, for notebooks: the same values as a file's, with the same checks and the same hash."""

from pathlib import Path
from typing import Any

from smi_spark.analysis.definition import Definition, read_definition
from smi_spark.analysis.images_wanted import Images
from smi_spark.analysis.rules import Rule
from smi_spark.analysis.windows import Window
from smi_spark.config import validate


def define(*, cohort: str, project: str, question: str, folder: str | Path = ".", **sections: Any) -> Definition:
    """The definition of a cohort: ``sections`` are those of a file (images, groups, records, deliver), as dictionaries
    or made by the functions beside this one; files of codes are named from ``folder``.

    >>> define(cohort="heads", project="demo", question="Which CTs?", images=images(modality="CT")).images.modality
    ('CT',)

    Raises ConfigError naming each wrong field by its path, what is accepted and what was meant.
    """
    content = {"cohort": cohort, "project": project, "question": question, **sections}
    return read_definition(content, f"cohort {cohort}", Path(folder))


def images(**fields: Any) -> Images:
    """The images wanted, with the fields of a file's ``images``; a list of ids is named from the working folder."""
    return validate(Images, fields, "images")


def record(table: str, **fields: Any) -> Rule:
    """A rule: a record of that table, with the fields of a file's rule (codes, at_least, window …).

    Files of codes are named from the working folder here, as the rule does not know its definition.
    """
    return validate(Rule, {"table": table, **fields}, f"record of {table}", Path())


def any_of(*rules: Rule | str) -> Rule:
    """A rule that holds where one of these does; a text is the name of a group."""
    return validate(Rule, {"any_of": rules}, "any_of")


def all_of(*rules: Rule | str) -> Rule:
    """A rule that holds where all of these do."""
    return validate(Rule, {"all_of": rules}, "all_of")


def none_of(*rules: Rule | str) -> Rule:
    """A rule that holds where none of these does."""
    return validate(Rule, {"none_of": rules}, "none_of")


def window(start: str | None = None, until: str | None = None) -> Window:
    """A window around the study, or what a rule is around: ``window("-6 months", "0 days")``; None is open."""
    return validate(Window, {"from": start, "until": until}, "window")
