"""BM25 learns k1 and b from feedback records: what a predictor found useful is to stand first.

The weighting is chosen whose ranking of the recorded items has the best mean nDCG (Jarvelin and Kekalainen, "Cumulated
Gain-Based Evaluation of IR Techniques", TOIS 2002, https://doi.org/10.1145/582415.582418), on a grid and then on a
finer one around its best point: nDCG has no gradient, and with two parameters a grid is affordable.

An item's gain is its utility less the least utility of its query, so that log-likelihoods will do as well as measures.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from reml.retrievers.bm25 import BM25Retriever
from reml.retrievers.bm25_counts import shown_texts
from reml.retrievers.bm25_weighting import Weighting
from reml.types import FeedbackRecord, Int64Array

Float64Array = npt.NDArray[np.float64]
COARSE = (0.3, 0.1)  # steps of k1 and b
LARGEST_K1 = 3.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """The weighting learnt, its mean nDCG over the recorded queries and that of the former one, and their number."""

    weighting: Weighting
    ndcg: float
    former_ndcg: float
    queries: int


@dataclass(frozen=True, eq=False, slots=True)
class Matches:
    """The terms that queries share with items: all that scores depend on, whatever k1 and b.

    rows: int64 [B, K], -1 pads. gains: float64 [B, K]. For each of E shared terms: place in B*K, weight in the query,
    count in the item, length of the item as a share of the average.
    """

    rows: Int64Array
    gains: Float64Array
    places: Int64Array
    weights: Float64Array
    counts: Float64Array
    lengths: Float64Array

    @classmethod
    def of(cls, retriever: BM25Retriever, record: FeedbackRecord) -> Matches:
        """Compare the queries and items of a record; `KeyError` for an item that is gone from the collection."""
        encoder = retriever.encoder
        distinct = np.unique(record.rows[record.rows >= 0])
        items = retriever.collection.get(distinct)
        found = encoder.vocabulary.count(shown_texts(items, title=encoder.title))
        asked = encoder.encode_queries(record.queries)
        width = len(encoder.vocabulary)
        counts = csr_array((found.counts.astype(np.float64), found.numbers, found.indptr), (len(items), width))
        queries = csr_array((asked.weights.astype(np.float64), asked.dimensions, asked.indptr), (len(asked), width))
        owners, columns = np.nonzero(record.rows >= 0)
        here = np.searchsorted(distinct, record.rows[owners, columns])
        mine, theirs = queries[owners], counts[here]
        shared = mine.multiply(theirs != 0).tocoo()  # [pairs, V]
        pairs = shared.coords[0].astype(np.int64)
        return cls(
            rows=record.rows,
            gains=_gains(record),
            places=(owners * record.rows.shape[1] + columns)[pairs],
            weights=shared.data,
            counts=np.asarray(theirs[pairs, shared.coords[1]]).ravel(),
            lengths=found.lengths[here][pairs] / encoder.statistics.average,
        )

    def scores(self, weighting: Weighting) -> Float64Array:
        """Compute BM25's scores, [B, K], up to a constant for each query; -inf at padding."""
        gains = weighting.gain(self.counts.astype(np.int32), self.lengths)
        scores = np.bincount(self.places, self.weights * gains, minlength=self.rows.size).reshape(self.rows.shape)
        return np.where(self.rows >= 0, scores, -np.inf)

    def ndcg(self, weighting: Weighting) -> Float64Array:
        """Compute nDCG of the queries whose items differ in utility, [n]; equal scores are ranked by row."""
        order = np.lexsort((self.rows, -self.scores(weighting)), axis=1)
        ideal = _discounted(np.sort(self.gains, axis=1)[:, ::-1])
        reached = _discounted(np.take_along_axis(self.gains, order, axis=1))
        differs = ideal > 0
        return np.divide(reached[differs], ideal[differs])


def learn_weighting(retriever: BM25Retriever, records: Iterable[FeedbackRecord]) -> Learnt:
    """Choose k1 and b by feedback; the variant and delta stay. `BM25(k1=..., b=...)` then serves the same folder.

    Of equally good points the one nearest to the former weighting is taken. `ValueError` if no record prefers an item.
    """
    matches = [Matches.of(retriever, record) for record in records]
    former = retriever.encoder.weighting
    before = _mean(matches, former)
    best = max(_grid(former), key=lambda point: (_mean(matches, point), -_distance(point, former)))
    fine = _around(best)
    best = max([former, best, *fine], key=lambda point: (_mean(matches, point), -_distance(point, former)))
    count = sum(len(match.ndcg(former)) for match in matches)
    return Learnt(best, _mean(matches, best), before, count)


def _mean(matches: list[Matches], weighting: Weighting) -> float:
    values = np.concatenate([np.zeros(0), *(match.ndcg(weighting) for match in matches)])
    if not len(values):
        raise ValueError("no feedback record prefers an item to another of the same query: there is nothing to learn.")
    return float(values.mean())


def _grid(former: Weighting) -> list[Weighting]:
    k1s, bs = np.arange(COARSE[0], LARGEST_K1 + 1e-9, COARSE[0]), np.arange(0, 1 + 1e-9, COARSE[1])
    return [_at(former, k1, b) for k1, b in itertools.product(k1s.tolist(), bs.tolist())]


def _around(best: Weighting) -> list[Weighting]:
    moves = np.linspace(-1, 1, 7).tolist()
    return [_at(best, best.k1 + COARSE[0] * one, best.b + COARSE[1] * other) for one in moves for other in moves]


def _at(weighting: Weighting, k1: float, b: float) -> Weighting:
    return replace(weighting, k1=round(max(k1, 0.0), 4), b=round(min(max(b, 0.0), 1.0), 4))


def _distance(one: Weighting, other: Weighting) -> float:
    return abs(one.k1 - other.k1) / COARSE[0] + abs(one.b - other.b) / COARSE[1]


def _gains(record: FeedbackRecord) -> Float64Array:
    there = record.rows >= 0
    least = np.where(there, record.utilities, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    return np.where(there, record.utilities.astype(np.float64) - np.where(np.isfinite(least), least, 0), 0.0)


def _discounted(gains: Float64Array) -> Float64Array:
    discounts: Float64Array = 1 / np.log2(np.arange(gains.shape[1]) + 2)
    total: Float64Array = gains @ discounts
    return total
