"""Names on a disk, which are bytes, as tables write them, and whether they stay within their root.

Names that are UTF-8 stand as they are. Each byte that is not is written ``\\xff`` (two lower-case hexadecimal digits),
and a backslash that would read as the beginning of such a byte ``\\x5c``. So every name has one writing, and every
writing names one file. Members of archives are written likewise; keys of object stores are UTF-8 and stand as they are.
"""

import os
import re

_ESCAPED = re.compile(rb"\\x((?!00)[0-9a-f]{2})")


def written(name: str) -> str:
    r"""A name as the system gives it → as tables write it.

    >>> written("a\udcff.dcm"), written("a\\xff.dcm"), written("å 100%.dcm")
    ('a\\xff.dcm', 'a\\x5cxff.dcm', 'å 100%.dcm')
    """
    if name.isascii() and "\\x" not in name:
        return name
    return _ESCAPED.sub(rb"\\x5cx\1", os.fsencode(name)).decode("utf-8", "backslashreplace")


def opened(path: str) -> str:
    r"""A name as tables write it → as the system opens it, the inverse of ``written``.

    >>> opened("a\\xff.dcm"), opened("a\\x5cxff.dcm"), opened("å 100%.dcm")
    ('a\udcff.dcm', 'a\\xff.dcm', 'å 100%.dcm')
    """
    if "\\x" not in path:
        return path
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(path)))


def leads_out(place: str, folder: str) -> bool:
    """Whether a place lies beyond a folder, once links are followed; both as the system names them."""
    root = os.path.realpath(folder).rstrip("/")
    return not f"{os.path.realpath(place)}/".startswith(f"{root}/")
