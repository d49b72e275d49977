"""Which files a stream has taken: a log of its own, a file a batch, so that its offset stays a number."""

import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from smi_spark.errors import SourceError

Found = Mapping[tuple[str, str], tuple[int, int]]  # root and path → size and time of last change
_TEXTS, _NUMBERS = ("root", "path"), ("size", "modified")
_FIELDS: dict[str, pa.DataType] = {**dict.fromkeys(_TEXTS, pa.string()), **dict.fromkeys(_NUMBERS, pa.int64())}
_SCHEMA = pa.schema(_FIELDS)
_APART = 20  # files of the log before they are joined


class TakenLog:
    """The log of one stream: the files of each batch in ``<number>.parquet``, older ones in ``to-<number>.parquet``.

    Columns: root, path, size (bytes), modified (microseconds since 1970). A batch is there before Spark knows its
    number, and never changes; so a batch that is run again has the same files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[bytes] = set()
        self._to = 0

    def plan(self, batch: int, files: Iterable[tuple[tuple[str, str], tuple[int, int]]]) -> None:
        """Write down the files of a batch."""
        rows = [(root, path, size, modified) for (root, path), (size, modified) in files]
        self._write(
            self._place(batch), pa.Table.from_arrays([pa.array(c) for c in zip(*rows, strict=True)], schema=_SCHEMA)
        )

    def is_planned(self, batch: int) -> bool:
        return self._place(batch).exists()

    def files(self, first: int, last: int) -> list[tuple[str, str]]:
        """Root and path of the files of these batches, in the order planned.

        Raises SourceError where the log lacks one of them.
        """
        found = []
        for batch in range(first, last + 1):
            if not self.is_planned(batch):
                raise SourceError(
                    f"the stream's log {self._folder} lacks batch {batch}. Bring the log back to this folder, name the "
                    'one that holds it with .option("log", folder), or begin anew with an empty checkpoint.'
                )
            found += _read(self._place(batch))
        return found

    def untaken(self, batch: int, found: Found) -> dict[tuple[str, str], tuple[int, int]]:
        """Those of the files found that no batch up to this one has."""
        if self._to == 0 and batch > 0:
            self._known.update(self._joined())
            self._to = self._last_joined()
        for number in range(self._to + 1, batch + 1):
            self._known.update(_key(root, path) for root, path in self.files(number, number))
        self._to = max(self._to, batch)
        return {file: state for file, state in found.items() if _key(*file) not in self._known}

    def tidy(self, batch: int) -> None:
        """Join the files of the log before this batch, where there are many."""
        numbers = [n for n in sorted(int(p.stem) for p in self._folder.glob("[0-9]*.parquet")) if n < batch]
        if len(numbers) < _APART:
            return
        old = sorted(self._folder.glob("to-*.parquet"))
        parts = [*old, *map(self._place, numbers)]
        joined = self._folder / f"to-{max(numbers[-1], self._last_joined()):08}.parquet"
        self._write(joined, pa.concat_tables([pq.read_table(part) for part in parts]))
        for part in parts:
            if part != joined:
                part.unlink()

    def _place(self, batch: int) -> Path:
        return self._folder / f"{batch:08}.parquet"

    def _last_joined(self) -> int:
        return max((int(p.stem[3:]) for p in self._folder.glob("to-*.parquet")), default=0)

    def _joined(self) -> Iterator[bytes]:
        for part in self._folder.glob("to-*.parquet"):
            yield from (_key(*file) for file in _read(part))

    def _write(self, place: Path, table: pa.Table) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = place.with_suffix(".draft")
            pq.write_table(table, draft, compression="zstd")
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(place)
        except OSError as error:
            raise SourceError(
                f"the stream's log {self._folder} cannot be written: {error.strerror}. Name another folder with "
                '.option("log", folder).'
            ) from None


def _read(place: Path) -> list[tuple[str, str]]:
    rows = pq.read_table(place, columns=list(_TEXTS)).to_pylist()
    return [(row["root"], row["path"]) for row in rows]


def _key(root: str, path: str) -> bytes:
    """Sixteen bytes a file, as a set of millions of paths would not stay small."""
    return blake2b(f"{root}\0{path}".encode(), digest_size=16).digest()
