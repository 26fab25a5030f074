"""BM25 learns k1 and b, and BM25F its title weight too, from feedback records: what was useful is to stand first.

The weighting is chosen whose ranking of the recorded items has the best mean nDCG (Jarvelin and Kekalainen, "Cumulated
Gain-Based Evaluation of IR Techniques", TOIS 2002, https://doi.org/10.1145/582415.582418), on a grid and then on a
finer one around its best point: nDCG has no gradient, and with two or three parameters a grid is affordable.

An item's gain is its utility less the least utility of its query, so that log-likelihoods will do as well as measures.

Reached on factbook's qa, passages of 60 words, from 300 training questions with 20 items each, of utility 1 where the
gold evidence is in them: nDCG@10 of the 300 dev questions, about other countries, goes from .27 to .28 with k1 and b,
to .41 with the title weight too (k1 2, b 0, title weight 128).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reml.contract.examples import Item
from reml.contract.signals import FeedbackRecord
from reml.contract.vectors import Float32Array, Int32Array, Int64Array
from reml.retrievers.bm25.counts import Statistics, shown_texts
from reml.retrievers.bm25.fields import Float64Array
from reml.retrievers.bm25.retriever import BM25Encoder, BM25Retriever
from reml.retrievers.bm25.weighting import Weighting
from reml.text.analysis import TermCounts

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COARSE = (0.3, 0.1)  # steps of k1 and b
LARGEST_K1 = 3.0
TITLE_WEIGHTS = (0.25, 1.0, 4.0, 16.0, 64.0)
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # by which the finer grid moves the title weight


@dataclass(frozen=True, slots=True)
class Learnt:
    """The weighting learnt, its mean nDCG over the recorded queries and that of the former one, and their number."""

    weighting: Weighting
    ndcg: float
    former_ndcg: float
    queries: int


@dataclass(frozen=True, eq=False, slots=True)
class Matches:
    """The terms that queries share with items: all that scores depend on, whatever k1, b and title weight.

    rows: int64 [B, K], -1 pads. gains: float64 [B, K]. For each of E shared terms: position in B*K, weight in the
    query, and, [E, 2], count in and length of the item's title and its text; the title's are 0 where it is not counted
    apart.
    statistics: of the collection.
    """

    rows: Int64Array
    gains: Float64Array
    positions: Int64Array
    weights: Float64Array
    counts: Float64Array
    lengths: Int64Array
    statistics: Statistics

    @classmethod
    def of(cls, retriever: BM25Retriever, record: FeedbackRecord) -> Matches:
        """Compare the queries and items of a record; `KeyError` for an item that is gone from the collection."""
        encoder = retriever.encoder
        distinct = np.unique(record.rows[record.rows >= 0])
        found = _count_fields(encoder, retriever.collection.get(distinct))
        width = len(encoder.vocabulary)
        fields = [_matrix(one.indptr, one.numbers, one.counts, width) for one in found]
        # The idf that terms have at every title weight but 0.
        asked = replace(encoder, weighting=replace(encoder.weighting, title_weight=1.0)).encode_queries(record.queries)
        queries = _matrix(asked.indptr, asked.dimensions, asked.weights, width)
        owners, columns = np.nonzero(record.rows >= 0)
        here = np.searchsorted(distinct, record.rows[owners, columns])
        shared = queries[owners].multiply((fields[0] + fields[1] != 0)[here]).tocoo()  # [pairs, V]
        pairs, terms = shared.coords
        items = here[pairs]
        return cls(
            rows=record.rows,
            gains=_gains(record),
            positions=(owners * record.rows.shape[1] + columns)[pairs],
            weights=shared.data,
            counts=np.stack([np.asarray(one[items, terms]).ravel() for one in fields], axis=1),
            lengths=np.stack([one.lengths[items] for one in found], axis=1),
            statistics=encoder.statistics,
        )

    def scores(self, weighting: Weighting) -> Float64Array:
        """Compute BM25's scores, [B, K], up to a constant for each query; -inf at padding."""
        fields = np.array([weighting.title_weight, 1.0])
        counts, lengths = self.counts @ fields, self.lengths @ fields
        there = counts > 0  # a term that stands in the title only may count 0 times
        average = self.statistics.at(weighting.title_weight).average
        gains = self.weights[there] * weighting.gain(counts[there], lengths[there] / average)
        scores = np.bincount(self.positions[there], gains, minlength=self.rows.size).reshape(self.rows.shape)
        return np.where(self.rows >= 0, scores, -np.inf)

    def ndcg(self, weighting: Weighting) -> Float64Array:
        """Compute nDCG of the queries whose items differ in utility, [n]; equal scores are ranked by row."""
        order = np.lexsort((self.rows, -self.scores(weighting)), axis=1)
        ideal = _discounted(np.sort(self.gains, axis=1)[:, ::-1])
        reached = _discounted(np.take_along_axis(self.gains, order, axis=1))
        differs = ideal > 0
        return np.divide(reached[differs], ideal[differs])


def learn_weighting(retriever: BM25Retriever, records: Iterable[FeedbackRecord]) -> Learnt:
    """Choose k1 and b by feedback, and the title weight of `BM25F`; the variant and delta stay.

    `BM25(k1=..., b=...)`, or `BM25F(k1=..., b=..., title_weight=...)`, then serves the same folder. Of equally good
    points the one nearest to the former weighting is taken. `ValueError` if no record prefers an item.
    """
    matches = [Matches.of(retriever, record) for record in records]
    former = retriever.encoder.weighting
    before = _mean(matches, former)
    fields = retriever.encoder.fields
    grid = _grid(former, TITLE_WEIGHTS if fields else (former.title_weight,))
    best = max(grid, key=lambda point: (_mean(matches, point), -_distance(point, former)))
    fine = _around(best, FACTORS if fields else (1.0,))
    best = max([former, best, *fine], key=lambda point: (_mean(matches, point), -_distance(point, former)))
    count = sum(len(match.ndcg(former)) for match in matches)
    return Learnt(best, _mean(matches, best), before, count)


def _mean(matches: list[Matches], weighting: Weighting) -> float:
    values = np.concatenate([np.zeros(0), *(match.ndcg(weighting) for match in matches)])
    if not len(values):
        raise ValueError("no feedback record prefers an item to another of the same query: there is nothing to learn.")
    return float(values.mean())


def _count_fields(encoder: BM25Encoder, items: Sequence[Item]) -> tuple[TermCounts, TermCounts]:
    """Count the terms of titles and of texts; titles say nothing where they are not counted apart."""
    count = encoder.vocabulary.count
    if encoder.fields:
        return count(item.title for item in items), count(item.text for item in items)
    return count("" for _ in items), count(shown_texts(items, title=encoder.title))


def _matrix(indptr: Int64Array, columns: Int32Array, values: Int32Array | Float32Array, width: int) -> csr_array:
    from scipy.sparse import csr_array  # which takes long to load

    return csr_array((values.astype(np.float64), columns, indptr), (len(indptr) - 1, width))


def _grid(former: Weighting, title_weights: Sequence[float]) -> list[Weighting]:
    k1s, bs = np.arange(COARSE[0], LARGEST_K1 + 1e-9, COARSE[0]), np.arange(0, 1 + 1e-9, COARSE[1])
    return [_at(former, *point) for point in itertools.product(k1s.tolist(), bs.tolist(), title_weights)]


def _around(best: Weighting, factors: Sequence[float]) -> list[Weighting]:
    moves = np.linspace(-1, 1, 7).tolist()
    return [
        _at(best, best.k1 + COARSE[0] * one, best.b + COARSE[1] * other, best.title_weight * factor)
        for one, other, factor in itertools.product(moves, moves, factors)
    ]


def _at(weighting: Weighting, k1: float, b: float, title_weight: float) -> Weighting:
    k1, b = round(max(k1, 0.0), 4), round(min(max(b, 0.0), 1.0), 4)
    return replace(weighting, k1=k1, b=b, title_weight=round(title_weight, 4))


def _distance(one: Weighting, other: Weighting) -> float:
    titles = abs(one.title_weight - other.title_weight)
    return abs(one.k1 - other.k1) / COARSE[0] + abs(one.b - other.b) / COARSE[1] + titles


def _gains(record: FeedbackRecord) -> Float64Array:
    there = record.rows >= 0
    least = np.where(there, record.utilities, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    return np.where(there, record.utilities.astype(np.float64) - np.where(np.isfinite(least), least, 0), 0.0)


def _discounted(gains: Float64Array) -> Float64Array:
    discounts: Float64Array = 1 / np.log2(np.arange(gains.shape[1]) + 2)
    total: Float64Array = gains @ discounts
    return total
