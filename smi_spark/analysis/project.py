"""What a project may have: its approval as a YAML file read into a frozen value, checked before Spark starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from smi_spark import resources
from smi_spark.analysis.conditions import OneOrMore, Text
from smi_spark.analysis.rejection import Rejection, as_rejection
from smi_spark.analysis.rules import Name, record_schema
from smi_spark.analysis.windows import Day, Part, Span, Whole
from smi_spark.config import Config, validate
from smi_spark.deidentified.dates import DatePolicy
from smi_spark.deidentified.profile.columns import weaker_columns
from smi_spark.deidentified.profile.definition import Profile, load_profile
from smi_spark.errors import ConfigError, unknown_name
from smi_spark.schema import record_tables
from smi_spark.secure.partitions import MODALITIES, OTHER
from smi_spark.yaml_file import load_yaml

MINIMUM_CELL = 10  # where a project says nothing else
# Which options a date policy needs one of. Source: DICOM PS3.15 section E.3.6.
_NEEDS = {
    "keep": ("retain_full_dates",),
    "shift": ("retain_modified_dates", "retain_full_dates"),
    "truncate": ("retain_modified_dates", "retain_full_dates"),
}


def _named(given: Any) -> Any:
    """A list of tables is all columns of each."""
    return dict.fromkeys(given) if isinstance(given, list) and all(isinstance(name, str) for name in given) else given


class Approval(Part):
    """The decision that lets the project have data."""

    number: Annotated[Text, Field(description="number of the approval, in quotes")]
    reference: Annotated[Text, Field(description="who gave it, when, and where it is kept, in words")]


class Years(Span):
    """Years of studies, both included."""

    _open = "any year"
    start: Annotated[Whole | None, Field(alias="from", description="first year of studies, as in 2010")] = None
    until: Annotated[Whole | None, Field(description="last year of studies, as in 2018")] = None


class Project(Part):
    """A project as its approval has it."""

    project: Annotated[Name, Field(description="name of the project, as the file is named")]
    title: Annotated[Text, Field(description="what the project is, in a line")]
    approval: Annotated[Approval, Field(description="number and reference")]
    people: Annotated[tuple[Text, ...], Field(min_length=1, description="names of those responsible")]
    start: Annotated[Day, Field(alias="from", description="first day of the approval, as in 2026-01-01")]
    until: Annotated[Day, Field(description="last day of the approval, as in 2028-12-31")]
    records: Annotated[
        dict[str, OneOrMore | None],
        BeforeValidator(_named),
        Field(description="tables of records that may be used; with columns where not all of them may"),
    ]
    modalities: Annotated[OneOrMore, Field(description="one or more of CT, MR …")]
    years: Annotated[Years, Field(description="from and until, years of studies")] = Years()
    profile: Annotated[str, Field(description="profile of PS3.15: of conf/profiles, or a .yaml file")] = "project"
    dates: Annotated[DatePolicy, Field(description="shift, truncate or keep")] = "shift"
    licence: Annotated[Text | None, Field(description="terms on which the project has the data, in words")] = None
    rejection: Annotated[
        Rejection | None,
        BeforeValidator(as_rejection),
        Field(description="rules of conf/rejection, or a .yaml file, for cohorts that name none"),
    ] = None
    minimum_cell: Annotated[Whole, Field(ge=1, description="least count of people that may be shown")] = MINIMUM_CELL
    _place: str = PrivateAttr("")

    @model_validator(mode="after")
    def _is_a_time(self) -> "Project":
        if self.start > self.until:
            raise PydanticCustomError("term", f"no day lies from {self.start} until {self.until}")
        return self

    @property
    def place(self) -> str:
        """The file, as errors name it."""
        return self._place


def load_project(config: Config, name: str, asked_by: str = "") -> Project:
    """The project of that name: ``<name>.yaml`` in the configuration's folder of projects.

    Raises ConfigError where there is none, saying who ``asked_by`` and where it was looked for; for a wrong file,
    naming each field by its path, what is accepted and what was meant.
    """
    place = project_folder(config) / f"{name}.yaml"
    if not place.is_file():
        known = sorted(path.stem for path in place.parent.glob("*.yaml"))
        told = unknown_name(f"{asked_by}project", name, "project", known) if known else f"{asked_by}project: {name}."
        raise ConfigError(
            f"{told} Looked for {place}. Write it from the approval, or say where the files are: --set projects=FOLDER."
        )
    return read_project(load_yaml(place), str(place))


def minimum_cell(config: Config, name: str, otherwise: int = MINIMUM_CELL) -> int:
    """The project's ``minimum_cell``; ``otherwise`` where its file is no longer there or is wrong."""
    try:
        return load_project(config, name).minimum_cell
    except ConfigError:
        return otherwise


def project_folder(config: Config) -> Path:
    """Where the files of projects are: the setting, else ``projects`` in the ``conf`` of this installation."""
    return Path(config.projects) if config.projects else resources.folder("conf") / "projects"


def read_project(content: dict[str, Any], place: str) -> Project:
    """The project that ``content`` holds; ``place`` is its file, whose name is the project's."""
    project = validate(Project, content, place, Path(place).parent)
    project._place = place
    wrong = list(_wrong_names(project))
    if wrong:
        raise ConfigError("\n".join(wrong))
    weaker_columns(load_profile(project.profile))  # whose exceptions have to be columns
    return project


def _wrong_names(project: Project) -> Iterator[str]:
    place = project.place
    if project.project != Path(place).stem:
        yield f"{place}: project is {project.project}. Name it as its file: {Path(place).stem}."
    for modality in project.modalities:
        if modality not in (*MODALITIES, OTHER):
            yield unknown_name(f"{place}: modalities", modality, "value", (*MODALITIES, OTHER))
    for table, columns in project.records.items():
        if table not in record_tables():
            yield unknown_name(f"{place}: records", table, "table", record_tables())
            continue
        known = [column.name for column in record_schema(table).in_zone("analysis")]
        for column in columns or ():
            if column not in known:
                yield unknown_name(f"{place}: records.{table}", column, "column", known)
    yield from _wrong_profile(load_profile(project.profile), project)


def _wrong_profile(profile: Profile, project: Project) -> Iterator[str]:
    needed = _NEEDS[project.dates]
    if not set(needed) & set(profile.options):
        yield (
            f"{project.place}: dates: {project.dates} needs a profile with {' or '.join(needed)}. "
            f"{_file_of(project.profile)}: options: {', '.join(profile.options) or 'none'}. Choose another of the two."
        )


def _file_of(profile: str) -> str:
    return profile if profile.endswith(".yaml") else f"conf/profiles/{profile}.yaml"
