"""Tables' columns, as ``schemas/*.yaml`` states them: the one place where a column is defined.

A type is written as Spark and Delta write it: ``string``, ``int``, ``long``, ``double``, ``date``, ``timestamp``,
``boolean``, ``binary``, ``array<T>`` or ``struct<name:T,…>``.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from smi_spark import resources
from smi_spark.config import Zone, validate
from smi_spark.errors import ConfigError, unknown_name
from smi_spark.yaml_file import load_yaml

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import StructType

Action = Literal["keep", "remove", "pseudonym", "uid", "accession", "date", "date_after_infancy", "age", "area", "text"]
DATES: tuple[Action, ...] = ("date", "date_after_infancy")  # actions that leave a date, which a project then moves
ZONES: tuple[Zone, ...] = ("secure", "deidentified", "analysis")

_PRIMITIVES = ("string", "int", "long", "double", "date", "timestamp", "boolean", "binary")


class Column(BaseModel):
    """One column: what it holds, where it comes from, what becomes of it beyond zone 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: str
    meaning: str
    tag: Annotated[str | None, Field(description="DICOM keyword or path of keywords joined by dots")] = None
    unit: str | None = None
    codes: Annotated[str | None, Field(description="coding system of the values: ICD-10, OPCS-4, BNF …")] = None
    describes: Annotated[str | None, Field(description="coded column whose code this one says in words")] = None
    aliases: Annotated[tuple[str, ...], Field(description="other headers that extracts use for it")] = ()
    formats: Annotated[tuple[str, ...], Field(description="date formats of an extract, strftime letters")] = ()
    values: Annotated[tuple[str, ...], Field(description="the only values that an extract may have")] = ()
    required: bool = False
    modalities: Annotated[tuple[str, ...], Field(description="whose views have the column; none: all have it")] = ()
    deidentify: Annotated[Action, Field(description="what zone 2 holds of it")] = "keep"
    from_zone: Annotated[Zone, Field(description="the first zone that has it")] = "secure"
    made_of: Annotated[tuple[str, ...], Field(description="columns of zone 1 that a pseudonym is made of")] = ()
    year_of: Annotated[
        str | None, Field(description="column with the date whose year it is: where dates are shifted, the year is too")
    ] = None

    @property
    def arrow_type(self) -> "pa.DataType":
        return parse_type(self.type)

    def in_zone(self, zone: Zone) -> bool:
        """Whether the column stands in the tables of ``zone``."""
        if ZONES.index(zone) < ZONES.index(self.from_zone):
            return False
        return zone == "secure" or self.deidentify != "remove"


class TableSchema(BaseModel):
    """One table: key, partitioning, columns. ``zone`` is where it begins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    zone: Zone
    meaning: str
    key: tuple[str, ...]
    key_beyond: Annotated[
        tuple[str, ...], Field(description="key beyond zone 1, where that of zone 1 says who somebody is")
    ] = ()
    partition_by: tuple[str, ...] = ()
    part_of: Annotated[
        Literal["archive", "snapshot"], Field(description="where it stands: once, or in each snapshot")
    ] = "archive"
    patient: Annotated[str | None, Field(description="column of zone 1 that says who the patient is")] = None
    further_chi: Annotated[
        str | None, Field(description="column of zone 1 with a CHI number that stands for the patient too")
    ] = None
    event_date: Annotated[str | None, Field(description="column with the date of the event")] = None
    found_by: Annotated[
        tuple[str, ...], Field(description="columns by which rows are found, beside the key; none: most columns")
    ] = ()
    birth_date: Annotated[str | None, Field(description="column of zone 1 with the patient's date of birth")] = None
    stated_age: Annotated[str | None, Field(description="column of zone 1 with the age as it was written down")] = None
    columns: tuple[Column, ...]

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones of the archive that hold the table: what is about patients goes on from zone 1 to zone 2."""
        if self.part_of == "snapshot":
            return ()
        return ("secure", "deidentified") if self.zone == "secure" and self.patient else (self.zone,)

    @property
    def chi_columns(self) -> tuple[str, ...]:
        """The columns of zone 1 that hold CHI numbers."""
        return tuple(c.name for c in self.columns if c.deidentify == "pseudonym" or c.name == self.further_chi)

    def key_in(self, zone: Zone) -> tuple[str, ...]:
        """The columns that name a row in ``zone``."""
        return self.key if zone == "secure" else self.key_beyond or self.key

    @property
    def other_people(self) -> tuple[str, ...]:
        """The columns beyond zone 1 with pseudonyms of others than the patient: a mother's record has her babies'."""
        return tuple(c.name for c in self.in_zone("deidentified") if c.deidentify == "pseudonym")

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns whose text goes on to zone 2 where the vocabulary has it."""
        return tuple(column.name for column in self.columns if column.deidentify == "text")

    def column(self, name: str) -> Column:
        """The column of that name; ConfigError with the nearest name when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise ConfigError(unknown_name(f"schemas/{self.table}.yaml", name, "column", [c.name for c in self.columns]))

    def in_zone(self, zone: Zone) -> tuple[Column, ...]:
        """The columns that the table has in ``zone``, in order; beyond zone 1 patient_id stands for ``patient``."""
        left_behind = None if zone == "secure" else self.patient
        return tuple(column for column in self.columns if column.in_zone(zone) and column.name != left_behind)

    def arrow(self, zone: Zone | None = None) -> "pa.Schema":
        """The Arrow schema of the table in ``zone`` (default: the zone where it begins)."""
        import pyarrow as pa  # 0.1 s, and definitions of cohorts are checked without it

        return pa.schema([pa.field(c.name, c.arrow_type) for c in self.in_zone(zone or self.zone)])

    def spark(self, zone: Zone | None = None) -> "StructType":
        """The Spark schema of the table in ``zone``, each column with its meaning as comment."""
        from pyspark.sql.pandas.types import from_arrow_type  # the header engine loads schemas without Spark
        from pyspark.sql.types import StructField, StructType

        return StructType(
            [
                StructField(c.name, from_arrow_type(c.arrow_type), True, {"comment": c.meaning})
                for c in self.in_zone(zone or self.zone)
            ]
        )

    def tags(self) -> dict[str, str]:
        """Column name → DICOM keyword or path, for the columns that are read from headers."""
        return {c.name: c.tag for c in self.columns if c.tag is not None}


@cache
def load_schema(table: str) -> TableSchema:
    """The schema in ``schemas/<table>.yaml`` (``images``, ``records/smr01``); ConfigError when there is none."""
    path = resources.folder("schemas") / f"{table}.yaml"
    if not path.is_file():
        raise ConfigError(unknown_name("schemas", table, "table", table_names()))
    return read_schema(path)


def read_schema(path: Path) -> TableSchema:
    """The schema in one YAML file, checked."""
    schema = validate(TableSchema, load_yaml(path), str(path))
    names = [column.name.lower() for column in schema.columns]
    for column in schema.columns:
        if names.count(column.name.lower()) > 1:
            raise ConfigError(f"{path}: {column.name} stands twice. Spark does not tell capitals apart: rename one.")
        check_type(column.type)
        if column.deidentify == "text" and column.type != "string":
            raise ConfigError(f"{path}: {column.name} is {column.type}; deidentify: text is for string. Write remove.")
    roles = (schema.patient, schema.further_chi, schema.event_date, schema.birth_date, schema.stated_age)
    described = [name for column in schema.columns for name in (column.describes, column.year_of)]
    made_of = [name for column in schema.columns for name in column.made_of]
    for name in (*schema.key, *schema.key_beyond, *schema.partition_by, *made_of, *filter(None, (*roles, *described))):
        schema.column(name)
    return schema


def table_names() -> list[str]:
    """Every table that has a schema, ``records/…`` included."""
    root = resources.folder("schemas")
    return sorted(str(path.relative_to(root).with_suffix("")) for path in root.rglob("*.yaml"))


def record_tables() -> list[str]:
    """Short names (``smr01``) of the tables of health records: the files in ``schemas/records/``."""
    return [name.removeprefix("records/") for name in table_names() if name.startswith("records/")]


def check_type(text: str) -> None:
    """Raises ConfigError for a ``type`` that no column can have, with the nearest that one can."""
    for inner in _inside(text).values():
        check_type(inner)


def parse_type(text: str) -> "pa.DataType":
    """The Arrow type that a column's ``type`` names.

    >>> parse_type("array<struct<tag:string,offset:long>>")
    ListType(list<element: struct<tag: string, offset: int64>>)
    """
    import pyarrow as pa

    primitives: dict[str, pa.DataType] = {
        "string": pa.string(), "int": pa.int32(), "long": pa.int64(), "double": pa.float64(), "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"), "boolean": pa.bool_(), "binary": pa.binary(),
    }  # fmt: skip
    inside = _inside(text)
    if text in primitives:
        return primitives[text]
    if text.startswith("array<"):
        return pa.list_(pa.field("element", parse_type(inside["element"])))
    return pa.struct([pa.field(name, parse_type(kind)) for name, kind in inside.items()])


def _inside(text: str) -> dict[str, str]:
    """Names and types within a type: none in ``string``, the element of an array, the fields of a struct."""
    if text in _PRIMITIVES:
        return {}
    inner = re.fullmatch(r"(array|struct)<(.*)>", text)
    if inner is None:
        raise ConfigError(unknown_name("schemas", text, "type", [*_PRIMITIVES, "array<…>", "struct<…>"]))
    return {"element": inner[2]} if inner[1] == "array" else dict(re.findall(r"(\w+):((?:[^,<]|<[^>]*>)+)", inner[2]))
