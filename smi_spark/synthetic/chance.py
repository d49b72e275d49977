"""Chance that repeats: every thing of the archive has a stream of its own, so that one more image changes no other."""

import random
from collections.abc import Sequence
from typing import Any


def stream(seed: int, *names: object) -> random.Random:
    """A random stream that ``seed`` and ``names`` decide alone, the same on every machine."""
    return random.Random("|".join(str(name) for name in (seed, *names)))  # noqa: S311 (nothing here is a secret)


def pick(value: Any, rng: random.Random) -> Any:
    """``value`` itself, or one of the options when it is a tuple of them.

    >>> pick((120, 100), stream(1)) in (120, 100)
    True
    """
    return rng.choice(value) if isinstance(value, tuple) else value


def some(items: Sequence[Any], share: float, rng: random.Random) -> list[Any]:
    """Each of ``items`` with probability ``share``."""
    return [item for item in items if rng.random() < share]
