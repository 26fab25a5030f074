"""A segment: an immutable inverted file over some rows, in memory or memory-mapped from a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reml.contract.vectors import Int32Array, Int64Array, SparseVectors
from reml.devices.disk import save_array, taken_array
from reml.files.atomic import CorruptError, atomic_folder
from reml.files.integrity.checked import reading
from reml.index.bounding import fill_bounds, windows_of
from reml.index.inversion import append_kept, are_postings, count_dimensions, count_kept, scatter, sort_by_position
from reml.index.mapped import let_go
from reml.index.postings import BLOCK, BLOCKS, CELLS, RANKS, Bounds, Flags, Postings

# Postings of a segment that is joined in files which are in memory at a time: 64 MB, and 64 of what it is made of.
PART = 1 << 23
AGAIN = "The index has to be built again from its vectors."
# Makes an array of zeros, by its name, in memory or in a file.
Allocate = Callable[[str, npt.DTypeLike, tuple[int, ...]], npt.NDArray[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """The postings of some rows, and bounds on them. rows: int64 [n], ascending. All arrays are read-only."""

    rows: Int64Array
    postings: Postings
    bounds: Bounds

    def __post_init__(self) -> None:
        # Kernels are compiled for read-only arrays, which is what mapped files are.
        for array in (self.rows, *self.postings, *self.bounds):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def invert(cls, rows: Int64Array, vectors: SparseVectors) -> Self:
        """Make a segment of valid vectors in memory; rows may be in any order but must be distinct."""
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(vectors.width + 1, dtype=np.int64)
        count_dimensions(vectors.dimensions, vectors.weights, starts)
        np.cumsum(starts, out=starts)
        positions, impacts = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1], dtype=np.float32)
        scatter(vectors.indptr, vectors.dimensions, vectors.weights, order, starts[:-1].copy(), positions, impacts)
        postings = Postings(starts, positions, impacts)
        bounds = _no_bounds(starts, len(rows), _in_memory)
        fill_bounds(postings, bounds, 0, vectors.width)
        return cls(rows[order], postings, bounds)

    @classmethod
    def join(cls, segments: Sequence[Segment], alive: Sequence[Flags], folder: Path) -> Self:
        """Write one segment of the live rows of several to a folder; of its postings, a part is in memory at a time."""
        rows = np.concatenate([segment.rows[flags] for segment, flags in zip(segments, alive, strict=True)])
        rows.sort()
        numbered = [
            (segment.postings, _renumbered(segment.rows, flags, rows))
            for segment, flags in zip(segments, alive, strict=True)
        ]
        starts = np.zeros(max(len(postings.starts) for postings, _ in numbered), dtype=np.int64)
        for postings, numbers in numbered:
            count_kept(postings.starts, postings.positions, numbers, starts)
        np.cumsum(starts, out=starts)
        with atomic_folder(folder) as draft:
            allocate = _in_files(draft, folder)
            postings, bounds = _no_postings(starts, allocate), _no_bounds(starts, len(rows), allocate)
            for first, last in _parts(starts):
                _join(numbered, postings, bounds, first, last)
                for arrays in (postings, bounds, *(old for old, _ in numbered)):
                    let_go(*arrays)
            save_array(draft / "rows.npy", rows, folder)
        return cls.open(folder, len(starts) - 1)

    def save(self, folder: Path) -> None:
        """Write the segment to a folder, which is whole or not there."""
        arrays = {"rows": self.rows, **self.postings._asdict(), **self.bounds._asdict()}
        with atomic_folder(folder) as draft:
            for name, array in arrays.items():
                save_array(draft / f"{name}.npy", array, folder)

    @classmethod
    def open(cls, folder: Path, width: int) -> Self:
        """Map a segment; `CorruptError` names a file that cannot be read, or holds no array of the kind and shape."""
        names = ("rows", *Postings._fields, *Bounds._fields)
        arrays = {name: _opened(folder / f"{name}.npy") for name in names}
        forms = _forms(width, *(arrays[name].size for name in ("rows", "positions", "scales")))
        for name, array in arrays.items():
            kind, shape = forms[name]
            if array.dtype != kind or array.shape != shape or not array.flags.c_contiguous:
                raise CorruptError(
                    f"{folder / name}.npy holds {array.dtype} {array.shape} where {kind} {shape} was written. {AGAIN}"
                )
        postings = Postings(*(arrays[name] for name in Postings._fields))
        return cls(arrays["rows"], postings, Bounds(*(arrays[name] for name in Bounds._fields)))

    def is_sound(self) -> bool:
        """Tell whether its postings can be joined with others; reads all of them."""
        sound = are_postings(self.postings.starts, self.postings.positions, self.postings.impacts, len(self))
        let_go(*self.postings)
        return bool(sound)


def _forms(width: int, rows: int, postings: int, frequent: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Say of which kind and shape each array is, as `Postings` and `Bounds` have it."""
    windows = windows_of(rows)
    return {
        "rows": ("int64", (rows,)),
        "starts": ("int64", (width + 1,)),
        "positions": ("int32", (postings,)),
        "impacts": ("float32", (postings,)),
        "slots": ("int32", (width,)),
        "ranked": ("float32", (width, len(RANKS))),
        "scales": ("float32", (frequent,)),
        "maxima": ("uint8", (frequent, windows * CELLS)),
        "windows": ("int64", (frequent, windows + 1)),
        "offsets": ("uint16", (frequent, windows * BLOCKS)),
    }


def _parts(starts: Int64Array) -> Iterator[tuple[int, int]]:
    """Cut dimensions into ranges [first, last) of about `PART` postings, or of one dimension that has more."""
    first, width = 0, len(starts) - 1
    while first < width:
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + PART, side="right")) - 1)
        yield first, last
        first = last


def _join(
    numbered: Sequence[tuple[Postings, Int32Array]], postings: Postings, bounds: Bounds, first: int, last: int
) -> None:
    """Fill the postings of dimensions [first, last), and their bounds. numbered: of segments, with new positions."""
    starts = postings.starts[first : last + 1]
    ends = starts[:-1].copy()
    for old, numbers in numbered:
        there = old.starts[first : last + 1]
        append_kept(there, old.positions, old.impacts, numbers, ends, postings.positions, postings.impacts)
    sort_by_position(starts, postings.positions, postings.impacts)
    fill_bounds(postings, bounds, first, last)


def _no_postings(starts: Int64Array, allocate: Allocate) -> Postings:
    size = (int(starts[-1]),)
    made = Postings(
        allocate("starts", np.int64, starts.shape),
        allocate("positions", np.int32, size),
        allocate("impacts", np.float32, size),
    )
    made.starts[:] = starts
    return made


def _no_bounds(starts: Int64Array, rows: int, allocate: Allocate) -> Bounds:
    """Make room for the bounds of postings; dimensions are frequent that have one for each block or more."""
    frequent = np.flatnonzero(np.diff(starts) >= max(rows // BLOCK, 1))
    width, size, windows = len(starts) - 1, len(frequent), windows_of(rows)
    bounds = Bounds(
        slots=allocate("slots", np.int32, (width,)),
        ranked=allocate("ranked", np.float32, (width, len(RANKS))),
        scales=allocate("scales", np.float32, (size,)),
        maxima=allocate("maxima", np.uint8, (size, windows * CELLS)),
        windows=allocate("windows", np.int64, (size, windows + 1)),
        offsets=allocate("offsets", np.uint16, (size, windows * BLOCKS)),
    )
    bounds.slots[:] = -1
    bounds.slots[frequent] = np.arange(size)
    return bounds


def _renumbered(rows: Int64Array, alive: Flags, new_rows: Int64Array) -> Int32Array:
    return np.where(alive, np.searchsorted(new_rows, rows), -1).astype(np.int32)


def _in_memory(_: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    return np.zeros(shape, dtype=dtype)


def _in_files(folder: Path, place: Path) -> Allocate:
    """Allocate in files of a folder. place: what they will be a part of."""

    def allocate(name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        path = folder / f"{name}.npy"
        # An empty file cannot be mapped.
        if 0 in shape:
            np.save(path, np.empty(shape, dtype=dtype))
            return np.empty(shape, dtype=dtype)
        return taken_array(path, dtype, shape, place)

    return allocate


def _opened(path: Path) -> npt.NDArray[Any]:
    with reading(path, AGAIN):
        # A plain array over the map: numba knows its type at once.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
