"""Checks on sparse vectors at the door of an index: what comes in is valid or refused with a sentence."""

from __future__ import annotations

import numpy as np

from reml.contract.vectors import Representations, SparseVectors
from reml.index.inversion import NEGATIVE, OUTSIDE, RAGGED, UNSORTED, first_fault

_FAULTS = {
    RAGGED: "its end in indptr lies before its start",
    OUTSIDE: "a dimension is outside 0 to {last}",
    UNSORTED: "its dimensions are not ascending and distinct",
    NEGATIVE: "a weight is negative, infinite or not a number: an impact index takes weights of 0 and more",
}


def checked(vectors: Representations, width: int) -> SparseVectors:
    """Give contiguous sparse vectors of the types that kernels take.

    `ValueError` names the first row that has a dimension outside 0 to `width - 1`, dimensions that are not ascending
    and distinct, or a weight that is negative, infinite or not a number; also for vectors that are dense or wider.
    """
    if not isinstance(vectors, SparseVectors):
        raise ValueError(
            f"an impact index takes SparseVectors, not {type(vectors).__name__}: name an index of dense vectors, "
            "such as reml.index.faiss.Faiss."
        )
    if vectors.width != width:
        raise ValueError(f"these vectors have {vectors.width} dimensions, the index has {width}: encode both alike.")
    indptr = np.ascontiguousarray(vectors.indptr, dtype=np.int64)
    dimensions = np.ascontiguousarray(vectors.dimensions, dtype=np.int32)
    weights = np.ascontiguousarray(vectors.weights, dtype=np.float32)
    row, fault = first_fault(indptr, dimensions, weights, width)
    if row >= 0:
        raise ValueError(f"vector {row} of {len(vectors)} is not valid: {_FAULTS[fault].format(last=width - 1)}.")
    return SparseVectors(indptr, dimensions, weights, width)


def pruned(vectors: SparseVectors, keep: float) -> SparseVectors:
    """Keep of each row the fewest and largest weights that make up this share of their sum; of equal ones the first."""
    rows = np.repeat(np.arange(len(vectors)), np.diff(vectors.indptr))
    order = np.lexsort((-vectors.weights, rows))
    sums = np.concatenate([np.zeros(1), np.cumsum(vectors.weights[order], dtype=np.float64)])
    first, total = sums[vectors.indptr[:-1]], np.diff(sums[vectors.indptr])
    there = np.empty(len(rows), dtype=np.bool_)
    there[order] = sums[:-1] - first[rows] < keep * total[rows]
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(rows[there], minlength=len(vectors)))])
    return SparseVectors(indptr, vectors.dimensions[there], vectors.weights[there], vectors.width)


def stacked(batches: list[SparseVectors]) -> SparseVectors:
    """Put batches of the same width below one another."""
    offsets = np.cumsum([0] + [int(batch.indptr[-1]) for batch in batches[:-1]])
    ends = [batch.indptr[1:] + offset for batch, offset in zip(batches, offsets, strict=True)]
    return SparseVectors(
        np.concatenate([np.zeros(1, dtype=np.int64), *ends]),
        np.concatenate([batch.dimensions for batch in batches]),
        np.concatenate([batch.weights for batch in batches]),
        batches[0].width,
    )
