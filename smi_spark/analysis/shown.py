"""What is shown of an attrition: those of few people hidden, with as many others as it takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from smi_spark.analysis.selection import Left
from smi_spark.analysis.suppression import ALL, Cell, Count, Name, Table, Told, chain, protect

HIDDEN = "hidden"
WHY_HIDDEN = f"{HIDDEN}: few people, or a number that would tell how many these are"
PATIENTS, STUDIES, IMAGES_LEFT = "patients left", "studies left", "images left"
_FIELDS = {PATIENTS: "patients", STUDIES: "studies", IMAGES_LEFT: "images"}
_UNTOLD = Told(None, 1, None)


class Before(NamedTuple):
    """What another version of a cohort told: its number, and its tables by their names."""

    version: int
    tables: Mapping[str, Table | None]


def shown(steps: Sequence[Left], minimum: int, held: bool = False) -> tuple[Left, ...]:
    """The steps with none for each count that may not be told: of 1 to ``minimum`` - 1 people, or by whose difference
    to another such a count, or such a loss, is known. What is hidden already stays so.

    held: for who holds the rows of what the last step left: that step is exact, and nothing before it is told by it.
    """
    if not steps:
        return ()
    tables = left_tables(steps, minimum, held=held)
    told = (tables[table] or {} for table in _FIELDS)
    values = [[one[name].value if name in one else None for name in step_names(steps)] for one in told]
    return tuple(
        Left(one.step, one.rule, *counts) for one, counts in zip(steps, zip(*values, strict=True), strict=True)
    )


def told_count(count: int | None) -> str:
    """``1,204``, or ``hidden``."""
    return HIDDEN if count is None else f"{count:,}"


def step_names(steps: Sequence[Left]) -> list[Name]:
    """The names of steps in the tables of what they left; the last, which is what there is at the end, is ALL."""
    return [*((f"{one.step}. {one.rule}",) for one in steps[:-1]), (ALL,)]


def left_tables(
    steps: Sequence[Left], minimum: int, earlier: Sequence[Before] = (), held: bool = False
) -> dict[str, Table | None]:
    """What may be told of what each step left: none where nothing may be of a table.

    Where patients may not be told anew, studies and images may not either. earlier: what versions told before.
    """
    values = {field: _filled([getattr(one, field) for one in steps]) for field in _FIELDS.values()}
    people, lost = values["patients"], _fewer(values["patients"])
    tables: dict[str, Table | None] = {}
    for table, field in _FIELDS.items():
        # Who loses studies or images and stays is not counted: it may be one person.
        behind = [
            Count(value, number if number >= minimum else min(value, 1))
            for value, number in zip(_fewer(values[field]), lost, strict=True)
        ]
        counts = [Count(value, number) for value, number in zip(values[field], people, strict=True)]
        given = {
            name: _UNTOLD for name, one in zip(step_names(steps), steps, strict=True) if getattr(one, field) is None
        }
        if held and (ALL,) not in given:
            given[ALL,] = Told(counts[-1].value, counts[-1].value, counts[-1].value)
        cells = [
            _known(cell, table, given.get(cell.name), tables.get(PATIENTS), earlier)
            for cell in chain([(name[0], count) for name, count in zip(step_names(steps), counts, strict=True)], behind)
        ]
        if table == PATIENTS:
            cells = [_with_steps_before(cell, step_names(steps), minimum, earlier) for cell in cells]
        tables[table] = protect(cells, minimum)
        if tables[PATIENTS] is None:
            return dict.fromkeys(_FIELDS)
    return tables


def told_before(earlier: Sequence[Before], table: str, cell: Name) -> tuple[Told, ...]:
    """What earlier versions told of a cell, the newest first, each with the version whose value it is."""
    found = ((one, (one.tables.get(table) or {}).get(cell)) for one in earlier)
    return tuple(told._replace(version=told.version or one.version) for one, told in found if told is not None)


def _with_steps_before(cell: Cell, names: Sequence[Name], minimum: int, earlier: Sequence[Before]) -> Cell:
    """A step with what earlier versions told of it: of the same rule, of the step in its place, which may have another
    rule now, and wherever they told nearly as many: their people may be the same but for a few.
    """
    if cell.given is not None or not cell.printed:
        return cell
    place = names.index(cell.name)
    told = [one for before in earlier for one in _near_steps(cell, place, minimum, before)]
    return replace(cell, earlier=tuple(told))


def _near_steps(cell: Cell, place: int, minimum: int, before: Before) -> Iterator[Told]:
    table = before.tables.get(PATIENTS) or {}
    near = (name for name, told in table.items() if told.value and abs(told.value - cell.count.value) < minimum)
    for name in dict.fromkeys((cell.name, *list(table)[place : place + 1], *near)):
        yield from told_before([before], PATIENTS, name)


def _known(cell: Cell, table: str, given: Told | None, patients: Table | None, earlier: Sequence[Before]) -> Cell:
    """The cell with what is known of it elsewhere."""
    if given is not None or not cell.printed:
        return replace(cell, of_people=table == PATIENTS, given=given)
    if table == PATIENTS:
        return cell
    return replace(cell, of_people=False, given=_as_patients(cell, table, patients, earlier))


def _as_patients(cell: Cell, table: str, patients: Table | None, earlier: Sequence[Before]) -> Told | None:
    """What is told of a number of studies or images, where that of the patients is not told exactly."""
    told = (patients or {}).get(cell.name)
    if told is None or told.is_exact:
        return None
    of_then = next((one.tables.get(table) or {} for one in earlier if one.version == told.version), {})
    then = of_then.get(cell.name)
    if told.version is None or then is None or then.value is None:
        return _UNTOLD
    return then._replace(version=told.version)


def _filled(values: Sequence[int | None]) -> list[int]:
    """The counts, and in place of hidden ones some that are possible: bounds are the same from wherever one looks."""
    filled: list[int] = []
    for place, value in enumerate(values):
        following = (one for one in values[place:] if one is not None)
        filled.append(value if value is not None else filled[-1] if filled else next(following, 1))
    return filled


def _fewer(values: Sequence[int]) -> list[int]:
    return [max(0, before - after) for before, after in pairwise(values)]
