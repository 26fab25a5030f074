"""A segment: an immutable inverted file over some rows, in memory or memory-mapped from a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reml.files import CorruptError, atomic_folder
from reml.index.inversion import append_kept, count_dimensions, count_kept, scatter, sort_by_position
from reml.types import Float32Array, Int32Array, Int64Array, SparseVectors

Flags = npt.NDArray[np.bool_]
Allocate = Callable[[str, npt.DTypeLike, int], npt.NDArray[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """The postings of some rows: `positions[starts[d]:starts[d + 1]]` are the places in `rows` of those that have d.

    rows: int64 [n], ascending. starts: int64 [V + 1]. positions: int32, ascending in each dimension. impacts: float32,
    positive. The arrays are read-only.
    """

    rows: Int64Array
    starts: Int64Array
    positions: Int32Array
    impacts: Float32Array

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def width(self) -> int:
        """The number of dimensions V."""
        return len(self.starts) - 1

    @classmethod
    def invert(cls, rows: Int64Array, vectors: SparseVectors) -> Self:
        """Make a segment of valid vectors in memory; rows may be in any order but must be distinct."""
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(vectors.width + 1, dtype=np.int64)
        count_dimensions(vectors.dimensions, vectors.weights, starts)
        np.cumsum(starts, out=starts)
        positions, impacts = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1], dtype=np.float32)
        ends = starts[:-1].copy()
        scatter(vectors.indptr, vectors.dimensions, vectors.weights, order, ends, positions, impacts)
        return cls(rows[order], starts, positions, impacts)

    @classmethod
    def join(cls, segments: Sequence[Segment], alive: Sequence[Flags], folder: Path) -> Self:
        """Write one segment of the live rows of several to a folder; its postings are never whole in memory."""
        width = max(segment.width for segment in segments)
        rows = np.concatenate([segment.rows[flags] for segment, flags in zip(segments, alive, strict=True)])
        rows.sort()
        renumbered = [_renumbered(segment.rows, flags, rows) for segment, flags in zip(segments, alive, strict=True)]
        starts = np.zeros(width + 1, dtype=np.int64)
        for segment, numbers in zip(segments, renumbered, strict=True):
            count_kept(segment.starts, segment.positions, numbers, starts)
        np.cumsum(starts, out=starts)
        with atomic_folder(folder) as draft:
            positions = _mapped(draft / "positions.npy", np.int32, int(starts[-1]))
            impacts = _mapped(draft / "impacts.npy", np.float32, int(starts[-1]))
            ends = starts[:-1].copy()
            for segment, numbers in zip(segments, renumbered, strict=True):
                append_kept(segment.starts, segment.positions, segment.impacts, numbers, ends, positions, impacts)
            sort_by_position(starts, positions, impacts)
            np.save(draft / "rows.npy", rows)
            np.save(draft / "starts.npy", starts)
        return cls.open(folder)

    def save(self, folder: Path) -> None:
        """Write the segment to a folder, which is whole or not there."""
        with atomic_folder(folder) as draft:
            for field in fields(self):
                np.save(draft / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map a segment; `CorruptError` names a file that cannot be read."""
        return cls(*(_opened(folder / f"{field.name}.npy") for field in fields(cls)))


def _renumbered(rows: Int64Array, alive: Flags, new_rows: Int64Array) -> Int32Array:
    return np.where(alive, np.searchsorted(new_rows, rows), -1).astype(np.int32)


def _mapped(path: Path, dtype: npt.DTypeLike, length: int) -> npt.NDArray[Any]:
    # An empty file cannot be mapped.
    if length == 0:
        np.save(path, np.empty(0, dtype=dtype))
        return np.empty(0, dtype=dtype)
    return np.asarray(np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(length,)))


def _opened(path: Path) -> npt.NDArray[Any]:
    try:
        # A plain array over the map: numba knows its type at once.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise CorruptError(f"{path} cannot be read ({error}). Delete the index and build it again.") from error
