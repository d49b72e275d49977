"""Files of codes, UIDs and ids that stand beside a definition or rules: their rows, and the line of each."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal


class UnreadableError(Exception):
    """Why a file cannot be read. ``detail``: what the system or the reader of CSV says of it."""

    def __init__(self, why: Literal["missing", "unreadable", "no text", "no CSV"], detail: str = "") -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


def numbered_rows(source: Path) -> Iterator[tuple[int, list[str]]]:
    """The line and the cells of each row of a CSV file in UTF-8, also as spreadsheets write it.

    Blanks around a cell are left out, and so is a row of nothing else. Raises UnreadableError: who reads the file says
    what it is for.
    """
    if not source.is_file():
        raise UnreadableError("missing")
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            for row in rows:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield rows.line_num, cells
    except OSError as error:
        raise UnreadableError("unreadable", str(error.strerror)) from None
    except UnicodeDecodeError as error:
        raise UnreadableError("no text", str(error)) from None
    except csv.Error as error:
        raise UnreadableError("no CSV", str(error)) from None
