"""What each engine computes, written down independently of it in float64: its own variant is what it is checked by.

All engines of BM25 run with k1 = 1.2 and b = 0.75, which tantivy cannot change, and differ in two things only:

- how rare terms count: ln(1 + (N - df + 0.5) / (df + 0.5)) in Lucene's variant (impact, bm25s, tantivy), in PISA's
  ln((N - df + 0.5) / (df + 0.5)), at least 1e-6;
- how long an item is: tantivy keeps lengths in one byte, exact up to 39, in steps of an eighth from there on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reml.benchmarks.speed.workloads.workload import Workload
from reml.contract.vectors import Int64Array, SparseVectors

Float64Array = npt.NDArray[np.float64]
K1, B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Scoring:
    """A variant: BM25 with this weight of rare terms and these lengths, or the dot product."""

    name: str
    rarity: Literal["lucene", "pisa", "none"]
    lengths: Literal["exact", "one byte"] = "exact"

    def query_weights(self, frequencies: Int64Array, items: int) -> Float64Array:
        """Weigh terms by how many of `items` items have them."""
        if self.rarity == "none":
            return np.ones(len(frequencies))
        odds = (items - frequencies + 0.5) / (frequencies + 0.5)
        return np.log1p(odds) if self.rarity == "lucene" else np.maximum(np.log(odds), 1e-6)

    def item_weights(self, counts: Float64Array, lengths: Float64Array, average: float) -> Float64Array:
        """Weigh terms by how often they stand in items of these lengths."""
        if self.rarity == "none":
            return counts
        counted = one_byte(lengths) if self.lengths == "one byte" else lengths
        return counts / (counts + K1 * (1 - B + B * counted / average))


EXACT = Scoring("BM25, Lucene's idf", "lucene")
ONE_BYTE = Scoring("BM25, Lucene's idf, lengths in one byte", "lucene", "one byte")
PISA = Scoring("BM25, PISA's idf", "pisa")
DOT = Scoring("dot product", "none")


def one_byte(lengths: Float64Array) -> Float64Array:
    """Round lengths down as Lucene and tantivy keep them: 24 + a float of four significant bits.

    https://github.com/apache/lucene, org.apache.lucene.util.SmallFloat.intToByte4
    """
    above = np.maximum(lengths - 24, 0)
    step = 2.0 ** np.maximum(np.floor(np.log2(np.maximum(above, 1))) - 3, 0)
    return np.where(lengths < 24, lengths, 24 + np.floor(above / step) * step)


def exact_scores(workload: Workload, scoring: Scoring, queries: SparseVectors) -> Iterator[Float64Array]:
    """Yield the scores of all items for each query, [N]."""
    matrix, frequencies = _weighed(workload, scoring, np.unique(queries.dimensions))
    place = np.searchsorted(np.unique(queries.dimensions), queries.dimensions)
    weights = scoring.query_weights(frequencies, workload.rows)[place] * queries.weights
    for start, end in itertools.pairwise(queries.indptr):
        scores = np.zeros(workload.rows)
        for column, weight in zip(place[start:end], weights[start:end], strict=True):
            inside = slice(matrix.indptr[column], matrix.indptr[column + 1])
            scores[matrix.indices[inside]] += weight * matrix.data[inside]
        yield scores


def _weighed(workload: Workload, scoring: Scoring, terms: Int64Array) -> tuple[sparse.csc_matrix, Int64Array]:
    """Weigh the postings of some terms: a matrix [N, terms], and how many items have each of them."""
    column = np.full(workload.width, -1, dtype=np.int64)
    column[terms] = np.arange(len(terms))
    parts, lengths = [], []
    for rows, vectors in workload.batches():
        owners = np.repeat(rows, np.diff(vectors.indptr))
        lengths.append(np.bincount(owners - rows[0], vectors.weights, minlength=len(rows)))
        columns = column[vectors.dimensions]
        kept = columns >= 0
        parts.append((owners[kept], columns[kept], vectors.weights[kept].astype(np.float64)))
    owners, columns, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    sizes = np.concatenate(lengths).astype(np.float64)
    weights = scoring.item_weights(counts, sizes[owners], float(sizes.mean()))
    matrix = sparse.csc_matrix((weights, (owners, columns)), shape=(workload.rows, len(terms)))
    return matrix, np.bincount(columns, minlength=len(terms))
