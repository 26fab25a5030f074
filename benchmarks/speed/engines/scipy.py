"""SciPy: the product of two sparse matrices, then the largest entries of each row."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
from scipy import sparse

from reml.benchmarks.speed.engine import Source
from reml.benchmarks.speed.scoring import DOT, Scoring
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.vectors import Int64Array, SparseVectors

NAMES = ("data", "indices", "indptr")


class SciPy:
    """A matrix of dimensions x items, memory-mapped, multiplied by queries."""

    sources: Mapping[Model, tuple[Source, ...]] = {"splade": ("vectors",), "snrm": ("vectors",)}
    scoring: Mapping[Model, Scoring] = {"splade": DOT, "snrm": DOT}

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:  # noqa: ARG002 - it has one
        """Build the matrix in a folder."""
        parts = [
            sparse.csr_matrix((vectors.weights, vectors.dimensions, vectors.indptr), shape=(len(rows), workload.width))
            for rows, vectors in workload.batches()
        ]
        matrix = sparse.vstack(parts, format="csr").T.tocsr()
        for name, array in zip(NAMES, (matrix.data, matrix.indices, matrix.indptr), strict=True):
            np.save(folder / f"{name}.npy", array)

    def open(self, workload: Workload, folder: Path) -> SciPySearcher:
        """Map the matrix."""
        arrays = tuple(np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES)
        return SciPySearcher(sparse.csr_matrix(arrays, shape=(workload.width, workload.rows), copy=False))


class SciPySearcher:
    """A matrix [width, N] that queries [B, width] are multiplied by."""

    def __init__(self, matrix: sparse.csr_matrix) -> None:
        self._matrix = matrix

    def prepare(self, queries: SparseVectors) -> sparse.csr_matrix:
        """Make a matrix of the queries."""
        arrays = (queries.weights, queries.dimensions, queries.indptr)
        return sparse.csr_matrix(arrays, shape=(len(queries), queries.width))

    def search(self, batch: sparse.csr_matrix, k: int, threads: int) -> list[Int64Array]:
        """Multiply query by query and take the largest: a product of all at once would need gigabytes."""
        if threads == 1:
            return [_best(batch[number] @ self._matrix, k) for number in range(batch.shape[0])]
        size = -(-batch.shape[0] // threads)
        parts = [batch[start : start + size] for start in range(0, batch.shape[0], size)]
        with ThreadPoolExecutor(threads) as pool:
            return list(chain.from_iterable(pool.map(lambda part: self.search(part, k, 1), parts)))

    def rows(self, found: list[Int64Array]) -> list[Int64Array]:
        """Give what was found."""
        return found


def _best(scores: sparse.csr_matrix, k: int) -> Int64Array:
    """Give the columns of the k largest entries of a row, largest first."""
    values, columns = scores.data, scores.indices
    if len(values) > k:
        kept = np.argpartition(values, len(values) - k)[len(values) - k :]
        values, columns = values[kept], columns[kept]
    best: Int64Array = columns[np.argsort(-values, kind="stable")].astype(np.int64)
    return best
