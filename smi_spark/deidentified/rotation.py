"""Another archive key: zone 2 made anew with it, and what the former ids became kept in zone 1 for projects."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import get_args

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import storage, tables
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.actions import id_columns, identified, swap_ids
from smi_spark.deidentified.images import IMAGES, ORIGINAL
from smi_spark.deidentified.keyed import KEY_ID, ROTATION, Properties, keyed_tables
from smi_spark.deidentified.keys import key_id, load_key
from smi_spark.deidentified.mapping import KEYED, LEASE, put
from smi_spark.deidentified.opt_outs import add_to_copy, end_copy
from smi_spark.deidentified.pseudonymise import ZONE_2_LEASE
from smi_spark.deidentified.pseudonyms import Domain, replacing
from smi_spark.deidentified.replaced import ids_in, note_replaced, record_replaced
from smi_spark.deidentified.rollups import bring_up_roll_ups
from smi_spark.deidentified.swappers import Lookup, Swapper, choose_swapper
from smi_spark.errors import InputError, OtherKeyError
from smi_spark.lease import lease
from smi_spark.progress import Progress
from smi_spark.schema import TableSchema
from smi_spark.secure import runs
from smi_spark.secure.people import read_people
from smi_spark.secure.portions import partitions_left, portions
from smi_spark.tables import Table

JOB = "rotate_key"

_PORTION_ROWS = 1_000_000  # of one commit: what a killed run loses at most
_KINDS: tuple[Domain, ...] = get_args(Domain)


@dataclass(frozen=True)
class Keys:
    """The former key and the one that takes its place: what each makes of ids, and its name."""

    former: Swapper
    new: Swapper
    former_id: str
    new_id: str


@dataclass(frozen=True)
class Rotated:
    """What a run did: rows that it made anew, by table, and ids whose replacement it recorded."""

    former: str
    new: str
    rows: Mapping[str, int]
    replaced: int = 0

    def __str__(self) -> str:
        if not self.rows:
            return f"zone 2 is made with key {self.new}: nothing to do"
        rows = ", ".join(f"{name} {count:,}" for name, count in self.rows.items())
        return f"key {self.former} → {self.new}; rows made anew: {rows}; ids replaced: {self.replaced:,}"


def rotate_key(spark: SparkSession, config: Config, former: KeySource) -> Rotated:
    """Make zone 2 anew with ``keys.archive`` of the configuration, in place of the key ``former``.

    Ids alone change, those of patients only where the key made them: in a mapping too, whose other ids stay. Rows that
    zone 1 does not have any more are left out, as ``pseudonymise`` would take them out.

    Commits, in this order: properties of ``deidentified/images`` and every ``deidentified/records/<name>`` that say
    that they are between two keys; of a mapping's ids that the key made ``secure/replaced``, then ``secure/mapping``;
    who said no, under new ids too, in ``deidentified/opt_outs``; then table by table
    ``secure/replaced`` (the ids of its rows, former → new), the rows (images by partition, small ones together, each
    commit noted in the table's history), of images also ``secure/links``, ``deidentified/series`` and
    ``deidentified/studies``, and the properties that say that the table is of the new key; ``deidentified/opt_outs``
    without former ids; last ``secure/runs``. A run that was killed is completed by the next with the same keys; till
    then ``pseudonymise`` and builds of cohorts refuse. A second run changes nothing.
    Raises KeyFileError when a key cannot be had, InputError when both are the same, OtherKeyError when ``former`` did
    not make zone 2 or another rotation is under way, and BusyError while another run pseudonymises.
    """
    ids = [key_id(load_key(source)) for source in (former, config.keys.archive)]
    keys = Keys(choose_swapper(spark, _with_key(config, former)), choose_swapper(spark, config), *ids)
    if keys.former_id == keys.new_id:
        raise InputError(
            f"The former key and keys.archive of the configuration are the same, key {keys.new_id}. "
            "Name the new key in the configuration, and the one that made zone 2 as the former."
        )
    run = runs.started(spark)
    zone_2, mapped = (config.zone("deidentified"), ZONE_2_LEASE), (config.zone("secure"), LEASE)
    with lease(*zone_2, run.id), lease(*mapped, run.id):
        return _rotate(spark, config, keys, run)


def _rotate(spark: SparkSession, config: Config, keys: Keys, run: runs.Run) -> Rotated:
    begun, waiting = _begin(spark, config, keys, run.id)
    people, day = read_people(spark, config), datetime.now(UTC).date()
    replaced = rekey_mapping(spark, config, keys, begun) if waiting else 0
    rows = {"secure/mapping": replaced} if replaced else {}
    add_to_copy(spark, config, people, keys.new_id, day)
    for target in waiting:
        recorded, made = _make_anew(spark, config, target, keys, begun)
        replaced, rows = replaced + recorded, rows | made
        tables.set_property(spark, target, KEY_ID, keys.new_id)
        tables.set_property(spark, target, ROTATION, None)
    end_copy(spark, config, people, keys.new_id, day)
    if rows:
        runs.end(spark, config, run, JOB, [], rows | {"replaced": replaced})
    return Rotated(keys.former_id, keys.new_id, rows, replaced)


def _begin(spark: SparkSession, config: Config, keys: Keys, run_id: str) -> tuple[str, list[Table]]:
    """The run that began this rotation, and the tables that wait for it, all of which say so now."""
    said = [(one, tables.properties(spark, one)) for one in keyed_tables(spark, config)]
    check_former(said, keys)
    waiting = [one for one, found in said if ROTATION in found or found[KEY_ID] != keys.new_id]
    under_way = {found[ROTATION].partition(" ")[0] for _, found in said if ROTATION in found}
    begun = min(under_way, default=run_id)
    for target in waiting:
        tables.set_property(spark, target, ROTATION, f"{begun} {keys.former_id} {keys.new_id}")
        note_replaced(spark, target, begun)
    return begun, waiting


def rekey_mapping(spark: SparkSession, config: Config, keys: Keys, run_id: str) -> int:
    """Let the ids of a mapping that the key made be those of the new key; gives how many.

    Commits ``secure/replaced``, then ``secure/mapping``: rows of zone 2 get them afterwards, with all other ids. Ids
    that were drawn and the site's own stay. A second time nothing is found.
    """
    if not isinstance(keys.new, Lookup):
        return 0
    target = keys.new.table
    keyed = tables.read_or_empty(spark, target).where(F.col("origin") == KEYED)
    rekeyed = keyed.withColumn("rekeyed", replacing("patient", keys.new.key)(F.col("identity")))
    others = tables.worked_out(rekeyed.where(F.col("rekeyed") != F.col("patient_id")))
    if others.isEmpty():
        return 0
    kind = F.lit("patient").alias("kind")
    ids = others.select(kind, F.col("patient_id").alias("old"), F.col("rekeyed").alias("new"))
    record_replaced(ids, config, run_id, keys.new_id)
    made = others.withColumns({"patient_id": F.col("rekeyed"), "mapped_at": F.current_timestamp()})
    return put(made.select(*target.columns), target, insert=False)


def check_former(said: Collection[tuple[Table, Properties]], keys: Keys) -> None:
    """That the former key made every table, or the new one did since; OtherKeyError with what to do."""
    for target, found in said:
        if ROTATION in found:
            run, *ids = found[ROTATION].split(" ")
            if ids != [keys.former_id, keys.new_id]:
                raise OtherKeyError(
                    f"{target.name}: run {run} makes it anew, with key {ids[1]} in place of {ids[0]}, and has not "
                    "ended. Complete it first: jobs/rotate_key.py with these two keys."
                )
        elif KEY_ID not in found:
            raise OtherKeyError(
                f"{target.name} does not say which key made it. Run jobs/pseudonymise.py with that key first."
            )
        elif found[KEY_ID] not in (keys.former_id, keys.new_id):
            raise OtherKeyError(
                f"{target.name} was made with key {found[KEY_ID]}, and the former key given is {keys.former_id}. "
                "Give the one that made it."
            )


def _make_anew(
    spark: SparkSession, config: Config, target: Table, keys: Keys, run_id: str
) -> tuple[int, dict[str, int]]:
    """How many ids of a table were recorded as replaced, and how many rows were then made anew, by table."""
    source, people = _as_of_now(spark, config, target), _persons(spark, config)
    ids = _ids_of(spark, config, target, source, keys, people)
    replaced = record_replaced(replacements(ids, keys), config, run_id, keys.new_id)
    note = f"rotation {run_id} of "
    if target.name == IMAGES:
        rows = {target.name: _make_images_anew(spark, target, source, keys, people, note)}
        rows |= {"secure/links": _make_links_anew(spark, config, keys, note)}
        series, studies = bring_up_roll_ups(spark, config, None, None)
        return replaced, rows | {"deidentified/series": series, "deidentified/studies": studies}
    if note + target.name in storage.notes(spark, target):
        return replaced, {target.name: 0}
    fresh = with_new_ids(tables.read(spark, target), source, target.schema, keys, people)
    return replaced, {target.name: tables.rewrite(fresh, target, where="true", note=note + target.name)}


def _make_images_anew(
    spark: SparkSession, target: Table, source: DataFrame, keys: Keys, people: DataFrame | None, note: str
) -> int:
    count, partitions = 0, partitions_left(spark, target, note)
    with Progress(target.name, sum(one.rows for one in partitions), "images") as progress:
        for portion in portions(partitions, _PORTION_ROWS):
            rows = tables.read(spark, target).where(portion.where)
            fresh = with_new_ids(rows, source.where(portion.where), target.schema, keys, people)
            count += tables.rewrite(fresh, target, where=portion.where, note=note + portion.where)
            progress.add(portion.rows)
    return count


def _make_links_anew(spark: SparkSession, config: Config, keys: Keys, note: str) -> int:
    target = tables.table(config, "secure/links")
    links = tables.read_or_empty(spark, target)
    if links.where(F.col("key_id") == keys.former_id).isEmpty():
        return 0
    given = links.withColumns({"SOPInstanceUID": F.col(ORIGINAL), "key_id": F.lit(keys.new_id)})
    fresh = swap_ids(given, {"SOPInstanceUID": "uid"}, keys.new)
    return tables.rewrite(fresh, target, where="true", note=note + target.name)


def with_new_ids(
    rows: DataFrame, source: DataFrame, schema: TableSchema, keys: Keys, people: DataFrame | None
) -> DataFrame:
    """``rows`` of zone 2 with the ids that the new key makes of their rows of zone 1, ``source``; without one, none.

    They are found by the key of the table, as either key makes it, so that rows which are anew already stay so.
    """
    key = schema.key_in("deidentified")
    ids = {name: kind for name, kind in id_columns(schema).items() if name in rows.columns}
    plain = identified(source, schema, keys.new.nobody, people, {*ids, *key})
    given = plain.withColumns({f"former_{name}": F.col(name) for name in key})
    by_former = {f"former_{name}": ids[name] for name in key if name in ids}
    made = swap_ids(swap_ids(given, by_former, keys.former), ids, keys.new)
    former = F.struct(*(F.col(f"former_{name}").alias(name) for name in key))
    either = F.explode(F.array_distinct(F.array(former, F.struct(*key))))
    fresh = made.select(either.alias("row"), *(F.col(name).alias(f"new_{name}") for name in ids))
    found = rows.withColumn("row", F.struct(*key)).join(fresh, "row")
    return found.withColumns({name: F.col(f"new_{name}") for name in ids}).select(*rows.columns)


def replacements(ids: DataFrame, keys: Keys) -> DataFrame:
    """kind, old, new: what either key makes of ``ids`` (kind, id) of zone 1."""
    apart = {f"{age}_{kind}": F.when(F.col("kind") == kind, F.col("id")) for kind in _KINDS for age in ("old", "new")}
    made = swap_ids(ids.withColumns(apart), {f"old_{kind}": kind for kind in _KINDS}, keys.former)
    made = swap_ids(made, {f"new_{kind}": kind for kind in _KINDS}, keys.new)
    either = [F.coalesce(*(f"{age}_{kind}" for kind in _KINDS)).alias(age) for age in ("old", "new")]
    return made.select("kind", *either)


def _ids_of(
    spark: SparkSession, config: Config, target: Table, source: DataFrame, keys: Keys, people: DataFrame | None
) -> DataFrame:
    """kind, id: of zone 1, each once; also those that left it and may come back, and numbers before a merge."""
    columns = tables.read(spark, target).columns
    named = {name: kind for name, kind in id_columns(target.schema).items() if name in columns}
    past = tables.history_of(_source(config, target))
    rows = [source, *([tables.read(spark, past)] if tables.exists(spark, past) else [])]
    found = [ids_in(identified(one, target.schema, keys.new.nobody, names=named), named) for one in rows]
    persons = [] if people is None else [people.select(F.lit("patient").alias("kind"), F.col("person").alias("id"))]
    return reduce(DataFrame.union, [*found, *persons]).distinct()


def _as_of_now(spark: SparkSession, config: Config, target: Table) -> DataFrame:
    """The rows of zone 1 behind a table, at one version: others may be adding to it."""
    source = _source(config, target)
    return tables.read(spark, source, tables.latest_version(spark, source))


def _source(config: Config, target: Table) -> Table:
    return tables.table(config, f"secure/{target.schema.table}")


def _persons(spark: SparkSession, config: Config) -> DataFrame | None:
    people = tables.table(config, "secure/people")
    if not tables.exists(spark, people):
        return None
    return tables.read(spark, people, tables.latest_version(spark, people)).select("chi", "person")


def _with_key(config: Config, archive: KeySource) -> Config:
    return config.model_copy(update={"keys": config.keys.model_copy(update={"archive": archive})})
