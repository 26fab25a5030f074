"""Ours: BM25 and learned sparse vectors through the impact index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reml.benchmarks.speed.engine import Source
from reml.benchmarks.speed.scoring import DOT, EXACT, K1, B, Scoring
from reml.benchmarks.speed.workloads.text_collection import TextCollection
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array, SparseVectors
from reml.index.impact import ImpactIndex
from reml.retrievers.bm25.retriever import BM25, Weighting
from reml.text.analysis import Analyser, TermCounts

if TYPE_CHECKING:
    from reml.contract.vectors import Float32Array

WEIGHTING = Weighting("lucene", K1, B, 0.0)
IDF = "idf.npy"


class Impact:
    """The impact index. From text it is built as `reml index` builds BM25, from term ids by the same weights."""

    sources: Mapping[Model, tuple[Source, ...]] = {
        "bm25": ("term ids", "text"),
        "splade": ("vectors",),
        "snrm": ("vectors",),
    }
    scoring: Mapping[Model, Scoring] = {"bm25": EXACT, "splade": DOT, "snrm": DOT}

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:
        """Build the index in a folder."""
        if source == "text":
            bm25 = BM25(k1=K1, b=B, title=False, analyser=Analyser(stop_words=(), stemmer="none"))
            bm25.index(TextCollection.of(workload), folder / "bm25")
            return
        batches = _weighed(workload, folder) if source == "term ids" else workload.batches()
        ImpactIndex.build(folder / "index", workload.width, batches, threads=threads)

    def open(self, workload: Workload, folder: Path) -> ImpactSearcher:
        """Open the index."""
        idf = np.load(folder / IDF) if workload.model == "bm25" else np.ones(workload.width, dtype=np.float32)
        return ImpactSearcher(ImpactIndex.open(folder / "index", threads=1), idf)


class ImpactSearcher:
    """An open impact index and the weights of query terms."""

    def __init__(self, index: ImpactIndex, idf: Float32Array) -> None:
        self._index = index
        self._idf = idf

    def prepare(self, queries: SparseVectors) -> SparseVectors:
        """Weigh the terms of queries."""
        weights = queries.weights * self._idf[queries.dimensions]
        return SparseVectors(queries.indptr, queries.dimensions, weights, queries.width)

    def search(self, batch: SparseVectors, k: int, threads: int) -> Hits:
        """Find the k best items of each query."""
        self._index.threads = threads
        return self._index.search(batch, k)

    def rows(self, found: Hits) -> list[Int64Array]:
        """Give the rows without their padding."""
        return [rows[rows >= 0] for rows in found.rows]


def _weighed(workload: Workload, folder: Path) -> Iterator[tuple[Int64Array, SparseVectors]]:
    """Turn counts into weights, after one pass for the statistics."""
    frequencies = np.zeros(workload.width, dtype=np.int64)
    length = 0
    for _, vectors in workload.batches():
        frequencies += np.bincount(vectors.dimensions, minlength=workload.width)
        length += int(vectors.weights.sum(dtype=np.float64))
    np.save(folder / IDF, WEIGHTING.idf(frequencies, workload.rows).astype(np.float32))
    for rows, vectors in workload.batches():
        counts = _counts(vectors)
        lengths = np.repeat(counts.lengths / (length / workload.rows), np.diff(vectors.indptr))
        weights = WEIGHTING.gain(counts.counts, lengths).astype(np.float32)
        yield rows, SparseVectors(vectors.indptr, vectors.dimensions, weights, vectors.width)


def _counts(vectors: SparseVectors) -> TermCounts:
    sums = np.concatenate([np.zeros(1), np.cumsum(vectors.weights, dtype=np.float64)])
    lengths = (sums[vectors.indptr[1:]] - sums[vectors.indptr[:-1]]).astype(np.int64)
    return TermCounts(vectors.indptr, vectors.dimensions, vectors.weights.astype(np.int32), lengths)
