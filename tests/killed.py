"""A run that is killed behind one of its commits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from smi_spark import storage, tables

KINDS = ("append", "merge", "delete")  # functions of tables or storage, each of which is a commit


@contextmanager
def killed_behind(monkeypatch: pytest.MonkeyPatch, commits: int, kinds: Sequence[str] = KINDS) -> Iterator[list[str]]:
    """The body has to end by being killed when it has made so many commits; gives these, ``append headers``."""
    done: list[str] = []

    def mortal(change: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any, **more: Any) -> Any:
            result = change(*given, **more)
            done.append(f"{change.__name__} {given[1].schema.table}")
            if len(done) == commits:
                raise KeyboardInterrupt("killed behind a commit")
            return result

        return wrapped

    with monkeypatch.context() as killing:
        for kind in kinds:
            module = tables if hasattr(tables, kind) else storage
            killing.setattr(module, kind, mortal(getattr(module, kind)))
        with pytest.raises(KeyboardInterrupt):
            yield done
