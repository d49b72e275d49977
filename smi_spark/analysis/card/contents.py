"""What a card says: the counts of a snapshot that may be told, beside what earlier cards of the cohort told."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from smi_spark.analysis.card.counts import Counts
from smi_spark.analysis.registry import Registered
from smi_spark.analysis.selection import Left
from smi_spark.analysis.shown import IMAGES_LEFT, PATIENTS, STUDIES, Before, left_tables, told_before
from smi_spark.analysis.suppression import (
    ALL,
    Cell,
    Count,
    Table,
    Told,
    chain,
    coarse,
    one_way,
    protect,
    two_way,
)

if TYPE_CHECKING:
    from smi_spark.analysis.card.plots import Plots

IMAGES, MAKERS = "images", "makers"
AGE_SEX, ETHNIC_GROUP, DEPRIVATION = "age and sex", "ethnic group", "deprivation"
OF_PEOPLE = {AGE_SEX: ("age", "sex"), ETHNIC_GROUP: ("ethnic_group",), DEPRIVATION: ("deprivation",)}
_LIST, _CONTROLS = re.compile(r"list of [\d,]+ ids"), re.compile(r"^(with up to \d+ controls? a case[^:]*): .*$")
_UNTOLD = Told(None, 1, None)
LINKED, POPULATION = "linked", "population"  # of a table of records; of everybody


@dataclass(frozen=True)
class Share:
    """Between which percentages of the rows a column has no value: 0 and 0 where it always has one."""

    column: str
    least: int
    most: int


@dataclass(frozen=True)
class Version:
    """A version of the cohort, as a card lists it: what its own card told of it, and what it was made of."""

    version: int
    built: str
    patients: Told | None
    studies: Told | None
    images: Told | None
    definition_hash: str
    inputs: Mapping[str, int]
    software: str
    approval: str | None


@dataclass(frozen=True)
class Card:
    """One version of a cohort, as everybody may see it.

    steps: the rules of the attrition in order, whose last is named ALL in the tables of what they left. tables: by the
    names above; none for one of which nothing may be told. coverage: (source, year) → at least so many patients, 0 for
    fewer than the minimum. missing: table → columns. came and went: patients since the version before, at least; none
    where it may not be told, or not be compared. day: on which the population was counted.
    """

    project: str
    cohort: str
    question: str
    minimum: int
    version: Version
    checksum: str
    profile: str | None
    dates: str | None
    approval_reference: str | None
    steps: tuple[str, ...]
    tables: Mapping[str, Table | None]
    coverage: Mapping[tuple[str, str], int]
    missing: Mapping[str, tuple[Share, ...]]
    day: str
    came: int | None = None
    went: int | None = None
    earlier: tuple[Version, ...] = ()

    @property
    def plots(self) -> "Plots":
        """The same as figures for notebooks."""
        from smi_spark.analysis.card.plots import Plots

        return Plots(self)

    def to_json(self) -> str:
        """The card as text, for the cards of later versions and for notebooks."""
        value = asdict(self)
        value["tables"] = {
            name: None if table is None else [[list(cell), *told] for cell, told in table.items()]
            for name, table in self.tables.items()
        }
        value["coverage"] = [[*key, people] for key, people in self.coverage.items()]
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Card:
    """The card that ``Card.to_json`` wrote."""
    value: dict[str, Any] = json.loads(text)
    value["tables"] = {
        name: None if rows is None else {tuple(row[0]): Told(*row[1:]) for row in rows}
        for name, rows in value["tables"].items()
    }
    value["coverage"] = {(source, year): people for source, year, people in value["coverage"]}
    value["missing"] = {name: tuple(Share(**one) for one in shares) for name, shares in value["missing"].items()}
    value["version"] = _version(value["version"])
    value["earlier"] = tuple(map(_version, value["earlier"]))
    return Card(**value | {"steps": tuple(value["steps"])})


def make_card(
    entry: Registered, counts: Counts, minimum: int, others: Sequence[Card] = (), moved: tuple[int, int] | None = None
) -> Card:
    """The card of a version; ``others`` are those that the cohort has already, the newest version first.

    moved: patients who came and went since the version before, where it can be read. Tables of people and of images are
    not told where the cohort's own number of people or images may not be.
    """
    earlier = [Before(card.version.version, card.tables) for card in others]
    tables = dict(_tables(entry, counts, minimum, earlier))
    total = _total(tables, PATIENTS)
    is_told = total is not None and total.value is not None
    before = next((card.missing for card in others if total and card.version.version == total.version), None)
    came, went = _moved(moved, minimum)
    definition = json.loads(entry.definition)
    return Card(
        project=entry.project,
        cohort=entry.cohort,
        question=str(definition.get("question", "")),
        minimum=minimum,
        version=Version(
            entry.version, f"{entry.built_at:%Y-%m-%d}", total, _total(tables, STUDIES), _total(tables, IMAGES_LEFT),
            entry.definition_hash, dict(entry.inputs), entry.software_version,
            entry.approval,
        ),
        checksum=entry.content_checksum,
        profile=entry.profile,
        dates=entry.dates,
        approval_reference=entry.approval_reference,
        steps=tuple(f"{left.step}. {left.rule}" for left in _steps(entry, counts)),
        tables=tables,
        coverage=_coverage(counts, minimum, others),
        missing=(_missing(counts, tables, minimum) if before is None else before) if is_told else {},
        day=counts.day.isoformat(),
        came=came,
        went=went,
        earlier=tuple(card.version for card in others if card.version.version < entry.version),
    )  # fmt: skip


def _tables(
    entry: Registered, counts: Counts, minimum: int, earlier: Sequence[Before]
) -> Iterator[tuple[str, Table | None]]:
    left = left_tables(_steps(entry, counts), minimum, earlier)
    yield from left.items()
    people, images = (_total(left, name) or _UNTOLD for name in (PATIENTS, IMAGES_LEFT))
    by_modality = {name: count for name, count in counts.images.items() if ALL not in name}
    margins = {name: count for name, count in counts.images.items() if ALL in name}
    cells = two_way(by_modality, margins)
    yield IMAGES, _told(IMAGES, [replace(cell, of_people=False) for cell in cells], images, minimum, earlier)
    cells = one_way(counts.makers, counts.total)
    yield MAKERS, _told(MAKERS, [replace(cell, of_people=False) for cell in cells], images, minimum, earlier)
    for name, traits in OF_PEOPLE.items():
        if name == AGE_SEX or counts.population is not None:
            yield name, _told(name, _of_people(counts.by(*traits)), people, minimum, earlier)
    for table, linked in sorted(counts.linked.items()):
        name, patients = f"{LINKED} {table}", counts.total.people
        both = {"with a row": _people(linked), "without one": _people(patients - linked)}
        yield name, _told(name, one_way(both, _people(patients)), people, minimum, earlier)
    if counts.population is not None:
        everybody = sum(counts.population.values())
        alone = _told(POPULATION, chain([(ALL, _people(everybody))], []), None, minimum, earlier)
        yield POPULATION, alone
        total = (alone or {}).get((ALL,), _UNTOLD)
        for name, traits in OF_PEOPLE.items():
            cells = _of_people(counts.by(*traits, population=True))
            of_all = f"{POPULATION} by {name}"
            yield of_all, _told(of_all, cells, total, minimum, earlier)


def _steps(entry: Registered, counts: Counts) -> tuple[Left, ...]:
    """The attrition, its rules without what they count themselves."""
    total = counts.total
    steps = entry.attrition or (Left(1, "images", total.people, 0, total.value),)
    return tuple(left._replace(rule=_without_counts(left.rule)) for left in steps)


def _without_counts(rule: str) -> str:
    """A rule of the attrition less how many ids its list has, and how many cases got how many controls."""
    return _CONTROLS.sub(r"\1", _LIST.sub("list of ids", rule))


def _told(
    name: str, cells: Sequence[Cell], total: Told | None, minimum: int, earlier: Sequence[Before]
) -> Table | None:
    """What may be told of a table; ``total`` is what is told elsewhere of the sum of all its cells."""
    if total is not None and total.value is None:
        return None
    known = [
        replace(cell, earlier=told_before(earlier, name, cell.name), given=None if any(cell.name) else total)
        for cell in cells
    ]
    return protect(known, minimum)


def _of_people(counts: Mapping[tuple[str, ...], int]) -> list[Cell]:
    if all(len(name) == 1 for name in counts):
        cells = {name[0]: _people(value) for name, value in sorted(counts.items())}
        return one_way(cells, _people(sum(counts.values())))
    table = {(name[0], name[1]): _people(value) for name, value in sorted(counts.items())}
    margins: dict[tuple[str, str], Count] = {}
    for (row, column), count in table.items():
        for name in ((row, ALL), (ALL, column), (ALL, ALL)):
            margins[name] = _people(margins.get(name, Count(0, 0)).value + count.value)
    return two_way(table, margins)


def _people(value: int) -> Count:
    return Count(value, value)


def _total(tables: Mapping[str, Table | None], name: str) -> Told | None:
    return (tables[name] or {}).get((ALL,))


def _coverage(counts: Counts, minimum: int, earlier: Sequence[Card]) -> dict[tuple[str, str], int]:
    """Patients by tens, and as an earlier card told it where that was the ten beside."""
    found = {}
    for key, people in sorted(counts.coverage.items()):
        now = coarse(people, minimum)
        before = next((card.coverage[key] for card in earlier if card.coverage.get(key)), None)
        found[key] = before if now and before is not None and abs(before - now) <= minimum else now
    return found


def _missing(counts: Counts, tables: Mapping[str, Table | None], minimum: int) -> dict[str, tuple[Share, ...]]:
    """Of images, and of records of which it is told how many people have some: what few lack says what each lacks."""
    found = {}
    for name, one in counts.filled.items():
        linked = tables.get(f"{LINKED} {name.removeprefix('records/')}", {("with a row",): Told(0, 0, 0)})
        if ((linked or {}).get(("with a row",)) or _UNTOLD).value is not None:
            found[name] = tuple(_shares(one.rows, one.columns, minimum))
    return found


def _shares(rows: int, filled: Mapping[str, int], minimum: int) -> Iterator[Share]:
    """Whole percentages, in steps that hold as many rows as the minimum at least."""
    step = max(1, min(100, ceil(100 * minimum / rows))) if rows else 100
    for column, count in filled.items():
        missing = rows - count
        if missing in (0, rows):
            yield Share(column, *((0, 0) if not missing else (100, 100)))
        else:
            least = floor(100 * missing / rows / step) * step
            yield Share(column, least, min(100, least + step))


def _moved(moved: tuple[int, int] | None, minimum: int) -> tuple[int | None, int | None]:
    """Of those who came and went either both are told or none, as their difference is; nor that nobody came: who knows
    that people only went would find narrower bounds.
    """
    if moved is None or min(moved) < minimum:
        return None, None
    return coarse(moved[0], minimum), coarse(moved[1], minimum)


def _version(value: dict[str, Any]) -> Version:
    told = {name: value[name] and Told(*value[name]) for name in ("patients", "studies", "images")}
    return Version(**value | told)
