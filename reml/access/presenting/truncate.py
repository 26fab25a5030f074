"""Truncation: a list is cut where its scores say that the rest is of no use, at a threshold that is given or learnt.

How far to read is chosen for the F-measure of what is kept, as Bahri et al. do, "Choppy: Cut Transformer For Ranked
List Truncation", SIGIR 2020, https://arxiv.org/abs/2004.13012. Deviation: one threshold for all queries, found by
trying all, instead of a Transformer that reads the scores of a list.

Published: on Robust04, better than a best fixed length. Here, of 300 train questions of
factbook's qa with BM25's 20 passages of 100 words, useful where the answer stands in them: F1 .255 of whole lists, .346
of what has .94 of the best score, which is 2 items of a list; with beta 2, .387 and .404 (.74 of it, 9 items).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from reml.access.presenting.processors import keep
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Positive
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Retriever
from reml.contract.signals import FeedbackRecord

if TYPE_CHECKING:
    from reml.contract.vectors import Float64Array

Of = Literal["best", "score"]
TRIED = 1000  # thresholds, at most


@checked()
@dataclass(frozen=True)
class Truncate:
    """Drops the items of a query whose score is below a threshold; ties keep their places.

    at_least: the threshold, a share of the query's best score (`of: best`), which must then be above 0, or the score
    itself (`of: score`). least: so many are kept in any case, those of the best scores.
    """

    at_least: float
    of: Of = "best"
    least: Count = 1

    def __post_init__(self) -> None:
        if self.of == "best" and not 0 <= self.at_least <= 1:
            raise ValueError(
                f"at_least is {self.at_least}: give a share of the best score, 0 to 1, or a score with `of: score`."
            )

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        """Cut the responses; `ValueError` for scores that are no numbers, or of which a share says nothing."""
        scores = responses.scores.detach().double().cpu().numpy()
        for query, items in enumerate(responses.items):
            _check(scores[query, : len(items)], self.of, queries.texts[query])
        return keep(
            responses,
            [self._kept(scores[query, : len(items)]) for query, items in enumerate(responses.items)],
        )

    def _kept(self, scores: Float64Array) -> list[int]:
        ranked = np.argsort(-scores, kind="stable")[: self.least]
        limit = self.at_least * scores.max(initial=0.0) if self.of == "best" else self.at_least
        return [int(place) for place in np.union1d(ranked, np.flatnonzero(scores >= limit))]


@dataclass(frozen=True, slots=True)
class LearntTruncation:
    """The truncation learnt, its mean F over the recorded queries, that of whole lists, and how many queries."""

    truncate: Truncate
    measure: float
    whole: float
    queries: int


def learn_truncation(
    retriever: Retriever, records: Iterable[FeedbackRecord], *, of: Of = "best", least: Count = 1, beta: Positive = 1.0
) -> LearntTruncation:
    """Choose the threshold of the best mean F-measure over recorded lists, of equally good ones the lowest.

    The lists are scored by the retriever anew. Utilities are from 0 to 1: precision is the mean utility of what is
    kept, recall its share of the sum of all. beta: how much more recall counts. `ValueError` if no item is of use.
    """
    lists = [one for record in records for one in _scored(retriever, record, of)]
    if not lists:
        raise ValueError(
            "no feedback record has a query with an item of use (utility above 0): there is nothing to learn."
        )
    shares = np.unique(np.concatenate([scores for scores, _ in lists]))
    tried = shares[np.unique(np.linspace(0, len(shares) - 1, TRIED).round().astype(np.int64))]
    values = np.mean([_measures(scores, useful, tried, least, beta) for scores, useful in lists], axis=0)
    best = int(values.argmax())
    # Halfway to the next lower score, so that rounding drops nothing that was kept here.
    lower = shares[shares < tried[best]]
    limit = float((tried[best] + lower[-1]) / 2) if len(lower) else float(tried[best])
    return LearntTruncation(
        Truncate(max(0.0, limit) if of == "best" else limit, of, least),
        float(values[best]),
        float(values[0]),
        len(lists),
    )


def _scored(retriever: Retriever, record: FeedbackRecord, of: Of) -> Iterable[tuple[Float64Array, Float64Array]]:
    """Give scores, or their shares of the best one, and utilities of the lists with an item of use, best first."""
    there = record.rows >= 0
    if (record.utilities[there] < 0).any() or (record.utilities[there] > 1).any():
        raise ValueError(
            "utilities of a truncation are from 0 to 1: give measures, or 1 where there is evidence, else 0."
        )
    found = retriever.score(Queries.of(record.queries), record.rows).detach().double().cpu().numpy()
    for query, (scores, utilities, mask) in enumerate(zip(found, record.utilities, there, strict=True)):
        if not (utilities[mask] > 0).any():
            continue
        own = scores[mask]
        _check(own, of, record.queries[query])
        order = np.argsort(-own, kind="stable")
        yield (own / own.max() if of == "best" else own)[order], utilities[mask][order].astype(np.float64)


def _measures(
    scores: Float64Array, utilities: Float64Array, tried: Float64Array, least: int, beta: float
) -> Float64Array:
    """Give F at each threshold, of a list that is best first."""
    kept = np.maximum((scores[None, :] >= tried[:, None]).sum(axis=1), min(least, len(scores)))
    gained = np.cumsum(utilities)[kept - 1]
    precision, recall = gained / kept, gained / utilities.sum()
    total = beta**2 * precision + recall
    measures: Float64Array = np.divide(
        (1 + beta**2) * precision * recall, total, out=np.zeros_like(total), where=total > 0
    )
    return measures


def _check(scores: Float64Array, of: Of, query: str) -> None:
    wrong: Sequence[int] = np.flatnonzero(np.isnan(scores)).tolist()
    if wrong:
        raise ValueError(
            f"the score of item {wrong[0] + 1} of the list of {query!r} is no number (NaN), so that the list cannot be "
            "cut by it: look at what scored it."
        )
    if of == "best" and len(scores) and scores.max() <= 0:
        raise ValueError(
            f"the best score of the list of {query!r} is {scores.max():.4g}, and a share of what is not above 0 says "
            "nothing: give a score itself, `Truncate(at_least=..., of='score')`."
        )
