"""Rows of studies, series and images of the tables-only archive: each a column function of the seed and of its number.

One leads to the next: a study holds its series, a series how many images it has. So the roll-ups are not worked out of
the images, and are what they would be.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.synthetic.draws import Draws
from smi_spark.synthetic.person_columns import age, patient_id, person_of_study, sex
from smi_spark.synthetic.quotas import Batch, Plan
from smi_spark.synthetic.rates import Shares

_HEADER = 2_048  # bytes at most
_SERIES = "array<struct<number:int,modality:string,images:long,before:long>>"


def study_frame(spark: SparkSession, plan: Plan, batches: Sequence[Batch], rows_in_part: int) -> DataFrame:
    """One row a study of the ``batches``, ``series`` (array of number, modality, images) with it.

    Partitions are of one batch and of about ``rows_in_part`` images, in the order of StudyInstanceUID.
    """
    cycles = reduce(DataFrame.unionByName, (_cycles(spark, plan, batch, rows_in_part) for batch in batches))
    rows = cycles.join(F.broadcast(_patterns(spark, plan)), "kind").withColumn("series", _cut(F.col("planned")))
    return _described(plan, rows.where(F.size("series") > 0))


def series_frame(plan: Plan, studies: DataFrame) -> DataFrame:
    """One row a series of ``studies`` (as of ``study_frame``), ``image_count`` (long) with it."""
    draws = Draws(plan.seed)
    rows = studies.withColumn("one", F.explode("series")).withColumns(
        {
            "modality": F.col("one.modality"),
            "SeriesNumber": F.col("one.number").cast("long"),
            "image_count": F.col("one.images"),
        }
    )
    of = (F.col("study"), F.col("SeriesNumber"))
    return rows.drop("series", "one").withColumns(
        {
            "SeriesInstanceUID": draws.uid("series", *of),
            "SliceThickness": _thickness(plan, *of),
            "MRAcquisitionType": _acquisition(plan, *of),
            "mr_sequence_label": _sequence(plan, F.col("modality"), *of),
            "ImageType": _image_type(),
            "file_size": _pixels(plan) + draws.number("header", _HEADER, *of),
        }
    )


def image_frame(plan: Plan, series: DataFrame) -> DataFrame:
    """One row an image of ``series`` (as of ``series_frame``), sorted by study within each partition."""
    images = series.withColumn("InstanceNumber", F.explode(F.sequence(F.lit(1).cast("long"), "image_count")))
    # By the partition's columns first, or the writer would sort all columns of the table.
    ordered = images.sortWithinPartitions("modality", "year", "StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber")
    of = ("study", "SeriesNumber", "InstanceNumber")
    return ordered.withColumn("SOPInstanceUID", Draws(plan.seed).uid("image", *map(F.col, of)))


def rolled_up_studies(plan: Plan, studies: DataFrame) -> DataFrame:
    """``studies`` (as of ``study_frame``) in the columns of ``schemas/studies.yaml``, in zone 2."""
    series = F.col("series")
    modalities = F.array_sort(F.array_distinct(F.transform(series, lambda one: one["modality"])))
    sequences = F.transform(series, lambda one: _sequence(plan, one["modality"], F.col("study"), one["number"]))
    most = F.array_min(F.transform(modalities, lambda name: F.struct(-_images(series, name), name.alias("name"))))
    return studies.withColumns(
        {
            "modality": most["name"],
            "modalities": modalities,
            "body_part_labels": F.array("body_part_label"),
            "mr_sequence_labels": F.array_sort(F.array_distinct(F.filter(sequences, lambda label: label.isNotNull()))),
            "series_count": F.size(series).cast("long"),
            "image_count": _images(series),
        }
    )


def _cycles(spark: SparkSession, plan: Plan, batch: Batch, rows_in_part: int) -> DataFrame:
    """How often the pattern comes in a batch: ``left`` is how many images this cycle and those behind it have."""
    pattern = plan.patterns[batch.kind]
    count = -(-batch.images // pattern.images)
    first = date(batch.year, 1, 1)
    cycle = F.col("id")
    return spark.range(0, count, 1, min(count, -(-batch.images // rows_in_part))).select(
        F.lit(batch.kind).alias("kind"),
        F.lit(batch.year).alias("year"),
        F.lit(first).alias("first_day"),
        F.lit((date(batch.year + 1, 1, 1) - first).days).alias("days"),
        (cycle * len(pattern.studies)).alias("first_place"),
        F.lit(batch.first).alias("first_study"),
        F.lit(batch.studies).alias("places"),
        (batch.images - cycle * pattern.images).alias("left"),
    )


def _patterns(spark: SparkSession, plan: Plan) -> DataFrame:
    rows = [
        (kind, place, [(one.number, one.modality, one.images, one.before) for one in study])
        for kind, pattern in plan.patterns.items()
        for place, study in enumerate(pattern.studies)
    ]
    return spark.createDataFrame(rows, f"kind string, place long, planned {_SERIES}")


def _described(plan: Plan, rows: DataFrame) -> DataFrame:
    draws, study, modalities = Draws(plan.seed), F.col("study"), plan.rates.modalities
    body_parts = {kind: modality.body_parts.shares for kind, modality in modalities.items()}
    makers = {kind: modality.makers.shares for kind, modality in modalities.items()}
    place = F.col("first_place") + F.col("place")
    placed = rows.withColumns({"study": F.col("first_study") + place, "place": place})
    drawn = placed.select(
        "study",
        "series",
        "kind",
        "year",
        F.date_add("first_day", draws.number("day", F.col("days"), study).cast("int")).alias("StudyDate"),
        person_of_study(plan, study).alias("person"),
        draws.ascending_uid("study", F.col("place"), F.col("places"), study).alias("StudyInstanceUID"),
        draws.hexadecimal("accession", study).alias("AccessionNumber"),
        _by_kind(draws, "body part", body_parts, F.col("kind"), study).alias("body_part_label"),
        _by_kind(draws, "maker", makers, F.col("kind"), study).alias("manufacturer_label"),
    )
    person = F.col("person")
    return drawn.withColumns(
        {
            "patient_id": patient_id(plan, person),
            "PatientSex": sex(plan, person),
            "age_at_study": age(plan, person, F.col("StudyDate")),
        }
    )


def _cut(planned: Column) -> Column:
    """The series of which images are left, the last one shortened to them."""
    left = F.col("left")

    def shortened(one: Column) -> Column:
        return F.struct(
            one["number"].alias("number"),
            one["modality"].alias("modality"),
            F.least(one["images"], left - one["before"]).alias("images"),
        )

    return F.transform(F.filter(planned, lambda one: one["before"] < left), shortened)


def _images(series: Column, modality: Column | None = None) -> Column:
    """How many images (long) the series have, or those of a modality."""

    def counted(one: Column) -> Column:
        return one["images"] if modality is None else F.when(one["modality"] == modality, one["images"]).otherwise(0)

    return F.aggregate(series, F.lit(0).cast("long"), lambda total, one: total + counted(one))


def _thickness(plan: Plan, *of: Column) -> Column:
    """mm; null where images of the modality are no slices."""
    sliced = {kind: modality.slice_thickness for kind, modality in plan.rates.modalities.items()}
    return _of_some(plan, "thickness", sliced, F.col("modality"), *of)


def _acquisition(plan: Plan, *of: Column) -> Column:
    acquired = {kind: modality.acquisitions for kind, modality in plan.rates.modalities.items()}
    return _of_some(plan, "acquisition", acquired, F.col("modality"), *of)


def _sequence(plan: Plan, modality: Column, *of: Column) -> Column:
    labelled = {kind: modality.sequences for kind, modality in plan.rates.modalities.items()}
    return _of_some(plan, "sequence", labelled, modality, *of)


def _image_type() -> Column:
    """Of CT: the first series of a study is the scout."""
    flavour = F.when(F.col("SeriesNumber") == 1, "LOCALIZER").otherwise("AXIAL")
    return F.when(F.col("modality") == "CT", F.array(F.lit("ORIGINAL"), F.lit("PRIMARY"), flavour))


def _of_some(plan: Plan, what: str, rates: Mapping[str, Shares[Any] | None], kind: Column, *of: Column) -> Column:
    """What is drawn by the rates of the row's kind; null for a kind without."""
    shares = {name: one.shares for name, one in rates.items() if one}
    return _by_kind(Draws(plan.seed), what, shares, kind, *of) if shares else F.lit(None).cast("string")


def _pixels(plan: Plan) -> Column:
    """Bytes (long) of an image's pixels by the modality of its series."""
    sizes = {kind: round(modality.file_size.value) for kind, modality in plan.rates.modalities.items()}
    return F.coalesce(*(F.when(F.col("modality") == kind, F.lit(size).cast("long")) for kind, size in sizes.items()))


def _by_kind(draws: Draws, what: str, shares: Mapping[str, Mapping[Any, float]], kind: Column, *of: Column) -> Column:
    """What is drawn by the shares of the row's kind; null for a kind that has none."""
    return F.coalesce(*(F.when(kind == name, draws.chosen(what, of_kind, *of)) for name, of_kind in shares.items()))
