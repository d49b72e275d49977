"""What a maintenance of the tables did, in words and in numbers."""

from collections.abc import Iterator
from dataclasses import dataclass

from smi_spark.storage import DRY_RUN_LISTS, NO_FILES, Extent


@dataclass(frozen=True)
class Kept:
    """What was done to a table, or would be: partitions rewritten, all its files before and after, what was removed.

    days: for which old versions can be read; is_new_horizon: since now. busy: why it was left alone.
    """

    table: str
    days: int
    is_new_horizon: bool = False
    partitions: int = 0
    before: Extent = NO_FILES
    after: Extent = NO_FILES
    removed: Extent = NO_FILES
    has_checkpoint: bool = False
    is_dry: bool = False
    busy: str = ""

    @property
    def is_idle(self) -> bool:
        return not (self.is_new_horizon or self.partitions or self.removed.files or self.has_checkpoint or self.busy)

    def __str__(self) -> str:
        if self.busy:
            return f"{self.table}: left as it is: {self.busy}"
        return f"{self.table}: {'; '.join(self._dry_parts() if self.is_dry else self._parts())}"

    def _parts(self) -> Iterator[str]:
        if self.is_new_horizon:
            yield f"old versions can be read for {self.days:,} days"
        if self.partitions:
            saved = f"{self.before.bytes / 1e6:,.1f} → {self.after.bytes / 1e6:,.1f} MB"
            files = f"{self.before.files:,} → {self.after.files:,} files"
            yield f"{self.partitions:,} partitions rewritten, {files}, {saved}"
        if self.removed.files:
            freed = f"{self.removed.bytes / 1e6:,.1f} MB"
            yield f"{self.removed.files:,} files removed that no version of {self.days:,} days needs, {freed}"
        if self.has_checkpoint:
            yield "checkpoint made"

    def _dry_parts(self) -> Iterator[str]:
        if self.is_new_horizon:
            yield f"would let old versions be read for {self.days:,} days"
        if self.partitions:
            files = f"{self.before.files:,} → {self.after.files:,} files"
            yield f"would rewrite {self.partitions:,} partitions, {files}"
        if self.removed.files:
            more = " or more" if self.removed.files == DRY_RUN_LISTS else ""
            yield f"would remove {self.removed.files:,}{more} files that no version of {self.days:,} days needs"
        if self.has_checkpoint:
            yield "would make a checkpoint"


@dataclass(frozen=True)
class Report:
    """What a run did: a line for each table where there was something to do."""

    tables: tuple[Kept, ...]
    snapshots: int = 0

    def __str__(self) -> str:
        lines = [str(kept) for kept in self.tables if not kept.is_idle]
        idle = len(self.tables) - len(lines)
        if idle:
            lines.append(f"{idle:,} tables: nothing to do")
        if self.snapshots:
            lines.append(f"{self.snapshots:,} tables of snapshots: left as they are, with every version")
        return "\n".join(lines) or "there are no tables yet"

    def counts(self) -> dict[str, int]:
        """The sums by name, without those that are 0."""
        done = [kept for kept in self.tables if not kept.is_idle and not kept.busy]
        before, after, removed = (
            sum((getattr(kept, name) for kept in done), NO_FILES) for name in ("before", "after", "removed")
        )
        counts = {
            "tables": len(done), "partitions": sum(kept.partitions for kept in done),
            "files_before": before.files, "files_after": after.files,
            "bytes_before": before.bytes, "bytes_after": after.bytes,
            "files_removed": removed.files, "bytes_removed": removed.bytes,
            "checkpoints": sum(kept.has_checkpoint for kept in done),
        }  # fmt: skip
        return {name: value for name, value in counts.items() if value}
