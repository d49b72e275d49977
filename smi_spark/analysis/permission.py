"""Whether a cohort keeps to its project, told before Spark starts; and the columns that its snapshot does not have."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from smi_spark.analysis.definition import Definition, load_definition
from smi_spark.analysis.images_wanted import LOOKED_AT
from smi_spark.analysis.project import Project, load_project
from smi_spark.analysis.rejection import MODALITY
from smi_spark.analysis.rules import record_schema
from smi_spark.analysis.uid_list import UIDS
from smi_spark.analysis.windows import Dates
from smi_spark.config import Config
from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.deidentified.profile.columns import weaker_columns
from smi_spark.deidentified.profile.definition import load_profile
from smi_spark.errors import ConfigError
from smi_spark.schema import load_schema
from smi_spark.secure.partitions import MODALITIES, OTHER

# By these tables are partitioned and joined, and people held out.
_ALWAYS = (PATIENT_ID, *UIDS, MODALITY, "year", "StudyDate", "held_out")


def load_permitted(config: Config, path: str | Path) -> Definition:
    """The definition in a YAML file, which its project may build today.

    Raises ConfigError naming what is wrong in the definition, in the project's file, or goes beyond it.
    """
    definition = load_definition(path)
    check_permitted(definition, load_project(config, definition.project, f"{path}: "), str(path))
    return definition


def check_permitted(definition: Definition, project: Project, place: str, today: date | None = None) -> None:
    """Raises ConfigError with a line for everything in the definition (``place``) that the project may not have.

    ``today`` (default: the day, UTC) has to lie within the approval. What a definition leaves open counts as all of it:
    nothing is narrowed in silence.
    """
    lines = [
        *_beyond_term(project, place, today or datetime.now(UTC).date()),
        *_beyond_images(definition, project, place),
        *_beyond_records(definition, project, place),
        *_beyond_profile(definition, project, place),
        *_beyond_rejection(definition, project, place),
        *_beyond_controls(definition, project, place),
    ]
    if lines:
        raise ConfigError("\n".join(lines))


def with_rejection(definition: Definition, project: Project) -> Definition:
    """The definition with the rejection rules that hold for it: its own, else the project's, else none."""
    if definition.rejection is not None or project.rejection is None:
        return definition
    return definition.model_copy(update={"rejection": project.rejection})


def left_out(definition: Definition, project: Project) -> dict[str, tuple[str, ...]]:
    """Table of the snapshot (images, series, studies, patients, records/…) → columns that it does not have, sorted.

    Of images and what is rolled up from them: those that say more than the project's profile allows, and columns of
    images that the definition does not ask for, where it asks for some. Of records: those
    that the project may not have, or that the definition does not ask for; patient_id is always there.
    """
    found = {
        table: tuple(sorted({*weaker, *_not_asked_for(definition, table)}))
        for table, weaker in weaker_columns(load_profile(project.profile)).items()
    }
    for table, delivery in sorted(definition.deliver.records.items()):
        wanted = delivery.columns or project.records[table]
        names = [column.name for column in record_schema(table).in_zone("analysis")]
        left = [name for name in names if wanted is not None and name not in (*wanted, PATIENT_ID)]
        found[f"records/{table}"] = tuple(sorted(left))
    return found


def _not_asked_for(definition: Definition, table: str) -> set[str]:
    """Columns of images that a table of a snapshot does not have by its definition."""
    wanted = definition.deliver.images
    if wanted is None:
        return set()
    images = load_schema("images")
    there = {column.name for column in load_schema(table).in_zone("analysis")}
    of_images = {column.name for column in images.in_zone("analysis")}
    return there & of_images - {*wanted, *images.key_in("analysis"), *_ALWAYS}


def _beyond_term(project: Project, place: str, today: date) -> Iterator[str]:
    name = f"{place}: project: {project.project}"
    if today < project.start:
        yield f"{name} begins later. {project.place}: from: {project.start}, and today is {today}."
    if today > project.until:
        yield (
            f"{name} has ended. {project.place}: until: {project.until}, and today is {today}. "
            "Have the approval prolonged."
        )


def _beyond_images(definition: Definition, project: Project, place: str) -> Iterator[str]:
    images, permits = definition.images, f"{project.place}: modalities permits {', '.join(project.modalities)}."
    if images.modality is None:
        if set(project.modalities) < {*MODALITIES, OTHER}:
            yield f"{place}: images.modality is left out, which means all. {permits} Write those that are wanted."
    else:
        yield from (
            f"{place}: images.modality: {modality} is not permitted. {permits}"
            for modality in images.modality
            if modality not in project.modalities
        )
    years, dates = project.years, images.study_date or Dates()
    first, last = (day.year if day else None for day in (dates.start, dates.until))
    permits = f"{project.place}: years permits {years}."
    if years.start is not None and (first is None or first < years.start):
        told = "is left out, which means any date" if dates.start is None else f"{dates.start} is too early"
        yield f"{place}: images.study_date.from {told}. {permits} Write {years.start}-01-01 or a later day."
    if years.until is not None and (last is None or last > years.until):
        told = "is left out, which means any date" if dates.until is None else f"{dates.until} is too late"
        yield f"{place}: images.study_date.until {told}. {permits} Write {years.until}-12-31 or an earlier day."


def _beyond_records(definition: Definition, project: Project, place: str) -> Iterator[str]:
    for path, rule in definition.rules():
        if rule.table is None:
            continue
        if rule.table not in project.records:
            yield _no_table(f"{place}: {path}.table", rule.table, project)
            continue
        for field, columns in rule.looked_at():
            yield from _no_columns(f"{place}: {path}.{field}", rule.table, columns, project)
    for table, delivery in definition.deliver.records.items():
        if table not in project.records:
            yield _no_table(f"{place}: deliver.records", table, project)
        else:
            asked = delivery.columns or ()
            yield from _no_columns(f"{place}: deliver.records.{table}.columns", table, asked, project)


def _no_table(where: str, table: str, project: Project) -> str:
    permitted = ", ".join(sorted(project.records)) or "none"
    return f"{where}: {table} is not permitted. {project.place}: records permits {permitted}."


def _no_columns(where: str, table: str, asked: Iterable[str], project: Project) -> Iterator[str]:
    permitted = project.records[table]
    beyond = [name for name in asked if permitted is not None and name not in (*permitted, PATIENT_ID)]
    if beyond:
        yield (
            f"{where}: {', '.join(beyond)} {'is' if len(beyond) == 1 else 'are'} not permitted. "
            f"{project.place}: records.{table} permits {', '.join(permitted or ())}."
        )


def _beyond_profile(definition: Definition, project: Project, place: str) -> Iterator[str]:
    """Who selects by a column that may not be told tells it."""
    hidden = weaker_columns(load_profile(project.profile))["images"]
    for field, column in definition.images.looked_at():
        if column in hidden:
            yield _hidden(f"{place}: images.{field}", column, project)


def _beyond_rejection(definition: Definition, project: Project, place: str) -> Iterator[str]:
    """By the rules that hold for it; controls have the same ones."""
    hidden = weaker_columns(load_profile(project.profile))["images"]
    rejection = with_rejection(definition, project).rejection
    if rejection is not None:
        for column in sorted(set(rejection.columns) & set(hidden)):
            yield _hidden(f"{place}: rejection: {rejection.file}", column, project)


def _hidden(where: str, column: str, project: Project) -> str:
    return f"{where} looks at {column}, which the project may not have. {project.place}: profile: {project.profile}."


def _beyond_controls(definition: Definition, project: Project, place: str) -> Iterator[str]:
    """Their images, and what they are matched on; their records are among the definition's rules."""
    controls = definition.controls
    if controls is None:
        return
    if controls.candidates is not None:
        yield from _beyond_images(definition.of_candidates(), project, f"{place}: controls.from")
        yield from _beyond_profile(definition.of_candidates(), project, f"{place}: controls.from")
    hidden = weaker_columns(load_profile(project.profile))["images"]
    for column in (LOOKED_AT[key] for key in controls.match if key in LOOKED_AT):
        if column in hidden:
            yield _hidden(f"{place}: controls.match", column, project)
