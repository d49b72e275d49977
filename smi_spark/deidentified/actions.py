"""What becomes of each column of zone 1 in zone 2: the actions that ``schemas/*.yaml`` name."""

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from smi_spark.deidentified.dates import age_in_years, capped_age, years_of_age_string
from smi_spark.deidentified.pseudonyms import Domain
from smi_spark.deidentified.swappers import Swapper
from smi_spark.deidentified.text.vocabulary import NO_TEXTS, TEXT_VERSION, Vocabulary
from smi_spark.schema import Column as SchemaColumn
from smi_spark.schema import TableSchema
from smi_spark.secure.chi import birth_date_of, patient_identity
from smi_spark.secure.people import with_persons

PATIENT_ID = "patient_id"
DOMAINS: dict[str, Domain] = {"pseudonym": "patient", "uid": "uid", "accession": "accession"}


def deidentify(
    df: DataFrame, schema: TableSchema, swapper: Swapper, people: DataFrame | None = None,
    vocabulary: Vocabulary = NO_TEXTS,
) -> DataFrame:  # fmt: skip
    """Rows of zone 1 as zone 2 holds them: exactly the columns that ``schema`` lets through, in its order.

    Each column by its action: ``keep`` and ``date`` as they are; ``date_after_infancy`` likewise, null before the first
    birthday; ``pseudonym`` by the swapper; ``uid`` and ``accession`` by its key, of the columns it is made of where it
    names some; ``age`` in whole years, 90 for 90 and over, from the birth date at the event, else from the stated age;
    ``area`` the letters a postcode begins with; ``text`` where ``vocabulary`` has it, else null; ``remove`` not at all.
    ``patient_id`` is the id of ``schema.patient``, null for who stands for nobody, or has none (``Swapper.provide``);
    ``text_version`` the version of the vocabulary.
    A CHI number that ``people`` (columns of ``schemas/people.yaml``) has stands for its person everywhere.
    Columns that begin in zone 2 and are none of these (labels) stand in ``df`` already.
    Raises KeyFileError in the worker when it has no such key.
    """
    return swap_ids(identified(df, schema, swapper.nobody, people, vocabulary=vocabulary), id_columns(schema), swapper)


def id_columns(schema: TableSchema) -> dict[str, Domain]:
    """The columns of zone 2 that hold ids, each with what they are of."""
    columns = schema.in_zone("deidentified")
    domains = {column.name: DOMAINS[column.deidentify] for column in columns if column.deidentify in DOMAINS}
    return domains if schema.patient is None else domains | {PATIENT_ID: "patient"}


def identified(
    df: DataFrame, schema: TableSchema, nobody: Sequence[str], people: DataFrame | None = None,
    names: Collection[str] | None = None, vocabulary: Vocabulary = NO_TEXTS,
) -> DataFrame:  # fmt: skip
    """Rows of zone 1 in the columns of zone 2 (or those of them in ``names``), before ids become pseudonyms.

    nobody: ids that stand for nobody.
    """
    columns = [column for column in schema.in_zone("deidentified") if names is None or column.name in names]
    plain = df.select(*(_plain(column, schema, nobody, vocabulary).alias(column.name) for column in columns))
    of_patients = [name for name, domain in id_columns(schema).items() if domain == "patient"]
    return plain if people is None else with_persons(plain, people, [n for n in of_patients if n in plain.columns])


def swap_ids(rows: DataFrame, ids: Mapping[str, Domain], swapper: Swapper) -> DataFrame:
    """``rows`` with what the swapper makes of the ids in these columns."""
    others = {name: kind for name, kind in ids.items() if kind != "patient"}
    return swapper.swap(rows, [name for name in ids if name not in others], others)


def identities(df: DataFrame, schema: TableSchema, swapper: Swapper, people: DataFrame | None) -> DataFrame:
    """identity: the people whom rows of zone 1 are about or name (a baby), each once."""
    named = [patient_identity(F.col(column.name), swapper.nobody) for column in schema.columns if _is_patient(column)]
    each = df.select(F.explode(F.array_distinct(F.array_compact(F.array(*named)))).alias("identity")).distinct()
    return each if people is None else with_persons(each, people, ["identity"]).distinct()


def patient_of(schema: TableSchema) -> Column:
    """The column of zone 1 that says who the patient is, as it is written there."""
    return F.col(str(schema.patient))


def postcode_area(postcode: Column) -> Column:
    """The one or two letters that a postcode begins with: ``EH8 9YL`` → ``EH``; null for what is no postcode."""
    return F.nullif(F.regexp_extract(F.upper(F.trim(postcode)), "^([A-Z]{1,2})[0-9]", 1), F.lit(""))


def _is_patient(column: SchemaColumn) -> bool:
    return column.deidentify == "pseudonym"


def _plain(column: SchemaColumn, schema: TableSchema, nobody: Sequence[str], vocabulary: Vocabulary) -> Column:
    """The column before its pseudonyms are made."""
    if column.made_of:
        return F.concat_ws("|", *column.made_of)
    if column.name == PATIENT_ID and schema.patient is not None:
        return patient_identity(patient_of(schema), nobody)
    if column.name == TEXT_VERSION:
        return vocabulary.stamp()
    match column.deidentify:
        case "age":
            return _age(schema)
        case "pseudonym":
            return patient_identity(F.col(column.name), nobody)
        case "area":
            return postcode_area(F.col(column.name))
        case "date_after_infancy":
            return _after_infancy(F.col(column.name), schema)
        case "text":
            return vocabulary.kept(schema.table, column.name)
        case _:
            return F.col(column.name)


def _after_infancy(day: Column, schema: TableSchema) -> Column:
    """``day``, null before the first birthday: by the birth date, and by the digits of each CHI number of the row.

    What begins at birth says when somebody was born; so does, nearly, what begins some days later.
    """
    births = [birth_date_of(F.col(name), day) for name in schema.chi_columns]
    births += [F.col(schema.birth_date)] if schema.birth_date is not None else []
    past = [F.coalesce(day >= F.add_months(birth, 12), F.lit(True)) for birth in births]
    return F.when(reduce(and_, past, F.lit(True)), day)


def _age(schema: TableSchema) -> Column:
    ages = []
    if schema.birth_date is not None and schema.event_date is not None:
        ages.append(age_in_years(F.col(schema.birth_date), F.col(schema.event_date)))
    if schema.stated_age is not None:
        stated = F.col(schema.stated_age)
        ages.append(years_of_age_string(stated) if schema.column(schema.stated_age).type == "string" else stated)
    return capped_age(F.coalesce(*ages))
