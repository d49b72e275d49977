"""``secure/erasing``: which rows of zone 1 are about files of people who are to be erased. Nothing leaves here."""

from collections.abc import Iterator
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.reasons import BAD_FILES, Reason
from smi_spark.schema import load_schema
from smi_spark.secure.images import decode_columns
from smi_spark.secure.instances import FILE, partitions_of
from smi_spark.secure.named import naming, naming_nobody, numbers_in
from smi_spark.secure.quarantine import quarantine
from smi_spark.secure.runs import newest_ended

ROW = (*FILE, "run_id")  # which row of a file: what was read of it once
_TOLD = (*ROW, "SOPInstanceUID", "StudyInstanceUID", "modality", "year")
_STUDY = ["StudyInstanceUID"]
_PATIENT = "PatientID"
_OF_IMAGES = (*_TOLD, _PATIENT, "filled_from")
# Files in quarantine of which no image says whose they are. A copy has the study of the file that it is a copy of.
_UNTOLD = (*BAD_FILES, Reason.CONFLICTING_STUDY, Reason.SET_ASIDE, Reason.REFUSED_FOLDER)


def erasing(config: Config) -> tables.Table:
    """The table itself."""
    return tables.table(config, "secure/erasing")


def rows_about(spark: SparkSession, config: Config, numbers: DataFrame, since: str = "") -> DataFrame:
    """Rows about files of people (chi, all numbers of theirs), in the columns of ``schemas/erasing.yaml``.

    Files that name one of the numbers as their patient, alone or among others: by their images, those in quarantine by
    their headers. And those of the studies of such files that name nobody, unless the images of the study are others'
    by now. What names somebody else alone is not among them, whatever study it is of. since: only studies and files of
    which a later run wrote something.

    Read are PatientID of all images, and their history; header bytes of files in quarantine and of those in the studies
    that are no images, each in the partitions that ``secure/instances`` names.
    """
    later = F.col("run_id") > since
    named = [
        _told(name, naming(rows.where(later), [_PATIENT], numbers)) for name, rows in _both(spark, config, "images")
    ]
    named += [_told(name, _mentioning(rows, numbers)) for name, rows in _untold(spark, config, since)]
    first = tables.worked_out(reduce(DataFrame.union, named))
    if first.isEmpty():
        return first
    studies = tables.worked_out(first.where("StudyInstanceUID IS NOT NULL").select(*_STUDY).distinct())
    beside = _of_studies(spark, config, numbers, studies)
    return tables.worked_out(reduce(DataFrame.union, [first, *beside]).distinct())


def _of_studies(spark: SparkSession, config: Config, numbers: DataFrame, studies: DataFrame) -> Iterator[DataFrame]:
    """What the studies hold of theirs, and of nobody's."""
    nobody, where = config.pseudonyms.nobody, partitions_of(spark, config, studies, _STUDY)

    def of_studies(rows: DataFrame) -> DataFrame:
        return rows.where(where).join(F.broadcast(studies), _STUDY, "left_semi")

    (_, images), (history, former) = _both(spark, config, "images")
    present = of_studies(images)
    named, nameless = naming(present, [_PATIENT], numbers), naming_nobody(present, _PATIENT, nobody)
    others = present.join(named.union(nameless).select(*ROW), list(ROW), "left_anti").select(*_STUDY)
    of_others = tables.worked_out(others.subtract(named.select(*_STUDY)))  # whatever files of theirs once said

    def theirs(rows: DataFrame) -> DataFrame:
        of_nobody = naming_nobody(rows, _PATIENT, nobody).join(of_others, _STUDY, "left_anti").select(*rows.columns)
        return naming(rows, [_PATIENT], numbers).unionByName(of_nobody)

    mine = theirs(present)
    yield _told("images", mine)
    yield _told(history, theirs(of_studies(former)))
    (name, headers), (history, former) = _both(spark, config, "headers")
    read = tables.worked_out(of_studies(headers).select(*_TOLD))
    yield _told(name, read.join(_files_of(mine), list(FILE), "left_semi"))
    alone = tables.worked_out(read.join(_files_of(present), list(FILE), "left_anti"))
    if not alone.isEmpty():
        unread = headers.where(where).join(F.broadcast(alone.select(*FILE)), list(FILE), "left_semi")
        yield _told(name, theirs(_decoded(unread)))
    yield _told(history, theirs(_decoded(of_studies(former))))


def _untold(spark: SparkSession, config: Config, since: str) -> Iterator[tuple[str, DataFrame]]:
    """Headers of which no image says whose they are: of files that are or were in quarantine, and of killed runs."""
    of_quarantine = [
        rows.where((F.col("table") == "images") & F.col("reason").isin(*_UNTOLD) & (F.col("run_id") > since))
        for _, rows in _both(spark, config, "quarantine")
    ]
    files = tables.worked_out(reduce(DataFrame.union, (rows.select(*FILE) for rows in of_quarantine)).distinct())
    where = partitions_of(spark, config, files, FILE)
    for name, rows in _both(spark, config, "headers"):
        yield name, rows.where(where).join(F.broadcast(files), list(FILE), "left_semi")
    name, headers = next(_both(spark, config, "headers"))
    yield name, headers.where(F.col("run_id") > newest_ended(spark, config))


def _mentioning(headers: DataFrame, numbers: DataFrame) -> DataFrame:
    """Headers that name one of the numbers as patient; bad ones, which may not be decoded, anywhere in their bytes."""
    bad = headers.where(F.col("reason").isNotNull()).withColumn("text", F.decode("header", "ISO-8859-1"))
    mentioned = naming(bad.select(*_TOLD, "text"), ["text"], numbers, numbers_in).select(*_TOLD)
    return naming(_decoded(headers), [_PATIENT], numbers).select(*_TOLD).union(mentioned).distinct()


def _decoded(headers: DataFrame) -> DataFrame:
    """Headers with the patient id that their bytes say."""
    there = headers.where(F.col("header").isNotNull())
    return decode_columns(there, _TOLD, [*_TOLD, _PATIENT], {_PATIENT: str(load_schema("images").column(_PATIENT).tag)})


def _files_of(images: DataFrame) -> DataFrame:
    """source, path: the files of which images are filled, each once."""
    own = F.array(F.struct("source", "path"))
    files = F.when(F.col("filled_from").isNull(), own).otherwise(F.concat(own, "filled_from"))
    return images.select(F.explode(files).alias("file")).select("file.*").distinct()


def _told(name: str, rows: DataFrame) -> DataFrame:
    return rows.select(F.lit(name).alias("table"), *_TOLD)


def _both(spark: SparkSession, config: Config, name: str) -> Iterator[tuple[str, DataFrame]]:
    """A table of zone 1 and its history, by their names there."""
    table = quarantine(config) if name == "quarantine" else tables.table(config, f"secure/{name}")
    for one in (table, tables.history_of(table)):
        rows = tables.read_or_empty(spark, one)
        yield one.schema.table, rows.select(*_OF_IMAGES) if name == "images" else rows
