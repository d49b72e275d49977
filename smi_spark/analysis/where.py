"""``images.where``: what a condition on columns of images may be made of, checked before Spark starts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache

from smi_spark.analysis.expressions import Call, Expression, Name, Part, Value, as_text, parts_of
from smi_spark.errors import nearest, unknown_name
from smi_spark.schema import Column, load_schema

TEXT, NUMBER, TRUTH, DATE = "a text", "a number", "true or false", "a date"
LIST = "a list"

_OF_TYPE = {
    "string": TEXT, "int": NUMBER, "long": NUMBER, "double": NUMBER, "boolean": TRUTH, "date": DATE,
}  # fmt: skip
# Letters of what an operation takes and gives. ``s`` and ``o`` (which has an order) are one kind wherever they stand,
# ``l`` is a list and ``e`` what it is of, ``i`` a whole number that is written out, * goes on for as many as there are.
_LETTERS = {"t": (TEXT,), "n": (NUMBER,), "b": (TRUTH,), "d": (DATE,), "o": (TEXT, NUMBER, DATE)}
_LETTERS |= {"s": (TEXT, NUMBER, TRUTH, DATE), "i": (NUMBER,)}
_WIDEST = 200  # characters of an expression in the attrition


# What each takes and gives. What stands in neither does not exist; ``expression_columns`` builds what does.
OPERATIONS: Mapping[str, tuple[str, str]] = {
    "and": ("bb*", "b"),
    "or": ("bb*", "b"),
    "not": ("b", "b"),
    "=": ("ss", "b"),
    "<>": ("ss", "b"),
    "<": ("oo", "b"),
    "<=": ("oo", "b"),
    ">": ("oo", "b"),
    ">=": ("oo", "b"),
    "between": ("ooo", "b"),
    "in": ("ss*", "b"),
    "like": ("tt", "b"),
    "is null": ("a", "b"),
    "+": ("nn", "n"),
    "-": ("nn", "n"),
    "*": ("nn", "n"),
    "/": ("nn", "n"),
    "negative": ("n", "n"),
}
FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "lower": ("t", "t"),
    "upper": ("t", "t"),
    "trim": ("t", "t"),
    "length": ("t", "n"),
    "startswith": ("tt", "b"),
    "endswith": ("tt", "b"),
    "contains": ("tt", "b"),
    "abs": ("n", "n"),
    "coalesce": ("ss*", "s"),
    "year": ("d", "n"),
    "month": ("d", "n"),
    "day": ("d", "n"),
    "datediff": ("dd", "n"),
    "array_contains": ("le", "b"),
    "element_at": ("li", "e"),
    "size": ("l", "n"),
}


def told(where: Expression) -> str:
    """The expression in the attrition, one line: its beginning where it is long."""
    line = " ".join(where.text.split())
    return f"where {line if len(line) <= _WIDEST else f'{line[:_WIDEST]} …'}"


def wrong_parts(where: Expression, place: str) -> Iterator[str]:
    """What is wrong with the names and kinds in an expression, a line each; ``place`` is what errors call it."""
    wrong = [line for part in parts_of(where.tree) for line in _wrong_name(part)]
    if not wrong:
        try:
            kind = _kind(where.tree)
            if kind != TRUTH:
                wrong.append(f"{as_text(where.tree)} is {kind}: a condition is wanted, as in KVP > 100.")
        except _KindError as error:
            wrong.append(str(error))
    yield from (f"{place}: {line}" for line in dict.fromkeys(wrong))


class _KindError(Exception):
    """A part of a kind that its operation does not take."""


@cache
def _kinds() -> Mapping[str, tuple[str, str]]:
    """Column of images in zone 2 that an expression may look at → its kind, and of a list the kind of what is in it."""
    schema = load_schema("images")
    types = {c.name: c.type for c in schema.in_zone("deidentified") if not _is_id(c)}
    of_lists = {name: kind.removeprefix("array<").rstrip(">") for name, kind in types.items()}
    return {
        name: (LIST, _OF_TYPE[of_lists[name]]) if kind.startswith("array<") else (_OF_TYPE[kind], "")
        for name, kind in types.items()
        if of_lists[name] in _OF_TYPE
    }


def _is_id(column: Column) -> bool:
    return column.deidentify in ("uid", "accession", "pseudonym") or column.name == "patient_id"


def _wrong_name(part: Part) -> Iterator[str]:
    if isinstance(part, Call) and part.is_function and part.operation not in FUNCTIONS:
        yield unknown_name(f"character {part.at + 1}", part.operation, "function", FUNCTIONS)
    if isinstance(part, Name) and part.name not in _kinds():
        yield f"character {part.at + 1}: {_no_column(part.name)}"


def _no_column(name: str) -> str:
    schema = load_schema("images")
    if any(column.name == name and _is_id(column) for column in schema.in_zone("deidentified")):
        return f"{name} holds ids, which an expression may not look at. Give ids in a file: images.from_list."
    if any(column.name == name for column in schema.columns):
        return f"{name} stands in no table beyond zone 1."
    return f"{name} is not a column of images in zone 2; docs/data-dictionary.md lists them.{nearest(name, _kinds())}"


def _kind(tree: Part) -> str:
    """The kind of what a part gives. Raises _KindError where a part is not of the kind that its operation takes."""
    if isinstance(tree, Value):
        return {bool: TRUTH, int: NUMBER, float: NUMBER, str: TEXT, date: DATE}[type(tree.value)]
    if isinstance(tree, Name):
        return _kinds()[tree.name][0]
    takes, gives = (FUNCTIONS if tree.is_function else OPERATIONS)[tree.operation]
    bound: dict[str, str] = {}
    for letter, part in zip(_stretched(takes, tree), tree.parts, strict=True):
        kind = _kind(part)
        wanted = _wanted(letter, bound)
        if wanted and kind not in wanted:
            raise _KindError(_wrong_kind(tree, part, kind, wanted))
        if letter == "i" and not (isinstance(part, Value) and type(part.value) is int and part.value > 0):
            raise _KindError(f"{as_text(tree)}: {as_text(part)} has to be a whole number from 1, written out.")
        bound.setdefault(letter, kind)
        if letter == "l":
            bound["e"] = _kinds()[part.name][1] if isinstance(part, Name) else TEXT
    return bound[gives] if gives in bound else _LETTERS[gives][0]


def _stretched(takes: str, tree: Call) -> str:
    """A letter for each part. Raises _KindError where there are more or fewer parts than are taken."""
    least, given = takes.rstrip("*"), len(tree.parts)
    stretched = least + least[-1] * (given - len(least)) if takes.endswith("*") else takes
    if len(stretched) != given:
        number = str(len(least)) if least == takes else f"{len(least)} or more"
        raise _KindError(f"{as_text(tree)}: {tree.operation} takes {number} in its brackets, not {given}.")
    return stretched


def _wanted(letter: str, bound: Mapping[str, str]) -> Sequence[str]:
    """The kinds that a part may be of; none where it may be of any."""
    if letter in "soe" and letter in bound:
        return (bound[letter],)
    return {"a": (), "l": (LIST,)}.get(letter) or _LETTERS.get(letter, ())


def _wrong_kind(tree: Call, part: Part, kind: str, wanted: Sequence[str]) -> str:
    remedy = ""
    if kind == LIST:
        remedy = f" Write array_contains({as_text(part)}, 'value') or element_at({as_text(part)}, 1)."
    elif kind == TEXT and wanted == (DATE,):
        remedy = " Write a date as in DATE '2015-01-31'."
    return f"{as_text(tree)}: {as_text(part)} is {kind}, and {' or '.join(wanted)} is wanted there.{remedy}"
