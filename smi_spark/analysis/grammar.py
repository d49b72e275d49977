"""Conditions as users write them, read by a small grammar into a tree: no part of the text is given to Spark.

or         = and {OR and}
and        = not {AND not}
not        = {NOT} comparison
comparison = sum [(= | <> | != | < | <= | > | >=) sum | IS [NOT] NULL
                  | [NOT] (BETWEEN sum AND sum | IN "(" value {, value} ")" | LIKE text)]
sum        = product {(+ | -) product}
product    = sign {(* | /) sign}
sign       = {-} (value | column | function "(" [or {, or}] ")" | "(" or ")")
value      = number | 'text' | DATE 'YYYY-MM-DD' | TRUE | FALSE
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

from smi_spark.analysis.expressions import COMPARISONS, Call, Expression, Name, Part, Value, as_text

MOST_CHARACTERS = 4_000
MOST_LEVELS = 30  # of operations and brackets within each other
MOST_VALUES = 1_000  # after IN

_TOKENS = re.compile(
    r"(?P<space>\s+)|(?P<comment>--|/\*|\*/|#)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w.])"
    r"|(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|<>|!=|[-=<>+*/(),])"
)
_KEYWORDS = {"AND", "OR", "NOT", "IN", "IS", "NULL", "BETWEEN", "LIKE", "TRUE", "FALSE"}
_QUERIES = {"SELECT", "WITH", "FROM", "TABLE", "VALUES", "EXISTS"}
_CHARACTERS = {
    "'": "this text has no end; a quote within a text is written twice, as in 'O''Neill'",
    '"': "texts stand in single quotes, columns in none",
    "`": "columns stand without quotes",
    ";": "one expression is accepted, and nothing behind it",
    ".": "columns stand without a table before them",
}


def parse_expression(given: Any) -> Any:
    """The Expression in a text.

    Raises PydanticCustomError naming the character in the text, and what is accepted there.
    """
    if isinstance(given, Expression):
        return given
    if not isinstance(given, str):
        raise _error("an expression is one text")
    if len(given) > MOST_CHARACTERS:
        raise _error(f"{len(given):,} characters are too many: up to {MOST_CHARACTERS:,} are accepted")
    tree = _Parser(given).whole()
    return Expression(as_text(tree), tree)


ExpressionText = Annotated[Expression, BeforeValidator(parse_expression), PlainSerializer(str)]


@dataclass(frozen=True)
class _Token:
    kind: str  # number, text, name, keyword, sign, end
    text: str
    at: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else self.text if len(self.text) <= 40 else f"{self.text[:40]} …"

    def is_one_of(self, texts: Sequence[str]) -> bool:
        return self.kind in ("sign", "keyword") and self.text in texts


class _Parser:
    """One text; ``whole`` is what it says."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._open = 0  # brackets

    def whole(self) -> Part:
        if self._now.kind == "end":
            raise _error("an expression is wanted, as in SliceThickness <= 1.5 AND is_original")
        tree = self._or()
        if self._now.kind != "end":
            raise _unexpected(self._now, "an operator (AND, OR, = …) or the end")
        return tree

    @property
    def _now(self) -> _Token:
        return self._tokens[self._next]

    def _pass(self) -> _Token:
        """The token, which is behind us then; the end stays."""
        token = self._now
        self._next += token.kind != "end"
        return token

    def _take(self, *texts: str) -> _Token | None:
        """The token, and past it, where it is one of these signs or keywords."""
        return self._pass() if self._now.is_one_of(texts) else None

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            raise _unexpected(self._now, text)

    def _or(self) -> Part:
        self._open += 1
        if self._open > MOST_LEVELS:
            raise _too_deep(self._now.at)
        tree = self._chain("or", lambda: self._chain("and", self._not))
        self._open -= 1
        return tree

    def _chain(self, operation: str, read: Callable[[], Part]) -> Part:
        at, parts = self._now.at, [read()]
        while self._take(operation.upper()):
            parts.append(read())
        if len(parts) == 1:
            return parts[0]
        same = [part.parts if isinstance(part, Call) and part.operation == operation else (part,) for part in parts]
        return _call(operation, [part for several in same for part in several], at)

    def _not(self) -> Part:
        at, count = self._now.at, 0
        while self._take("NOT"):
            count += 1
        return _repeated("not", count, self._comparison(), at)

    def _comparison(self) -> Part:
        left, token = self._sum(), self._now
        if self._take(*COMPARISONS, "!="):
            tree: Part = _call(token.text.replace("!=", "<>"), [left, self._sum()], token.at)
        elif self._take("IS"):
            negated = self._take("NOT")
            self._expect("NULL")
            tree = _repeated("not", int(negated is not None), _call("is null", [left], token.at), token.at)
        else:
            negated, operation = self._take("NOT"), self._take("BETWEEN", "IN", "LIKE")
            if operation is None and negated is None:
                return left
            if operation is None:
                raise _unexpected(self._now, "IN, BETWEEN or LIKE")
            further = {"BETWEEN": self._bounds, "IN": self._values, "LIKE": self._pattern}[operation.text]()
            found = _call(operation.text.lower(), [left, *further], operation.at)
            tree = _repeated("not", int(negated is not None), found, operation.at)
        if self._now.is_one_of((*COMPARISONS, "!=", "IS")):
            raise _error(f"{self._now} follows a comparison: put one of the two in brackets", self._now.at)
        return tree

    def _bounds(self) -> list[Part]:
        least = self._sum()
        self._expect("AND")
        return [least, self._sum()]

    def _values(self) -> list[Part]:
        self._expect("(")
        at, values = self._now.at, [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(")")
        if len(values) > MOST_VALUES:
            raise _error(f"{len(values):,} values after IN are too many: up to {MOST_VALUES:,} are accepted", at)
        return values

    def _value(self) -> Part:
        token, value = self._now, self._sign()
        if not isinstance(value, Value):
            raise _unexpected(token, "a number, a 'text', DATE '2015-01-31', TRUE or FALSE")
        return value

    def _pattern(self) -> list[Part]:
        if self._now.kind != "text":
            raise _unexpected(self._now, "a text, as in LIKE 'CHEST%',")
        return [self._value()]

    def _sum(self) -> Part:
        return self._from_the_left(("+", "-"), lambda: self._from_the_left(("*", "/"), self._sign))

    def _from_the_left(self, operations: Sequence[str], read: Callable[[], Part]) -> Part:
        tree = read()
        while token := self._take(*operations):
            tree = _call(token.text, [tree, read()], token.at)
        return tree

    def _sign(self) -> Part:
        at, count = self._now.at, 0
        while self._take("-"):
            count += 1
        tree = self._part()
        if isinstance(tree, Value) and tree.is_number:
            return Value(-tree.value if count % 2 else tree.value, at)  # type: ignore[operator]  # a number
        return _repeated("negative", count, tree, at)

    def _part(self) -> Part:
        token = self._pass()
        if token.kind == "number":
            return Value(_number(token), token.at)
        if token.kind == "text":
            return Value(_unquoted(token), token.at)
        if token.is_one_of(("TRUE", "FALSE")):
            return Value(token.text == "TRUE", token.at)
        if token.kind == "name":
            return self._named(token)
        if token.is_one_of("("):
            tree = self._or()
            self._expect(")")
            return tree
        if token.is_one_of(("NULL",)):
            raise _error("nothing equals NULL: write IS NULL or IS NOT NULL", token.at)
        raise _unexpected(token, "a column, a value, a function or (")

    def _named(self, token: _Token) -> Part:
        if token.text.upper() in _QUERIES:
            raise _error(f"{token} is not accepted: an expression is about the columns of an image, no query", token.at)
        if token.text.upper() == "DATE" and self._now.kind == "text":
            return Value(_date(self._pass(), token.at), token.at)
        if self._take("(") is None:
            return Name(token.text, token.at)
        parts: list[Part] = []
        if self._take(")") is None:
            parts.append(self._or())
            while self._take(","):
                parts.append(self._or())
            self._expect(")")
        return _call(token.text.lower(), parts, token.at, is_function=True)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            raise _error(_CHARACTERS.get(text[at], f"{text[at]!r} is not accepted here"), at)
        kind = str(found.lastgroup)
        if kind == "comment":
            raise _error(f"{found[0]} is not accepted: comments stand outside the expression, after # in the file", at)
        if kind == "name" and found[0].upper() in _KEYWORDS:
            yield _Token("keyword", found[0].upper(), at)
        elif kind != "space":
            yield _Token(kind, found[0], at)
        at = found.end()
    yield _Token("end", "", len(text))


def _call(operation: str, parts: Sequence[Part], at: int, *, is_function: bool = False) -> Call:
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > MOST_LEVELS:
        raise _too_deep(at)
    return Call(operation, tuple(parts), is_function, at, depth)


def _repeated(operation: str, count: int, tree: Part, at: int) -> Part:
    for _ in range(count):
        tree = _call(operation, [tree], at)
    return tree


def _number(token: _Token) -> int | float:
    number = int(token.text) if token.text.isdigit() else float(token.text)
    if (number >= 2**63 and isinstance(number, int)) or math.isinf(number):
        raise _error(f"{token} is too great a number", token.at)
    return number


def _date(token: _Token, at: int) -> date:
    text = _unquoted(token)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _error(f"{token} is no date: write it as in DATE '2015-01-31'", at)


def _unquoted(token: _Token) -> str:
    return token.text[1:-1].replace("''", "'")


def _unexpected(token: _Token, wanted: str) -> PydanticCustomError:
    return _error(f"{token} is not expected: {wanted} is", token.at)


def _too_deep(at: int) -> PydanticCustomError:
    return _error(f"more than {MOST_LEVELS} levels within each other are not accepted", at)


def _error(words: str, at: int | None = None) -> PydanticCustomError:
    place = "" if at is None else f"character {at + 1}: "
    return PydanticCustomError("expression", "{words}", {"words": place + words})
