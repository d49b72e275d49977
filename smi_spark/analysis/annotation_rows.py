"""Files of annotations: UIDs of study, series or SOP instance, and columns of labels → one row a UID and label."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark.analysis.uid_list import OWN_UID, UIDS
from smi_spark.deidentified.actions import PATIENT_ID
from smi_spark.errors import InputError
from smi_spark.schema import Column as SchemaColumn
from smi_spark.schema import TableSchema
from smi_spark.secure.extract_rows import read_extracts
from smi_spark.secure.extracts import Extract, list_extracts, read_header, unreadable
from smi_spark.secure.submissions import with_checksums

LEVELS = dict(zip(UIDS, ("study", "series", "instance"), strict=True))  # column → what it is the UID of


@dataclass(frozen=True)
class AnnotationFile:
    """One file: where it is, and the labels that it has, in the order of its columns."""

    extract: Extract
    labels: tuple[str, ...]

    @property
    def uids(self) -> list[str]:
        """The columns of UIDs that the file has, the coarsest first."""
        return [name for name in UIDS if name in self.extract.fields]


def find_annotations(spark: SparkSession, uri: str) -> AnnotationFile:
    """The one file at ``uri``, CSV (``.gz`` too) or Parquet, with its checksum.

    Of its columns StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID are UIDs, in whatever capitals; patient_id,
    which these say already, and columns without a name are passed over; each other one is a label.
    Raises SourceError where there is none; InputError where there are several, or the file has no such columns.
    """
    source, paths = list_extracts(uri)
    if len(paths) > 1:
        raise InputError(f"{uri} holds {len(paths):,} files. A version of a set is one file: name it.")
    (path,) = paths
    try:
        header = read_header(source, path)
    except (OSError, csv.Error, pa.ArrowException) as error:
        raise unreadable(f"{source}/{path}", error) from None
    fields, labels = label_columns(header, f"{source}/{path}")
    (extract,) = with_checksums(spark, [Extract(source, path, fields, ())])
    return AnnotationFile(extract, labels)


def read_annotations(spark: SparkSession, file: AnnotationFile) -> DataFrame:
    """One row a row of the file: row_number, the three UIDs, ``uid`` (the finest of them) and its ``level``, ``labels``
    (array of label and value, those that are not empty), ``problem`` (a reason, of rows that cannot be read).
    """
    rows = read_extracts(spark, [file.extract], _schema(file))
    uids = [(F.col(name) if name in file.uids else F.lit(None).cast("string")).alias(name) for name in UIDS]
    finest = list(reversed(file.uids))
    level = F.coalesce(*(F.when(F.col(name).isNotNull(), LEVELS[name]) for name in finest))
    pairs = [F.struct(F.lit(label).alias("label"), F.col(_place(n)).alias("value"))
             for n, label in enumerate(file.labels)]  # fmt: skip
    given = F.filter(F.array(*pairs), lambda pair: pair["value"].isNotNull())
    return rows.select(
        "row_number", *uids, F.coalesce(*finest).alias("uid"), level.alias("level"), given.alias("labels"),
        F.try_element_at("problems", F.lit(1))["reason"].alias("problem"),
    )  # fmt: skip


def judge(rows: DataFrame, images: DataFrame, levels: Sequence[str]) -> DataFrame:
    """Labels of the UIDs that images have, each once, and what could not be taken: columns of ``annotations``.

    rows: as of ``read_annotations``. images: patient_id and the three UIDs. levels: columns of UIDs that the file has.
    Columns: patient_id, the UIDs of the image's study, series and instance down to the level, uid, level, label, value,
    row_number, reason (null for a label), copies (rows that said the same again). A study that stands under two
    patients has its labels once for each.
    """
    asked = rows.select("level", "uid").where("uid IS NOT NULL").distinct()
    known = _known(images, levels).join(asked, ["level", "uid"]).distinct()
    found = rows.alias("given").join(known.alias("known"), ["level", "uid"], "left")
    differs = [F.col(f"given.{name}") != F.col(f"known.{name}") for name in UIDS]
    contradicts = reduce(lambda left, right: left | right, (F.coalesce(one, F.lit(False)) for one in differs))
    reason = (
        F.when(F.col("problem").isNotNull(), F.col("problem"))
        .when(F.col("uid").isNull(), "missing_uid")
        .when(F.col("patient_id").isNull(), "unknown_uid")
        .when(contradicts, "contradicting_uids")
    )
    placed = found.select(
        "patient_id", *(F.col(f"known.{name}") for name in UIDS), "uid", "level", "labels", "row_number",
        reason.alias("reason"),
    )  # fmt: skip
    return _labels(placed.where("reason IS NULL")).unionByName(_left_out(placed.where("reason IS NOT NULL")))


def _labels(placed: DataFrame) -> DataFrame:
    """Each label once; of one with several values none, with the reason ``conflict``."""
    each = placed.select("*", F.inline("labels"))
    by = ["patient_id", *UIDS, "uid", "level", "label"]
    said = each.groupBy(*by).agg(
        F.min("value").alias("value"), F.max("value").alias("other"), F.min("row_number").alias("row_number"),
        (F.count("*") - 1).alias("copies"),
    )  # fmt: skip
    agrees = F.col("value") == F.col("other")
    return said.select(
        *by, F.when(agrees, F.col("value")).alias("value"), "row_number",
        F.when(~agrees, "conflict").alias("reason"), F.when(agrees, F.col("copies")).otherwise(0).alias("copies"),
    )  # fmt: skip


def _left_out(placed: DataFrame) -> DataFrame:
    """Rows that could not be taken: a UID that is not of our making may be a hospital's, and is not written down."""
    own = F.when(F.col("patient_id").isNotNull() | F.col("uid").rlike(f"^{OWN_UID}$"), F.col("uid"))
    nothing = F.lit(None).cast("string")
    return placed.select(
        "patient_id", *UIDS, own.alias("uid"), "level", nothing.alias("label"), nothing.alias("value"), "row_number",
        "reason", F.lit(0).cast("long").alias("copies"),
    )  # fmt: skip


def _known(images: DataFrame, levels: Sequence[str]) -> DataFrame:
    """Each image once for each level: level, uid, patient_id, and the UIDs down to that level."""
    rows = []
    for column in levels:
        kept = UIDS[: UIDS.index(column) + 1]
        uids = ((F.col(name) if name in kept else F.lit(None).cast("string")).alias(name) for name in UIDS)
        rows.append(F.struct(F.lit(LEVELS[column]).alias("level"), F.col(column).alias("uid"), PATIENT_ID, *uids))
    return images.select(F.inline(F.array(*rows)))


def label_columns(header: Sequence[str], place: str) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """For each column of a file the UID that it is, the place of its label, or none; and the labels.

    Raises InputError as ``find_annotations``; what the names are is not told, as without a header they are values.
    """
    known = {name.casefold(): name for name in UIDS}
    names = [name.strip() for name in header]
    labels = [name for name in names if name and name.casefold() not in (*known, PATIENT_ID)]
    folded = [name.casefold() for name in names if name]
    if len(set(folded)) < len(folded):
        raise InputError(f"{place} has two columns of one name, capitals aside. Rename one.")
    if not set(known) & set(folded):
        raise InputError(
            f"{place} has no column {', '.join(UIDS[:-1])} or {UIDS[-1]}: {len(names):,} that are called otherwise. "
            "Name the column of UIDs so; the first line must hold the names."
        )
    if not labels:
        raise InputError(f"{place} has no labels: each column beside UIDs and patient_id is one.")
    places = {label: _place(number) for number, label in enumerate(labels)}
    return tuple(known.get(name.casefold(), places.get(name)) for name in names), tuple(labels)


def _place(number: int) -> str:
    """Column of a label while the file is read: its own name may be anything."""
    return f"label_{number}"


def _schema(file: AnnotationFile) -> TableSchema:
    names = [*file.uids, *map(_place, range(len(file.labels)))]
    columns = tuple(SchemaColumn(name=name, type="string", meaning="As the file has it") for name in names)
    return TableSchema(table="annotations", zone="secure", meaning="A file", key=tuple(file.uids), columns=columns)
