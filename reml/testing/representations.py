"""Representations as plain matrices, to compare with."""

from __future__ import annotations

import numpy as np

from reml.contract.vectors import DenseVectors, Float32Array, Int64Array, MultiVectors, Representations, SparseVectors


def matrix(vectors: Representations) -> Float32Array:
    """Give representations as a dense matrix [n, width]."""
    if isinstance(vectors, DenseVectors):
        return vectors.values
    if isinstance(vectors, MultiVectors):
        raise ValueError("several vectors a row are no matrix: compare them row by row.")
    dense = np.zeros((len(vectors), vectors.width), dtype=np.float32)
    dense[np.repeat(np.arange(len(vectors)), np.diff(vectors.indptr)), vectors.dimensions] = vectors.weights
    return dense


def is_sparse(vectors: Representations) -> bool:
    """Tell sparse representations from dense ones."""
    return isinstance(vectors, SparseVectors)


def tiled(rows: Int64Array, count: int) -> Int64Array:
    """Give the same rows to each of `count` queries, [count, K]."""
    return np.tile(rows, (count, 1))
