"""What a table would give away if it were taken out: for researchers to look at before the people who check outputs do.

The rules and their defaults are those of the acro package, where it has them (ACRO: tools for the semi-automatic
checking of research outputs, version 1.0.2, default.yaml): fewer than 10 people, the largest two with 90 % of a sum or
more, all but the largest two with less than 10 % of the largest. Where the two differ: docs/operations.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite, isnan
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.errors import InputError, unknown_name

_Place = tuple[int, int]  # row and column
_MOST_ROUNDS = 1_000  # totals that do not fit could narrow bounds one by one
TOTAL = "All"  # as pandas.crosstab names its margins


class Finding(NamedTuple):
    """One thing that a table gives away: which rule says so, of which cell, row or column, and why."""

    rule: str
    row: str
    column: str
    why: str

    @property
    def place(self) -> str:
        """The cell, row or column in words."""
        return " / ".join(filter(None, (self.row, self.column)))


@dataclass(frozen=True)
class Findings:
    """What was found in a table. As text: a line each, or that nothing was."""

    found: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return bool(self.found)

    def __str__(self) -> str:
        if not self.found:
            return "nothing found; people check outputs all the same"
        return "\n".join(
            f"{one.rule}: {' / '.join(filter(None, (one.row, one.column)))}: {one.why}" for one in self.found
        )

    def by_rule(self, rule: str) -> list[tuple[str, str]]:
        """Row and column of what a rule found."""
        return [(one.row, one.column) for one in self.found if one.rule == rule]


def check(
    table: pd.DataFrame, *, minimum: int = 10, contributions: pd.DataFrame | DataFrame | None = None,
    released: Mapping[str, pd.DataFrame] | None = None, total: str = TOTAL, largest_two: float = 0.9, rest: float = 0.1,
) -> Findings:  # fmt: skip
    """What a table gives away.

    table: rows by columns, as ``pandas.crosstab`` or a pivot makes it: numbers of people, or with ``contributions`` any
    sums; null for a cell that is hidden. ``total`` names its margins. contributions: what the sums are made of, pandas
    or Spark, with the columns that the table's rows and columns are named by, patient_id, and one column of values.
    released: tables that were taken out before, by name; of these the cells with the same labels are compared.
    Rules: ``small`` (1 to ``minimum`` - 1 people), ``dominance`` (the largest two people have ``largest_two`` of the
    sum or more, or all others less than ``rest`` of the largest), ``empty`` and ``full`` (a row or column of nobody, or
    with all in one cell: what is known of one is known of all), ``difference`` (a small one to a released table),
    ``recovered`` (a hidden cell that the totals give back).
    Raises InputError for what is no table of numbers (text, two levels of labels, a label twice, a number of people
    below 0 or in parts), and for contributions that lack a column, or have values that are no numbers.
    """
    of_people = contributions is None
    counts = _numbers(table, "The table", of_people)
    found = [*_recovered(counts, total, of_people), *_groups(counts, total)]
    if contributions is None:
        found += _small(counts, minimum)
    else:
        sums = _contributors(contributions, str(table.index.name), str(table.columns.name))
        found += [*_few(sums, minimum), *_dominated(sums, largest_two, rest), *_unaccounted(counts, sums, total)]
    for name, before in (released or {}).items():
        found += _differences(counts, _numbers(before, name, of_people), name, minimum, of_people)
    return Findings(tuple(found))


def _numbers(table: Any, name: str, of_people: bool) -> pd.DataFrame:
    """The table with texts as labels, each once, and numbers, or null for what is hidden, as values."""
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"{name} is a {type(table).__name__}: a pandas DataFrame is wanted, rows by columns.")
    if table.index.nlevels > 1 or table.columns.nlevels > 1:
        raise InputError(f"{name} has labels of several levels. Join them to one: table.index.map(' '.join).")
    named = table.rename(index=str, columns=str)
    for labels, what in ((named.index, "rows"), (named.columns, "columns")):
        twice = labels[labels.duplicated()]
        if len(twice):
            raise InputError(f"{name} has several {what} called {twice[0]}. Add them up, or rename one.")
    cells = [
        [
            _number(value, f"{name}: {row} / {column}", of_people)
            for column, value in zip(named.columns, line, strict=True)
        ]
        for row, line in zip(named.index, named.to_numpy(object), strict=True)
    ]
    return pd.DataFrame(cells, index=named.index, columns=named.columns, dtype=float)


def _number(value: Any, place: str, of_people: bool) -> float | None:
    if pd.isna(value):
        return None
    if not isinstance(value, Number) or isinstance(value, bool | complex):
        raise InputError(f"{place} is a {type(value).__name__}, not a number. Put null where a cell is hidden.")
    number = float(value)  # type: ignore[arg-type]  # a Number
    if not isfinite(number) or (of_people and (number < 0 or number != int(number))):
        raise InputError(f"{place} is {number:g}, not a number of people. Of other values give the contributions too.")
    return number


class _Sum(NamedTuple):
    """What a cell is a sum of: people, the sum, and the largest two contributions of one person each."""

    row: str
    column: str
    people: int
    whole: float
    first: float
    second: float


def _cells(counts: pd.DataFrame) -> Iterator[tuple[str, str, float]]:
    """Row, column and value of each cell that is not hidden, margins too."""
    for row in counts.index:
        for column in counts.columns:
            value: Any = counts.loc[row, column]
            if not pd.isna(value):
                yield row, column, float(value)


def _groups(counts: pd.DataFrame, total: str) -> Iterator[Finding]:
    """Rows and columns of nobody, and those whose people are all in one cell."""
    inner = counts.drop(index=total, columns=total, errors="ignore")
    for table, is_row in ((inner, True), (inner.T, False)):
        for name in table.index:
            values = table.loc[name]
            place = (str(name), "") if is_row else ("", str(name))
            if values.isna().any() or len(values) < 2:
                continue
            if not values.any():
                yield Finding("empty", *place, "nobody: of everybody in it is known that they are not here")
            elif (values != 0).sum() == 1:
                yield Finding("full", *place, f"all in {values.idxmax()}: who is in it is known to be there")


def _recovered(counts: pd.DataFrame, total: str, of_people: bool) -> Iterator[Finding]:
    """Hidden cells that totals give back: alone, one after the other, or where people cannot be fewer than none."""
    least, most = (0.0 if of_people else -inf), inf
    told = counts.to_numpy(float)
    bounds = [[(least, most) if isnan(value) else (value, value) for value in line] for line in told.tolist()]
    sums = list(_sums(counts, total))
    for _ in range(_MOST_ROUNDS):
        narrowed = [found for cells, whole in sums for found in _narrowed(bounds, cells, whole)]
        for (row, column), between in narrowed:
            low, high = bounds[row][column]
            bounds[row][column] = max(low, between[0]), min(high, between[1])
        if not narrowed:
            break
    for row, column in sorted((r, c) for r, c in zip(*np.nonzero(np.isnan(told)), strict=True)):
        low, high = bounds[row][column]
        if low == high and low:  # 0: totals of the cells that are told
            yield Finding("recovered", counts.index[row], counts.columns[column], f"the totals give it back: {low:g}")


def _sums(counts: pd.DataFrame, total: str) -> Iterator[tuple[list[_Place], _Place]]:
    """Places of cells, and that of what they add up to."""
    rows, columns = range(len(counts.index)), range(len(counts.columns))
    if total in counts.columns:
        last = list(counts.columns).index(total)
        yield from (([(r, c) for c in columns if c != last], (r, last)) for r in rows)
    if total in counts.index:
        last = list(counts.index).index(total)
        yield from (([(r, c) for r in rows if r != last], (last, c)) for c in columns)


def _narrowed(
    bounds: list[list[tuple[float, float]]], cells: list[_Place], whole: _Place
) -> Iterator[tuple[_Place, tuple[float, float]]]:
    """Places of which a sum says more than their bounds, and between which values it has them to be."""
    of_all = bounds[whole[0]][whole[1]]
    lows, highs = zip(*(bounds[r][c] for r, c in cells), strict=True) if cells else ((), ())
    says = [(whole, (sum(lows), sum(highs)))]
    for k, place in enumerate(cells):
        others = [*lows[:k], *lows[k + 1 :]], [*highs[:k], *highs[k + 1 :]]
        says.append((place, (of_all[0] - sum(others[1]), of_all[1] - sum(others[0]))))
    for (row, column), (low, high) in says:
        before = bounds[row][column]
        if before[0] < before[1] and (low > before[0] or high < before[1]):
            yield (row, column), (min(low, before[1]), max(high, before[0]))


def _contributors(contributions: pd.DataFrame | DataFrame, row: str, column: str) -> list[_Sum]:
    """The sums of a table, cell by cell, of what each person adds or takes away.

    Rows of nobody that is known count as one person's, the fewest that they can be of. Of Spark only sums come here.
    """
    values = [name for name in contributions.columns if name not in (row, column, PATIENT_ID)]
    for name in (row, column, PATIENT_ID):
        if name not in contributions.columns:
            raise InputError(unknown_name("contributions", name, "column", contributions.columns))
    if len(values) != 1:
        raise InputError(f"contributions have {', '.join(values) or 'no'} values. Select one column of values.")
    if isinstance(contributions, DataFrame):
        return _of_spark(contributions, row, column, values[0])
    if not pd.api.types.is_numeric_dtype(contributions[values[0]]):
        raise InputError(f"contributions: {values[0]} has values that are no numbers. Select a column of numbers.")
    known = contributions.assign(**{PATIENT_ID: contributions[PATIENT_ID].astype(object).fillna("")})
    each = known.groupby([row, column, PATIENT_ID], observed=True)[values[0]].sum().abs()
    cells: Any = each.groupby(level=[row, column], observed=True)
    return [
        _Sum(str(key[0]), str(key[1]), len(theirs), float(theirs.sum()), *_largest(theirs.nlargest(2).tolist()))
        for key, theirs in cells
    ]


def _of_spark(contributions: DataFrame, row: str, column: str, value: str) -> list[_Sum]:
    if not isinstance(contributions.schema[value].dataType, NumericType):
        raise InputError(f"contributions: {value} has values that are no numbers. Select a column of numbers.")
    theirs = F.abs(F.coalesce(F.sum(value).cast("double"), F.lit(0.0)))
    each = contributions.groupBy(row, column, PATIENT_ID).agg(theirs.alias("theirs"))
    place = F.row_number().over(Window.partitionBy(row, column).orderBy(F.desc("theirs"), PATIENT_ID))
    cells = each.withColumn("place", place).groupBy(row, column).agg(
        F.count("*").alias("people"), F.sum("theirs").alias("whole"),
        F.max(F.when(F.col("place") == 1, F.col("theirs"))).alias("first"),
        F.coalesce(F.max(F.when(F.col("place") == 2, F.col("theirs"))), F.lit(0.0)).alias("second"),
    )  # fmt: skip
    rows = cells.orderBy(row, column).collect()  # as many as the table has cells
    return [_Sum(str(r[row]), str(r[column]), r["people"], r["whole"], r["first"], r["second"]) for r in rows]


def _largest(values: list[float]) -> tuple[float, float]:
    first, second, *_ = [*values, 0.0, 0.0]
    return float(first), float(second)


def _few(sums: list[_Sum], minimum: int) -> Iterator[Finding]:
    for one in sums:
        if one.people < minimum:
            yield Finding("small", one.row, one.column, f"a sum of {one.people} people")


def _dominated(sums: list[_Sum], largest_two: float, rest: float) -> Iterator[Finding]:
    for one in sums:
        two = one.first + one.second
        if one.whole > 0 and (two >= largest_two * one.whole or one.whole - two < rest * one.first):
            why = f"the largest has {one.first / one.whole:.0%}, the largest two {two / one.whole:.0%} of the sum"
            yield Finding("dominance", one.row, one.column, why)


def _unaccounted(counts: pd.DataFrame, sums: list[_Sum], total: str) -> Iterator[Finding]:
    known = {(one.row, one.column) for one in sums}
    for row, column, value in _cells(counts):
        if value and total not in (row, column) and (row, column) not in known:
            yield Finding("small", row, column, "nobody is among the contributions who adds to it")


def _small(counts: pd.DataFrame, minimum: int) -> Iterator[Finding]:
    for row, column, value in _cells(counts):
        if 0 < value < minimum:
            yield Finding("small", row, column, f"{value:g} people")


def _differences(
    counts: pd.DataFrame, before: pd.DataFrame, name: str, minimum: int, of_people: bool
) -> Iterator[Finding]:
    """Cells that differ from a released table by few people; of sums all that differ, as it may be for one person."""
    known = {(row, column): value for row, column, value in _cells(before)}
    for row, column, value in _cells(counts):
        apart = abs(value - known.get((row, column), value))
        if apart and (apart < minimum or not of_people):
            yield Finding("difference", row, column, f"{apart:g} from what {name} told")
