"""A batch of headers on its way through the tokeniser."""

from typing import Any

import numpy as np
import pyarrow as pa

from smi_spark.dicom import layout as at
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.arrays import Gathered
from smi_spark.dicom.arrow import as_buffer, number_array, text_array
from smi_spark.dicom.columns import written
from smi_spark.dicom.gather import join_pieces
from smi_spark.dicom.kernel import walk
from smi_spark.dicom.plan import Numbers, Plan, dictionary
from smi_spark.schema import load_schema


class Finds:
    """The tables of one walk that grow: values in items, values left out, pieces of stored headers."""

    def __init__(self, rows: int) -> None:
        self.spans = np.empty((at.SPAN_WIDTH, 4 * rows + 64), np.int64)
        self.gaps = np.empty((4, rows + 16), np.int64)
        self.pieces = np.empty((3, 2 * rows + 16), np.int64)
        self.counts = np.zeros(3, np.int64)

    def make_room(self) -> None:
        """Let tables that are full, or nearly, grow."""
        tables = (self.spans, self.gaps, self.pieces)
        self.spans, self.gaps, self.pieces = (
            np.concatenate([table, np.empty_like(table)], axis=1) if count + 2 > table.shape[1] else table
            for table, count in zip(tables, self.counts, strict=True)
        )


class Walked:
    """A batch of headers under the tokeniser: its state, and what was found."""

    def __init__(self, plan: Plan, rows: int, arena: Arena, limits: Numbers) -> None:
        self.plan, self.rows, self.arena = plan, rows, arena
        self.state = np.zeros((rows, at.STATE_WIDTH), np.int64)
        self.levels = np.empty((at.MAX_DEPTH, rows, at.LEVEL_WIDTH), np.int64)  # the kernel sets deeper ones
        self.levels[0] = 0
        self.levels[0, :, at.L_END] = self.levels[0, :, at.L_BOUND] = self.state[:, at.SIZE] = at.NO_LIMIT
        self.levels[0, :, at.L_CHARSET] = at.NOTHING
        self._limits = limits
        self._stored = np.zeros((2, 0), np.int64)
        self._places = np.empty((len(plan.paths), rows), np.int64)
        self._packed = np.zeros((len(plan.paths), rows), np.int64)
        self._finds: list[Finds] = []

    def gaps_known(self, left_out: Any) -> None:
        """Values that stored headers lack."""
        offsets = np.asarray(left_out.offsets, np.int64)
        self.state[:, at.GAP], self.state[:, at.GAPS_END] = offsets[:-1], offsets[1:]
        fields = left_out.values
        self._stored = np.array([fields.field("offset").to_numpy(), fields.field("length").to_numpy()], np.int64)

    def new_finds(self, rows: int) -> Finds:
        """Tables for one more walk over so many rows."""
        self._finds.append(Finds(rows))
        return self._finds[-1]

    def walking(self, finds: Finds) -> Any:
        """What compiled code walks with, behind the buffer and the rows."""
        found = self._places, self._packed, finds.spans, finds.gaps, finds.pieces, finds.counts
        return self.state, self.levels, self.plan.tree, dictionary(), self._limits, self._stored, found

    def walk(self, rows: Numbers, finds: Finds | None = None) -> None:
        """Go on with these headers as far as their bytes reach."""
        finds = finds or self.new_finds(len(rows))
        done = 0
        while (done := walk(self.arena.content, rows, done, *self.walking(finds))) < len(rows):
            finds.make_room()

    def supply(self, rows: Numbers, starts: Numbers, lengths: Numbers, sizes: Numbers) -> None:
        """Let headers go on with new bytes, which begin where the walk stopped; ``sizes`` are those of the files."""
        self.state[rows, at.POS] = self.state[rows, at.PIECE] = starts
        self.state[rows, at.END] = starts + lengths
        self.state[rows, at.SIZE] = self.levels[0, rows, at.L_END] = self.levels[0, rows, at.L_BOUND] = sizes
        self.state[rows, at.STATUS] = at.RUNNING

    def add_piece(self, row: int, place: int, length: int) -> None:
        """Bytes of the arena that the stored header of a row ends with."""
        finds = self.new_finds(1)
        finds.pieces[:, 0] = row, place, length
        finds.counts[2] = 1

    def with_status(self, status: int) -> Numbers:
        return np.flatnonzero(self.state[:, at.STATUS] == status)

    def gathered(self) -> Gathered:
        return Gathered(self.arena, self.plan, self._places, self._packed, self._all(0))

    def headers(self) -> "pa.Array[Any]":
        """The stored headers; null where there is none."""
        offsets, joined = join_pieces(self.arena.content, self._all(2), self.rows)
        valid = np.packbits(offsets[1:] > offsets[:-1], bitorder="little")
        buffers: list[pa.Buffer | None] = [as_buffer(valid), as_buffer(offsets.astype(np.int32)), as_buffer(joined)]
        return pa.Array.from_buffers(pa.binary(), self.rows, buffers)

    def left_out(self) -> "pa.Array[Any]":
        """What the stored headers lack, in the order of the file."""
        kind: Any = load_schema("headers").column("left_out").arrow_type
        gaps = self._all(1)
        gaps = gaps[:, np.argsort(gaps[0], kind="stable")]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(gaps[0], minlength=self.rows))]).astype(np.int32)
        tags = text_array([written(tag) for tag in gaps[1].tolist()])
        places = [number_array(field, pa.int64()) for field in gaps[2:4]]
        found = pa.StructArray.from_arrays([tags, *places], fields=list(kind.value_type))
        return pa.Array.from_buffers(kind, self.rows, [None, as_buffer(offsets)], children=[found])

    def rows_with_gaps(self) -> Numbers:
        """The rows of which the walk left values out."""
        return np.unique(self._all(1)[0])

    def _all(self, table: int) -> Numbers:
        """One of the three tables, of all walks."""
        parts = [(f.spans, f.gaps, f.pieces)[table][:, : f.counts[table]] for f in self._finds]
        return np.concatenate([*parts, np.empty(((at.SPAN_WIDTH, 4, 3)[table], 0), np.int64)], axis=1)
