"""Kernels that find the best rows of a segment by adding up impacts, a block of rows at a time.

A score is the float32 sum of weight x impact over the query's dimensions in ascending order, whatever the segment and
the path taken, so equal vectors have equal scores to the last bit. A candidate is one 64-bit key: the bits of its
score above, the complement of its position below; the k best are the k largest keys, ties by position.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from reml.types import Float32Array, Int32Array, Int64Array

Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class Postings(NamedTuple):
    """A segment's postings; see `reml.index.segment.Segment`."""

    starts: Int64Array
    positions: Int32Array
    impacts: Float32Array


class Terms(NamedTuple):
    """A batch of sparse queries; see `reml.types.SparseVectors`."""

    indptr: Int64Array
    dimensions: Int32Array
    weights: Float32Array


# Rows in one block: 32 KiB of accumulators, which stay in the first-level cache.
BLOCK = 8192
# Rows looked at together for a candidate before any is looked at alone.
STRIP = 64


@njit(cache=True, nogil=True)
def offer(heap: Keys, key: np.uint64) -> None:  # pragma: no cover - compiled
    """Put a key into a heap, smallest first, in place of its smallest key, which must be smaller."""
    size = len(heap)
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = key


@njit(cache=True, nogil=True)
def accumulate(
    postings: Postings, rows: int, allowed: Flags, queries: Terms, keys: Keys
) -> None:  # pragma: no cover - compiled
    """Fill `keys` [B, k] with the k largest keys of each query, largest first, 0 where there are fewer.

    `allowed` [rows] says which rows may be found; empty, all may.
    """
    starts, positions, impacts = postings
    scores = np.zeros(BLOCK, dtype=np.float32)
    bits = scores.view(np.uint32)
    for query in range(len(queries.indptr) - 1):
        first, last = queries.indptr[query], queries.indptr[query + 1]
        cursors = np.empty(last - first, dtype=np.int64)
        for term in range(last - first):
            cursors[term] = starts[queries.dimensions[first + term]]
        heap = keys[query]
        for block in range(0, rows, BLOCK):
            block_end = min(block + BLOCK, rows)
            for term in range(last - first):
                weight = queries.weights[first + term]
                end = starts[queries.dimensions[first + term] + 1]
                place = cursors[term]
                while place < end and positions[place] < block_end:
                    scores[positions[place] - block] += weight * impacts[place]
                    place += 1
                cursors[term] = place
            _collect(bits, block, block_end, allowed, heap)
        heap[:] = np.sort(heap)[::-1]


@njit(cache=True, nogil=True)
def _collect(
    bits: npt.NDArray[np.uint32], block: int, block_end: int, allowed: Flags, heap: Keys
) -> None:  # pragma: no cover - compiled
    """Offer the rows of a block that beat the heap's smallest key, and set the accumulators back to 0."""
    for strip in range(0, block_end - block, STRIP):
        strip_end = min(strip + STRIP, block_end - block)
        # Positions ascend, so a row that only equals the smallest score comes after it and does not enter.
        least = np.uint32(heap[0] >> np.uint64(32))
        beating = 0
        for place in range(strip, strip_end):
            beating += bits[place] > least
        if beating:
            for place in range(strip, strip_end):
                if bits[place] > np.uint32(heap[0] >> np.uint64(32)):
                    position = block + place
                    if len(allowed) == 0 or allowed[position]:
                        offer(heap, (np.uint64(bits[place]) << np.uint64(32)) | np.uint64(0xFFFFFFFF - position))
        bits[strip:strip_end] = 0
