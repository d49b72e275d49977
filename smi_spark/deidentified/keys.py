"""Secret keys: 256 bits as 64 hexadecimal digits, in a file of mode 0600, an executor's environment or a vault."""

import hashlib
import hmac
import os
import re
import secrets
import stat
from importlib.metadata import entry_points
from pathlib import Path
from socket import gethostname

from smi_spark.config import KeySource
from smi_spark.errors import KeyFileError, unknown_name

KEY_BYTES = 32
PLUGINS = "smi_spark.keys"


def load_key(source: KeySource) -> bytes:
    """The 32 bytes of a key, read anew each time: by the worker that needs it, never handed to it.

    A plug-in is an entry point of the group ``smi_spark.keys``: a function without arguments that gives the digits.
    Raises KeyFileError when the key is absent, malformed, or in a file with any right for group or others, and where
    the plug-in is not installed or fails.
    """
    if source.file is not None:
        place, digits = f"key file {source.file}", _read_private(Path(source.file))
    elif source.plugin is not None:
        place, digits = f"key plug-in {source.plugin}", _ask(source.plugin)
    else:
        place, digits = f"environment variable {source.env}", os.environ.get(str(source.env), "").strip()
    if not digits:
        raise KeyFileError(f"{place} holds no key. {_remedy(source)}")
    if re.fullmatch(r"[0-9a-fA-F]{64}", digits) is None:
        raise KeyFileError(f"{place} does not hold a key: 64 hexadecimal digits are one. {_remedy(source)}")
    return bytes.fromhex(digits)


def key_known(source: KeySource) -> str | None:
    """The id of the key here, by which workers see that theirs is the same; none where it cannot be had here.

    A plug-in is not asked: all have the one that it gives.
    """
    try:
        return None if source.plugin is not None else key_id(load_key(source))
    except KeyFileError:
        return None


def load_same_key(source: KeySource, known: str | None) -> bytes:
    """``load_key``, in a worker; KeyFileError where the node has another key than the one that is ``known``."""
    key = load_key(source)
    if known is not None and key_id(key) != known:
        place = f"key file {source.file}" if source.file is not None else f"environment variable {source.env}"
        raise KeyFileError(
            f"{place} holds key {key_id(key)} on {gethostname()}, and key {known} where the run was started. "
            "Make a key once, and copy it to every node."
        )
    return key


def key_id(key: bytes) -> str:
    """The name of a key in tables: 12 hexadecimal digits that say which it is and nothing else about it."""
    return hmac.digest(key, b"key-id|", "sha256").hex()[:12]


def project_key(parent: bytes, project: str) -> bytes:
    """The 32-byte key of one project, derived from the parent of all: no project's key tells of another's.

    Source: RFC 5869 (HKDF) with SHA-256, no salt, info ``smi_spark/project|<project>``, one block of output.
    """
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), parent, "sha256")
    return hmac.digest(extracted, b"smi_spark/project|" + project.encode() + b"\x01", "sha256")


def create_key(path: str | Path) -> str:
    """Write a new random key to a file of mode 0600 and give its id. Raises KeyFileError when the file is there."""
    target = Path(path)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"key file {path} is there already, and pseudonyms hang on it. Choose another place for a new key."
        ) from None
    with os.fdopen(descriptor, "w") as file:
        file.write(key.hex() + "\n")
    return key_id(key)


def _read_private(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            who = " and ".join(name for name, bits in (("group", 0o070), ("others", 0o007)) if mode & bits)
            verb = "read" if mode & 0o044 else "changed"
            raise KeyFileError(f"key file {path} can be {verb} by {who} (mode {mode:04o}). Run: chmod 600 {path}")
        return path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        raise KeyFileError(f"key file {path} does not exist. Make it: jobs/create_key.py --out {path}") from None
    except OSError as error:
        raise KeyFileError(
            f"key file {path} cannot be read: {error.strerror}. Give it to the user who runs the job, mode 0600."
        ) from None


def _ask(plugin: str) -> str:
    found = {entry.name: entry for entry in entry_points(group=PLUGINS)}
    if plugin not in found:
        told = unknown_name(f"entry points of {PLUGINS}", plugin, "plug-in", found)
        raise KeyFileError(f"{told} Install the package that has it, on every executor.")
    try:
        return str(found[plugin].load()()).strip()
    except Exception as error:
        # Of what a vault says in its error nothing is repeated: it may hold what was asked for.
        raise KeyFileError(
            f"key plug-in {plugin} failed with {type(error).__name__}. Call it by itself on an executor to see why."
        ) from None


def _remedy(source: KeySource) -> str:
    if source.file is not None:
        return f"Restore it, or make a new one: move it away, then jobs/create_key.py --out {source.file}"
    if source.plugin is not None:
        return f"It is to give what jobs/create_key.py --out FILE wrote. See what {source.plugin} reads it from."
    return f"Set {source.env} for the executors to what jobs/create_key.py --out FILE wrote."
