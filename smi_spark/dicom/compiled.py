"""Compiling with numba: the interpreter lock let go, and the machine code kept wherever a folder can be written."""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import caching

_njit: Any = numba.njit
_settings: Any = numba.config

_SOURCES = ("compiled", "eights", "gather", "kernel", "layout", "pread", "skim", "syntax", "values")


def inner(function: Callable[..., Any]) -> Any:
    """``function`` compiled to be called by compiled code alone.

    It becomes part of its callers: handing over a dozen arrays would cost more than its work. No wrappers for Python,
    and no counting of references, as such functions make no arrays.
    """
    return _compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def compiled(function: Callable[..., Any]) -> Any:
    """``function`` compiled at its first call; the next interpreter finds it in the cache.

    The cache is NUMBA_CACHE_DIR where that is set, else beside the package, else in the user's cache folder, else in
    a private folder of this machine's temporary space (a read-only install run by an account without a home). With
    none of them, each interpreter compiles anew, after one warning.
    """
    return _compiled(function)


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    return _njit(nogil=True, cache=_cache_folder() is not None, **options)(function)


class _Kept:
    """Where numba keeps the machine code of this package: named by the content of the sources, not by their place.

    numba's own places hang on the path of a function's file; code that was compiled where an environment is packed
    would not be found where it is unpacked.
    """

    def __init__(self, folder: str, line: int) -> None:
        self._folder, self._line = folder, line

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> "_Kept | None":
        folder = _cache_folder() if Path(file).parent == Path(__file__).parent else None
        return None if folder is None else cls(folder, function.__code__.co_firstlineno)

    def get_cache_path(self) -> str:
        return self._folder

    def ensure_cache_path(self) -> None:
        """``_cache_folder`` has seen that it can be written."""

    def get_source_stamp(self) -> str:
        return Path(self._folder).name

    def get_disambiguator(self) -> str:
        return str(self._line)


caching.CacheImpl._locator_classes.insert(0, _Kept)


@cache
def _cache_folder() -> str | None:
    """A folder for this state of the sources: numba itself looks at a function's own file, not at what it calls."""
    digest = hashlib.sha256()
    for module in _SOURCES:
        digest.update((Path(__file__).parent / f"{module}.py").read_bytes())
    for folder in _places():
        kept = folder / digest.hexdigest()[:16]
        try:
            kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=kept):
                return str(kept)
        except OSError:
            continue
    warnings.warn("no folder can hold compiled code: set NUMBA_CACHE_DIR to one, to start faster", stacklevel=2)
    return None


def _places() -> Iterator[Path]:
    if _settings.CACHE_DIR:
        yield Path(_settings.CACHE_DIR)
    yield Path(__file__).parent / "__pycache__" / "numba"
    yield Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "smi_spark" / "numba"  # noqa: PTH111
    private = Path(tempfile.gettempdir()) / f"smi_spark-{os.getuid()}"
    try:
        private.mkdir(mode=0o700, exist_ok=True)
        state = private.lstat()
    except OSError:
        return
    # Code is run from there: it must be a folder of ours that nobody else can write.
    if state.st_uid == os.getuid() and state.st_mode & 0o170077 == 0o040000:
        yield private / "numba"
