"""Kernels that compute the bounds of a segment's postings: see `reml.index.postings.Bounds`."""

from __future__ import annotations

import numpy as np

from reml.contract.vectors import Float32Array
from reml.index.compiling import kernel, part
from reml.index.postings import BLOCK, BLOCKS, CELL, CELLS, RANKS, WINDOW, Bounds, Postings
from reml.index.sorting import offer


@kernel
def fill_bounds(postings: Postings, bounds: Bounds, lowest: int, stop: int) -> None:  # pragma: no cover - compiled
    """Fill bounds of dimensions [lowest, stop), of the right shapes: `slots` are set, all other arrays are 0 there."""
    for dimension in range(lowest, stop):
        first, last = postings.starts[dimension], postings.starts[dimension + 1]
        _rank(postings.impacts[first:last], bounds.ranked[dimension])
        slot = bounds.slots[dimension]
        if slot >= 0:
            bounds.scales[slot] = _scale(postings.impacts[first:last])
            _fill_frequent(postings, dimension, bounds, slot)


@part
def _rank(impacts: Float32Array, ranked: Float32Array) -> None:  # pragma: no cover - compiled
    """Find the k-th largest impacts, from the largest k down: each is among those found before."""
    for column in range(len(RANKS) - 1, -1, -1):
        if len(impacts) >= RANKS[column]:
            impacts = _largest(impacts, RANKS[column])
            ranked[column] = impacts[0]


@part
def _largest(impacts: Float32Array, k: int) -> Float32Array:  # pragma: no cover - compiled
    """Give a heap of the k largest, of k or more positive numbers."""
    heap = np.zeros(k, dtype=np.float32)
    for place in range(len(impacts)):
        if impacts[place] > heap[0]:
            offer(heap, impacts[place])
    return heap


@part
def _scale(impacts: Float32Array) -> np.float32:  # pragma: no cover - compiled
    """Give the least float32 that, 255 times, reaches the largest impact."""
    top = 0.0
    for place in range(len(impacts)):
        top = max(top, np.float64(impacts[place]))
    scale = np.float32(top / 255)
    while np.float64(scale) * 255 < top:
        scale = np.nextafter(scale, np.float32(np.inf))
    return scale


@part
def _fill_frequent(postings: Postings, dimension: int, bounds: Bounds, slot: int) -> None:  # pragma: no cover
    """Note where the postings of each window and block start, and the largest impact of each cell, rounded up."""
    place, last = postings.starts[dimension], postings.starts[dimension + 1]
    scale = np.float64(bounds.scales[slot])
    for cell in range(bounds.maxima.shape[1]):
        if cell % CELLS == 0:
            bounds.windows[slot, cell // CELLS] = place
        if cell % (BLOCK // CELL) == 0:
            block = cell // (BLOCK // CELL)
            bounds.offsets[slot, block] = place - bounds.windows[slot, block // BLOCKS]
        top = np.float64(0)
        while place < last and postings.positions[place] < (cell + 1) * CELL:
            top = max(top, np.float64(postings.impacts[place]))
            place += 1
        step = int(top / scale) if top > 0 else 0
        while step * scale < top:
            step += 1
        bounds.maxima[slot, cell] = step
    bounds.windows[slot, bounds.maxima.shape[1] // CELLS] = last


def windows_of(rows: int) -> int:
    """Count the windows that hold this many rows."""
    return -(-rows // WINDOW)
