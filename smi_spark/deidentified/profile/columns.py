"""Tables under a profile: no column of zone 2 may say more than the profile lets an element say."""

from collections.abc import Iterator, Mapping
from functools import cache

from pydicom.datadict import dictionary_VR, tag_for_keyword

from smi_spark.deidentified.profile.definition import Action, ColumnException, Profile
from smi_spark.errors import ConfigError, unknown_name
from smi_spark.schema import Action as ColumnAction
from smi_spark.schema import Column, TableSchema, load_schema, table_names

# How much an action on a column hides: the greater, the less of the value is left.
STRENGTH: dict[ColumnAction, int] = {
    "keep": 0,
    "date": 1,  # true in zone 2, as the project's policy has it in a snapshot
    "date_after_infancy": 1,
    "age": 2,
    "area": 2,
    "text": 2,  # cleaned: kept where the vocabulary has it
    "uid": 3,
    "accession": 3,
    "pseudonym": 3,
    "remove": 4,
}
# What an action on an element asks of a column. The standard allows a dummy for Z and D, which a pseudonym is.
DEMAND = {Action.KEEP: 0, Action.CLEAN: 2, Action.UID: 3, Action.DUMMY: 3, Action.EMPTY: 3, Action.REMOVE: 4}


def weaknesses(profile: Profile, schema: TableSchema) -> list[str]:
    """What is wrong in a table's schema under the profile, a line a column, empty where nothing is.

    Looked at are columns with a DICOM keyword (their ``tag``, else their name); of a path into sequences each step
    counts, as what is done to a sequence is done to all in it. A column may be stricter than the profile, never weaker,
    unless it stands in the profile's exceptions with this very action.
    Source: DICOM PS3.15 section E.1.1 (action codes).
    """
    exceptions = {exception.column: exception for exception in profile.exceptions}
    place = f"schemas/{schema.table}.yaml"
    return [
        f"{place}: {found}"
        for column in schema.columns
        if (found := _weakness(profile, column, exceptions.get(f"{schema.table}.{column.name}")))
    ]


def check_tables(profile: Profile) -> list[str]:
    """Check the schemas of all tables of images that zone 2 has; gives their names.

    Raises ConfigError with every column that is weaker than the profile, and every exception that names no column or
    is needed no more.
    """
    schemas = [load_schema(name) for name in table_names() if not name.startswith("records/")]
    images = [schema for schema in schemas if "deidentified" in schema.zones and any(map(_path, schema.columns))]
    lines = [line for schema in images for line in weaknesses(profile, schema)]
    lines += _idle_exceptions(profile, images)
    if lines:
        raise ConfigError("\n".join(lines))
    return [schema.table for schema in images]


@cache
def weaker_columns(profile: Profile) -> Mapping[str, tuple[str, ...]]:
    """Table of a snapshot (images, series, studies, patients) → its columns that are weaker than the profile.

    Zone 2 keeps to the archive's profile, which may let through more than a project's. An age is what PatientAge is.
    Raises ConfigError for an exception of the profile that names no column or is needed no more.
    """
    schemas = [load_schema(name) for name in ("images", "series", "studies", "patients")]
    if idle := list(_idle_exceptions(profile, schemas)):
        raise ConfigError("\n".join(idle))
    exceptions = {exception.column: exception for exception in profile.exceptions}
    return {
        schema.table: tuple(
            sorted(
                column.name
                for column in schema.in_zone("analysis")
                if _weakness(profile, column, exceptions.get(f"{schema.table}.{column.name}"))
            )
        )
        for schema in schemas
    }


def _weakness(profile: Profile, column: Column, exception: ColumnException | None) -> str:
    if exception is not None and exception.deidentify == column.deidentify:
        return ""
    demand, reason = max((_demand(profile, keyword) for keyword in _path(column)), default=(0, ""))
    if STRENGTH[column.deidentify] >= demand:
        return ""
    tag = column.tag or column.name
    return (
        f"{column.name} ({tag}) has deidentify: {column.deidentify}, and profile {profile.profile} says {reason}. "
        f"Write deidentify: {_stronger(column, demand)}, or give conf/profiles/{profile.profile}.yaml an exception "
        "for it with its reason."
    )


def _path(column: Column) -> tuple[str, ...]:
    """Keywords of the element that a column holds, sequences first; none where it holds none."""
    if column.tag is not None:
        return tuple(column.tag.split("."))
    if column.deidentify == "age":
        return ("PatientAge",)
    return (column.name,) if tag_for_keyword(column.name) is not None else ()


def _demand(profile: Profile, keyword: str) -> tuple[int, str]:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ConfigError(f"{keyword} is no keyword of DICOM's dictionary. Write it as PS3.6 does.")
    treatment = profile.treatment(tag)
    demand = DEMAND[treatment.action]
    if treatment.shifts:  # times of day stay, days move
        demand = 0 if dictionary_VR(tag) == "TM" else STRENGTH["date"]
    elif dictionary_VR(tag) == "SQ" and treatment.action is Action.UID:
        demand = 0  # the UIDs in it are replaced one by one
    return demand, f"{treatment.action} for {keyword} ({treatment.why})"


def _stronger(column: Column, demand: int) -> ColumnAction:
    vr = dictionary_VR(tag_for_keyword(_path(column)[-1]) or 0)
    if demand == STRENGTH["date"]:
        return "date"
    if demand == STRENGTH["text"] and column.type == "string":
        return "text"
    return "uid" if vr == "UI" and demand <= STRENGTH["uid"] else "remove"


def _idle_exceptions(profile: Profile, schemas: list[TableSchema]) -> Iterator[str]:
    by_name = {f"{schema.table}.{column.name}": column for schema in schemas for column in schema.columns}
    place = f"conf/profiles/{profile.profile}.yaml: exceptions"
    for exception in profile.exceptions:
        column = by_name.get(exception.column)
        if column is None:
            table = exception.column.partition(".")[0]
            known = [name for name in by_name if name.startswith(f"{table}.")] or [s.table for s in schemas]
            yield unknown_name(place, exception.column, "column", known)
        elif column.deidentify == exception.deidentify and not _weakness(profile, column, None):
            yield f"{place}: {exception.column} is not weaker than the profile. Take the exception out."
