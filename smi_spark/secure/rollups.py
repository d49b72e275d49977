"""``secure/series`` and ``secure/studies``, rolled up from images; and the roll-ups that the later zones share."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, Zone
from smi_spark.schema import load_schema
from smi_spark.secure.instances import rows_of, within
from smi_spark.secure.runs import Run

_STATED = "NumberOfStudyRelatedInstances"
_PLACE = ("modality", "year")
_OF_BOTH = (*_PLACE, "PatientID", "StudyDate", "run_id")
_OF_SERIES = ("SeriesDate", "SeriesDescription", "Manufacturer", "ManufacturerModelName")
_OF_STUDIES = ("AccessionNumber", "StudyDescription", "PatientSex", "SeriesInstanceUID", _STATED)
IMAGE_COUNT = "image_count"
COLUMNS = ("StudyInstanceUID", *_OF_BOTH, *_OF_SERIES, *_OF_STUDIES)  # of images, that roll-ups are made of


def roll_up_series(
    images: DataFrame, zone: Zone = "secure", further: Mapping[str, Column] | None = None, of: Sequence[str] = ()
) -> DataFrame:
    """One row a series of ``images``, in the columns that ``schemas/series.yaml`` gives ``zone``.

    images: columns as the zone's images have them, or as ``count_alike`` gives them. ``further``: what only a later
    zone has, an aggregate a column, of rows of ``count_alike``; ``of``: the images' columns that it is made of.
    """
    names = (*_OF_BOTH, *_OF_SERIES, *of)
    return _rolled_up(images, names, "series", zone, _of_both() | _of_series() | dict(further or {}))


def roll_up_studies(
    images: DataFrame, zone: Zone = "secure", further: Mapping[str, Column] | None = None, of: Sequence[str] = ()
) -> DataFrame:
    """One row a study of ``images``, in the columns that ``schemas/studies.yaml`` gives ``zone``; else as for series.

    ``missing_images`` is what the images state of their number less how many there are.
    Source: DICOM PS3.4 annex C.3.4 (Number of Study Related Instances).
    """
    names = (*_OF_BOTH, *_OF_STUDIES, *of)
    return _rolled_up(images, names, "studies", zone, _of_both() | _of_studies() | dict(further or {}))


def most(name: str, value: str = "") -> Column:
    """What most images have in the column, or of ``value`` (SQL), of several the least; null counts for nothing.

    An aggregate of rows of ``count_alike``. Where a series has one, as nearly all have, nothing is counted.
    """
    rows = f"collect_list(struct({value or name} AS value, {IMAGE_COUNT}))"
    values = f"array_sort(array_distinct(filter({rows}.value, one -> one IS NOT NULL)))"
    images = f"aggregate({rows}, 0L, (so_far, row) -> so_far + IF(row.value = one, row.{IMAGE_COUNT}, 0L))"
    counted = f"transform({values}, (one, place) -> struct({images} AS images, -place AS place, one))"
    return F.expr(f"IF(size({rows}) = 1, {rows}[0].value, array_max({counted}).one)")


def count_alike(images: DataFrame, names: Sequence[str]) -> DataFrame:
    """Each set of values that images have in the columns ``names``, once, and ``image_count``.

    Of ``names``, those that the images lack are passed over. Images that are counted already are added up.
    """
    counted = IMAGE_COUNT in images.columns
    count = F.sum(IMAGE_COUNT) if counted else F.count(F.lit(1))
    there = dict.fromkeys(name for name in names if name in images.columns)
    return images.groupBy(*there).agg(count.alias(IMAGE_COUNT))


def roll_up_new(spark: SparkSession, config: Config, run: Run) -> tuple[int, int]:
    """Bring series and studies up to images, for the studies that changed since the last run that ended.

    Gives how many these were, and how many of them hold fewer images than they state.
    """
    with tables.held(touched_studies(spark, config, run)) as touched:
        count = _studies(touched).count()
        if count == 0:
            return 0, 0
        return count, roll_up(config, touched, rows_of(spark, config, "images", touched, ["StudyInstanceUID"]))


def touched_studies(spark: SparkSession, config: Config, run: Run) -> DataFrame:
    """Where studies gained or lost an image since the last run that ended: StudyInstanceUID, modality, year, each once.

    All images are gained where series or studies have no rows, as where a table was taken away to be made again.
    """
    images = tables.table(config, "secure/images")
    made = (tables.read_or_empty(spark, tables.table(config, f"secure/{name}")) for name in ("series", "studies"))
    since = "" if any(rows.isEmpty() for rows in made) else run.since
    gained = tables.read_or_empty(spark, images).where(F.col("run_id") > since)
    lost = tables.read_or_empty(spark, tables.history_of(images)).where(F.col("replaced_by") > run.since)
    columns = ("StudyInstanceUID", *_PLACE)
    return gained.select(*columns).union(lost.select(*columns)).distinct()


def roll_up(config: Config, touched: DataFrame, images: DataFrame) -> int:
    """Put series and studies of the ``touched`` studies in place of what the tables say of them.

    touched: as of ``touched_studies``. images: all images of these studies, and no others; a study without any leaves
    the tables. Gives how many of the studies hold fewer images than they state.
    Commits: ``secure/series``, ``secure/studies``; each of touched studies alone, and once more with the same outcome.
    """
    # A study stands where its images stand or stood, so that its rows are in these partitions and no others.
    where = within(touched.select(*_PLACE).union(images.select(*_PLACE)))
    with tables.held(roll_up_series(images)) as series, tables.held(roll_up_studies(images)) as studies:
        bring_up(series, tables.table(config, "secure/series"), touched, where)
        bring_up(studies, tables.table(config, "secure/studies"), touched, where)
        return studies.where("missing_images > 0").count()


def bring_up(rows: DataFrame, target: tables.Table, touched: DataFrame, where: Column) -> None:
    """``rows`` in place of those that the target has of the touched studies (StudyInstanceUID).

    where: finds the partitions of the target in which such rows can stand.
    """
    key = target.schema.key
    present = tables.read_or_empty(rows.sparkSession, target).where(where)
    old = present.join(_studies(touched), "StudyInstanceUID", "left_semi").select(*key, *_PLACE)
    with tables.held(old) as old:
        if old.isEmpty():
            tables.append(rows, target)
            return
        tables.merge(rows, target, key, among=old)
        gone = old.join(rows, list(key), "left_anti")
        if not gone.isEmpty():
            tables.delete(gone, target, key)


def _studies(touched: DataFrame) -> DataFrame:
    return touched.select("StudyInstanceUID").distinct()


def _rolled_up(
    images: DataFrame, names: Sequence[str], table: str, zone: Zone, aggregates: Mapping[str, Column]
) -> DataFrame:
    """Images that are alike are counted first, as most of a series are: a count is cheap where a mode is not."""
    schema = load_schema(table)
    columns = [column.name for column in schema.in_zone(zone)]
    wanted = [aggregates[name].alias(name) for name in columns if name not in schema.key]
    counted = count_alike(images, (*schema.key, *names))
    return counted.groupBy(*schema.key).agg(*wanted).select(*columns)


def _of_both() -> dict[str, Column]:
    return {
        "modality": most("modality"),
        "year": F.coalesce(F.min(F.when(F.col("year") > 0, F.col("year"))), F.lit(0)),  # 0 stands for none
        "PatientID": F.min("PatientID"),
        "StudyDate": F.min("StudyDate"),
        IMAGE_COUNT: F.sum(IMAGE_COUNT),
        "run_id": F.max("run_id"),
    }


def _of_series() -> dict[str, Column]:
    described = ("SeriesDescription", "Manufacturer", "ManufacturerModelName")
    return {"SeriesDate": F.min("SeriesDate")} | {name: most(name) for name in described}


def _of_studies() -> dict[str, Column]:
    return {
        "AccessionNumber": F.min("AccessionNumber"),
        "StudyDescription": most("StudyDescription"),
        "PatientSex": most("PatientSex"),
        "modalities": F.sort_array(F.collect_set("modality")),
        "series_count": F.count_distinct("SeriesInstanceUID"),
        _STATED: F.max(_STATED),
        "stated_differently": F.min(_STATED) < F.max(_STATED),
        "missing_images": F.max(_STATED) - F.sum(IMAGE_COUNT),
    }
