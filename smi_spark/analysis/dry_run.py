"""What a build would give, with nothing written: what each step leaves and loses, and the size of the images' files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from smi_spark.analysis.definition import Definition
from smi_spark.analysis.selection import Left, measure_steps
from smi_spark.analysis.shown import HIDDEN, WHY_HIDDEN, shown, told_count
from smi_spark.analysis.step_counts import Extent

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_WIDTHS = (10, 10, 10, 12)


@dataclass(frozen=True)
class DryRun:
    """What each step leaves (``series`` beside ``attrition``), small counts hidden as by ``shown``. As text: a line for
    each, and above it what was lost to it.

    file_bytes: of the images that the last step leaves; none where hidden. is_whole: whether each file's size is known.
    """

    attrition: tuple[Left, ...]
    series: tuple[int | None, ...]
    file_bytes: int | None
    is_whole: bool = True

    def __str__(self) -> str:
        counts = [
            (left.patients, left.studies, series, left.images)
            for left, series in zip(self.attrition, self.series, strict=True)
        ]
        lines = [*self._lines(counts), self._files()]
        return "\n".join([*lines, WHY_HIDDEN] if any(None in several for several in counts) else lines)

    def _lines(self, counts: Sequence[Sequence[int | None]]) -> Iterator[str]:
        yield f"{_line(('patients', 'studies', 'series', 'images'))}  left after, and lost to it"
        for place, (left, several) in enumerate(zip(self.attrition, counts, strict=True)):
            if place:
                yield _line([_moved(before, now) for before, now in zip(counts[place - 1], several, strict=True)])
            yield f"{_line([told_count(count) for count in several])}  {left.step}. {left.rule}"

    def _files(self) -> str:
        if self.file_bytes is None:
            return f"size of their files: {HIDDEN}"
        further = "" if self.is_whole else "; that of some is not known"
        return f"size of their files: {in_units(self.file_bytes)}{further}"


def rehearse(images: DataFrame, records: Mapping[str, DataFrame], definition: Definition, minimum_cell: int) -> DryRun:
    """Count what ``select_images`` would choose, in one pass over the images.

    The size of a file is that of ``file_size`` in zone 2: what it took in the source when it was read.
    """
    rules, found = zip(*measure_steps(images, records, definition, sized=True), strict=True)
    return told(rules, found, minimum_cell)


def told(rules: Sequence[str], found: Sequence[Extent], minimum_cell: int) -> DryRun:
    """The dry run that found this, small counts hidden: those of series as those of studies are."""
    steps = [(number, rule, left) for number, (rule, left) in enumerate(zip(rules, found, strict=True), start=1)]
    studies, series = (
        shown([Left(k, rule, left.patients, getattr(left, of), left.images) for k, rule, left in steps], minimum_cell)
        for of in ("studies", "series")
    )
    size = None if studies[-1].images is None else found[-1].file_bytes
    return DryRun(studies, tuple(one.studies for one in series), size, not found[-1].unsized)


def in_units(size: int) -> str:
    """Bytes in the unit that has one to three digits before the point: ``1.2 GB``, of 10⁹ bytes."""
    value, unit = float(size), 0
    while value >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:,.1f} {_UNITS[unit]}" if unit else f"{size:,} bytes"


def _moved(before: int | None, now: int | None) -> str:
    if before is None or now is None:
        return HIDDEN
    return f"{now - before:+,}" if now != before else "-"


def _line(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
