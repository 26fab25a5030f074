"""Random sparse vectors and the brute force that an index is held to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reml.contract.retrieved import Hits
from reml.contract.vectors import Float32Array, Int64Array, SparseVectors


def random_matrix(rows: int, width: int, *, density: float, seed: int, levels: int = 5) -> Float32Array:
    """Make weights 1 to `levels` - 1, exact in float32 sums, so that ties are many and equality can be exact."""
    generator = np.random.default_rng(seed)
    there = generator.random((rows, width)) < density
    return (there * generator.integers(1, levels, (rows, width))).astype(np.float32)


def sparse(matrix: npt.NDArray[np.float32]) -> SparseVectors:
    """Give a matrix as sparse vectors."""
    row, column = np.nonzero(matrix)
    indptr = np.searchsorted(row, np.arange(len(matrix) + 1)).astype(np.int64)
    return SparseVectors(indptr, column.astype(np.int32), matrix[row, column].astype(np.float32), matrix.shape[1])


def brute_force(queries: Float32Array, items: Float32Array, rows: Int64Array, k: int) -> Hits:
    """Score all items and sort: only positive scores are hits."""
    products = (queries.astype(np.float64) @ items.T.astype(np.float64)).astype(np.float32)
    return Hits.ranked(np.where(products > 0, rows, -1), products, k)


def assert_same(found: Hits, expected: Hits) -> None:
    """Equal in rows, and in scores to the last bit."""
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)
