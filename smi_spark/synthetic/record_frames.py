"""Rows of records of the tables-only archive: some at any time, some that come with a study.

A death does not end what else the person has: no row looks at another.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from smi_spark.synthetic.draws import Draws
from smi_spark.synthetic.image_frames import study_frame
from smi_spark.synthetic.person_columns import age, patient_id, sex
from smi_spark.synthetic.quotas import Plan
from smi_spark.synthetic.rates import Link, Record
from smi_spark.synthetic.records import DRUGS

TABLES = ("smr01", "smr02", "smr04", "ae", "prescribing", "smr06", "deaths")

_MOST = 1_000  # events of a person of which each has a number of its own
_BOARDS = {"S08000015": 0.25, "S08000020": 0.25, "S08000024": 0.25, "S08000031": 0.25}


def record_frame(spark: SparkSession, plan: Plan, table: str) -> DataFrame:
    """Rows of ``deidentified/records/<table>``: the columns of its schema that are filled, and some more."""
    record: Record = getattr(plan.rates.records, table)
    rows = reduce(
        DataFrame.unionByName, _with_studies(spark, plan, table, record), _at_any_time(spark, plan, table, record)
    )
    described = rows.withColumns(
        {
            "patient_id": patient_id(plan, F.col("person")),
            "age_at_event": age(plan, F.col("person"), F.col("day")),
            "SEX": F.when(sex(plan, F.col("person")) == "M", "1").otherwise("2"),
        }
    )
    return _COLUMNS[table](plan, described)


def expected_rows(plan: Plan, table: str) -> int:
    """About how many rows ``record_frame`` has, without those that come with studies."""
    record: Record = getattr(plan.rates.records, table)
    return round(plan.population.count * record.each_year.value * plan.rates.years.count)


def _at_any_time(spark: SparkSession, plan: Plan, table: str, record: Record) -> DataFrame:
    """Of every person the same number on the mean: person, event (a number of its own), day, code, operation."""
    draws, years = Draws(plan.seed), plan.rates.years
    least, most = record.repeats.items if record.repeats else (1, 1)
    apart = record.repeats.days_apart if record.repeats else 0
    mean = record.each_year.value * years.count / ((least + most) / 2)
    people = spark.range(plan.population.count).withColumnRenamed("id", "person")
    begun = _repeated(people, _count(draws, table, mean, F.col("person")), "course").where(F.col("course") < _MOST)
    course = F.col("person") * _MOST + F.col("course")
    drawn = begun.select(
        "person",
        course.alias("course"),
        draws.number(f"{table} begins", years.days, course).alias("begins"),
        draws.chosen(f"{table} code", record.codes.shares, course).alias("code"),
    )
    items = least + draws.number(f"{table} items", most - least + 1, F.col("course"))
    rows = _repeated(drawn, items, "item").withColumn("after", F.col("begins") + F.col("item") * apart)
    return rows.where(F.col("after") < years.days).select(
        "person",
        (F.col("course") * _MOST + F.col("item")).alias("event"),
        F.date_add(F.lit(date(years.first, 1, 1)), F.col("after").cast("int")).alias("day"),
        "code",
        F.lit(None).cast("string").alias("operation"),
    )


def _with_studies(spark: SparkSession, plan: Plan, table: str, record: Record) -> Iterator[DataFrame]:
    """The rows of each link, columns as of ``_at_any_time``; their events are below 0, so that no other has them."""
    for place, link in enumerate(record.links):
        batches = [batch for batch in plan.batches if batch.kind == link.modality]
        if batches:
            studies = study_frame(spark, plan, batches, sum(batch.images for batch in batches))
            event = -(F.col("study") * len(record.links) + place) - 1
            yield _linked(plan, f"{table} link {place}", record, link, studies).withColumn("event", event).drop("study")


def _linked(plan: Plan, what: str, record: Record, link: Link, studies: DataFrame) -> DataFrame:
    """A row for a share of the studies that the link means: study, person, day, code, operation."""
    draws, study = Draws(plan.seed), F.col("study")
    happens = draws.happens(what, link.share, study)
    if link.body_part:
        happens = happens & (F.col("body_part_label") == link.body_part)
    first, last = link.days
    days = (first + draws.number(f"{what} day", last - first + 1, study)).cast("int")
    code = F.lit(link.code) if link.code else draws.chosen(f"{what} code", record.codes.shares, study)
    operation = F.lit(link.operation).cast("string").alias("operation")
    return studies.where(happens).select(
        "study", "person", F.date_add("StudyDate", days).alias("day"), code.alias("code"), operation
    )


def _count(draws: Draws, table: str, mean: float, person: Column) -> Column:
    """How many (long) a person has: about as many whole ones, evenly spread, and one more as often as the rest says."""
    whole = int(mean)
    one_more = draws.happens(f"{table} one more", mean - whole, person).cast("long")
    return draws.number(f"{table} count", 2 * whole + 1, person) + one_more


def _repeated(rows: DataFrame, times: Column, name: str) -> DataFrame:
    """Each row so many times, numbered from 0 in the column ``name`` (long); none where that is 0."""
    numbers = F.when(times > 0, F.sequence(F.lit(0).cast("long"), times - 1))
    return rows.withColumn(name, F.explode(numbers))


def _smr01(plan: Plan, rows: DataFrame) -> DataFrame:
    draws, event = Draws(plan.seed), F.col("event")
    stay = draws.chosen("stay", {0: 0.35, 1: 0.2, 2: 0.15, 4: 0.15, 9: 0.1, 21: 0.05}, event)
    placed = rows.withColumn("LENGTH_OF_STAY", stay)
    return placed.withColumns(
        {
            "URI": draws.hexadecimal("smr01", event),
            "ADMISSION_DATE": F.col("day"),
            "DISCHARGE_DATE": F.date_add("day", F.col("LENGTH_OF_STAY")),
            "HBTREAT_CURRENTDATE": draws.chosen("board", _BOARDS, event),
            "SPECIALTY": draws.chosen("specialty", {"A1": 0.4, "C8": 0.2, "C11": 0.2, "A8": 0.2}, event),
            "INPATIENT_DAYCASE_IDENTIFIER": F.when(F.col("LENGTH_OF_STAY") > 0, "I").otherwise("D"),
            "MAIN_CONDITION": F.col("code"),
            "OTHER_CONDITION_1": draws.chosen("further", plan.rates.records.smr01.codes.shares, event),
            "MAIN_OPERATION": F.col("operation"),
        }
    )


def _smr02(plan: Plan, rows: DataFrame) -> DataFrame:
    draws, event = Draws(plan.seed), F.col("event")
    return rows.where(sex(plan, F.col("person")) == "F").withColumns(
        {
            "EPISODE_RECORD_KEY": draws.hexadecimal("smr02", event),
            "ADMISSION_DATE": F.col("day"),
            "DATE_OF_DELIVERY": F.date_add("day", draws.number("delivered", 2, event).cast("int")),
            "NUM_OF_BIRTHS_THIS_PREGNANCY": draws.chosen("births", {1: 0.985, 2: 0.015}, event),
            "MAIN_CONDITION": F.col("code"),
        }
    )


def _smr04(plan: Plan, rows: DataFrame) -> DataFrame:
    return rows.withColumns(
        {
            "URI": Draws(plan.seed).hexadecimal("smr04", F.col("event")),
            "ADMISSION_DATE": F.col("day"),
            "MAIN_CONDITION": F.col("code"),
        }
    )


def _ae(plan: Plan, rows: DataFrame) -> DataFrame:
    draws, event = Draws(plan.seed), F.col("event")
    minutes = draws.number("arrived", 24 * 60, event)
    hour, minute = (F.lpad(part.cast("string"), 2, "0") for part in (F.floor(minutes / 60), minutes % 60))
    return rows.withColumns(
        {
            "LOCATION": draws.chosen("location", {"G405H": 0.4, "S314H": 0.3, "T101H": 0.3}, event),
            "ARRIVAL_DATE": F.col("day"),
            "ARRIVAL_TIME": F.concat(hour, F.lit(":"), minute),
            "CASE_REFERENCE_NUMBER": draws.hexadecimal("ae", event),
            "DISEASE_1_CODE": F.col("code"),
        }
    )


def _prescribing(plan: Plan, rows: DataFrame) -> DataFrame:
    draws, event, code = Draws(plan.seed), F.col("event"), F.col("code")
    return rows.withColumns(
        {
            "PRESCRIPTION_ITEM_ID": draws.hexadecimal("prescribing", event),
            "PRESCRIBED_DATE": F.col("day"),
            "DISPENSED_DATE": F.date_add("day", draws.number("dispensed", 6, event).cast("int")),
            "PI_BNF_ITEM_CODE": _drug(code, 0),
            "PI_APPROVED_NAME": _drug(code, 1),
            "NUMBER_OF_PAID_ITEMS": F.lit(1),
            "PAID_QUANTITY": draws.chosen("quantity", {28.0: 0.4, 56.0: 0.4, 84.0: 0.2}, event),
        }
    )


def _smr06(plan: Plan, rows: DataFrame) -> DataFrame:
    draws, event = Draws(plan.seed), F.col("event")
    in_order = Window.partitionBy("person").orderBy("day", "event")
    return rows.withColumns(
        {
            "PE_PATIENT_ID": draws.hexadecimal("smr06", F.col("person")),
            "TUMOUR_NO": F.row_number().over(in_order),
            "INCIDENCE_DATE": F.col("day"),
            "ICD10S_CANCER_SITE": F.col("code"),
            "TYPE_ICDO3": draws.chosen("morphology", {"8500/3": 0.3, "8140/3": 0.5, "8070/3": 0.2}, event),
            "DEATH_CERTIFICATE_ONLY": F.lit("0"),
        }
    )


def _deaths(plan: Plan, rows: DataFrame) -> DataFrame:
    draws, event = Draws(plan.seed), F.col("event")
    return rows.withColumns(
        {
            "REGISTRATION_DISTRICT": draws.chosen("district", {"602": 0.4, "734": 0.3, "151": 0.3}, event),
            "YEAR_OF_REGISTRATION": F.year("day"),
            "ENTRY_NUMBER": draws.hexadecimal("deaths", event),
            "DATE_OF_DEATH": F.col("day"),
            "UNDERLYING_CAUSE_OF_DEATH": F.col("code"),
            "CAUSE_OF_DEATH_CODE_0": F.col("code"),
        }
    )


def _drug(code: Column, part: int) -> Column:
    """The whole BNF code (0) or the approved name (1) of the drug whose code begins so."""
    names: Sequence[Column] = [F.when(code == start, names[part]) for start, names in DRUGS.items()]
    return F.coalesce(*names)


_COLUMNS: dict[str, Callable[[Plan, DataFrame], DataFrame]] = {
    "smr01": _smr01,
    "smr02": _smr02,
    "smr04": _smr04,
    "ae": _ae,
    "prescribing": _prescribing,
    "smr06": _smr06,
    "deaths": _deaths,
}
