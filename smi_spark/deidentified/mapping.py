"""``secure/mapping``: who has which patient id, where the configuration looks ids up. It never leaves zone 1."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from smi_spark import tables
from smi_spark.config import Config
from smi_spark.storage import CONFLICTS
from smi_spark.tables import Table

DRAWN, KEYED, SITE = "drawn", "keyed", "site"  # where an id comes from
LEASE = "mapping"
COMPLETE = "smi_spark.complete"  # property: everybody who stands in zone 2 has the id that stands there

_ATTEMPTS = 20  # each fails only where another run added people meanwhile


def mapping(config: Config) -> Table:
    """The table itself."""
    return tables.table(config, "secure/mapping")


def add_ids(given: DataFrame, target: Table, origin: str, run_id: str) -> None:
    """Add ids (identity, patient_id) of people whom the mapping lacks.

    One commit. Who is there, or was put there by another run meanwhile, keeps that id: read back what stands.
    """
    stamps = {"origin": F.lit(origin), "mapped_at": F.current_timestamp(), "run_id": F.lit(run_id)}
    put(tables.completed(given, target, **stamps), target, update=False)


def put(rows: DataFrame, target: Table, *, insert: bool = True, update: bool = True) -> int:
    """Rows of people into the mapping, in one commit, tried again where another run committed meanwhile.

    Gives how many were put, unless another run committed right behind.
    """
    # Worked out first: what is drawn is drawn once, however often the merge is tried or a task of it runs.
    given = tables.worked_out(rows)
    if given.isEmpty():
        return 0
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return tables.merge(given, target, ["identity"], among=given, insert=insert, update=update)
        except CONFLICTS:
            if attempt == _ATTEMPTS:
                raise
    return 0


def ids_that_stand(spark: SparkSession, target: Table) -> DataFrame:
    """identity, patient_id: what the mapping says now."""
    return tables.read_or_empty(spark, target).select("identity", "patient_id")


def changed_by(loads_too: bool) -> Column:
    """The newest run since which a person's rows have another id, or with ``loads_too`` one where they had none."""
    loaded = F.when(F.col("origin") == SITE, F.col("run_id")) if loads_too else F.lit(None).cast("string")
    return F.greatest("updated_by", loaded)
