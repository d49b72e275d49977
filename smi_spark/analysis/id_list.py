"""``images.from_list``: studies, series, images or patients named one by one, in a file of one column."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PrivateAttr, ValidationInfo
from pydantic_core import PydanticCustomError

from smi_spark.analysis.csv_rows import UnreadableError, numbered_rows
from smi_spark.analysis.uid_list import OWN_UID
from smi_spark.analysis.windows import Part
from smi_spark.errors import ConfigError

Listed = Literal["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "patient_id"]
MOST_IDS = 1_000_000
MOST_BYTES = 100_000_000

_LINES_TOLD = 20
# As zone 2 has them (``site_ids``). What stands in a list by mistake, an id of zone 1, goes no further.
_PATIENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HEALTH_NUMBER = re.compile(r"[0-9]{9,10}")


@dataclass(frozen=True)
class _Ids:
    """What was read: the ids, each with the line where it stands first, and the file; ids of a project translated."""

    lines: Mapping[str, int] = field(compare=False, default_factory=dict)
    source: Path = field(compare=False, default=Path())
    zone_2: Mapping[str, int] | None = field(compare=False, default=None)


class IdList(Part):
    """Ids of zone 2, or of a project's snapshots. Equal ids are the same list, whatever its file is called and however
    often each stands there.
    """

    column: Annotated[Listed, Field(description="what the ids are of")]
    count: Annotated[int, Field(ge=1, description="how many different ids")]
    sha256: Annotated[str, Field(description="SHA-256 of the ids, sorted, each with a line feed before it")]
    of: Annotated[
        Literal["project"] | None, Field(description="project, for ids of its snapshots; left out: ids of zone 2")
    ] = None
    _ids: _Ids = PrivateAttr(default_factory=_Ids)

    def __str__(self) -> str:
        return f"in the list of {self.count:,} ids ({self.column}{' of the project' if self.of else ''})"

    def ids(self) -> Mapping[str, int]:
        """The ids as zone 2 has them, each with the line where it stands first; a project's once they are translated.

        Raises ConfigError as ``given``.
        """
        if self.of is None:
            return self.given()
        assert self._ids.zone_2 is not None, "a project's ids are translated before images are selected by them"
        return self._ids.zone_2

    def translated(self, pairs: Iterable[tuple[str, str]]) -> "IdList":
        """The same list, with ids of zone 2 in place of those that they stand for: pairs of an id as the file has it
        and one of zone 2. An id without one stays, as it is known to none.
        """
        lines, found = self.given(), dict[str, dict[str, int]]()
        for one, zone_2 in pairs:
            found[one] = {**found.get(one, {}), zone_2: lines[one]}
        known: dict[str, int] = {}
        for one, line in lines.items():
            known |= found.get(one, {one: line})
        other = self.model_copy()
        other._ids = _Ids(lines, self._ids.source, known)
        return other

    def given(self) -> Mapping[str, int]:
        """The ids as the file has them, each with the line where it stands first.

        Raises ConfigError where only the list's hash is known, as of a definition that the registry has.
        """
        if not self._ids.lines:
            raise ConfigError(
                f"images.from_list: of the {self.count:,} ids (SHA-256 {self.sha256}) only their hash is here. "
                "Give the definition's file, with its list beside it."
            )
        return self._ids.lines

    def tell(self, unknown: Iterable[str], write: bool) -> str:
        """How many ids of the list these are, and on which lines they stand; nothing where there are none.

        With ``write`` they are written beside the list, into ``<list>.unknown.csv``; of none only where that file is
        there from before.
        """
        known = self.ids()
        in_order = sorted(unknown, key=known.__getitem__)
        beside = self._ids.source.with_suffix(".unknown.csv")
        wanted = write and (in_order or beside.exists())
        place = _write(beside, [self.column, *in_order]) if wanted else ""
        lines = _lines([known[one] for one in in_order])
        return f"{len(in_order):,} of {self.count:,} ids, {lines}{place}" if in_order else ""


def read_id_list(given: Any, info: ValidationInfo) -> Any:
    """The IdList in the file that ``given`` names, in UTF-8: a line that says what the ids are, then an id a line.

    given: the file's name, or ``{file: …, of: project}`` for a list of ids of the project's snapshots.

    It is named from the folder of the definition's file. Raises PydanticCustomError naming the line. No id is repeated
    in it: one that is none of zone 2 may say who somebody is.
    """
    file, of = given, None
    if isinstance(given, Mapping) and "file" in given:
        if set(given) - {"file", "of"} or given.get("of", "project") != "project":
            raise _error("a list is a file's name, or {file: ids.csv, of: project} for ids of the project's snapshots")
        file, of = given["file"], given.get("of")
    if not isinstance(file, str | Path):
        return given
    source = ((info.context or {}).get("folder") or Path()) / file
    column, lines = _read(source)
    digest = hashlib.sha256(column.encode())
    for one in sorted(lines):
        digest.update(b"\n" + one.encode())
    ids = IdList.model_validate({"column": column, "count": len(lines), "sha256": digest.hexdigest(), "of": of})
    ids._ids = _Ids(lines, source)
    return ids


_WHY = {
    "missing": "there is no such file",
    "no text": "the file is no text in UTF-8",
    "no CSV": "the file is no CSV: a quote has no end",
}


def _read(source: Path) -> tuple[str, dict[str, int]]:
    if source.is_file() and source.stat().st_size > MOST_BYTES:
        raise _error(f"the file is too great: up to {MOST_BYTES // 10**6} MB are read")
    try:
        return _read_rows(numbered_rows(source))
    except UnreadableError as error:
        raise _error(_WHY.get(error.why, f"the file cannot be read: {error.detail}")) from None


def _read_rows(rows: Iterator[tuple[int, list[str]]]) -> tuple[str, dict[str, int]]:
    first, header = next(rows, (1, []))
    known = get_args(Listed)
    if len(header) > 1:
        raise _error(
            f"line 1 has {len(header)} columns, and a list has one: take out the others, and commas at its end"
        )
    by_small = {name.casefold(): name for name in known}
    column = by_small.get(header[0].casefold(), "") if header and first == 1 else ""
    if not column:  # the line may be an id, in a file that has no header
        raise _error(f"line 1 has to say what the ids are: one of {', '.join(known)}")
    lines: dict[str, int] = {}
    wrong: list[int] = []
    for number, (one, *further) in rows:
        if further or not _is_fit(one, column):
            wrong.append(number)
        else:
            lines.setdefault(one, number)
    if wrong:
        wanted = "patient ids" if column == "patient_id" else "UIDs (2.25.…)"
        raise _error(f"{_lines(wrong)}: not one of the {wanted} that zone 2 has")
    if not lines:
        raise _error("the file has a header and no id")
    if len(lines) > MOST_IDS:
        raise _error(f"{len(lines):,} ids are too many: up to {MOST_IDS:,} are taken")
    return column, lines


def _is_fit(one: str, column: str) -> bool:
    if column != "patient_id":
        return re.fullmatch(OWN_UID, one) is not None
    return _PATIENT.fullmatch(one) is not None and not _HEALTH_NUMBER.fullmatch(re.sub("[_.-]", "", one))


def _lines(numbers: Sequence[int]) -> str:
    told = ", ".join(map(str, numbers[:_LINES_TOLD]))
    more = f" and {len(numbers) - _LINES_TOLD:,} more" if len(numbers) > _LINES_TOLD else ""
    return f"line{'s' if len(numbers) > 1 else ''} {told}{more}"


def _write(place: Path, lines: Iterable[str]) -> str:
    try:
        place.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        return f"; {place} cannot be written: {error.strerror}"
    return f"; all of them in {place}"


def _error(words: str) -> PydanticCustomError:
    return PydanticCustomError("id_list", "{words}", {"words": words})
