"""bm25s: BM25 scores computed at indexing, summed by numba kernels. https://github.com/xhluca/bm25s."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import bm25s
import numpy as np

from reml.benchmarks.speed.engine import Source
from reml.benchmarks.speed.scoring import EXACT, K1, B, Scoring
from reml.benchmarks.speed.workloads.words import words
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.vectors import Int64Array, SparseVectors

TOKEN = r"\b\w\w+\b"  # noqa: S105 - a pattern


class BM25S:
    """bm25s with its numba backend, memory-mapped."""

    sources: Mapping[Model, tuple[Source, ...]] = {"bm25": ("term ids", "text")}
    scoring: Mapping[Model, Scoring] = {"bm25": EXACT}

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:  # noqa: ARG002 - it has one
        """Build the index in a folder."""
        engine = bm25s.BM25(method="lucene", k1=K1, b=B, backend="numba")
        if source == "text":
            tokens = bm25s.tokenize(
                list(workload.texts()), stopwords=None, stemmer=None, token_pattern=TOKEN, show_progress=False
            )
        else:
            numbers = {word: number for number, word in enumerate(words(workload.width))}
            tokens = (list(_token_lists(workload)), numbers)
        engine.index(tokens, show_progress=False)
        engine.save(folder, show_progress=False)

    def open(self, workload: Workload, folder: Path) -> BM25SSearcher:
        """Open the index."""
        return BM25SSearcher(bm25s.BM25.load(folder, mmap=True, show_progress=False), workload.rows)


class BM25SSearcher:
    """An open index of bm25s, asked by term ids."""

    def __init__(self, engine: bm25s.BM25, rows: int) -> None:
        self._engine = engine
        self._rows = rows

    def prepare(self, queries: SparseVectors) -> list[list[int]]:
        """List the term ids of each query."""
        ends = queries.indptr.tolist()
        numbers = queries.dimensions.tolist()
        return [numbers[start:end] for start, end in itertools.pairwise(ends)]

    def search(self, batch: list[list[int]], k: int, threads: int) -> Int64Array:
        """Find the k best items of each query."""
        rows: Int64Array = self._engine.retrieve(
            batch,
            k=min(k, self._rows),
            return_as="documents",
            show_progress=False,
            n_threads=threads if threads > 1 else 0,
        )
        return rows

    def rows(self, found: Int64Array) -> list[Int64Array]:
        """Give the rows of each query."""
        return list(np.asarray(found, dtype=np.int64))


def _token_lists(workload: Workload) -> Iterator[list[int]]:
    """Repeat each term as often as its item has it."""
    for _, vectors in workload.batches():
        counts = vectors.weights.astype(np.int64)
        ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])[vectors.indptr]
        tokens = np.repeat(vectors.dimensions, counts)
        for start, end in itertools.pairwise(ends):
            yield tokens[start:end].tolist()
