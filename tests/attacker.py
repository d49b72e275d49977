"""Somebody who takes a table apart: the least and the most that each count can be, by linear programming alone.

Knows nothing of how cells are chosen to be hidden: equations, bounds, and a simplex of exact fractions (Bland's rule).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

Limits = Mapping[str, tuple[int, int | None]]  # what is told of each count: the least, and the most or none


def bounds(equations: Sequence[Mapping[str, int]], limits: Limits, wanted: str) -> tuple[int, int | None]:
    """The least and the most of ``wanted`` for which all equations (coefficients, whose sum is 0) can hold.

    Tables are networks, whose corners are whole numbers: so no rounding is needed.
    """
    least = _least(equations, limits, {wanted: 1})
    most = _least(equations, limits, {wanted: -1})
    assert least is not None
    return least, None if most is None else -most


def _least(equations: Sequence[Mapping[str, int]], limits: Limits, aim: Mapping[str, int]) -> int | None:
    """The least of a sum of counts, or none where there is none."""
    names = list(limits)
    place = {name: k for k, name in enumerate(names)}
    rows: list[tuple[dict[int, int], int]] = []  # each count less its own least is 0 or more
    for equation in equations:
        shift = sum(times * limits[name][0] for name, times in equation.items())
        rows.append(({place[name]: times for name, times in equation.items()}, -shift))
    width = len(names)
    for name, (low, high) in limits.items():
        if high is not None:
            rows.append(({place[name]: 1, width: 1}, high - low))
            width += 1
    answer = _simplex(rows, width, {place[name]: times for name, times in aim.items()})
    if answer is None:
        return None
    total = answer + sum(times * limits[name][0] for name, times in aim.items())
    assert total.denominator == 1
    return int(total)


def _simplex(rows: Sequence[tuple[dict[int, int], int]], width: int, aim: Mapping[int, int]) -> Fraction | None:
    """The least of ``aim`` over numbers of 0 or more that solve the rows; none where it has no least."""
    height = len(rows)
    table = []
    for k, (row, right) in enumerate(rows):
        sign = -1 if right < 0 else 1
        line = [Fraction(0)] * (width + height + 1)
        for column, times in row.items():
            line[column] += sign * times
        line[width + k], line[-1] = Fraction(1), Fraction(sign * right)
        table.append(line)
    basis = [width + k for k in range(height)]
    start = [-sum((line[c] for line in table), Fraction(0)) if c < width or c == width + height else Fraction(0)
             for c in range(width + height + 1)]  # fmt: skip
    assert _improve(table, basis, start, width)
    assert start[-1] == 0, "what is told contradicts itself"
    costs = [Fraction(aim.get(c, 0)) for c in range(width + height)] + [Fraction(0)]
    for line, column in zip(table, basis, strict=True):
        if costs[column]:
            times = costs[column]
            costs = [cost - times * value for cost, value in zip(costs, line, strict=True)]
    return -costs[-1] if _improve(table, basis, costs, width) else None


def _improve(table: list[list[Fraction]], basis: list[int], costs: list[Fraction], width: int) -> bool:
    """Go to the best corner; False where there is no end to it."""
    while (enters := next((c for c in range(width) if costs[c] < 0), None)) is not None:
        ratios = [(line[-1] / line[enters], basis[k], k) for k, line in enumerate(table) if line[enters] > 0]
        if not ratios:
            return False
        leaves = min(ratios)[2]
        pivot = table[leaves][enters]
        table[leaves] = [value / pivot for value in table[leaves]]
        for k, line in enumerate(table):
            if k != leaves and line[enters]:
                table[k] = _less(line, line[enters], table[leaves])
        costs[:] = _less(costs, costs[enters], table[leaves])
        basis[leaves] = enters
    return True


def _less(line: Sequence[Fraction], times: Fraction, other: Sequence[Fraction]) -> list[Fraction]:
    return [value - times * less if less else value for value, less in zip(line, other, strict=True)]
