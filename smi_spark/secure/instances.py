"""``secure/instances``: which SOP instances and studies were read, and in which partitions they stand."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.secure.runs import Run

FILE = ("source", "path")
_HASHES: dict[tuple[str, ...], str] = {("SOPInstanceUID",): "instance", ("StudyInstanceUID",): "study", FILE: "file"}


def index_new(spark: SparkSession, config: Config, run: Run) -> None:
    """Headers of runs since the last that ended → ``secure/instances``, where their run is not there yet.

    All headers of a run that was killed are there before the next one comes here, so that a run is there whole.
    """
    is_new = F.col("run_id") > run.since
    headers = tables.read(spark, tables.table(config, "secure/headers")).where(is_new)
    indexed = tables.read_or_empty(spark, _instances(config)).where(is_new).select("run_id").distinct()
    known = [row["run_id"] for row in indexed.collect()]  # runs that were killed, and this one
    tables.append_any(as_index(headers.where(~F.col("run_id").isin(known))), _instances(config))


def index_merged(images: DataFrame, config: Config) -> None:
    """Images merged of several files, which may stand in a partition that none of their headers has."""
    tables.append_any(as_index(images), _instances(config))


def as_index(rows: DataFrame) -> DataFrame:
    """Rows of headers or images in the columns of ``schemas/instances.yaml``."""
    hashes = [_hash(columns).alias(name) for columns, name in _HASHES.items()]
    return rows.select(*hashes, "modality", "year", "run_id")


def contested(spark: SparkSession, config: Config, run: Run) -> DataFrame:
    """SOPInstanceUID of what was read since the last run that ended, where other files seem to hold it too.

    Seem, as hashes say so and an index forgets nothing: those who ask look at the headers.
    """
    index = tables.read(spark, _instances(config)).where("instance IS NOT NULL")
    new = index.where(F.col("run_id") > run.since).groupBy("instance").count()
    known = index.where(F.col("run_id") <= run.since).join(new, "instance", "left_semi").select("instance")
    several = tables.worked_out(new.where("count > 1").select("instance").union(known).distinct())
    headers = tables.read(spark, tables.table(config, "secure/headers")).where(F.col("run_id") > run.since)
    if several.isEmpty():  # on most days: no need to read the headers
        return headers.where(F.lit(False)).select("SOPInstanceUID")
    uids = headers.select("SOPInstanceUID", _hash(["SOPInstanceUID"]).alias("instance"))
    return uids.join(several, "instance", "left_semi").select("SOPInstanceUID").distinct()


def rows_of(spark: SparkSession, config: Config, name: str, keys: DataFrame, by: Sequence[str]) -> DataFrame:
    """Rows of ``secure/headers`` or ``secure/images`` whose ``by`` is among ``keys``.

    by: ``["SOPInstanceUID"]``, ``["StudyInstanceUID"]`` or FILE. No other partitions are read than those that the
    index names.
    """
    rows = tables.read_or_empty(spark, tables.table(config, f"secure/{name}"))
    return rows.where(partitions_of(spark, config, keys, by)).join(keys.select(*by).distinct(), list(by), "left_semi")


def partitions_of(spark: SparkSession, config: Config, keys: DataFrame, by: Sequence[str]) -> Column:
    """The filter on modality and year that finds every row of headers and images whose ``by`` is among ``keys``."""
    years: dict[str, list[int]] = {}
    for modality, year in places_of(spark, config, keys, by).collect():  # one row a partition
        years.setdefault(modality, []).append(year)
    parts = [(F.col("modality") == modality) & F.col("year").isin(sorted(them)) for modality, them in years.items()]
    return reduce(or_, parts, F.lit(False))


def is_indexed(spark: SparkSession, config: Config) -> bool:
    """Whether there is an index. It has all that came through headers."""
    return tables.exists(spark, _instances(config))


def places_of(spark: SparkSession, config: Config, keys: DataFrame, by: Sequence[str]) -> DataFrame:
    """The partitions (modality, year), each once, in which what has one of ``keys`` stands, or stood once."""
    name = _HASHES[tuple(by)]
    hashes = keys.select(_hash(by).alias(name)).distinct()
    index = tables.read_or_empty(spark, _instances(config))
    return index.join(hashes, name, "left_semi").select("modality", "year").distinct()


def within(places: DataFrame) -> Column:
    """The filter that finds all rows of these partitions (modality, year), and those of few others."""
    found = places.distinct().collect()  # one a partition
    return F.col("modality").isin({row["modality"] for row in found}) & F.col("year").isin(
        {row["year"] for row in found}
    )


def _hash(columns: Sequence[str]) -> Column:
    missing = reduce(or_, (F.col(name).isNull() for name in columns))
    return F.when(~missing, F.xxhash64(*columns))


def _instances(config: Config) -> tables.Table:
    return tables.table(config, "secure/instances")
