"""Series and studies, rolled up from the images of zone 2 or 3."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.label_rules import RISKS, UNKNOWN, labellers, risk_labellers
from smi_spark.deidentified.pseudonyms import pseudonymise
from smi_spark.deidentified.reached import OF_IMAGES, note_reached
from smi_spark.secure import rollups
from smi_spark.secure.instances import is_indexed, places_of, within

_OF_MOST = ("is_original", "is_primary", "label_confidence", "label_rules")


def roll_up_series(images: DataFrame) -> DataFrame:
    """One row a series (schemas/series.yaml) of ``images`` (columns as in deidentified/images).

    A label is that of most images which have a known one, a risk the highest of any.
    """
    further = {"patient_id": F.min("patient_id"), "text_version": F.max("text_version")}
    further |= {labeller.column: _most_known(labeller.column) for labeller in labellers()}
    further |= {name: rollups.most(name) for name in _OF_MOST}
    of = [*further]
    for risk in risk_labellers():
        highest = _highest(risk.column, risk.reason)
        further |= {risk.column: highest[risk.column], risk.reason: highest[risk.reason]}
        of += [risk.column, risk.reason]
    return rollups.roll_up_series(images, "deidentified", further, of)


def roll_up_studies(images: DataFrame) -> DataFrame:
    """One row a study (schemas/studies.yaml) of ``images`` (columns as in deidentified/images)."""
    further = {
        "patient_id": F.min("patient_id"),
        "age_at_study": F.min("age_at_study"),
        "text_version": F.max("text_version"),
        "body_part_labels": F.sort_array(F.collect_set("body_part_label")),
        "mr_sequence_labels": F.sort_array(F.collect_set("mr_sequence_label")),
    }
    further |= {risk.column: _highest(risk.column)[risk.column] for risk in risk_labellers()}
    return rollups.roll_up_studies(images, "deidentified", further, [*further, "body_part_label", "mr_sequence_label"])


def bring_up_roll_ups(
    spark: SparkSession, config: Config, before: int | None, touched: DataFrame | None
) -> tuple[int, int]:
    """``deidentified/series`` and ``studies`` as the images are; gives how many rows of each were written.

    before: the version of the images that this run found. touched: StudyInstanceUID of zone 1 of the studies whose
    images it changed, some perhaps that it did not; none where it does not know. A roll-up of that version is brought
    up for these studies alone; one that is of no known version, or of one before a run that was killed, is made anew.
    """
    images = tables.table(config, "deidentified/images")
    now = tables.content_version(spark, images)
    series = _bring_up(spark, config, "series", roll_up_series, before, now, touched)
    return series, _bring_up(spark, config, "studies", roll_up_studies, before, now, touched)


def _bring_up(
    spark: SparkSession, config: Config, name: str, roll_up: Callable[[DataFrame], DataFrame], before: int | None,
    now: int, touched: DataFrame | None,
) -> int:  # fmt: skip
    target, images = (tables.table(config, f"deidentified/{table}") for table in (name, "images"))
    of = tables.get_property(spark, target, OF_IMAGES) if tables.exists(spark, target) else None
    if of == str(now):
        return 0
    rows = tables.read(spark, images)
    if touched is None or of is None or of != str(before):
        count = tables.replace(roll_up(rows), target)
    else:
        count = _bring_up_touched(spark, config, target, rows, roll_up, touched)
    note_reached(spark, target, {OF_IMAGES: str(now)})
    return count


def _bring_up_touched(
    spark: SparkSession, config: Config, target: tables.Table, images: DataFrame,
    roll_up: Callable[[DataFrame], DataFrame], touched: DataFrame,
) -> int:  # fmt: skip
    """Only partitions are read in which the studies have or had images: their rows stand there too."""
    by = ["StudyInstanceUID"]
    where = F.lit(True)
    if is_indexed(spark, config):
        where = within(places_of(spark, config, touched, by))
    studies = tables.worked_out(pseudonymise(touched.select(*by).distinct(), {by[0]: "uid"}, config.keys.archive))
    with tables.held(roll_up(images.where(where).join(studies, by, "left_semi"))) as rows:
        rollups.bring_up(rows, target, studies, where)
        return rows.count()


def _most_known(label: str) -> Column:
    """The known label that most rows have, of several the least; ``unknown`` or null where none is known."""
    known = rollups.most(label, f"nullif({label}, '{UNKNOWN}')")
    return F.coalesce(known, F.max(label))


def _highest(risk: str, *further: str) -> Column:
    """The struct of the highest risk and ``further`` columns of its row."""
    height = F.array_position(F.array(*map(F.lit, RISKS)), F.col(risk))
    return F.max(F.when(F.col(risk).isNotNull(), F.struct(height.alias("height"), risk, *further)))
