"""Code lists: files of codes that stand beside a definition."""

import re
from pathlib import Path

from smi_spark.analysis.csv_rows import UnreadableError, numbered_rows
from smi_spark.errors import InputError, nearest

_LIKE_A_CODE = re.compile(r"[A-Za-z]?[0-9]")


def read_codes(path: str | Path, column: str | None = None) -> tuple[str, ...]:
    """The codes in a CSV file with a header, each once, sorted; lines without a code are passed over.

    column: which of several columns has them; a file of one column needs no name.
    Raises InputError for a file that is not there, is no text in UTF-8, has several columns and none named, not the
    column named, no codes, or a header that looks like a code.
    """
    try:
        header, *rows = [cells for _, cells in numbered_rows(Path(path))] or [[]]
    except UnreadableError as error:
        if error.why == "missing":
            raise InputError(f"code list {path} does not exist: files are named from the definition's folder") from None
        raise InputError(f"code list {path} is not a CSV file in UTF-8: {error.detail}") from None
    place = _column(str(path), header, column)
    codes = sorted({row[place] for row in rows if len(row) > place and row[place]})
    if not codes:
        raise InputError(f"code list {path} has no codes below its header")
    return tuple(codes)


def _column(path: str, header: list[str], column: str | None) -> int:
    if column is None and len(header) > 1:
        raise InputError(f"code list {path} has the columns {', '.join(header)}: name one of them in column")
    if column is not None and column not in header:
        told = nearest(column, header)
        raise InputError(f"code list {path} has no column {column}.{told} Columns here: {', '.join(header)}")
    if column is None and header and _LIKE_A_CODE.match(header[0]):
        raise InputError(f"code list {path} begins with {header[0]}, as a code would: its first line is a header")
    return 0 if column is None else header.index(column)
