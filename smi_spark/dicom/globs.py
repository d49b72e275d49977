"""Globs of paths: ``*`` ``?`` ``[…]`` ``**``."""

import re
from functools import lru_cache

_WILDCARDS = set("*?[")


def has_wildcard(text: str) -> bool:
    return not _WILDCARDS.isdisjoint(text)


def split_glob(root: str) -> tuple[str, str]:
    """The longest folder without a wildcard, and the rest as glob."""
    parts = root.split("/")
    first = next(i for i, part in enumerate(parts) if has_wildcard(part))
    return "/".join(parts[:first]) or "/", "/".join(parts[first:])


@lru_cache(64)
def expression(glob: str) -> re.Pattern[str]:
    """The glob as an expression for paths and whatever lies below them."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.findall(r"\*\*/|\*\*|\*|\?|\[[^]]+\]|.", glob, re.DOTALL)
    return re.compile("".join(words.get(p) or _one(p) for p in parts) + "(?:[/!].*)?", re.DOTALL)


def _one(part: str) -> str:
    """A set of characters or a character of a glob, for an expression."""
    if len(part) == 1:
        return re.escape(part)
    inside = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
    return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
