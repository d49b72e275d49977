"""The card's numbers as figures for notebooks; what the card hides is not in them either. Needs matplotlib."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smi_spark.analysis.card.contents import (
    AGE_SEX,
    DEPRIVATION,
    ETHNIC_GROUP,
    IMAGES,
    MAKERS,
    POPULATION,
    Card,
)
from smi_spark.analysis.card.words import margin, number, share, steps
from smi_spark.analysis.suppression import ALL, Name, Table, Told
from smi_spark.errors import TableError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MINE, _EVERYBODY = "#31688e", "#a6480f"


@dataclass(frozen=True)
class Plots:
    """Figures of a card, each a ``matplotlib.figure.Figure`` of no window.

    Hidden counts have no bar, and the word ``hidden`` in its place. Each raises TableError where nothing of its table
    may be told.
    """

    card: Card

    def attrition(self) -> "Figure":
        """Patients that each step left, a bar a step."""
        told = [(rule, patients) for rule, patients, _, _ in steps(self.card)]
        figure, axes = _figure(len(told), "Patients left after each step")
        _bars(axes, [rule for rule, _ in told], [patients for _, patients in told])
        return figure

    def images(self) -> "Figure":
        """Images by year, a line a modality; a year that is hidden has no point."""
        table = self._table(IMAGES)
        figure, axes = _figure(8, "Images by year")
        years = sorted({year for _, year in table} - {ALL, "unknown"})
        for modality in sorted({modality for modality, _ in table} - {ALL}):
            values = [table.get((modality, year), Told(0, 0, 0)).value for year in years]
            axes.plot(years, [float("nan") if value is None else value for value in values], marker="o", label=modality)
        axes.set_ylim(bottom=0)
        axes.legend(title="modality")
        return figure

    def makers(self) -> "Figure":
        """Images by manufacturer of the scanner."""
        table = self._table(MAKERS)
        names = sorted((name for name in table if any(name)), key=lambda name: -(table[name].value or 0))
        figure, axes = _figure(len(names), "Images by manufacturer")
        _bars(axes, [name[0] for name in names], [table[name] for name in names])
        return figure

    def age_sex(self) -> "Figure":
        """Shares of the cohort by age and sex, beside those of the population."""
        return self._people(AGE_SEX)

    def ethnic_groups(self) -> "Figure":
        """Shares of the cohort by ethnic group, beside those of the population."""
        return self._people(ETHNIC_GROUP)

    def deprivation(self) -> "Figure":
        """Shares of the cohort by quintile of deprivation, beside those of the population."""
        return self._people(DEPRIVATION)

    def _people(self, name: str) -> "Figure":
        mine, everybody = self._table(name), self.card.tables.get(f"{POPULATION} by {name}") or {}
        names = sorted({one for one in (*mine, *everybody) if all(one)}, key=lambda one: (one[1:], one))
        figure, axes = _figure(len(names), f"{name.capitalize()}, % of the cohort and of the population")
        _shares(axes, names, mine, everybody)
        return figure

    def _table(self, name: str) -> Table:
        table = self.card.tables.get(name)
        if table is None:
            raise TableError(
                f"The card of {self.card.project}/{self.card.cohort} version {self.card.version.version} tells nothing "
                f"of {name}: too few people are in it, or nothing is known of it. See its other figures."
            )
        return table


def _figure(rows: int, title: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.2 + 0.38 * max(rows, 3)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _bars(axes: "Axes", names: list[str], counts: list[Told | None]) -> None:
    for place, told in enumerate(counts):
        length = (told.value if told else 0) or 0
        axes.barh(place, length, color=_MINE)
        axes.annotate(number(told), (length, place), (4, 0), textcoords="offset points", va="center")
    _named(axes, names)


def _shares(axes: "Axes", names: list[Name], mine: Table, everybody: Table) -> None:
    zero = Told(0, 0, 0)
    for place, name in enumerate(names):
        part, other = (share(table.get(name, zero), margin(table)) for table in (mine, everybody))
        axes.barh(place, 100 * (part or 0), color=_MINE, label="cohort" if not place else None)
        if part is None:
            axes.annotate("hidden", (0, place), (4, 0), textcoords="offset points", va="center", style="italic")
        if other is not None:
            axes.plot(100 * other, place, "|", color=_EVERYBODY, markersize=16, markeredgewidth=3,
                      label="population" if not place else None)  # fmt: skip
    _named(axes, [", ".join(name) for name in names])
    axes.legend()


def _named(axes: "Axes", names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
