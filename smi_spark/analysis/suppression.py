"""Counts that may be told: those of few people hidden, and as many others as it takes that no total gives them back.

What a table tells is a set of linear equations between its cells. Whoever reads it can work out between which bounds a
hidden cell lies; these bounds are worked out here the same way, and further cells are hidden until they are wide. Each
cell stands in two equations at most, once on either side, so that a table is a network (equations are its nodes, cells
its edges) and the bounds of a cell are greatest flows. Which further cells: a cheapest path that closes a circle with
the cell. Source: Kelly, Golden and Assad, Networks 22 (1992) 397–417, cell suppression by networks; Hundepool et al.,
Statistical Disclosure Control (2012), chapter 4.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import NamedTuple

ALL = ""  # the name of a margin: (row, ALL), (ALL, column), (ALL, ALL)
_WORLD = "world"
_NO_BOUND = 10**15
_HIDDEN = (1, _NO_BOUND)

Name = tuple[str, ...]


class Told(NamedTuple):
    """What is told of a count: its ``value``, or none where it is hidden.

    least and most: between which readers know it to be; most is none where nothing bounds it. version: the earlier
    version whose value it is, where fewer people than the minimum have come or gone since, or perhaps nobody. people:
    at least so many (a multiple of the minimum) are behind a count that is not of people.
    """

    value: int | None
    least: int
    most: int | None
    version: int | None = None
    people: int | None = None

    @property
    def is_exact(self) -> bool:
        return self.value is not None and self.version is None


Table = Mapping[Name, Told]


class Count(NamedTuple):
    """A true count: its value, and of how many people it is."""

    value: int
    people: int


@dataclass(frozen=True)
class Cell:
    """A count within its equations: it adds to the node ``start`` and is taken from the node ``end``.

    earlier: what earlier versions told of it, the newest first. given: what is told of it elsewhere, and stays. A cell
    that is not ``printed`` is told by the difference of others alone. ``weight``: how dear it is to hide.
    """

    name: Name
    count: Count
    start: str
    end: str
    earlier: tuple[Told, ...] = ()
    of_people: bool = True
    given: Told | None = None
    printed: bool = True
    weight: float = 1.0


def one_way(counts: Mapping[str, Count], total: Count) -> list[Cell]:
    """The cells of a list with its sum, named (label,) and (ALL,)."""
    cells = [Cell((label,), count, "sum", _WORLD) for label, count in counts.items()]
    return [*cells, Cell((ALL,), total, _WORLD, "sum", weight=8)]


def two_way(counts: Mapping[tuple[str, str], Count], margins: Mapping[tuple[str, str], Count]) -> list[Cell]:
    """The cells of a table with its margins, named (row, column), (row, ALL), (ALL, column) and (ALL, ALL)."""
    cells = [Cell(name, count, f"row {name[0]}", f"column {name[1]}") for name, count in counts.items()]
    for (row, column), count in margins.items():
        start = "rows" if row else "columns" if not column else f"column {column}"
        end = f"row {row}" if row else "columns" if column else "rows"
        cells.append(Cell((row, column), count, start, end, weight=2 if row or column else 8))
    return cells


def chain(steps: Sequence[tuple[str, Count]], lost: Sequence[Count]) -> list[Cell]:
    """Counts that each step leaves fewer of, and what each loses, which is told by differences alone.

    lost: between a step and the next, one fewer than steps. The last step is the dearest to hide.
    """
    cells = [Cell(("lost", name), count, f"step {k}", _WORLD, printed=False)
             for k, ((name, _), count) in enumerate(zip(steps[1:], lost, strict=True))]  # fmt: skip
    for k, (name, count) in enumerate(steps):
        is_last = k == len(steps) - 1
        start, end = f"step {k - 1}" if k else _WORLD, _WORLD if is_last else f"step {k}"
        cells.append(Cell((name,), count, start, end, weight=50 if is_last else 1))
    return cells


def coarse(people: int, minimum: int) -> int:
    """At least so many: the multiple of the minimum below.

    Numbers of people that overlap (a patient has images of several years) tell no small one when they are told so: with
    all others of a row at their most, what is left of its sum is 1 at the least, and its own most is over the minimum.
    """
    return people // minimum * minimum


def protect(cells: Sequence[Cell], minimum: int) -> dict[Name, Told] | None:
    """What may be told of each printed cell; none where nothing of the table may be.

    Hidden at first: counts of 1 to ``minimum`` - 1 people, those that earlier versions hid as long as they are within
    ``minimum`` of what readers can tell of these, and with them whatever it takes. A count that fewer than ``minimum``
    people separate from what an earlier version told is told as that version did. Nobody is told as 0: empty cells are
    known to be empty, and hidden ones to have at least 1.
    What is guaranteed: whoever takes the cells of the table, and earlier tables, together, finds at least ``minimum``
    values that a count may have which is not told exactly, and for hidden images of few people bounds that are half
    their number apart.
    """
    table = _Table(cells, minimum)
    waiting = deque(cell.name for cell in cells if table.needs(cell.name))
    while waiting:
        name = waiting.popleft()
        while table.width(name) < table.needs(name):
            more = table.cheapest_circle(name)
            if more is None:
                return None
            table.hide(more)
            waiting.extend(more)
    return {cell.name: table.told(cell) for cell in cells if cell.printed}


_Move = tuple[Cell, bool]  # a cell, and whether it rises


@dataclass
class _Table:
    """Cells by name, and the bounds that each is known to have beside the equations; no bounds: it is told."""

    cells: Sequence[Cell]
    minimum: int
    bounds: dict[Name, tuple[int, int]] = field(init=False)
    _carried: dict[Name, Told] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = {cell.name: cell for cell in self.cells}
        self._places: dict[str, list[Cell]] = {}
        for cell in self.cells:
            self._places.setdefault(cell.start, []).append(cell)
            self._places.setdefault(cell.end, []).append(cell)
        self.bounds, self._carried = {}, {}
        for cell in self.cells:
            self._begin(cell)

    def _begin(self, cell: Cell) -> None:
        value, people = cell.count
        if not cell.printed:
            self.bounds[cell.name] = (0, _NO_BOUND)
        elif cell.given is not None:
            if not cell.given.is_exact:
                self.bounds[cell.name] = self._carried_bounds(cell, cell.given)
                self._carried[cell.name] = cell.given
        elif 0 < people < self.minimum or (value and any(self._still_hidden(cell, one) for one in cell.earlier)):
            self.bounds[cell.name] = _HIDDEN
        elif value and (before := next((one for one in cell.earlier if self._is_near(cell, one)), None)):
            self.bounds[cell.name] = self._carried_bounds(cell, before)
            self._carried[cell.name] = before

    def _still_hidden(self, cell: Cell, before: Told) -> bool:
        if before.value is not None or before.most is None:
            return False
        return before.least - self.minimum < cell.count.value < before.most + self.minimum

    def _is_near(self, cell: Cell, before: Told) -> bool:
        if not before.value:
            return False
        if cell.of_people:
            return abs(cell.count.value - before.value) < self.minimum
        return abs(coarse(cell.count.people, self.minimum) - (before.people or 0)) <= self.minimum

    def _carried_bounds(self, cell: Cell, before: Told) -> tuple[int, int]:
        if before.value is None or not cell.of_people:
            return _HIDDEN
        apart = self.minimum - 1
        return max(before.value - apart, min(self.minimum, before.value)), before.value + apart

    def needs(self, name: Name) -> int:
        """How wide the bounds of a cell have to be; 0 where it may be told."""
        cell, bounds = self._by_name[name], self.bounds.get(name)
        value, people = cell.count
        is_small = 0 < people < self.minimum
        if bounds is None or not (cell.printed or is_small):
            return 0
        if cell.given is not None and bounds[1] < _NO_BOUND:
            return bounds[1] - bounds[0]  # other tables have this sum too: none may tell more of it
        return max(self.minimum - 1, value // 2 if is_small else 0)

    def width(self, name: Name) -> int:
        """How far the bounds of a cell are from each other, up to what it needs."""
        cell, needed = self._by_name[name], self.needs(name)
        up = self._room(cell, needed, up=True)
        return up + self._room(cell, needed - up, up=False) if up < needed else up

    def hide(self, names: Iterable[Name]) -> None:
        for name in names:
            self.bounds[name] = _HIDDEN
            self._carried.pop(name, None)

    def told(self, cell: Cell) -> Told:
        value, people = cell.count
        if cell.given is not None:
            return cell.given
        behind = None if cell.of_people else coarse(people, self.minimum)
        if cell.name not in self.bounds:
            return Told(value, value, value, people=behind)
        up = self._room(cell, _NO_BOUND, up=True)
        least = value - self._room(cell, _NO_BOUND, up=False)
        most = None if value + up >= _NO_BOUND // 2 else value + up
        carried = self._carried.get(cell.name)
        if carried is None:
            return Told(None, least, most)
        return Told(carried.value, least, most, carried.version, carried.people)

    def _room(self, cell: Cell, limit: int, *, up: bool) -> int:
        """How much more, or less, the cell may be for all that is told; ``limit`` at most."""
        return self._flow(cell, limit, up)[0]

    def _capacity(self, cell: Cell, up: bool, bounds: tuple[int, int] | None) -> int:
        if bounds is None:
            return 0
        return min(_NO_BOUND, bounds[1] - cell.count.value) if up else cell.count.value - bounds[0]

    def _flow(self, cell: Cell, limit: int, up: bool) -> tuple[int, dict[Name, int]]:
        """The greatest flow through other cells that lets the cell move, and how each moves (Edmonds and Karp)."""
        limit = min(limit, self._capacity(cell, up, self.bounds.get(cell.name)))
        moved: dict[Name, int] = {}
        if cell.start == cell.end:  # in no equation
            return limit, moved
        total = 0
        while total < limit and (found := self._shortest(cell, up, moved)) is not None:
            path, left = found
            step = min(limit - total, left)
            for other, rises in path:
                moved[other.name] = moved.get(other.name, 0) + (step if rises else -step)
            total += step
        return total, moved

    def _shortest(self, cell: Cell, up: bool, moved: Mapping[Name, int]) -> tuple[list[_Move], int] | None:
        """The path of fewest cells that closes a circle with the cell, and how much more can flow along it."""
        source, sink = _ends(cell, up)
        came: dict[str, tuple[str, _Move, int]] = {}
        waiting = deque([source])
        while waiting and sink not in came:
            node = waiting.popleft()
            for other, rises, there in self._moves(node, cell):
                left = self._left(other, rises, moved)
                if left > 0 and there not in came and there != source:
                    came[there] = (node, (other, rises), left)
                    waiting.append(there)
        if sink not in came:
            return None
        path, node, least = [], sink, _NO_BOUND
        while node != source:
            node, move, left = came[node]
            path.append(move)
            least = min(least, left)
        return path, least

    def _moves(self, node: str, without: Cell) -> Iterator[tuple[Cell, bool, str]]:
        """The cells at a node, whether each rises when one goes on along it, and where that leads."""
        for cell in self._places[node]:
            if cell is not without:
                rises = cell.start == node
                yield cell, rises, cell.end if rises else cell.start

    def _left(self, cell: Cell, rises: bool, moved: Mapping[Name, int]) -> int:
        done = moved.get(cell.name, 0)
        return self._capacity(cell, rises, self.bounds.get(cell.name)) - (done if rises else -done)

    def cheapest_circle(self, name: Name) -> list[Name] | None:
        """Cells to hide so that this one gets wider: enough by themselves where there are such; none where none are."""
        cell, needed = self._by_name[name], self.needs(name)
        alone = [self._cheapest(cell, up, needed, {}) for up in (True, False)]
        found = [path for path in alone if path is not None]
        if not found:
            further = [self._cheapest(cell, up, 1, self._flow(cell, _NO_BOUND, up)[1]) for up in (True, False)]
            found = [path for path in further if path is not None]
        return min(found)[1] if found else None

    def _cheapest(self, cell: Cell, up: bool, least: int, moved: Mapping[Name, int]) -> tuple[float, list[Name]] | None:
        """Cost of the cheapest path that lets the cell move by ``least`` beyond ``moved``, and what it hides."""
        if self._capacity(cell, up, self.bounds.get(cell.name)) < least:
            return None
        source, sink = _ends(cell, up)
        costs = {source: 0.0}
        heap: list[tuple[float, str, list[Name]]] = [(0.0, source, [])]
        while heap:
            cost, node, hidden = heapq.heappop(heap)
            if node == sink:
                return (cost, hidden) if hidden else None
            for other, rises, there in self._moves(node, cell):
                price = self._price(other, rises, least, moved)
                if price is not None and cost + price < costs.get(there, float("inf")):
                    costs[there] = cost + price
                    heapq.heappush(heap, (cost + price, there, [*hidden, other.name] if price else hidden))
        return None

    def _price(self, cell: Cell, rises: bool, least: int, moved: Mapping[Name, int]) -> float | None:
        """What it costs that the cell may move by ``least``: nothing where it may already; none where it never may."""
        if self._left(cell, rises, moved) >= least:
            return 0.0
        is_free = cell.given is None and cell.printed and self.bounds.get(cell.name) != _HIDDEN
        if not (is_free and cell.count.value) or self._capacity(cell, rises, _HIDDEN) < least:
            return None
        return cell.weight * (1 + log2(1 + cell.count.value))


def _ends(cell: Cell, up: bool) -> tuple[str, str]:
    """Where a path begins and ends that lets the cell be more, or less."""
    return (cell.end, cell.start) if up else (cell.start, cell.end)
