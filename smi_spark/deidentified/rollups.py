"""Series and studies, rolled up from the images of zone 2 or 3."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.label_rules import RISKS, UNKNOWN, labellers, risk_labellers
from smi_spark.deidentified.pseudonyms import pseudonymise
from smi_spark.deidentified.reached import OF_IMAGES, note_reached
from smi_spark.secure import rollups
from smi_spark.secure.instances import is_indexed, places_of, within

_BY = ["StudyInstanceUID"]
_OF_MOST = ("is_original", "is_primary", "label_confidence", "label_rules")


def count_alike(images: DataFrame) -> DataFrame:
    """Each set of values that ``images`` have in the columns that are rolled up, once, and ``image_count``.

    What series and studies are of it is what they are of the images: so these are read once for both.
    """
    return rollups.count_alike(images, (*rollups.COLUMNS, *_further_columns()))


def roll_up_series(images: DataFrame) -> DataFrame:
    """One row a series (schemas/series.yaml) of ``images`` (columns as in deidentified/images).

    A label is that of most images which have a known one, a risk the highest of any.
    """
    return rollups.roll_up_series(images, "deidentified", _further_of_series(), _further_columns())


def roll_up_studies(images: DataFrame) -> DataFrame:
    """One row a study (schemas/studies.yaml) of ``images`` (columns as in deidentified/images)."""
    return rollups.roll_up_studies(images, "deidentified", _further_of_studies(), _further_columns())


_ROLL_UPS = {"series": roll_up_series, "studies": roll_up_studies}


def bring_up_roll_ups(
    spark: SparkSession, config: Config, before: int | None, touched: DataFrame | None
) -> tuple[int, int]:
    """``deidentified/series`` and ``studies`` as the images are; gives how many rows of each were written.

    before: the version of the images that this run found. touched: StudyInstanceUID of zone 1 of the studies whose
    images it changed, some perhaps that it did not; none where it does not know. Roll-ups of that version are brought
    up for these studies alone; those that are of no known version, or of one before a run that was killed, are made
    anew.
    """
    images = tables.table(config, "deidentified/images")
    now = str(tables.content_version(spark, images))
    targets = [tables.table(config, f"deidentified/{name}") for name in _ROLL_UPS]
    of = {one.name: tables.get_property(spark, one, OF_IMAGES) for one in targets if tables.exists(spark, one)}
    stale = [target for target in targets if of.get(target.name) != now]
    if not stale:
        return 0, 0
    rows, studies, where = tables.read(spark, images), None, F.lit(True)
    if touched is not None and all(of.get(target.name) == str(before) for target in stale):
        if is_indexed(spark, config):  # where the studies have or had images: their rows stand there too
            where = within(places_of(spark, config, touched, _BY))
        theirs = pseudonymise(touched.select(*_BY).distinct(), {_BY[0]: "uid"}, config.keys.archive)
        studies = tables.worked_out(theirs)
        rows = rows.where(where).join(studies, _BY, "left_semi")
    counts = dict.fromkeys((target.name for target in targets), 0)
    with tables.held(count_alike(rows)) as alike:
        for target in stale:
            counts[target.name] = _put(_ROLL_UPS[target.schema.table](alike), target, studies, where)
            note_reached(spark, target, {OF_IMAGES: now})
    series, study = counts.values()
    return series, study


def _put(rolled_up: DataFrame, target: tables.Table, studies: DataFrame | None, where: Column) -> int:
    """In place of what the table says of these studies, which stands ``where``; of all for none."""
    if studies is None:
        return tables.replace(rolled_up, target)
    with tables.held(rolled_up) as rows:
        rollups.bring_up(rows, target, studies, where)
        return rows.count()


def _further_of_series() -> dict[str, Column]:
    further = {"patient_id": F.min("patient_id"), "text_version": F.max("text_version")}
    further |= {labeller.column: _most_known(labeller.column) for labeller in labellers()}
    further |= {name: rollups.most(name) for name in _OF_MOST}
    for risk in risk_labellers():
        highest = _highest(risk.column, risk.reason)
        further |= {risk.column: highest[risk.column], risk.reason: highest[risk.reason]}
    return further


def _further_of_studies() -> dict[str, Column]:
    further = {
        "patient_id": F.min("patient_id"),
        "age_at_study": F.min("age_at_study"),
        "text_version": F.max("text_version"),
        "body_part_labels": F.sort_array(F.collect_set("body_part_label")),
        "mr_sequence_labels": F.sort_array(F.collect_set("mr_sequence_label")),
    }
    return further | {risk.column: _highest(risk.column)[risk.column] for risk in risk_labellers()}


def _further_columns() -> list[str]:
    """Columns of images that are rolled up beyond those of zone 1."""
    risks = [name for risk in risk_labellers() for name in (risk.column, risk.reason)]
    return ["patient_id", "age_at_study", "text_version", *(one.column for one in labellers()), *_OF_MOST, *risks]


def _most_known(label: str) -> Column:
    """The known label that most rows have, of several the least; ``unknown`` or null where none is known."""
    known = rollups.most(label, f"nullif({label}, '{UNKNOWN}')")
    return F.coalesce(known, F.max(label))


def _highest(risk: str, *further: str) -> Column:
    """The struct of the highest risk and ``further`` columns of its row."""
    height = F.array_position(F.array(*map(F.lit, RISKS)), F.col(risk))
    return F.max(F.when(F.col(risk).isNotNull(), F.struct(height.alias("height"), risk, *further)))
