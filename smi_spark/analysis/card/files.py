"""Cards beside the manifests of a cohort: ``card-v<N>.json``, of which ``.html`` and ``.md`` are made."""

from collections.abc import Sequence
from dataclasses import replace

from smi_spark.analysis.card.contents import Card, from_json, make_card
from smi_spark.analysis.card.counts import count_cohort
from smi_spark.analysis.card.page import page, withdrawn_page
from smi_spark.analysis.card.text import text, withdrawn_text
from smi_spark.analysis.cohort import Cohort
from smi_spark.analysis.comparison import patients_moved
from smi_spark.analysis.project import MINIMUM_CELL, minimum_cell
from smi_spark.analysis.registry import Registered, registered
from smi_spark.config import Config
from smi_spark.errors import TableError
from smi_spark.objectstore import read_text, write_text


def write_card(cohort: Cohort) -> None:
    """Write the card of a version beside its manifest, unless it is there or the configuration wants none.

    The numbers first, then the pages, which are made of these alone: a run that was killed between is completed by the
    next, without counting again. Nothing is told by which another card of the cohort gives small counts back. The least
    count is the project's ``minimum_cell``; where its file is no longer there, that of the newest other card.
    """
    spark, config, entry = cohort.spark, cohort.config, cohort.entry
    if not config.cards or entry.withdrawn_at is not None:
        return
    numbers = _read(config, entry, entry.version)
    if numbers is None:
        versions = [
            one for one in registered(spark, config, entry.project, entry.cohort) if one.version != entry.version
        ]
        others = [card for one in versions if (card := _read(config, entry, one.version)) is not None]
        minimum = minimum_cell(config, entry.project, others[0].minimum if others else MINIMUM_CELL)
        numbers = make_card(entry, count_cohort(cohort), minimum, others, _moved(cohort, versions))
        write_text(_place(config, entry, "json"), numbers.to_json())
    for kind, make in (("html", page), ("md", text)):
        place = _place(config, entry, kind)
        if read_text(place) is None:
            write_text(place, make(numbers))


def open_card(cohort: Cohort) -> Card:
    """The card of a version. Raises TableError where it has none, saying how it comes by one."""
    entry = cohort.entry
    card = _read(cohort.config, entry, entry.version)
    if card is None:
        raise TableError(
            f"{entry.project}/{entry.cohort} version {entry.version} has no card. Build the cohort again, with cards: "
            "true in the configuration: where nothing has changed no version is added, and the card is written."
        )
    return card


def withdraw_card(config: Config, entry: Registered) -> None:
    """Put in place of a withdrawn version's page that it was withdrawn.

    Its numbers stay for the cards that follow: they were told, and nothing must be that the difference would give back.
    """
    for kind, notice in (("html", withdrawn_page(entry)), ("md", withdrawn_text(entry))):
        place = _place(config, entry, kind)
        if read_text(place) not in (None, notice):
            write_text(place, notice)


def _moved(cohort: Cohort, versions: Sequence[Registered]) -> tuple[int, int] | None:
    """Patients who came and went since the version before, where that can be read."""
    before = [one for one in versions if one.version < cohort.version]
    if not before or before[0].withdrawn_at is not None:
        return None
    counts = patients_moved(replace(cohort, entry=before[0]).images, cohort.images)
    return counts.came, counts.went


def _read(config: Config, entry: Registered, version: int) -> Card | None:
    numbers = read_text(_place(config, entry, "json", version))
    return None if numbers is None else from_json(numbers)


def _place(config: Config, entry: Registered, kind: str, version: int | None = None) -> str:
    """Of the version, or of another one of its cohort."""
    number = entry.version if version is None else version
    return f"{config.zone('analysis')}/{entry.project}/{entry.cohort}/card-v{number}.{kind}"
