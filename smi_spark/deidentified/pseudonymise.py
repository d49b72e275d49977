"""Zone 1 → zone 2: images, their series and studies, record tables, and the links back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.deidentified.adopted import bring_up_texts
from smi_spark.deidentified.adoption import adopt
from smi_spark.deidentified.images import (
    add_images,
    rekey_images,
    taken_up_to,
    touched_studies,
    withdraw_images,
)
from smi_spark.deidentified.keyed import check_key
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.opt_outs import add_to_copy, end_copy
from smi_spark.deidentified.profile import load_profile
from smi_spark.deidentified.profile.columns import check_tables
from smi_spark.deidentified.promoted import bring_up_columns, with_new_columns
from smi_spark.deidentified.reached import RETURNED_UP_TO, TAKEN_UP_TO, note_reached, renewed
from smi_spark.deidentified.records import bring_up_records
from smi_spark.deidentified.rollups import bring_up_roll_ups
from smi_spark.deidentified.swappers import Swapper, choose_swapper
from smi_spark.deidentified.text.vocabulary import Vocabulary, read_vocabulary
from smi_spark.lease import lease
from smi_spark.run import new_run_id
from smi_spark.schema import record_tables
from smi_spark.secure.opt_outs import with_opt_outs
from smi_spark.secure.people import People, read_people
from smi_spark.secure.runs import newest_ended

ZONE_2_LEASE = "images-and-records"

SETTINGS = {
    # Batches for the workers end by their number of rows alone. Spark otherwise asks for the size of what it has
    # gathered at each row, which is dear where columns are lists: of ids and texts so many bytes never come together.
    "spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1),
    # Parquet otherwise counts the bytes and levels of every value, nulls among them, which nothing reads.
    "parquet.size.statistics.enabled": "false",
}


@dataclass(frozen=True)
class Counts:
    """Rows that a run added; ``series`` and ``studies`` are those rolled up, 0 where nothing had changed.

    ``withdrawn``: images that left, as they had left zone 1; ``rekeyed``: that are another person's since;
    ``texts``: whose texts are others by the vocabulary that was adopted since; ``filled``: which gained values of a
    column that was promoted since.
    """

    images: int
    quarantined: int
    series: int
    studies: int
    records: Mapping[str, int]
    withdrawn: int = 0
    rekeyed: int = 0
    texts: int = 0
    filled: int = 0

    def __str__(self) -> str:
        records = "".join(f", {name} {count:,}" for name, count in self.records.items())
        left = f"withdrawn: images {self.withdrawn:,}; " if self.withdrawn else ""
        left += f"another person's since: images {self.rekeyed:,}; " if self.rekeyed else ""
        left += f"texts adopted or dropped since: images {self.texts:,}; " if self.texts else ""
        left += f"with values of new columns: images {self.filled:,}; " if self.filled else ""
        return (
            f"{left}added: images {self.images:,}{records}; "
            f"rolled up: series {self.series:,}, studies {self.studies:,}; quarantined: {self.quarantined:,}"
        )


def run(spark: SparkSession, config: Config) -> Counts:
    """Bring zone 2 up to what zone 1 holds: only what is not there yet is derived.

    Commits, in this order: ``secure/mapping``, where ids are looked up and this is the first run to do so; who said no
    since, in ``deidentified/opt_outs``; what was withdrawn from ``secure/images`` leaves ``secure/quarantine``, then
    ``deidentified/images``, then ``secure/links``; images whose texts are others by the vocabulary that was adopted
    since, or that have a value in a column that was promoted since, some partitions a commit, then those whose CHI
    number is another person's since, in ``deidentified/images``; ``secure/quarantine`` (images without a patient id),
    ``deidentified/images``, images that were let in out of ``secure/quarantine``, ``secure/links``;
    ``deidentified/series``, ``deidentified/studies``; each ``deidentified/records/<name>``: rows of loads that were
    completed since the last run, and those of CHI numbers that are another person's since; who is to stand in
    ``deidentified/opt_outs`` no longer. An image counts as done when its link stands. Behind these, properties of
    ``deidentified/images`` say up to which run of zone 1 all is done: only rows and changes of later ones are looked
    at. While rows stand whose links do not, another property says so. The next run completes one that was killed
    anywhere between. People whose data are to be out of zone 2 (``secure/opt_outs``) are passed over.
    Raises ConfigError when a column would say more than ``config.profile`` allows, KeyFileError when the archive key
    cannot be had, OtherKeyError when another one made zone 2 or a rotation has not ended, TableError when zone 1 has
    neither images nor records, and BusyError while another run pseudonymises.
    """
    check_tables(load_profile(config.profile))
    archive_key, run_id = key_id(load_key(config.keys.archive)), new_run_id()
    with lease(config.zone("deidentified"), ZONE_2_LEASE, run_id), tables.settings(spark, SETTINGS):
        return _bring_up(spark, config, archive_key, run_id)


def _bring_up(spark: SparkSession, config: Config, archive_key: str, run_id: str) -> Counts:
    check_key(spark, config, archive_key)
    names = (f"records/{table}" for table in record_tables())
    records = [name for name in names if _is_there(spark, config, name)]
    day, swapper = datetime.now(UTC).date(), choose_swapper(spark, config)
    people = with_opt_outs(spark, config, read_people(spark, config), day)
    vocabulary = read_vocabulary(spark, config)
    adopt(spark, config, people.numbers, swapper, run_id)
    add_to_copy(spark, config, people, archive_key, day)
    images = Counts(0, 0, 0, 0, {})
    if _is_there(spark, config, "images") or not records:
        images = _bring_up_images(spark, config, people, swapper, vocabulary, archive_key, run_id)
    added = {
        name: bring_up_records(spark, config, people, swapper, vocabulary, name, archive_key, run_id)
        for name in records
    }
    end_copy(spark, config, people, archive_key, day)
    return replace(images, records=added)


def _bring_up_images(
    spark: SparkSession, config: Config, people: People, swapper: Swapper, vocabulary: Vocabulary, archive_key: str,
    run_id: str,
) -> Counts:  # fmt: skip
    """Only rows and changes of runs behind the last that this table has taken all of are looked at."""
    target = with_new_columns(spark, config)
    since = taken_up_to(spark, config, swapper)
    up_to = newest_ended(spark, config)  # before images: of these runs all is there
    before = tables.content_version(spark, target) if tables.exists(spark, target) else None
    if before is not None and people.returned_since(tables.get_property(spark, target, RETURNED_UP_TO)) is not None:
        since = ""  # images of people who take part again wait since long
    touched = touched_studies(spark, config, people, swapper, since) if since else None
    withdrawn = withdraw_images(spark, config, since, run_id)
    texts = bring_up_texts(spark, config, people, swapper, vocabulary)  # first of those that make rows by it
    filled = bring_up_columns(spark, config, people, swapper, vocabulary)
    rekeyed = rekey_images(spark, config, people, swapper, vocabulary, run_id)
    images, quarantined = add_images(spark, config, people, swapper, vocabulary, archive_key, run_id, since)
    series, studies = bring_up_roll_ups(spark, config, before, None if texts or filled else touched)
    reached = {RETURNED_UP_TO: people.returned_by, TAKEN_UP_TO: up_to}
    note_reached(spark, target, reached | renewed(people, swapper))
    return Counts(images, quarantined, series, studies, {}, withdrawn, rekeyed, texts, filled)


def _is_there(spark: SparkSession, config: Config, name: str) -> bool:
    return tables.exists(spark, tables.table(config, f"secure/{name}"))
