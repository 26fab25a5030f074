"""Kernels that check sparse vectors and turn them into postings, and that join postings of several segments.

Compiled by numba at first use and kept on disk; all release the GIL.
"""

from __future__ import annotations

import numpy as np

from reml.contract.vectors import Float32Array, Int32Array, Int64Array
from reml.index.compiling import kernel

RIGHT, RAGGED, OUTSIDE, UNSORTED, NEGATIVE = range(5)


@kernel
def first_fault(
    indptr: Int64Array, dimensions: Int32Array, weights: Float32Array, width: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Find the first row that is not a valid sparse vector: (row, what is wrong), or (-1, RIGHT)."""
    for row in range(len(indptr) - 1):
        if indptr[row + 1] < indptr[row]:
            return row, RAGGED
        last = -1
        for place in range(indptr[row], indptr[row + 1]):
            if dimensions[place] < 0 or dimensions[place] >= width:
                return row, OUTSIDE
            if dimensions[place] <= last:
                return row, UNSORTED
            # Written so that NaN fails too.
            if not 0 <= weights[place] < np.inf:
                return row, NEGATIVE
            last = dimensions[place]
    return -1, RIGHT


@kernel
def count_dimensions(dimensions: Int32Array, weights: Float32Array, starts: Int64Array) -> None:  # pragma: no cover
    """Add to `starts[d + 1]` the number of positive weights in dimension d."""
    for place in range(len(dimensions)):
        if weights[place] > 0:
            starts[dimensions[place] + 1] += 1


@kernel
def scatter(
    indptr: Int64Array,
    dimensions: Int32Array,
    weights: Float32Array,
    order: Int64Array,
    ends: Int64Array,
    positions: Int32Array,
    impacts: Float32Array,
) -> None:  # pragma: no cover - compiled
    """Write the postings of all rows, taken in `order`, behind `ends[d]`, which moves on: a counting sort."""
    for position in range(len(order)):
        row = order[position]
        for place in range(indptr[row], indptr[row + 1]):
            if weights[place] > 0:
                to = ends[dimensions[place]]
                positions[to] = position
                impacts[to] = weights[place]
                ends[dimensions[place]] = to + 1


@kernel
def are_postings(
    starts: Int64Array, positions: Int32Array, impacts: Float32Array, rows: int
) -> bool:  # pragma: no cover - compiled
    """Tell whether starts ascend through all postings, and those of a dimension are of ascending rows, and positive."""
    if starts[0] != 0 or starts[-1] != len(positions):
        return False
    for dimension in range(len(starts) - 1):
        last = -1
        if not 0 <= starts[dimension] <= starts[dimension + 1] <= len(positions):
            return False
        for place in range(starts[dimension], starts[dimension + 1]):
            if not (last < positions[place] < rows and 0 < impacts[place] < np.inf):
                return False
            last = positions[place]
    return True


@kernel
def count_kept(starts: Int64Array, positions: Int32Array, renumbered: Int32Array, counts: Int64Array) -> None:
    """Add to `counts[d + 1]` the number of postings of dimension d whose row is kept (its new number is not -1)."""
    for dimension in range(len(starts) - 1):
        kept = 0
        for place in range(starts[dimension], starts[dimension + 1]):
            kept += renumbered[positions[place]] >= 0
        counts[dimension + 1] += kept


@kernel
def append_kept(
    starts: Int64Array,
    positions: Int32Array,
    impacts: Float32Array,
    renumbered: Int32Array,
    ends: Int64Array,
    new_positions: Int32Array,
    new_impacts: Float32Array,
) -> None:  # pragma: no cover - compiled
    """Write the kept postings of a segment, renumbered, behind `ends[d]`, which moves on."""
    for dimension in range(len(starts) - 1):
        to = ends[dimension]
        for place in range(starts[dimension], starts[dimension + 1]):
            position = renumbered[positions[place]]
            if position >= 0:
                new_positions[to] = position
                new_impacts[to] = impacts[place]
                to += 1
        ends[dimension] = to


@kernel
def sort_by_position(starts: Int64Array, positions: Int32Array, impacts: Float32Array) -> None:  # pragma: no cover
    """Put the postings of each dimension in order of position where they are not: segments may interleave."""
    for dimension in range(len(starts) - 1):
        first, last = starts[dimension], starts[dimension + 1]
        for place in range(first + 1, last):
            if positions[place] < positions[place - 1]:
                order = np.argsort(positions[first:last])
                positions[first:last] = positions[first:last].copy()[order]
                impacts[first:last] = impacts[first:last].copy()[order]
                break
