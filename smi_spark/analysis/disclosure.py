"""What a table would give away if it were taken out: for researchers to look at before the people who check outputs do.

The rules and their defaults are those of the acro package, where it has them (ACRO: tools for the semi-automatic
checking of research outputs, version 1.0.2, default.yaml): fewer than 10 people, the largest two with 90 % of a sum or
more, all but the largest two with less than 10 % of the largest. Where the two differ: docs/operations.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.errors import InputError, unknown_name

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
    Raises InputError for a table with two levels of labels, and for contributions that lack a column.
    """
    if table.index.nlevels > 1 or table.columns.nlevels > 1:
        raise InputError("The table has labels of several levels. Join them to one: table.index.map(' '.join).")
    counts = table.rename(index=str, columns=str)
    found = [*_recovered(counts, total), *_groups(counts, total)]
    if contributions is None:
        found += _small(counts, minimum)
    else:
        sums = _contributors(contributions, str(table.index.name), str(table.columns.name))
        found += [*_few(sums, minimum), *_dominated(sums, largest_two, rest)]
    for name, before in (released or {}).items():
        found += _differences(counts, before.rename(index=str, columns=str), name, minimum, contributions is None)
    return Findings(tuple(found))


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


def _recovered(counts: pd.DataFrame, total: str) -> Iterator[Finding]:
    """Hidden cells that are alone in a row or column whose total is told, one after the other."""
    rows: list[list[float | None]] = [
        [None if pd.isna(v) else float(v) for v in line] for line in counts.to_numpy(object)
    ]
    names, columns = list(counts.index), list(counts.columns)
    while (found := _alone(rows, names, columns, total)) is not None:
        row, column, value = found
        if value:  # 0: totals of the cells that are told
            yield Finding("recovered", names[row], columns[column], f"the totals give it back: {value:g}")
        rows[row][column] = value


def _alone(
    rows: list[list[float | None]], names: list[str], columns: list[str], total: str
) -> tuple[int, int, float] | None:
    lines = []
    if total in columns:
        lines += [([(r, c) for c in range(len(columns))], columns.index(total)) for r in range(len(names))]
    if total in names:
        lines += [([(r, c) for r in range(len(names))], names.index(total)) for c in range(len(columns))]
    for cells, last in lines:
        values = [rows[r][c] for r, c in cells]
        if values.count(None) == 1:
            place = values.index(None)
            others = sum(v for k, v in enumerate(values) if v is not None and k != last)
            whole = values[last]
            return *cells[place], others if whole is None else whole - others
    return None


def _contributors(contributions: pd.DataFrame | DataFrame, row: str, column: str) -> list[_Sum]:
    """The sums of a table, cell by cell; of Spark only these come to the driver."""
    values = [name for name in contributions.columns if name not in (row, column, PATIENT_ID)]
    for name in (row, column, PATIENT_ID):
        if name not in contributions.columns:
            raise InputError(unknown_name("contributions", name, "column", contributions.columns))
    if len(values) != 1:
        raise InputError(f"contributions have {', '.join(values) or 'no'} values. Select one column of values.")
    if isinstance(contributions, DataFrame):
        return _of_spark(contributions, row, column, values[0])
    each = contributions.groupby([row, column, PATIENT_ID], observed=True)[values[0]].sum()
    cells: Any = each.groupby(level=[row, column], observed=True)
    return [
        _Sum(str(key[0]), str(key[1]), len(theirs), float(theirs.sum()), *_largest(theirs.nlargest(2).tolist()))
        for key, theirs in cells
    ]


def _of_spark(contributions: DataFrame, row: str, column: str, value: str) -> list[_Sum]:
    each = contributions.groupBy(row, column, PATIENT_ID).agg(F.sum(value).cast("double").alias("theirs"))
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
