"""A batch of headers on its way through the tokeniser."""

from typing import Any

import numpy as np
import pyarrow as pa

from smi_spark.dicom import layout as at
from smi_spark.dicom.arena import Arena
from smi_spark.dicom.arrays import Gathered, as_buffer
from smi_spark.dicom.columns import written
from smi_spark.dicom.gather import join_pieces
from smi_spark.dicom.kernel import walk
from smi_spark.dicom.plan import Numbers, Plan, dictionary, state_arrays
from smi_spark.schema import load_schema


class Walked:
    """A batch of headers under the tokeniser: its state, and what was found."""

    def __init__(self, plan: Plan, rows: int, arena: Arena, limits: Numbers) -> None:
        self.plan, self.rows, self.arena = plan, rows, arena
        self.state, self.levels = state_arrays(rows)
        self._limits = limits
        self._stored = np.zeros((2, 0), np.int64)
        self.spans = np.empty((6, 64 * max(rows, 1)), np.int64)
        self.gaps = np.empty((4, 64), np.int64)
        self.pieces = np.empty((3, 2 * max(rows, 1)), np.int64)
        self.counts = np.zeros(3, np.int64)

    def gaps_known(self, left_out: Any) -> None:
        """Values that stored headers lack."""
        offsets = np.asarray(left_out.offsets, np.int64)
        self.state[:, at.GAP], self.state[:, at.GAPS_END] = offsets[:-1], offsets[1:]
        fields = left_out.values
        self._stored = np.array([fields.field("offset").to_numpy(), fields.field("length").to_numpy()], np.int64)

    def walk(self, rows: Numbers) -> None:
        """Go on with these headers as far as their bytes reach."""
        while not walk(
            self.arena.content, rows, self.state, self.levels, self.plan.tree, dictionary(), self._limits,
            self._stored, self.spans, self.gaps, self.pieces, self.counts,
        ):  # fmt: skip
            tables = (self.spans, self.gaps, self.pieces)
            self.spans, self.gaps, self.pieces = (
                _roomier(table) if count + 2 > table.shape[1] else table
                for table, count in zip(tables, self.counts, strict=True)
            )

    def supply(self, rows: Numbers, starts: Numbers, lengths: Numbers, sizes: Numbers) -> None:
        """Let headers go on with new bytes, which begin where the walk stopped; ``sizes`` are those of the files."""
        self.state[rows, at.POS] = self.state[rows, at.PIECE] = starts
        self.state[rows, at.END] = starts + lengths
        self.state[rows, at.SIZE] = self.levels[rows, 0, at.L_END] = self.levels[rows, 0, at.L_BOUND] = sizes
        self.state[rows, at.STATUS] = at.RUNNING

    def add_piece(self, row: int, place: int, length: int) -> None:
        """Bytes of the arena that the stored header of a row ends with."""
        if self.counts[2] == self.pieces.shape[1]:
            self.pieces = _roomier(self.pieces)
        self.pieces[:, self.counts[2]] = row, place, length
        self.counts[2] += 1

    def with_status(self, status: int) -> Numbers:
        return np.flatnonzero(self.state[:, at.STATUS] == status)

    def gathered(self) -> Gathered:
        return Gathered(self.arena, self.spans, int(self.counts[0]), self.plan, self.rows)

    def headers(self) -> "pa.Array[Any]":
        """The stored headers; null where there is none."""
        offsets, joined = join_pieces(self.arena.content, self.pieces, int(self.counts[2]), self.rows)
        valid = np.packbits(offsets[1:] > offsets[:-1], bitorder="little")
        buffers: list[pa.Buffer | None] = [as_buffer(valid), as_buffer(offsets.astype(np.int32)), as_buffer(joined)]
        return pa.Array.from_buffers(pa.binary(), self.rows, buffers)

    def left_out(self) -> "pa.Array[Any]":
        """What the stored headers lack, in the order of the file."""
        kind: Any = load_schema("headers").column("left_out").arrow_type
        gaps = self.gaps[:, : self.counts[1]]
        gaps = gaps[:, np.argsort(gaps[0], kind="stable")]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(gaps[0], minlength=self.rows))]).astype(np.int32)
        tags = pa.array([written(tag) for tag in gaps[1].tolist()], pa.string())
        found = pa.StructArray.from_arrays([tags, pa.array(gaps[2]), pa.array(gaps[3])], fields=list(kind.value_type))
        return pa.Array.from_buffers(kind, self.rows, [None, as_buffer(offsets)], children=[found])


def _roomier(table: Numbers) -> Numbers:
    return np.concatenate([table, np.empty((table.shape[0], table.shape[1] + 2), np.int64)], axis=1)
