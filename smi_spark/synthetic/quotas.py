"""How many images, studies and people a tables-only archive has where: plain numbers, known before Spark starts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from smi_spark.errors import InputError
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.rates import Rates, Shape

FEWEST = 1_000  # images: with fewer, most modalities have none and nobody is busy
_STUDIES = 200  # of a pattern
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class PlannedSeries:
    """A series of a pattern: its number in the study, and the images of the pattern that come before it."""

    number: int
    modality: str
    images: int
    before: int


@dataclass(frozen=True)
class Pattern:
    """Studies of one kind, which come again and again: each a row of series. ``images`` is how many all have."""

    studies: tuple[tuple[PlannedSeries, ...], ...]
    images: int

    def studies_of(self, images: int) -> int:
        """How many studies hold so many images, of which the last may be cut short."""
        cycles, rest = divmod(images, self.images)
        return cycles * len(self.studies) + sum(study[0].before < rest for study in self.studies)


@dataclass(frozen=True)
class Batch:
    """All studies of one kind (the modality they are for) and year; ``first`` is the number of the first of them."""

    year: int
    kind: str
    images: int
    studies: int
    first: int


@dataclass(frozen=True)
class Population:
    """People by number from 0: first the ``busy``, up to ``imaged`` those with images, then those known from records.

    Every ``spacing``-th study covers the imaged in turn, ``step`` numbers apart; of the others ``busy_ppm`` millionths
    are of the busy.
    """

    count: int
    imaged: int
    busy: int
    spacing: int
    step: int
    busy_ppm: int


@dataclass(frozen=True)
class Plan:
    """An archive to be made: which images there are, and everything that their values are drawn from."""

    seed: int
    rates: Rates
    patterns: Mapping[str, Pattern]
    batches: tuple[Batch, ...]
    population: Population

    @property
    def years(self) -> list[int]:
        """The years that have images, in order."""
        return sorted({batch.year for batch in self.batches})


def plan_tables(images: int, seed: int, rates: Rates) -> Plan:
    """The archive of exactly so many images; InputError for fewer than 1,000."""
    if images < FEWEST:
        raise InputError(f"{images:,} images make no archive of tables. Give {FEWEST:,} or more.")
    patterns = {kind: _pattern(kind, seed, rates) for kind in rates.modalities}
    batches = tuple(_batches(images, patterns, rates))
    studies = sum(batch.studies for batch in batches)
    return Plan(seed, rates, patterns, batches, _population(studies, rates))


def allocate(total: int, weights: Sequence[float]) -> list[int]:
    """``total`` in whole parts, in proportion to ``weights``: the largest remainders get what rounding down leaves.

    >>> allocate(10, [1, 1, 1])
    [4, 3, 3]
    """
    whole = math.fsum(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [math.floor(part) for part in exact]
    by_rest = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_rest[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _pattern(kind: str, seed: int, rates: Rates) -> Pattern:
    """As many studies of each shape as its share says, in an order and of sizes that chance decides."""
    shapes = rates.modalities[kind].shapes.shares
    rng = stream(seed, "pattern", kind)
    counts = allocate(_STUDIES, [shape.share for shape in shapes])
    order: list[Shape] = [shape for shape, count in zip(shapes, counts, strict=True) for _ in range(count)]
    rng.shuffle(order)
    studies, before = [], 0
    for shape in order:
        series = []
        for number, planned in enumerate(shape.series, start=1):
            images = rng.randint(*planned.images)
            series.append(PlannedSeries(number, planned.modality or kind, images, before))
            before += images
        studies.append(tuple(series))
    return Pattern(tuple(studies), before)


def _batches(images: int, patterns: Mapping[str, Pattern], rates: Rates) -> Iterator[Batch]:
    cells, weights = [], []
    for kind, modality in rates.modalities.items():
        weight = modality.examinations.value * patterns[kind].images / _STUDIES
        for year in range(rates.years.first, rates.years.last + 1):
            cells.append((year, kind))
            weights.append(weight)
            weight *= 1 + modality.growth.value  # no power: its last digit is not the same everywhere
    first = 0
    for (year, kind), count in sorted(zip(cells, allocate(images, weights), strict=True)):
        if count:
            studies = patterns[kind].studies_of(count)
            yield Batch(year, kind, count, studies, first)
            first += studies


def _population(studies: int, rates: Rates) -> Population:
    people = rates.people
    count = max(3, round(studies / people.examinations.value))
    imaged = max(2, min(round(count * people.imaged.value), studies // 2))
    busy = max(1, round(imaged * people.busy.people))
    spacing = studies // imaged
    # Covering gives the busy their part as everybody; the rest of their images has to come from the other studies.
    drawn = (people.busy.images - busy / imaged / spacing) / (1 - 1 / spacing)
    step = round(imaged * _GOLDEN)
    while math.gcd(step, imaged) != 1:
        step += 1
    return Population(count, imaged, busy, spacing, step, round(1_000_000 * min(1.0, max(0.0, drawn))))
