"""Texts that zone 2 may have: the versions of the vocabulary that were adopted, and what is left of a column by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.pseudonyms import in_worker, map_distinct
from smi_spark.schema import TableSchema, load_schema

VOCABULARY = "secure/vocabulary"
TEXT_VERSION = "text_version"  # column of zone 2
PADDING = " \t\n\v\f\r\0"  # at both ends of a text it says nothing; capitals and spaces within do

_Place = tuple[str, str]


@dataclass(frozen=True)
class Vocabulary:
    """The texts of a version, by table (``images``) and column, as they are written, without padding.

    version: 0 for none that was adopted, which has no texts.
    """

    version: int = 0
    texts: Mapping[_Place, frozenset[str]] = field(default_factory=dict)

    def kept(self, table: str, column: str) -> Column:
        """The column (string) without its padding where the version has the text; else null."""
        texts = self.texts.get((table, column))
        return _among(texts)(F.col(column)) if texts else F.lit(None).cast("string")

    def judge(self) -> Callable[[str, str], str | None]:
        """Which texts of images' data sets may stay, as ``Replacements.text`` of a profile asks: (keyword, text) → the
        text without its padding where the version has it in the column of that element; else None.
        """
        of_keyword = {load_schema("images").column(name).tag: texts for (table, name), texts in self.texts.items()
                      if table == "images"}  # fmt: skip

        def kept(keyword: str, text: str) -> str | None:
            bare = text.strip(PADDING)
            return bare if bare in of_keyword.get(keyword, ()) else None

        return kept

    def stamp(self) -> Column:
        """``text_version`` of rows that are made by this version; null for none."""
        return F.lit(self.version or None).cast("int")

    def occurs(self, schema: TableSchema) -> Column:
        """Whether a row of zone 1 has any of the texts."""
        found = [self.kept(schema.table, name).isNotNull() for name in schema.text_columns]
        return reduce(or_, found, F.lit(False))


NO_TEXTS = Vocabulary()


def read_vocabulary(spark: SparkSession, config: Config, version: int | None = None) -> Vocabulary:
    """A version of the vocabulary (default: the newest that was adopted); ``NO_TEXTS`` for 0, and where none was.

    The driver holds it, as it would to broadcast it: some 100,000 texts of an archive. They travel with the functions
    that ``kept`` makes, so that no row of images is shuffled for them.
    """
    source = tables.table(config, VOCABULARY)
    if version == 0 or not tables.exists(spark, source):
        return NO_TEXTS
    adopted = tables.read(spark, source)
    wanted = version or int(adopted.agg(F.max("version")).collect()[0][0])
    texts: dict[_Place, set[str]] = {}
    for table, column, text in adopted.where(F.col("version") == wanted).select("table", "column", "text").collect():
        texts.setdefault((table, column), set()).add(text)
    return Vocabulary(wanted, {place: frozenset(found) for place, found in texts.items()})


def differing(versions: Sequence[Vocabulary]) -> Vocabulary:
    """The texts that some of the versions have, and not all."""
    texts = {}
    for place in {place for version in versions for place in version.texts}:
        of_each = [version.texts.get(place, frozenset()) for version in versions]
        texts[place] = frozenset.union(*of_each) - frozenset.intersection(*of_each)
    return Vocabulary(texts=texts)


def without_padding(text: Column) -> Column:
    """A text as it is compared; null for one of padding alone."""
    return F.nullif(F.btrim(text, F.lit(PADDING)), F.lit(""))


def _among(texts: frozenset[str]) -> Callable[[Column], Column]:
    def known(value: str) -> str | None:
        text = value.strip(PADDING)
        return text if text in texts else None

    def all_known(values: "pa.Array[Any]") -> "pa.Array[Any]":
        return map_distinct(values, known, pa.string())

    return in_worker(all_known, "string")
