"""What the tables-only archive is like: ``conf/synthetic/tables.yaml``, checked."""

import math
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from smi_spark import resources
from smi_spark.config import validate
from smi_spark.yaml_file import load_yaml

Key = TypeVar("Key", str, float)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _ascending(bounds: tuple[int, int]) -> tuple[int, int]:
    if bounds[0] > bounds[1]:
        raise ValueError("the first number is the least: put the smaller one first")
    return bounds


Bounds = Annotated[tuple[int, int], AfterValidator(_ascending)]


class Sourced(_Part):
    """A part of the file that says where its figures come from."""

    source: Annotated[str, Field(min_length=1, description="where the figure is published, or assumed")]


class Figure(Sourced):
    """One number."""

    value: Annotated[float, Field(ge=0)]


class Shares(Sourced, Generic[Key]):
    """What is drawn → its share; the shares add up to 1."""

    shares: Annotated[dict[Key, float], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> "Shares[Key]":
        _check_whole(self.shares.values())
        return self


class Series(_Part):
    """A series of a shape: from how many to how many images; ``modality`` where it is not the study's own."""

    images: Bounds
    modality: str | None = None


class Shape(_Part):
    """A share of the studies, and the series that each of them has."""

    share: Annotated[float, Field(gt=0, le=1)]
    series: Annotated[tuple[Series, ...], Field(min_length=1)]


class Shapes(Sourced):
    """How the studies of a modality are built."""

    shares: Annotated[tuple[Shape, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> "Shapes":
        _check_whole(shape.share for shape in self.shares)
        return self


class Modality(_Part):
    """Studies of one modality: how many (in any unit that all modalities share) in the first year, growth a year."""

    examinations: Figure
    growth: Figure
    shapes: Shapes
    body_parts: Shares[str]
    makers: Shares[str]
    file_size: Annotated[Figure, Field(description="bytes of an image's pixels")]
    slice_thickness: Annotated[Shares[float] | None, Field(description="mm")] = None
    sequences: Annotated[Shares[str] | None, Field(description="labels of MR sequences")] = None
    acquisitions: Annotated[Shares[str] | None, Field(description="2D, 3D")] = None


class Years(Sourced):
    """The years of the studies, both included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many years these are."""
        return self.last - self.first + 1

    @property
    def days(self) -> int:
        """How many days these years have."""
        return (date(self.last + 1, 1, 1) - date(self.first, 1, 1)).days


class Busy(Sourced):
    """A few of the imaged, and the share of all images that they hold."""

    people: Annotated[float, Field(gt=0, lt=1)]
    images: Annotated[float, Field(gt=0, lt=1)]


class Births(Sourced):
    """The years of birth, both included."""

    first: int
    last: int


class People(_Part):
    """The population: ``examinations`` is the number of studies for each of it, imaged or not."""

    examinations: Figure
    imaged: Figure
    busy: Busy
    births: Births
    sex: Shares[str]

    @model_validator(mode="after")
    def _enough(self) -> "People":
        if not 0 < self.imaged.value <= 1 or self.examinations.value / self.imaged.value < 2:
            raise ValueError("who is imaged needs two studies or more on the mean: lower imaged or raise examinations")
        return self


class Repeats(Sourced):
    """From how often to how often a row comes, and the days between."""

    items: Bounds
    days_apart: Annotated[int, Field(ge=1)]


class Link(Sourced):
    """Rows that come with a share of the studies, ``days`` from each; ``code`` where it is not drawn as usual, and
    ``operation`` where there was one.
    """

    modality: str
    body_part: str | None = None
    share: Annotated[float, Field(gt=0, le=1)]
    days: Bounds
    code: str | None = None
    operation: str | None = None


class Record(_Part):
    """The rows of one table of records."""

    each_year: Figure
    repeats: Repeats | None = None
    codes: Shares[str]
    links: tuple[Link, ...] = ()


class Records(_Part):
    """The tables of records that are made."""

    smr01: Record
    smr02: Record
    smr04: Record
    ae: Record
    prescribing: Record
    smr06: Record
    deaths: Record


class Rates(_Part):
    """The whole file."""

    years: Years
    people: People
    modalities: dict[str, Modality]
    records: Records

    @model_validator(mode="after")
    def _after_birth(self) -> "Rates":
        if self.people.births.last >= self.years.first:
            raise ValueError("births end before the first year of studies: nobody has a study before birth")
        return self


def load_rates(path: Path | None = None) -> Rates:
    """The rates in a file (default: ``conf/synthetic/tables.yaml``); ConfigError names each field that is wrong."""
    path = path or resources.folder("conf") / "synthetic" / "tables.yaml"
    return validate(Rates, load_yaml(path), str(path))


def _check_whole(shares: Iterable[float]) -> None:
    total = math.fsum(shares)
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares add up to {total:g}, not to 1")
