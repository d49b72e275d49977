"""Rewriting images partition by partition, with a note beside each commit, so that a killed run is completed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyspark.sql import SparkSession

from smi_spark import storage, tables


@dataclass(frozen=True)
class Partition:
    """A partition of images, in zone 1 or 2: a modality and a year, and how many rows it has."""

    modality: str
    year: int
    rows: int

    @property
    def where(self) -> str:
        return f"(modality = '{self.modality}' AND year = {self.year})"


@dataclass(frozen=True)
class Portion:
    """Partitions that are rewritten in one commit: as many small ones as may be together, or a large one."""

    partitions: tuple[Partition, ...]

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.partitions)

    @property
    def where(self) -> str:
        return " OR ".join(one.where for one in self.partitions)


def portions(partitions: Iterable[Partition], rows: int) -> Iterator[Portion]:
    """Partitions, in their order, by the commit: together they have ``rows`` at most, or it is one that has more."""
    together: list[Partition] = []
    for one in partitions:
        if together and sum(each.rows for each in together) + one.rows > rows:
            yield Portion(tuple(together))
            together = []
        together.append(one)
    if together:
        yield Portion(tuple(together))


def partitions_left(spark: SparkSession, target: tables.Table, noted: str) -> list[Partition]:
    """The partitions (modality, year), in order, that no commit whose note begins with ``noted`` names."""
    counted = tables.read(spark, target).groupBy("modality", "year").count().orderBy("modality", "year")
    partitions = [Partition(*row) for row in counted.collect()]  # one a modality and year
    notes = [note for note in storage.notes(spark, target) if note.startswith(noted)]
    return [one for one in partitions if not any(one.where in note for note in notes)]
