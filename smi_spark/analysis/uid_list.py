"""UIDs in a file: one column, read into a set whose hash says which UIDs they were, whatever the file looks like."""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from smi_spark.analysis.csv_rows import UnreadableError, numbered_rows
from smi_spark.errors import ConfigError

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
# As zone 2 has them: what stands in a list by mistake, a UID of zone 1, goes no further.
OWN_UID = r"2\.25\.[0-9]{1,39}"


def read_uids(path: Path, column: str) -> frozenset[str]:
    """The UIDs in a text file, one a line, each once; the first line may be ``column``, the UIDs' name.

    Blanks around a UID, quotes, and empty lines are passed over.
    Raises ConfigError for a file that is not there or cannot be read, and by its number for a line without a UID of
    zone 2.
    """
    try:
        lines = list(numbered_rows(path))
    except UnreadableError as error:
        told = "does not exist" if error.why == "missing" else "cannot be read as text"
        raise ConfigError(f"{path} {told}. Lists of UIDs lie beside the rules that name them.") from None
    uids = set()
    for number, (first, *further) in lines:
        text = first.strip('"').strip()  # quotes with blanks before them
        if (number, text) == (1, column):
            continue
        if further or not re.fullmatch(OWN_UID, text):
            raise ConfigError(
                f"{path}: line {number} is no UID of zone 2. Write one a line (2.25.…), below the name {column} or "
                "without it."
            )
        uids.add(text)
    return frozenset(uids)


def uids_sha256(uids: Collection[str]) -> str:
    """SHA-256 of the UIDs, 64 hexadecimal digits, the same in any order."""
    return hashlib.sha256("\n".join(sorted(uids)).encode()).hexdigest()
