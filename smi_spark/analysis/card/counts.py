"""What a card counts: one pass over the images of a snapshot, its records, and the demography of zone 2.

Exact numbers, small ones too: nothing of them leaves before ``contents`` has suppressed what has to be.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import Row

from smi_spark import tables
from smi_spark.analysis.cohort import Cohort
from smi_spark.analysis.delivery import patients_for_project
from smi_spark.analysis.rules import record_schema
from smi_spark.analysis.suppression import ALL, Count
from smi_spark.deidentified.replaced import read_replaced

UNKNOWN = "unknown"
SEXES = {"F": "female", "M": "male"}
# By the first character of codes. Source: HL7 UK Core, code system of ethnic categories in Scotland; 98 is refused, 99
# not known.
ETHNIC_GROUPS = {
    "1": "White", "2": "Mixed or multiple", "3": "Asian", "4": "African", "5": "Caribbean or Black", "6": "Other",
}  # fmt: skip
# Scottish Index of Multiple Deprivation, quintiles of data zones (Scottish Government, SIMD 2020).
QUINTILES = {1: "1, most deprived", 2: "2", 3: "3", 4: "4", 5: "5, least deprived"}
BANDS = (*(f"{start}–{start + 9}" for start in range(0, 90, 10)), "90 and over")
TRAITS = ("sex", "age", "ethnic_group", "deprivation")

_DEMOGRAPHY = "deidentified/records/demography"
_GROUPS = (("modality", "year"), ("modality",), ("year",), ("maker",), ())


@dataclass(frozen=True)
class Filled:
    """Rows of a table, and how many of them have a value, by column."""

    rows: int
    columns: Mapping[str, int]


@dataclass(frozen=True)
class Counts:
    """The counts of one snapshot.

    images: (modality, year), with margins, → images and patients; makers the same by maker. people and population:
    (sex, age band, ethnic group, deprivation) → people; population is none without a demography. linked: table →
    patients with a row. coverage: (table, year) → patients. filled: table → rows and values.
    """

    images: Mapping[tuple[str, str], Count]
    makers: Mapping[str, Count]
    people: Mapping[tuple[str, ...], int]
    population: Mapping[tuple[str, ...], int] | None
    day: date
    linked: Mapping[str, int] = field(default_factory=dict)
    coverage: Mapping[tuple[str, str], int] = field(default_factory=dict)
    filled: Mapping[str, Filled] = field(default_factory=dict)

    @property
    def total(self) -> Count:
        """Images and patients of the cohort."""
        return self.images.get((ALL, ALL), Count(0, 0))

    def by(self, *traits: str, population: bool = False) -> dict[tuple[str, ...], int]:
        """People by some of their traits."""
        found: Counter[tuple[str, ...]] = Counter()
        for key, people in ((self.population or {}) if population else self.people).items():
            found[tuple(key[TRAITS.index(trait)] for trait in traits)] += people
        return dict(found)


def count_cohort(cohort: Cohort) -> Counts:
    """Count what a card tells of a snapshot.

    Four queries, each of which answers with as many rows as there are groups: images by patient, modality, year and
    maker; people with what the demography knows of them, and everybody in it; records by year; values by column.
    """
    with tables.held(_seen(cohort.images)) as seen:
        images, makers = _images_of(seen)
        day = _middle(images)
        people, population = _people_of(cohort, seen, day)
    linked, coverage = _records_of(cohort)
    coverage |= {("images", year): count.people for (modality, year), count in images.items() if year and not modality}
    return Counts(images, makers, people, population, day, linked, coverage, _filled(cohort))


def _seen(images: DataFrame) -> DataFrame:
    """patient_id, modality, year, maker, images, sex, age: one row each of the first four."""
    absent = F.lit(None)
    maker, sex, age = (
        F.col(name) if name in images.columns else absent
        for name in ("manufacturer_label", "PatientSex", "age_at_study")
    )
    year = F.col("year").cast("string").alias("year")
    return images.groupBy("patient_id", "modality", year, maker.cast("string").alias("maker")).agg(
        F.count("*").alias("images"), F.max(sex).cast("string").alias("sex"), F.min(age).cast("int").alias("age")
    )


def _images_of(seen: DataFrame) -> tuple[dict[tuple[str, str], Count], dict[str, Count]]:
    names = ("modality", "year", "maker")
    groups = [[F.col(name) for name in group] for group in _GROUPS]
    rows = seen.groupingSets(groups, *names).agg(
        F.grouping_id().alias("group"), F.sum("images").alias("images"), F.count_distinct("patient_id").alias("people")
    )
    images: dict[tuple[str, str], Count] = {}
    makers: dict[str, Count] = {}
    for row in rows.collect():  # as many as modalities times years
        count = Count(row["images"] or 0, row["people"])
        if row["group"] == 6:  # bits of the columns that are not of the group: modality and year
            makers[row["maker"] or UNKNOWN] = count
        else:
            year = {"0": UNKNOWN}.get(row["year"], row["year"])
            images[row["modality"] or ALL, year or ALL] = count
    return images, makers


def _middle(images: Mapping[tuple[str, str], Count]) -> date:
    """1 July of the year by which half of the images were made: the day on which the population is counted."""
    years = sorted((year, count.value) for (modality, year), count in images.items() if not modality and year.isdigit())
    half, passed = sum(count for _, count in years) / 2, 0
    for year, count in years:
        passed += count
        if passed >= half:
            return date(int(year), 7, 1)
    return date(2000, 7, 1)


def _people_of(
    cohort: Cohort, seen: DataFrame, day: date
) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int] | None]:
    patients = seen.groupBy("patient_id").agg(F.max("sex").alias("sex"), F.min("age").alias("age"))
    traits = [_label(SEXES, "sex").alias("sex"), _band(F.col("age")).alias("age")]
    spark, source = cohort.spark, tables.table(cohort.config, _DEMOGRAPHY)
    if not tables.exists(spark, source):
        alone = patients.select(*traits, F.lit(UNKNOWN).alias("ethnic_group"), F.lit(UNKNOWN).alias("deprivation"))
        return _tally(alone.groupBy(*TRAITS).count().collect()), None
    pinned = dict(cohort.entry.inputs).get(source.name)
    replaced = read_replaced(spark, cohort.config, [source])
    with tables.held(_persons(tables.read(spark, source, pinned), day)) as persons:
        known = persons.select("patient_id", "ethnic_group", "deprivation")
        mine = patients_for_project(known, cohort.config.keys.projects, cohort.entry.project, replaced)
        theirs = patients.join(mine, "patient_id", "left").select(
            F.lit(True).alias("in_cohort"), *traits, *(_known(name) for name in TRAITS[2:])
        )
        everybody = persons.where("is_resident").select(
            F.lit(False).alias("in_cohort"), *traits, *(_known(name) for name in TRAITS[2:])
        )
        rows = theirs.unionByName(everybody).groupBy("in_cohort", *TRAITS).count().collect()  # as many as traits
    return _tally(row for row in rows if row["in_cohort"]), _tally(row for row in rows if not row["in_cohort"])


def _persons(demography: DataFrame, day: date) -> DataFrame:
    """patient_id, sex, age on the day, ethnic_group, deprivation, is_resident: one row a person, by their newest rows.

    is_resident: has a number on that day, is not dead by then, nor gone from the country's practices.
    """
    # Null is the least: a period that begins in infancy is the first, and one that lasts (no DATE_TO) the last.
    order = F.struct("DATE_FROM", F.col("DATE_TO").isNull(), "DATE_TO")

    def newest(value: Column) -> Column:
        return F.max_by(value, F.when(value.isNotNull(), order))

    have = demography.columns
    group, quintile = (F.col(name) if name in have else F.lit(None) for name in ("ETHNIC_GROUP", "SIMD_QUINTILE"))
    sex = F.when(F.col("SEX") == "1", "M").when(F.col("SEX") == "2", "F")
    later = F.floor(F.months_between(F.lit(day), F.col("DATE_FROM")) / 12).cast("int")
    left = F.min(F.least("DATE_OF_DEATH", "DATE_TRANSFER_OUT"))
    begun, lasts = (
        F.coalesce(condition, F.lit(True))
        for condition in (F.col("DATE_FROM") <= F.lit(day), F.col("DATE_TO") >= F.lit(day))
    )
    persons = demography.groupBy("patient_id").agg(
        newest(sex).alias("sex"),
        newest(F.col("age_at_event") + later).alias("age"),
        newest(_group_of(group.cast("string"))).alias("ethnic_group"),
        newest(_label_of(QUINTILES, quintile.cast("int"))).alias("deprivation"),
        left.alias("left"),
        F.max(begun & lasts).alias("is_registered"),
    )
    stays = F.col("left").isNull() | (F.col("left") > F.lit(day))
    return persons.withColumn("is_resident", F.col("is_registered") & stays)


def _records_of(cohort: Cohort) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    parts = []
    for name, rows in cohort.records.items():
        event_date = str(record_schema(name).event_date)
        year = F.year(event_date).cast("string") if event_date in rows.columns else F.lit(None)
        parts.append(rows.select(F.lit(name).alias("table"), year.cast("string").alias("year"), "patient_id"))
    if not parts:
        return {}, {}
    groups = [[F.col("table"), F.col("year")], [F.col("table")]]
    grouped = reduce(DataFrame.unionAll, parts).groupingSets(groups, "table", "year")
    counted = grouped.agg(F.grouping("year").alias("all"), F.count_distinct("patient_id").alias("people")).collect()
    linked = dict.fromkeys(cohort.records, 0) | {row["table"]: row["people"] for row in counted if row["all"]}
    years = {(row["table"], row["year"]): row["people"] for row in counted if not row["all"] and row["year"]}
    return linked, years


def _filled(cohort: Cohort) -> dict[str, Filled]:
    sources = {"images": cohort.images} | {f"records/{name}": rows for name, rows in cohort.records.items()}
    rows = reduce(DataFrame.unionAll, (_filled_of(name, rows) for name, rows in sources.items())).collect()
    return {row["table"]: Filled(row["rows"], {one["column"]: one["filled"] for one in row["columns"]}) for row in rows}


def _filled_of(name: str, rows: DataFrame) -> DataFrame:
    """One row: table, rows, columns (column, filled)."""
    each = (F.struct(F.lit(column).alias("column"), F.count(column).alias("filled")) for column in rows.columns)
    return rows.agg(F.lit(name).alias("table"), F.count("*").alias("rows"), F.array(*each).alias("columns"))


def _band(age: Column) -> Column:
    bands = F.array(*map(F.lit, BANDS))
    decade = F.least(F.floor(age / 10), F.lit(9)).cast("int")
    return F.when(age >= 0, F.get(bands, decade)).otherwise(F.lit(UNKNOWN))


def _label(labels: Mapping[str, str], name: str) -> Column:
    return F.coalesce(_label_of(labels, F.col(name)), F.lit(UNKNOWN))


def _label_of(labels: Mapping[str, str] | Mapping[int, str], value: Column) -> Column:
    """The label of a value; null for one that has none."""
    return F.coalesce(*(F.when(value == known, label) for known, label in labels.items()))


def _group_of(code: Column) -> Column:
    return _label_of(ETHNIC_GROUPS, F.substring(code, 1, 1))


def _known(name: str) -> Column:
    return F.coalesce(name, F.lit(UNKNOWN)).alias(name)


def _tally(rows: Iterable[Row]) -> dict[tuple[str, ...], int]:
    return {tuple(row[name] for name in TRAITS): row["count"] for row in rows}
