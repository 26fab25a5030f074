"""Engines small enough for tests: one that is right, one that fails while it builds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reml.benchmarks.speed.engine import Source
from reml.benchmarks.speed.scoring import DOT, Float64Array, Scoring
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.vectors import Int64Array, SparseVectors


class Dense:
    """Multiplies by a dense matrix; serves learned sparse vectors only."""

    sources: Mapping[Model, tuple[Source, ...]] = {"snrm": ("vectors",)}
    scoring: Mapping[Model, Scoring] = {"snrm": DOT}

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:
        ((_, vectors),) = workload.batches()
        np.save(folder / "matrix.npy", dense(vectors))

    def open(self, workload: Workload, folder: Path) -> DenseSearcher:
        return DenseSearcher(np.load(folder / "matrix.npy"))


class DenseSearcher:
    def __init__(self, matrix: Float64Array) -> None:
        self._matrix = matrix

    def prepare(self, queries: SparseVectors) -> Float64Array:
        return dense(queries)

    def search(self, batch: Float64Array, k: int, threads: int) -> Int64Array:
        return np.argsort(-(batch @ self._matrix.T), axis=1, kind="stable")[:, :k]

    def rows(self, found: Int64Array) -> list[Int64Array]:
        return list(found)


class Broken(Dense):
    """Dense, but it cannot build."""

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:
        raise OSError("the disk is full")


def dense(vectors: SparseVectors) -> Float64Array:
    matrix = np.zeros((len(vectors), vectors.width))
    matrix[np.repeat(np.arange(len(vectors)), np.diff(vectors.indptr)), vectors.dimensions] = vectors.weights
    return matrix
