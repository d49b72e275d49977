"""What the standard says of attributes, content items and private elements, and what else is safe: conf/profiles."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, get_args

from smi_spark import resources

Option = Literal[
    "retain_safe_private",
    "retain_uids",
    "retain_device",
    "retain_institution",
    "retain_patient_characteristics",
    "retain_full_dates",
    "retain_modified_dates",
    "clean_descriptors",
    "clean_structured_content",
    "clean_graphics",
]
Edition = Literal["2024b"]
OPTIONS: tuple[Option, ...] = get_args(Option)
EDITIONS: tuple[Edition, ...] = get_args(Edition)
CURVES, OVERLAYS = 0x5000, 0x6000


@dataclass(frozen=True)
class Row:
    """One row of Table E.1-1 or E.3.4-1: the basic profile's letters, and K or C of each option that says something."""

    name: str
    basic: str
    options: Mapping[Option, str]
    in_iod: bool = True


class Table(dict[str, Row]):
    """Rows by tag as the file writes it: ``00100010``, ``60XX3000``, ``PRIVATE``."""

    def of(self, tag: int) -> Row | None:
        """The row that speaks of an element, of repeating groups and private ones too; None where none does.

        Source: DICOM PS3.5 section 7.6 (repeating groups 50xx and 60xx), section 7.8 (private elements).
        """
        group = tag >> 16
        if group % 2:
            return self["PRIVATE"]
        if is_repeating(group, CURVES):
            return self["50XXXXXX"]
        if is_repeating(group, OVERLAYS):
            return self.get(f"60XX{tag & 0xFFFF:04X}")
        return self.get(f"{tag:08X}")


def is_repeating(group: int, first: int) -> bool:
    """Whether a group is one of the repeating ones that begin at ``first`` (0x5000 curves, 0x6000 overlays)."""
    return group % 2 == 0 and first <= group <= first + 0xFE


@cache
def standard_table(edition: Edition) -> Table:
    """Table E.1-1 of that edition, 621 rows. Source: DICOM PS3.15 Annex E."""
    return Table({row["tag"]: _row(row, row["in_iod"] == "Y") for row in _read(f"ps3.15-{edition}.csv")})


@cache
def content_items() -> Mapping[tuple[str, str, str], Row]:
    """Table E.3.4-1: (code, coding scheme, value type) of a content item → its row. Source: DICOM PS3.15 Annex E."""
    rows = {(row["code"], row["scheme"], row["value_type"]): _row(row) for row in _read("content_items.csv")}
    return MappingProxyType(rows)


@cache
def safe_attributes() -> Mapping[int, str]:
    """Tags of the attributes that Table E.1-1 does not list and that stay: K as they are, Z and D as it has them."""
    return MappingProxyType({int(row["tag"], 16): row["action"] for row in _read("safe_attributes.csv")})


@cache
def safe_private() -> Mapping[tuple[str, str], str]:
    """(creator, element as ``0019xx0C``) → VR of each private element known to be safe.

    Source: DICOM PS3.15 Annex E, Table E.3.10-1.
    """
    return MappingProxyType({(row["creator"], row["element"]): row["vr"] for row in _read("safe_private.csv")})


def _row(cells: Mapping[str, str], in_iod: bool = True) -> Row:
    chosen = {option: cells[option] for option in OPTIONS if cells.get(option)}
    return Row(cells["name"], cells["basic"], MappingProxyType(chosen), in_iod)


def _read(name: str) -> list[dict[str, str]]:
    """Rows of a file in conf/profiles; its lines that begin with # are notes."""
    text = (resources.folder("conf") / "profiles" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
