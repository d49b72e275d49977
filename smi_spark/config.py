"""Settings of an installation, read from YAML and checked before anything starts."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from smi_spark.errors import ConfigError, unknown_name
from smi_spark.wording import in_words
from smi_spark.yaml_file import load_yaml

Model = TypeVar("Model", bound=BaseModel)
Zone = Literal["secure", "deidentified", "analysis"]
_MOST_GIVEN = 300  # characters of a wrong value that are told


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KeySource(_Section):
    """Where a worker finds a key. It travels in closures and plans; the key itself never does."""

    file: Annotated[str | None, Field(description="file of mode 0600 holding 64 hexadecimal digits")] = None
    env: Annotated[str | None, Field(description="environment variable of the executor holding them")] = None
    plugin: Annotated[
        str | None, Field(description="entry point of the group smi_spark.keys, a function that gives them")
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> "KeySource":
        if [self.file, self.env, self.plugin].count(None) != 2:
            raise ValueError("give exactly one of file, env and plugin")
        if self.file is not None:
            object.__setattr__(self, "file", _absolute(self.file))
        return self


class Keys(_Section):
    archive: Annotated[
        KeySource, Field(description="CHI → pseudonym; read by pseudonymise, withdraw and rotate_key alone")
    ]
    projects: Annotated[
        KeySource,
        Field(description="parent of every project's key; read by build_cohort, load_annotations and withdraw"),
    ]


class Ingest(_Section):
    readers: Annotated[int, Field(ge=1, description="files read at once in one task")] = 16
    first_read: Annotated[int, Field(ge=512, description="bytes of the first read of a file")] = 16_384
    keep_binary: Annotated[int, Field(ge=0, description="longest binary value kept in a stored header, bytes")] = 4_096
    keep_text: Annotated[int, Field(ge=0, description="longest other value kept in a stored header, bytes")] = 65_536
    batch_files: Annotated[int, Field(ge=1, description="files in one Arrow batch")] = 2_048
    slice_files: Annotated[
        int, Field(ge=1, description="new files read in one commit; of more, each commit has about a minute's")
    ] = 200_000
    strict: Annotated[
        bool, Field(description="refuse the good files of a folder too, where another file of the folder is bad")
    ] = False
    max_bad_fraction: Annotated[
        float, Field(ge=0, le=1, description="quarantined share of a run's files over which the job ends with 3")
    ] = 0.5
    max_vanished_fraction: Annotated[
        float,
        Field(ge=0, le=1, description="share of a source's known files that may be gone at one listing"),
    ] = 0.5


class Records(_Section):
    max_bad_fraction: Annotated[
        float, Field(ge=0, le=1, description="bad share of a load's rows over which nothing is loaded")
    ] = 0.05
    second_chi_check: Annotated[
        str | None,
        Field(description="package.module:function, a further check of CHI numbers: column → boolean column"),
    ] = None


class Pseudonyms(_Section):
    """What becomes of patients. UIDs and accession numbers are keyed whatever is chosen: a table of billions of UIDs
    would say no more than the key does."""

    patients: Annotated[
        Literal["keyed", "lookup", "lookup_or_keyed"],
        Field(description="patient ids: by the key, from secure/mapping, or from there, else by the key"),
    ] = "keyed"
    misses: Annotated[
        Literal["draw", "quarantine"],
        Field(description="with lookup, a person whom secure/mapping lacks: gets a random id, or is quarantined"),
    ] = "draw"
    nobody: Annotated[
        tuple[str, ...],
        Field(description="ids that stand for nobody, in whatever capitals; zeros and signs alone do anyway"),
    ] = (
        "ANON", "ANONYMISED", "ANONYMIZED", "ANONYMOUS", "DEFAULT", "DUMMY", "N/A", "NIL", "NONE", "NOT KNOWN", "NULL",
        "TEST", "UNKNOWN",
    )  # fmt: skip


class Energy(_Section):
    # A virtual core under full load: mean of AWS in the methodology of Cloud Carbon Footprint, which takes it from
    # SPECpower (cloudcarbonfootprint.org/docs/methodology, "Compute"); Azure 3.76, Google 4.26.
    watts_per_core: Annotated[float, Field(ge=0, description="watts of one logical core under full load")] = 3.5


class Maintenance(_Section):
    file_bytes: Annotated[int, Field(ge=1, description="size that data files are brought to, bytes")] = 256 << 20
    crowded: Annotated[
        int, Field(ge=2, description="how many times the files that it needs a partition has when it is rewritten")
    ] = 4
    horizon_days: Annotated[int, Field(ge=1, description="days for which versions that no cohort pins can be read")] = (
        30
    )
    horizons: Annotated[
        dict[str, Annotated[int, Field(ge=1)]], Field(description="the same for single tables, by name")
    ] = {}
    pin_days: Annotated[
        int, Field(ge=1, description="days from its build for which a cohort pins the versions it was built from")
    ] = 400


class Text(_Section):
    least_patients: Annotated[
        int, Field(ge=2, description="patients for whom a text must have been seen to be let into zone 2")
    ] = 10
    rules: Annotated[
        str | None, Field(description="folder of the site's own rules for free text, beside conf/text")
    ] = None

    @model_validator(mode="after")
    def _absolute_rules(self) -> "Text":
        if self.rules is not None:
            object.__setattr__(self, "rules", _absolute(self.rules))
        return self


class Config(_Section):
    """One installation: where its zones are, where keys are found, how Spark runs.

    ``secure``, ``deidentified`` and ``analysis`` default to ``<root>/<zone>``.
    """

    root: Annotated[str, Field(description="base URI or folder of the zones")] = "data"
    secure: Annotated[str, Field(description="zone 1: identifiable")] = ""
    deidentified: Annotated[str, Field(description="zone 2: pseudonymised archive")] = ""
    analysis: Annotated[str, Field(description="zone 3: cohort snapshots")] = ""
    profile: Annotated[
        str, Field(description="profile of PS3.15 that zone 2's tables keep to: of conf/profiles, or a .yaml file")
    ] = "archive"
    projects: Annotated[
        str, Field(description="folder of the projects' files; left out: conf/projects of the installation")
    ] = ""
    operator: Annotated[
        str, Field(description="who runs the jobs, as snapshots say it; left out: the account of the operating system")
    ] = ""
    cards: Annotated[bool, Field(description="whether each version of a cohort gets a card beside its manifest")] = True
    keys: Keys
    ingest: Ingest = Ingest()
    records: Records = Records()
    pseudonyms: Pseudonyms = Pseudonyms()
    energy: Energy = Energy()
    maintenance: Maintenance = Maintenance()
    text: Text = Text()
    spark: Annotated[dict[str, str], Field(description="Spark settings of a session built here")] = {}

    @model_validator(mode="after")
    def _shows_no_key(self) -> "Config":
        for variable in filter(None, (self.keys.archive.env, self.keys.projects.env)):
            if (setting := f"spark.executorEnv.{variable}") in self.spark:
                raise ValueError(
                    f"{setting} would show a key to whoever sees Spark's pages and event logs. "
                    f"Set {variable} in the environment of the workers themselves"
                )
        return self

    @model_validator(mode="after")
    def _default_zones(self) -> "Config":
        for zone in ("secure", "deidentified", "analysis"):
            uri = getattr(self, zone) or f"{self.root.rstrip('/')}/{zone}"
            object.__setattr__(self, zone, _absolute(uri))
        object.__setattr__(self, "root", _absolute(self.root))
        if self.projects:
            object.__setattr__(self, "projects", _absolute(self.projects))
        return self

    def zone(self, name: Zone) -> str:
        """The base URI of a zone, without a trailing slash."""
        return str(getattr(self, name)).rstrip("/")


def load_config(path: str | Path, settings: Sequence[str] = ()) -> Config:
    """Read and check a configuration file, then apply ``field=value`` settings in order.

    A field inside a section is written with dots (``ingest.readers=4``); what follows ``spark.`` is one
    Spark setting (``spark.spark.sql.shuffle.partitions=8``).
    Raises ConfigError naming the file, the field, the accepted fields and the nearest one.
    """
    source = Path(path)
    if not source.is_file():
        raise ConfigError(f"configuration file {path} does not exist. Give --config conf/local.yaml or your own.")
    content = load_yaml(source)
    for setting in settings:
        _apply(content, setting)
    return validate(Config, content, str(path))


def validate(model: type[Model], content: dict[str, Any], place: str, folder: Path | None = None) -> Model:
    """``model`` filled from ``content``; every wrong field named by its path, with what is accepted there.

    folder: where files are that the content names, for models that read some.
    """
    try:
        return model.model_validate(content, context={"folder": folder})
    except ValidationError as error:
        lines = [_explain(model, problem, place) for problem in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def _absolute(uri: str) -> str:
    return uri if "://" in uri else str(Path(uri).expanduser().absolute())


def _apply(content: dict[str, Any], setting: str) -> None:
    name, separator, value = setting.partition("=")
    if not separator or not name:
        raise ConfigError(f"--set {setting} is not field=value. Write it as in --set root=/mnt/smi.")
    section, _, rest = name.partition(".")
    parts = [section, rest] if section == "spark" and rest else name.split(".")
    for part in parts[:-1]:
        content = content.setdefault(part, {})
        if not isinstance(content, dict):
            raise ConfigError(f"--set {setting}: {part} is a value, not a section.")
    content[parts[-1]] = value if section == "spark" else yaml.safe_load(value)


def _explain(model: type[BaseModel], problem: Any, place: str) -> str:
    parent, path = _section_at(model, problem["loc"])
    name = str(problem["loc"][-1]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        return unknown_name(place, path, "field", _fields(parent), name)
    if problem["type"] == "missing":
        return f"{place}: {path} is missing. {_described(parent, name)}"
    value = problem["input"]
    shown = str(value) if isinstance(value, date) else _shortened(repr(value))
    given = "" if isinstance(value, dict) else f" Given: {shown}."
    told = in_words(problem, _fields_wanted(parent, name))
    return ": ".join(filter(None, (place, path, f"{told}{given} {_described(parent, name)}".rstrip())))


def _fields_wanted(parent: type[BaseModel], name: str) -> list[str]:
    """The fields of the section that ``name`` is; of ``parent`` where it is a key or a number in one."""
    field = _fields(parent).get(name)
    inner = parent if field is None else _inner_model(field.annotation)
    return [] if inner is None else list(_fields(inner))


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_GIVEN else f"{text[:_MOST_GIVEN]} …"


def _described(model: type[BaseModel], name: str) -> str:
    field = _fields(model).get(name)
    return f"It is: {field.description}." if field and field.description else ""


def _section_at(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[type[BaseModel], str]:
    """The model that holds the last part of ``location``, and the location as written in the file."""
    path = ""
    section, is_key = model, False  # whether the part is a key of a mapping, not a field
    for depth, part in enumerate(location):
        last = depth == len(location) - 1
        field = None if is_key or isinstance(part, int) else _fields(section).get(part)
        if isinstance(part, int):
            path += f"[{part}]"
        elif last or is_key or field:
            path += f".{part}" if path else part
        is_key = field is not None and _holds_mapping(field.annotation)
        if not last and field:
            section = _inner_model(field.annotation) or section
    return section, path


def _holds_mapping(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, Mapping) or any(map(_holds_mapping, get_args(annotation)))


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by the name that files use: an alias where Python keeps the word for itself (``from``)."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner_model(part))), None)
