"""What can go wrong, as users read it: what was wrong, what was given, what to do.

Each class has the exit code of a job that ends by it: 1 the user's input, 2 the environment,
3 data over the quarantine threshold, or identifiers where none may be.
"""

import difflib
from collections.abc import Iterable

CHECK = "See jobs/check.py: it looks at places, rights and keys."  # what to do where the environment is at fault


class SmiError(Exception):
    """Base of every error that smi_spark raises on purpose; its text is meant for users."""

    exit_code = 1


class ConfigError(SmiError):
    """A setting, schema or definition file that says something impossible."""


class InputError(SmiError):
    """An argument or a source that cannot be used."""


class SourceError(InputError):
    """A root of files that cannot be listed."""


class TableError(SmiError):
    """A table or version that is not there, or does not have the columns of its schema."""


class MachineError(SmiError):
    """Java, jars, folders, keys: what the machine must give and does not."""

    exit_code = 2


class KeyFileError(MachineError):
    """A key that is absent, malformed or readable by others."""


class OtherKeyError(MachineError):
    """Tables that another key made than the one that is given, or that are between two keys."""


class BusyError(MachineError):
    """Another run is writing where this one would."""


class QuarantineThresholdError(SmiError):
    """More of the input was bad than the configuration allows."""

    exit_code = 3


class IdentifiersFoundError(SmiError):
    """A table beyond zone 1 that says who somebody is."""

    exit_code = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean X?`` for the known name closest to ``name``, capitals aside, or nothing."""
    by_small = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), list(by_small), n=1, cutoff=0.6)
    return f" Did you mean {by_small[close[0]]}?" if close else ""


def unknown_name(place: str, given: str, kind: str, known: Iterable[str], name: str | None = None) -> str:
    """The one wording for a name that is not among those accepted.

    ``name`` is the part of ``given`` to compare with ``known``, where they differ (``images.modalty``).

    >>> unknown_name("conf/local.yaml", "rot", "field", ["root", "spark"])
    'conf/local.yaml: rot is not a field. Fields here: root, spark. Did you mean root?'
    """
    known = list(known)
    accepted = f"{kind.capitalize()}s here: {', '.join(known)}."
    return f"{place}: {given} is not a {kind}. {accepted}{nearest(name or given, known)}"
