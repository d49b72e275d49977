"""Images of zone 2 whose texts are others under a version of the vocabulary that was adopted since."""

from pyspark.sql import DataFrame, SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.images import IMAGES, images_to_deidentified
from smi_spark.deidentified.reached import TEXTS_OF, note_reached
from smi_spark.deidentified.swappers import Swapper
from smi_spark.deidentified.text.vocabulary import Vocabulary, differing, read_vocabulary
from smi_spark.progress import Progress
from smi_spark.schema import load_schema
from smi_spark.secure.people import People
from smi_spark.secure.portions import Partition, portions

_ROWS = 20_000_000  # of one commit, where partitions are small enough to go together


def bring_up_texts(
    spark: SparkSession, config: Config, people: People, swapper: Swapper, vocabulary: Vocabulary
) -> int:
    """Make again the images that have a text which came or went with the vocabulary; gives their number.

    The others keep their row and its ``text_version``: what all later versions up to the one that the property
    ``smi_spark.texts`` of the table names say of it, that one said too. The property names both versions while the
    change is under way, so that a run that was killed is completed by the next, also to a third version.
    Commits: the property, partitions (modality, year), small ones together, the property.
    """
    if not vocabulary.version:
        return 0
    target = tables.table(config, IMAGES)
    if not tables.exists(spark, target):
        tables.create(spark, target)
        note_reached(spark, target, {TEXTS_OF: str(vocabulary.version)})
        return 0
    made_by = [int(version) for version in (tables.get_property(spark, target, TEXTS_OF) or "0").split()]
    if made_by == [vocabulary.version]:
        return 0
    note_reached(spark, target, {TEXTS_OF: " ".join(map(str, sorted({*made_by, vocabulary.version})))})
    changed = differing([vocabulary, *(read_vocabulary(spark, config, version) for version in made_by)])
    touched = tables.read(spark, tables.table(config, "secure/images")).where(changed.occurs(load_schema("images")))
    count = make_again(spark, config, touched, people, swapper, vocabulary)
    note_reached(spark, target, {TEXTS_OF: str(vocabulary.version)})
    return count


def make_again(
    spark: SparkSession, config: Config, touched: DataFrame, people: People, swapper: Swapper, vocabulary: Vocabulary
) -> int:
    """Images of zone 2 made again from ``touched`` (rows of ``secure/images``), some partitions (modality, year) a
    commit; gives how many changed. Who is not in zone 2 does not come there by it."""
    target = tables.table(config, IMAGES)
    counted = touched.groupBy(*target.schema.partition_by).count().orderBy(*target.schema.partition_by)
    partitions = [Partition(*row) for row in counted.collect()]  # one a modality and year
    count = 0
    with Progress(target.name, sum(one.rows for one in partitions), "images") as progress:
        for portion in portions(partitions, _ROWS):
            rows = touched.where(portion.where)
            again = images_to_deidentified(rows, swapper, people.numbers, vocabulary)
            places = [(one.modality, one.year) for one in portion.partitions]
            among = spark.createDataFrame(places, "modality string, year int")
            count += tables.merge(again, target, target.schema.key, among=among, only_changed=True, insert=False)
            progress.add(portion.rows)
    return count
