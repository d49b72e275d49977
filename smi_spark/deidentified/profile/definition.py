"""A profile: the options that an archive or a project chooses, and what they make of each element."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from smi_spark import resources
from smi_spark.config import validate
from smi_spark.deidentified.profile.facts import (
    OPTIONS,
    OVERLAYS,
    Edition,
    Option,
    Row,
    content_items,
    is_repeating,
    safe_attributes,
    standard_table,
)
from smi_spark.errors import ConfigError, unknown_name
from smi_spark.schema import Action as ColumnAction
from smi_spark.yaml_file import load_yaml

DATES: tuple[Option, Option] = ("retain_full_dates", "retain_modified_dates")
_REFERENCES = ("UIDREF", "IMAGE", "COMPOSITE", "WAVEFORM")
_TIMES = ("DATE", "TIME", "DATETIME")


class Action(StrEnum):
    """What is done to an element, in the letters of the standard. Source: DICOM PS3.15 section E.1.1."""

    KEEP = "K"
    CLEAN = "C"
    UID = "U"
    DUMMY = "D"
    EMPTY = "Z"
    REMOVE = "X"


# A combined code leaves the choice to the attribute's type in the IOD, which is not known here. The first that keeps
# any data set valid: a dummy is valid for types 1, 2 and 3, an empty value for 2 and 3 (docs/decisions/0010).
COMBINED = {
    "Z/D": Action.DUMMY,
    "X/D": Action.DUMMY,
    "X/Z": Action.EMPTY,
    "X/Z/D": Action.DUMMY,
    "X/Z/U*": Action.UID,
}


@dataclass(frozen=True)
class Treatment:
    """What becomes of one element, and why.

    ``otherwise``: what is done where cleaning finds that a value cannot stay. ``option``: which one decided.
    """

    action: Action
    otherwise: Action
    why: str
    option: Option | None = None

    @property
    def shifts(self) -> bool:
        """Whether cleaning means another date."""
        return self.action is Action.CLEAN and self.option == "retain_modified_dates"


class ColumnException(BaseModel):
    """A column that a table of zone 2 has though the profile says otherwise, and the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[str, Field(pattern=r"^[\w/]+\.\w+$", description="table.column, as images.StudyDate")]
    deidentify: Annotated[ColumnAction, Field(description="the action that the schema has")]
    reason: Annotated[str, Field(min_length=10, description="why this is no risk, for who reads the profile")]


class Profile(BaseModel):
    """The Basic Application Level Confidentiality Profile with the options chosen. Source: DICOM PS3.15 Annex E."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,30}$", description="name: the file's, without .yaml")]
    meaning: Annotated[str, Field(min_length=1, description="whom the profile is for, in a sentence")]
    edition: Annotated[Edition, Field(description="edition of PS3.15 whose Table E.1-1 is meant")] = "2024b"
    options: Annotated[tuple[Option, ...], Field(description="options of the standard, in any order")] = ()
    exceptions: Annotated[tuple[ColumnException, ...], Field(description="columns that are weaker on purpose")] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> "Profile":
        if set(DATES) <= set(self.options):
            raise ValueError("retain_full_dates and retain_modified_dates exclude each other: choose one")
        if len(set(self.options)) < len(self.options):
            raise ValueError("an option stands twice")
        return self

    def modifying_dates(self) -> "Profile":
        """The profile where who uses it modifies the dates that it would let stay."""
        options = ("retain_modified_dates" if option == "retain_full_dates" else option for option in self.options)
        return self.model_copy(update={"options": tuple(options)})

    def treatment(self, tag: int) -> Treatment:
        """What becomes of an element wherever it stands, of a private one or a repeating group's too.

        An element that the table does not list is kept when it is a safe attribute, and removed otherwise.
        """
        row = standard_table(self.edition).of(tag)
        if row is not None:
            return self._resolve(row)
        if is_repeating(tag >> 16, OVERLAYS):  # describes overlay data, which decides for it
            return self.treatment(tag & 0xFFFF0000 | 0x3000)
        if safe := safe_attributes().get(tag):
            return Treatment(Action(safe), Action.REMOVE, "safe attribute")
        return Treatment(Action.REMOVE, Action.REMOVE, "not listed")

    def item_treatment(self, code: str, scheme: str, value_type: str) -> Treatment:
        """What becomes of a content item of that concept name and value type.

        Items that the standard's table does not list are treated as it treats others of their type: texts as
        descriptors, names of persons removed, dates by the option, references to instances replaced.
        Source: DICOM PS3.15 section E.3.4.
        """
        row = content_items().get((code, scheme, value_type)) or _unlisted_item(value_type)
        return self._resolve(row)

    def _resolve(self, row: Row) -> Treatment:
        basic = COMBINED.get(row.basic) or Action(row.basic)
        chosen = [option for option in self.options if option in row.options]
        # Of two options that both speak, the stricter: device dates are shifted with the others.
        option = min(chosen, key=lambda option: row.options[option], default=None)
        if option is None:
            return Treatment(basic, basic, f"basic profile {row.basic}")
        return Treatment(Action(row.options[option]), basic, f"{option} {row.options[option]}", option)


def _unlisted_item(value_type: str) -> Row:
    if value_type in _TIMES:
        return Row(value_type, "X", {"retain_full_dates": "K", "retain_modified_dates": "C"})
    if value_type in _REFERENCES:
        return Row(value_type, "U", {"retain_uids": "K"})
    if value_type in ("TEXT", "PNAME", ""):
        return Row(value_type, "X", {"clean_descriptors": "C"} if value_type == "TEXT" else {})
    return Row(value_type, "K", {})


def profile_names() -> list[str]:
    """Names of the profiles that travel with the package, as ``conf/profiles/<name>.yaml`` has them."""
    return sorted(path.stem for path in (resources.folder("conf") / "profiles").glob("*.yaml"))


@cache
def load_profile(name: str = "archive") -> Profile:
    """The profile ``conf/profiles/<name>.yaml``, or the file itself where ``name`` ends with .yaml.

    Raises ConfigError naming the file, the field and what is accepted there, with the nearest name.
    """
    own = name.endswith(".yaml")
    path = Path(name) if own else resources.folder("conf") / "profiles" / f"{name}.yaml"
    if not path.is_file():
        if own:
            raise ConfigError(f"profile {name} does not exist. Give a file, or one of: {', '.join(profile_names())}.")
        raise ConfigError(unknown_name("conf/profiles", name, "profile", profile_names()))
    content = load_yaml(path)
    _check_options(content.get("options"), str(path))
    profile = validate(Profile, content, str(path))
    if profile.profile != path.stem:
        raise ConfigError(f"{path}: profile is {profile.profile}. Name it as its file: {path.stem}.")
    return profile


def _check_options(options: object, place: str) -> None:
    """pydantic lists what is accepted; only this says which is nearest."""
    for option in options if isinstance(options, Iterable) and not isinstance(options, str) else ():
        if option not in OPTIONS:
            raise ConfigError(unknown_name(f"{place}: options", str(option), "profile option", OPTIONS))
