"""The arrays of an inverted file, as kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reml.contract.vectors import Float32Array, Int32Array, Int64Array

Flags = npt.NDArray[np.bool_]

# Numba bakes these into compiled kernels and does not see when they change: then delete reml/index/__pycache__.
# A segment's rows are searched a window at a time, so that its accumulators stay in cache.
WINDOW = 16384
# Rows whose postings of a frequent dimension can be found without a search.
BLOCK = 64
# Rows that share one bound for each frequent dimension.
CELL = 16
BLOCKS = WINDOW // BLOCK
CELLS = WINDOW // CELL
# For these k, the k-th largest impact of each dimension is known.
RANKS = (10, 100, 1000)


class Postings(NamedTuple):
    """For each dimension d the rows that have it, `positions[starts[d]:starts[d + 1]]`, ascending, and their impacts.

    starts: int64 [V + 1]. positions: int32, the places of the rows in the segment. impacts: float32, positive.
    """

    starts: Int64Array
    positions: Int32Array
    impacts: Float32Array


class Bounds(NamedTuple):
    """What lets a search pass over most postings. F dimensions are frequent: one posting for each block or more.

    slots: int32 [V], the number of a frequent dimension, or -1. ranked: float32 [V, len(RANKS)], the k-th largest
    impacts, 0 where there are fewer. scales: float32 [F]; maxima: uint8 [F, windows x CELLS]: no impact in a cell
    exceeds their product. windows: int64 [F, windows + 1], where the postings of each window start; offsets: uint16
    [F, windows x BLOCKS], where those of each block start, from the start of the window's.
    """

    slots: Int32Array
    ranked: Float32Array
    scales: Float32Array
    maxima: npt.NDArray[np.uint8]
    windows: Int64Array
    offsets: npt.NDArray[np.uint16]


class Terms(NamedTuple):
    """A batch of sparse queries, as `reml.contract.vectors.SparseVectors` has them.

    floors: float32 [B], scores below which rows need not be found.
    """

    indptr: Int64Array
    dimensions: Int32Array
    weights: Float32Array
    floors: Float32Array
