"""The review of free text: what of zone 1 may go on to zone 2, what may not and why, and the adoption of a version."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import Row

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.text.candidates import count_people, judged, numbered
from smi_spark.deidentified.text.rules import site_rules
from smi_spark.deidentified.text.scan import masked
from smi_spark.deidentified.text.vocabulary import VOCABULARY
from smi_spark.errors import InputError, TableError, unknown_name
from smi_spark.lease import lease
from smi_spark.run import new_run_id
from smi_spark.schema import TableSchema, load_schema, record_tables
from smi_spark.secure.people import read_people
from smi_spark.secure.recomputed import put_changed

REVIEW = "secure/text_review"
LEASE = "vocabulary"
_TEXT = ("table", "column", "text")


@dataclass(frozen=True)
class Review:
    """How many texts of each column pass, how many fail for each reason, and the failures that most people have."""

    passing: dict[str, int]
    failing: dict[tuple[str, str], int]
    failures: tuple[Row, ...]

    def __str__(self) -> str:
        lines = [f"{sum(self.passing.values()):,} texts pass. All are in {REVIEW} of zone 1, with why others do not:"]
        for column in sorted({*self.passing, *(column for column, _ in self.failing)}):
            reasons = [f"{reason} {count:,}" for (of, reason), count in self.failing.items() if of == column]
            lines.append(f"  {column}: {self.passing.get(column, 0):,} pass; fail: {', '.join(reasons) or 'none'}")
        if self.failures:
            lines.append("the failures that most people have (number, column, reasons, people, shape):")
        for row in self.failures:
            found = ", ".join(row["reasons"])
            lines.append(f"  {row['number']}  {row['place']}  {found}  {row['patients']:,}  {row['shape']}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Adopted:
    """A version of the vocabulary: its texts, how many came and went with it; none of either where it was there."""

    version: int
    texts: int
    came: int = 0
    went: int = 0

    def __str__(self) -> str:
        if not self.came and not self.went:
            return f"version {self.version} of the vocabulary is already this: {self.texts:,} texts"
        return (
            f"version {self.version} of the vocabulary adopted: {self.texts:,} texts, {self.came:,} new, "
            f"{self.went:,} gone. The next pseudonymise brings zone 2 up to it."
        )


def review_texts(spark: SparkSession, config: Config, *, column: str | None = None, most: int = 20) -> Review:
    """Put ``secure/text_review`` as zone 1 and the rules are now; gives its sums.

    column: the column whose failures are listed (default: all); ``most``: how many of these. One commit, and none where
    nothing changed. Raises TableError where zone 1 has no table with free text, ConfigError for rules that do not read,
    InputError for a column that has no free text, BusyError while another run reviews or adopts.
    """
    known = sorted({name for schema in _schemas() for name in schema.text_columns})
    if column is not None and column not in known:
        raise InputError(unknown_name("--column", column, "column of free text", known))
    with lease(config.zone("secure"), LEASE, new_run_id()):
        rules = site_rules(config)
        found = numbered(judged(_counted(spark, config), config.text.least_patients, rules))
        with tables.held(found) as held:
            put_changed(held, tables.table(config, REVIEW))
            return _summed(held, column, most)


def adopt(spark: SparkSession, config: Config, by: str) -> Adopted:
    """Take the texts that passed the last review as the next version of the vocabulary; ``by`` is who does it.

    One commit; none where the newest version has these texts and no others.
    Raises TableError where nothing was reviewed, InputError where nothing passed, or where settings or rules have
    changed since so that not all would pass now, and BusyError while another run reviews or adopts.
    """
    run_id = new_run_id()
    with lease(config.zone("secure"), LEASE, run_id):
        candidate = tables.read(spark, tables.table(config, REVIEW)).where("passes")
        count = candidate.count()
        if not count:
            raise InputError(f"{REVIEW} has no text that passes. Look at the reasons there, and review again.")
        now = judged(candidate, config.text.least_patients, site_rules(config))
        if not now.where(F.size("reasons") > 0).isEmpty():
            raise InputError("Rules or settings have changed since the review, and not all would pass. Review again.")
        target = tables.table(config, VOCABULARY)
        adopted = tables.read_or_empty(spark, target)
        version = adopted.agg(F.max("version")).collect()[0][0] or 0
        before = adopted.where(F.col("version") == version).select(*_TEXT)
        came = candidate.join(before, list(_TEXT), "left_anti").count()
        went = before.join(candidate, list(_TEXT), "left_anti").count()
        if not came and not went:
            return Adopted(version, count)
        stamps = {"version": F.lit(version + 1), "adopted_at": F.current_timestamp(), "adopted_by": F.lit(by),
                  "run_id": F.lit(run_id)}  # fmt: skip
        tables.append(tables.completed(candidate.select(*_TEXT, "patients"), target, **stamps), target)
        return Adopted(version + 1, count, came, went)


def _counted(spark: SparkSession, config: Config) -> DataFrame:
    """The texts of all tables with free text that two people have or more."""
    sources = [tables.table(config, f"secure/{schema.table}") for schema in _schemas()]
    there = [source for source in sources if tables.exists(spark, source)]
    if not there:
        raise TableError(f"Zone 1 in {config.zone('secure')} has no table with free text. Ingest images first.")
    numbers, rules = read_people(spark, config).numbers, site_rules(config)
    nobody = config.pseudonyms.nobody
    counted = [count_people(tables.read(spark, source), source.schema, numbers, rules, nobody) for source in there]
    return reduce(DataFrame.union, counted).where("patients > 1")


def _schemas() -> list[TableSchema]:
    """The tables of zone 1 with free text. Series and studies have theirs from images."""
    schemas = [load_schema(name) for name in ("images", *(f"records/{name}" for name in record_tables()))]
    return [schema for schema in schemas if schema.text_columns]


def _summed(review: DataFrame, column: str | None, most: int) -> Review:
    place = F.concat_ws(".", "table", "column")
    reasons = review.select(place.alias("place"), F.explode_outer("reasons").alias("reason"))
    counted = reasons.groupBy("place", "reason").count().orderBy("place", "reason")
    counts = counted.collect()  # as many as columns and reasons
    failures = review.where(~F.col("passes") & F.col("number").isNotNull())
    if column is not None:
        failures = failures.where(F.col("column") == column)
    shape = masked(F.array_join("parts", "; ")).alias("shape")
    top = failures.orderBy("number").limit(most).select("number", place.alias("place"), "reasons", "patients", shape)
    return Review(
        {row["place"]: row["count"] for row in counts if row["reason"] is None},
        {(row["place"], row["reason"]): row["count"] for row in counts if row["reason"] is not None},
        tuple(top.collect()),
    )
