"""Images of zone 2 that lack values of a column which zone 1 has since: made again with them."""

from functools import reduce
from operator import or_

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.adopted import make_again
from smi_spark.deidentified.images import IMAGES
from smi_spark.deidentified.swappers import Swapper
from smi_spark.deidentified.text.vocabulary import Vocabulary
from smi_spark.secure.people import People
from smi_spark.secure.promotion import unfinished_columns
from smi_spark.tables import Table

LACKING = "smi_spark.lacking"  # of images: columns of which its rows were made before zone 1 had their values


def with_new_columns(spark: SparkSession, config: Config) -> Table:
    """``deidentified/images``, with the columns added that its schema gained: null, and noted as lacking before."""
    target = tables.table(config, IMAGES)
    if tables.exists(spark, target):
        new = set(target.schema.tags()).intersection(target.columns).difference(tables.read(spark, target).columns)
        _note(spark, target, new | _noted(spark, target))
    return tables.with_all_columns(spark, target)


def bring_up_columns(
    spark: SparkSession, config: Config, people: People, swapper: Swapper, vocabulary: Vocabulary
) -> int:
    """Make again the images that have a value in a column which was promoted since they were made; gives their number.

    A column whose promotion was begun and not completed counts as one that zone 1 lacks.
    Commits: partitions (modality, year), small ones together, then the property that names what is lacking still. A
    run that was killed is completed by the next.
    """
    target, source = tables.table(config, IMAGES), tables.table(config, "secure/images")
    asked = set(target.schema.tags()).intersection(target.columns)
    lacking = asked.difference(tables.read(spark, source).columns)
    lacking |= asked.intersection(unfinished_columns(spark, source))  # asked behind the columns: one may just begin
    if not tables.exists(spark, target):
        if lacking:
            tables.create(spark, target)
            _note(spark, target, lacking)
        return 0
    count, came = 0, sorted(_noted(spark, target) - lacking)
    if came:
        has_one = reduce(or_, [F.col(name).isNotNull() for name in came])
        rows = tables.read(spark, source).where(has_one)
        count = make_again(spark, config, rows, people, swapper, vocabulary)
    _note(spark, target, lacking)
    return count


def _noted(spark: SparkSession, target: Table) -> set[str]:
    return set((tables.get_property(spark, target, LACKING) or "").split())


def _note(spark: SparkSession, target: Table, lacking: set[str]) -> None:
    if lacking != _noted(spark, target):
        tables.set_property(spark, target, LACKING, " ".join(sorted(lacking)) or None)
