"""Swappers: from who somebody is in zone 1 to the patient id of zone 2, as the configuration chooses."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config, KeySource
from smi_spark.deidentified.mapping import COMPLETE, DRAWN, KEYED, add_ids, changed_by, ids_that_stand, mapping
from smi_spark.deidentified.pseudonyms import Domain, in_worker, pseudonymise, replacing
from smi_spark.errors import ConfigError
from smi_spark.reasons import Reason
from smi_spark.secure.chi import identity_fault, patient_identity
from smi_spark.secure.people import with_persons
from smi_spark.tables import Table

FAULT = "fault"


class Swapper(Protocol):
    """What makes patient ids. An identity is the text of ``patient_identity``, of merged numbers the person's.

    key: of UIDs and accession numbers, whatever becomes of patients. nobody: ids that stand for nobody.
    """

    @property
    def key(self) -> KeySource: ...

    @property
    def nobody(self) -> tuple[str, ...]: ...

    @property
    def leaves_out(self) -> bool:
        """Whether people who stand for somebody may get no id yet."""

    def provide(self, identities: DataFrame, run_id: str, /) -> None:
        """See to it that these people (identity, each once) have an id, before rows of theirs are swapped."""

    def with_fault(self, rows: DataFrame, raw: Column, people: DataFrame | None, /) -> DataFrame:
        """``rows`` and ``fault``: why the patient of ``raw`` gets no id, as ``Reason`` has it; null where one does."""

    def swap(self, rows: DataFrame, patients: Sequence[str], others: Mapping[str, Domain]) -> DataFrame:
        """``rows`` with ids in place of the identities in ``patients``, and keyed pseudonyms in ``others``."""

    def up_to(self) -> str:
        """The newest run by which somebody's id is another one since; empty for none."""

    def renewed_since(self, since: str, people: DataFrame | None, /) -> DataFrame | None:
        """chi: ids of zone 1 whose rows have another patient id since that run; none where there are none."""


@dataclass(frozen=True)
class Keyed:
    """Patient ids by the key: HMAC-SHA256 in the workers, without a table."""

    key: KeySource
    nobody: tuple[str, ...] = ()
    leaves_out: bool = False

    def provide(self, _identities: DataFrame, _run_id: str, /) -> None:
        return

    def with_fault(self, rows: DataFrame, raw: Column, _people: DataFrame | None, /) -> DataFrame:
        return rows.withColumn(FAULT, identity_fault(raw, self.nobody))

    def swap(self, rows: DataFrame, patients: Sequence[str], others: Mapping[str, Domain]) -> DataFrame:
        domains: dict[str, Domain] = dict.fromkeys(patients, "patient")
        return pseudonymise(rows, {**others, **domains}, self.key)

    def up_to(self) -> str:
        return ""

    def renewed_since(self, _since: str, _people: DataFrame | None, /) -> DataFrame | None:
        return None


@dataclass(frozen=True)
class Lookup:
    """Patient ids from a table of ``schemas/mapping.yaml``.

    made: whom it lacks gets a random id (``drawn``), one by the key (``keyed``), or none (None). as_of: what ``up_to``
    gives, told when the swapper is chosen: an id that comes meanwhile is the next run's to renew.
    """

    spark: SparkSession
    table: Table
    key: KeySource
    nobody: tuple[str, ...] = ()
    made: str | None = DRAWN
    as_of: str = ""

    @property
    def leaves_out(self) -> bool:
        return self.made is None

    def provide(self, identities: DataFrame, run_id: str, /) -> None:
        if self.made is None:
            return
        known = ids_that_stand(self.spark, self.table).select("identity")
        lacking = identities.join(known, "identity", "left_anti")
        make = drawn_ids() if self.made == DRAWN else replacing("patient", self.key)
        given = lacking.select("identity", make(F.col("identity")).alias("patient_id"))
        add_ids(given, self.table, self.made, run_id)

    def with_fault(self, rows: DataFrame, raw: Column, people: DataFrame | None, /) -> DataFrame:
        judged = rows.withColumn(FAULT, identity_fault(raw, self.nobody))
        if self.made is not None:
            return judged
        found = judged.withColumn("person", patient_identity(raw, self.nobody))
        found = self._looked_up(with_persons(found, people, ["person"]) if people is not None else found, "person")
        missed = F.when(F.col("person").isNull(), str(Reason.NOT_IN_MAPPING))
        return found.withColumn(FAULT, F.coalesce(FAULT, missed)).drop("person")

    def swap(self, rows: DataFrame, patients: Sequence[str], others: Mapping[str, Domain]) -> DataFrame:
        for name in patients:
            rows = self._looked_up(rows, name)
        return pseudonymise(rows, others, self.key)

    def up_to(self) -> str:
        return self.as_of

    def as_it_is(self) -> "Lookup":
        """The swapper as of what the mapping says now."""
        newest = tables.read_or_empty(self.spark, self.table).agg(F.max(self._changed)).collect()
        return replace(self, as_of=str(newest[0][0] or ""))

    def renewed_since(self, since: str, people: DataFrame | None, /) -> DataFrame | None:
        is_renewed = (self._changed > since) & (self._changed <= self.as_of)
        rows = tables.read_or_empty(self.spark, self.table).where(is_renewed)
        if rows.isEmpty():
            return None
        renewed = rows.select("identity")
        numbers = renewed.select(F.col("identity").alias("chi"))
        if people is None:
            return numbers
        merged = people.join(renewed, F.col("person") == F.col("identity"), "left_semi")
        return numbers.union(merged.select("chi"))

    @property
    def _changed(self) -> Column:
        return changed_by(loads_too=self.made is None)

    def _looked_up(self, rows: DataFrame, name: str) -> DataFrame:
        """``rows`` with the id of the person in a column in the person's place; null where there is none."""
        known = ids_that_stand(self.spark, self.table)
        known = known.select(F.col("identity").alias("known_identity"), F.col("patient_id").alias("known_id"))
        joined = rows.join(known, F.col(name) == F.col("known_identity"), "left")
        return joined.withColumn(name, F.col("known_id")).drop("known_identity", "known_id")


def choose_swapper(spark: SparkSession, config: Config) -> Swapper:
    """The swapper that ``pseudonyms`` of the configuration names.

    Raises ConfigError for ``keyed`` where zone 2 was made with a mapping: people in it would get a second id.
    """
    chosen, table = config.pseudonyms, mapping(config)
    if chosen.patients != "keyed":
        made = KEYED if chosen.patients == "lookup_or_keyed" else DRAWN if chosen.misses == "draw" else None
        return Lookup(spark, table, config.keys.archive, chosen.nobody, made).as_it_is()
    if tables.exists(spark, table) and tables.get_property(spark, table, COMPLETE):
        raise ConfigError(
            "pseudonyms.patients is keyed, and zone 2 has the patient ids of secure/mapping. "
            "Set pseudonyms.patients: lookup_or_keyed, which gives new people keyed ids and leaves the others theirs."
        )
    return Keyed(config.keys.archive, chosen.nobody)


def drawn_ids() -> Any:
    """The column function to 32 random hexadecimal digits for each row: 128 bits of the worker's own random source.

    Another each time it is worked out: write the ids down, then read them back.
    """

    def draw(values: "pa.Array[Any]") -> "pa.Array[Any]":
        return pa.array([secrets.token_hex(16) for _ in range(len(values))], pa.string())

    return in_worker(draw, "string")
