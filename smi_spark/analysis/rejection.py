"""Which images no cohort is given: rules in YAML, read into a frozen value, and what they say of one row.

No Spark here: ``rejection_steps`` has the same rules as steps of a selection.
"""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo
from pydantic_core import PydanticCustomError

from smi_spark import resources
from smi_spark.analysis.conditions import one_or_more
from smi_spark.analysis.uid_list import UIDS, read_uids, uids_sha256
from smi_spark.analysis.windows import Part
from smi_spark.config import validate
from smi_spark.errors import ConfigError, InputError, nearest, unknown_name
from smi_spark.schema import load_schema
from smi_spark.secure.partitions import MODALITIES, OTHER
from smi_spark.yaml_file import load_yaml

TEXTS, NUMBERS = ("string", "array<string>"), ("int", "long", "double")  # types of columns that values can be asked of
MODALITY = "modality"
_PARTITIONS = (*MODALITIES, OTHER)


def _in_capitals(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({value.strip(" ").upper() for value in values}))


Values = Annotated[tuple[str, ...], BeforeValidator(one_or_more), AfterValidator(_in_capitals), Field(min_length=1)]


class Condition(Part):
    """What must hold of one column; all that is given must. Unknown where the column has no value, but for present."""

    is_: Annotated[
        bool | None, Field(strict=True, alias="is", description="true or false, for columns that say so")
    ] = None
    any_of: Annotated[Values | None, Field(description="the value, or one of several, is one of these")] = None
    all_of: Annotated[Values | None, Field(description="each of these is among the values")] = None
    none_of: Annotated[Values | None, Field(description="none of these is the value or among the values")] = None
    at_least: Annotated[float | None, Field(strict=True, description="number from which on it fits")] = None
    at_most: Annotated[float | None, Field(strict=True, description="number up to which it fits")] = None
    present: Annotated[bool | None, Field(strict=True, description="whether there is a value")] = None
    listed_in: Annotated[str | None, Field(description="file beside the rules with UIDs, one a line")] = None


class Rule(Part):
    """A reason, and what must hold of an image that is rejected for it: column of zone 2 → condition."""

    name: Annotated[str, Field(pattern="^[a-z0-9_]+$", description="the reason: small letters, digits and _")]
    when: Annotated[dict[str, Condition], Field(min_length=1, description="column → what must hold of it")]
    unknown: Annotated[
        Literal["keep", "reject"], Field(description="what becomes of an image that lacks what the rule looks at")
    ] = "keep"


class OfModality(Part):
    """What is otherwise for images of one modality."""

    without: Annotated[tuple[str, ...], Field(description="rules for all that do not count here")] = ()
    rules: Annotated[
        tuple[Rule, ...], Field(description="further rules; one named as a rule for all takes its place here")
    ] = ()


class Rejection(Part):
    """The rules of one file. The first that rejects an image is the reason."""

    file: Annotated[str, Field(description="rules of conf/rejection, or a .yaml file")]
    rules: Annotated[tuple[Rule, ...], Field(description="for images of all modalities, in order")]
    modalities: Annotated[
        dict[str, OfModality], Field(default_factory=dict, description="CT, MR … → what is otherwise there")
    ]
    lists: Annotated[
        dict[str, str], Field(default_factory=dict, description="list of UIDs → SHA-256 of its UIDs, told by its file")
    ]
    _uids: dict[str, frozenset[str]] = PrivateAttr(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The reasons in order: of rules for all, then of further ones."""
        further = (rule.name for other in self.modalities.values() for rule in other.rules)
        return list(dict.fromkeys([*(rule.name for rule in self.rules), *further]))

    @property
    def columns(self) -> list[str]:
        """The columns of images that the rules look at, sorted."""
        looked_at = {column for rule in self.all_rules() for column in rule.when}
        return sorted(looked_at | ({MODALITY} if self.modalities else set()))

    def all_rules(self) -> Iterator[Rule]:
        """Every rule, those of modalities too."""
        yield from self.rules
        for other in self.modalities.values():
            yield from other.rules

    def rule_for(self, name: str, modality: str | None) -> Rule | None:
        """The rule of that name for images of a modality; none where it does not count there."""
        other = self.modalities.get(modality or "", OfModality())
        shared = () if name in other.without else self.rules
        return next((rule for rule in (*other.rules, *shared) if rule.name == name), None)

    def uids(self, file: str) -> frozenset[str]:
        """The UIDs of a list that a rule names."""
        return self._uids[file]


def load_rejection(name: str, folder: Path | None = None) -> Rejection:
    """The rules ``conf/rejection/<name>.yaml``, or those of a file where ``name`` ends with .yaml, from ``folder``.

    Lists of UIDs lie in the folder of the rules. Raises ConfigError naming the file, each wrong field, column, value or
    rule, and the nearest right one.
    """
    path = _place(name, folder)
    if not path.is_file():
        known = sorted(found.stem for found in path.parent.glob("*.yaml"))
        if name.endswith(".yaml"):
            raise ConfigError(f"rejection rules {path} do not exist. Give a .yaml file, or a name of conf/rejection.")
        raise ConfigError(unknown_name("conf/rejection", name, "rule file", known))
    return _checked(load_yaml(path) | {"file": name}, path, str(path))


def as_rejection(given: Any, info: ValidationInfo) -> Any:
    """What a definition or a project says of rules, as a value: their name is read, a value stays.

    A .yaml file is named from the folder of the file that names it. Rules as the registry has them, of a version that
    was built, are taken as they are; their lists have to hold the UIDs that they held then.
    """
    folder = (info.context or {}).get("folder")
    if isinstance(given, str):
        try:
            return load_rejection(given, folder)
        except ConfigError as error:  # told with the place in the file that names the rules
            raise PydanticCustomError("rejection", "{told}", {"told": str(error)}) from None
    if isinstance(given, dict):
        return _checked(given, _place(str(given.get("file", "")), folder), "rejection")
    return given


def reason(rejection: Rejection, row: Mapping[str, Any]) -> str | None:
    """The name of the first rule that rejects a row of images (columns of zone 2, see ``check_row``); none for none."""
    modality = row.get(MODALITY)
    rules = (rejection.rule_for(name, modality) for name in rejection.names)
    return next((rule.name for rule in rules if rule and _rejects(rule, row, rejection)), None)


def read_row(place: str) -> dict[str, Any]:
    """The row in a file of JSON, ``-`` for standard input, checked as by ``check_row``."""
    name = "standard input" if place == "-" else place
    try:
        return check_row(json.loads(sys.stdin.read() if place == "-" else Path(place).read_text("utf-8")), name)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}. Give a file with one JSON row.") from None
    except ValueError as error:
        raise InputError(f"{name} is not one row of JSON: {error}.") from None


def check_row(row: Any, place: str) -> dict[str, Any]:
    """``row`` as ``reason`` takes it: columns of images in zone 2 → values as JSON has them; what lacks is null.

    Raises InputError for what is no row, a column that is not there (with the nearest), or a value of another type.
    """
    if not isinstance(row, dict):
        raise InputError(f'{place} must hold one row, as {{"modality": "CT", …}}, not a {type(row).__name__}.')
    kinds = _kinds()
    for name, value in row.items():
        if name not in kinds:
            raise InputError(f"{place}: {name} is not a column of images in zone 2.{nearest(name, kinds)}")
        if value is not None and not _is_of(kinds[name], value):
            raise InputError(f"{place}: {name} is {kinds[name]}, and not what is given: {type(value).__name__}.")
    modality = row.get(MODALITY)
    if modality is not None and modality not in _PARTITIONS:
        raise InputError(unknown_name(f"{place}: {MODALITY}", modality, "value", _PARTITIONS))
    return row


def _place(name: str, folder: Path | None) -> Path:
    if name.endswith(".yaml"):
        return (folder or Path()) / name
    return resources.folder("conf") / "rejection" / f"{name}.yaml"


def _checked(content: dict[str, Any], path: Path, place: str) -> Rejection:
    read = validate(Rejection, content, place)
    wrong = list(_wrong(read, place))
    if wrong:
        raise ConfigError("\n".join(wrong))
    uids = {
        condition.listed_in: read_uids(path.parent / condition.listed_in, column)
        for rule in read.all_rules()
        for column, condition in rule.when.items()
        if condition.listed_in is not None
    }
    lists = {file: uids_sha256(listed) for file, listed in sorted(uids.items())}
    for file, digest in read.lists.items():
        if lists.get(file) != digest:
            raise ConfigError(
                f"{path.parent / file} does not hold the UIDs that the rules were used with (SHA-256 {digest}). "
                "Bring that file back."
            )
    whole = read.model_copy(update={"lists": lists})
    whole._uids = uids
    return whole


def _kinds() -> dict[str, str]:
    return {column.name: column.type for column in load_schema("images").in_zone("deidentified")}


def _wrong(rejection: Rejection, place: str) -> Iterator[str]:
    shared = [rule.name for rule in rejection.rules]
    yield from _named_twice(shared, place)
    for modality, other in rejection.modalities.items():
        if modality not in _PARTITIONS:
            yield unknown_name(f"{place}: modalities", modality, "value", _PARTITIONS)
        yield from _named_twice([rule.name for rule in other.rules], f"{place}: modalities.{modality}")
        for name in other.without:
            if name not in shared:
                yield unknown_name(f"{place}: modalities.{modality}.without", name, "rule", shared)
    kinds = _kinds()
    for rule in rejection.all_rules():
        for column, condition in rule.when.items():
            yield from _wrong_condition(f"{place}: rule {rule.name}", column, condition, kinds)


def _named_twice(names: list[str], place: str) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{place}: {name} is the name of several rules. Rename all but one."


def _wrong_condition(where: str, column: str, condition: Condition, kinds: Mapping[str, str]) -> Iterator[str]:
    if column not in kinds and any(known.name == column for known in load_schema("images").columns):
        yield f"{where}: {column} stands in no table beyond zone 1. Take it out."
        return
    if column not in kinds:
        yield f"{where}: {column} is not a column of images in zone 2.{nearest(column, kinds)}"
        return
    asked = [alias_of(name) for name, value in condition if value is not None]
    kind = kinds[column]
    wanted = {
        "is": kind == "boolean", "any_of": kind in TEXTS, "all_of": kind in TEXTS, "none_of": kind in TEXTS,
        "at_least": kind in NUMBERS, "at_most": kind in NUMBERS, "present": True, "listed_in": column in UIDS,
    }  # fmt: skip
    if not asked:
        yield f"{where}: nothing is asked of {column}. Ask for {', '.join(wanted)}."
    possible = ", ".join(name for name, fits in wanted.items() if fits)
    yield from (f"{where}: {column} is {kind}: {name} does not go with it. Ask for {possible}." for name in asked
                if not wanted[name])  # fmt: skip
    least, most = condition.at_least, condition.at_most
    if least is not None and most is not None and least > most:
        yield f"{where}: {column}: no number is at least {least} and at most {most}."


def alias_of(field: str) -> str:
    """The name that files use for a field of a condition."""
    return Condition.model_fields[field].alias or field


def _is_of(kind: str, value: Any) -> bool:
    if kind.startswith("array<"):
        inner = kind.removeprefix("array<").removesuffix(">")
        return isinstance(value, list) and all(one is None or _is_of(inner, one) for one in value)
    if kind in NUMBERS:
        return isinstance(value, int if kind != "double" else int | float) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) or kind.startswith("struct<")  # dates are texts in JSON


def _rejects(rule: Rule, row: Mapping[str, Any], rejection: Rejection) -> bool:
    answer = _all(
        said
        for column, condition in rule.when.items()
        for said in _answers(condition, _value(row.get(column)), rejection)
    )
    return rule.unknown == "reject" if answer is None else answer


def _all(answers: Iterable[bool | None]) -> bool | None:
    """As SQL has AND: false where one is false, else null where one is null."""
    known = set(answers)
    return False if False in known else None if None in known else True


def _value(value: Any) -> Any:
    """A value, texts in capitals without blanks around them, lists of texts as sets; none for what says nothing."""
    if isinstance(value, str):
        return value.strip(" ").upper() or None
    if isinstance(value, list):
        parts = [_value(part) if isinstance(part, str) else part for part in value]
        return [part for part in parts if part is not None] or None
    return None if isinstance(value, float) and math.isnan(value) else value


def _answers(condition: Condition, value: Any, rejection: Rejection) -> Iterator[bool | None]:
    """What each part of a condition says of a value (see ``_value``); none where there is no value to ask."""
    if condition.present is not None:
        yield condition.present == (value is not None)
    for name, asked in condition:
        if name in _ASKED and asked is not None:
            wanted = rejection.uids(asked) if name == "listed_in" else asked
            yield None if value is None else _ASKED[name](value, wanted)


def _texts(value: Any) -> set[str]:
    return set(value) if isinstance(value, list) else {value}


_ASKED: dict[str, Callable[[Any, Any], bool]] = {
    "is_": lambda value, wanted: bool(value == wanted),
    "any_of": lambda value, wanted: not _texts(value).isdisjoint(wanted),
    "all_of": lambda value, wanted: _texts(value).issuperset(wanted),
    "none_of": lambda value, wanted: _texts(value).isdisjoint(wanted),
    "at_least": lambda value, wanted: bool(value >= wanted),
    "at_most": lambda value, wanted: bool(value <= wanted),
    "listed_in": lambda value, wanted: value in wanted,
}
