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
    folder = _cache_folder()
    if folder is None:
        return _njit(nogil=True, **options)(function)
    before, _settings.CACHE_DIR = _settings.CACHE_DIR, folder
    try:
        return _njit(nogil=True, cache=True, **options)(function)
    finally:
        _settings.CACHE_DIR = before


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
