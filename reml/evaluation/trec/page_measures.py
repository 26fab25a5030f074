"""Measures of the pages that an access model finds, best first, whatever a predictor makes of them.

KILT's look at whole sets of evidence (`reml.evaluation.ranking`): Rprec, precision@k, recall@k, success_rate@k. TREC's
look at pages one by one, each with the relevance that it was judged to have, 1 where nothing else is said:

    RR@10     1 / the place of the first relevant page, 0 if it is not among the first 10
    nDCG@10   the sum of relevance / log2(1 + place) over the first 10 pages, divided by the largest that is possible
              (Järvelin and Kekäläinen, "Cumulated Gain-based Evaluation of IR Techniques", TOIS 2002)

Both equal what ir-measures computes of the run and the judgements in a result folder (`reml measure`). An example that
names no page is not judged, and counts nowhere here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.examples import Example
from reml.evaluation.judgements import Gold
from reml.evaluation.kilt import DEPTHS, Evaluation
from reml.evaluation.ranking import evidence_ranks, r_precision, scores_at
from reml.evaluation.trec.relevance import grades

CUTOFF = 10
RECIPROCAL, GAIN = f"RR@{CUTOFF}", f"nDCG@{CUTOFF}"
CURVE = 100  # places that the curve of recall reaches, at most


@dataclass(frozen=True, eq=False, slots=True)
class RankedPages:
    """How good rankings of pages are. `recall` is the mean at 1, 2, ... pages; graded: whether degrees were judged."""

    scores: Evaluation
    recall: tuple[float, ...]
    graded: bool


class PageScorer:
    """Scores rankings of pages one at a time, in memory bounded by the number of examples."""

    def __init__(self) -> None:
        self._rows: dict[str, list[float]] = {}
        self._recall, self._deepest, self._graded = np.zeros(CURVE), 0, False

    def add(self, example: Example, pages: Sequence[str]) -> None:
        """Score the pages found for an example: distinct ids, best first."""
        judged = grades(example)
        if not judged:
            return
        gold = Gold.of(example)
        self._rows[gold.id] = _scores(gold, pages, judged)
        for rank in evidence_ranks(pages[:CURVE], gold.evidence_sets):
            self._recall[rank - 1 :] += 1 / len(gold.evidence_sets)
        self._deepest = max(self._deepest, min(len(pages), CURVE))
        self._graded = self._graded or any(one != 1 for one in judged.values())

    def result(self) -> RankedPages:
        """Give what was scored, in the order in which it was."""
        names, count = page_measure_names(), len(self._rows)
        values = np.array(list(self._rows.values()), dtype=np.float64).reshape(count, len(names))
        columns = {name: values[:, number] for number, name in enumerate(names)}
        curve: list[float] = (self._recall[: self._deepest] / max(1, count)).tolist()
        return RankedPages(Evaluation(tuple(self._rows), columns, of_answers=()), tuple(curve), self._graded)


def page_measure_names() -> tuple[str, ...]:
    """Name the measures, in the order of the scores."""
    kinds = ("precision", "recall", "success_rate")
    return ("Rprec", *(f"{kind}@{depth}" for kind in kinds for depth in DEPTHS), RECIPROCAL, GAIN)


def reciprocal_rank(pages: Sequence[str], judged: Mapping[str, int]) -> float:
    """Give 1 / the place of the first relevant page of the first ten."""
    return next((1 / place for place, page in enumerate(pages[:CUTOFF], start=1) if judged.get(page, 0) > 0), 0.0)


def gain(pages: Sequence[str], judged: Mapping[str, int]) -> float:
    """Give nDCG of the first ten pages; 0 if no page is relevant."""
    ideal = _discounted(sorted(judged.values(), reverse=True))
    return _discounted([judged.get(page, 0) for page in pages]) / ideal if ideal else 0.0


def _discounted(relevance: Sequence[int]) -> float:
    return math.fsum(max(one, 0) / math.log2(1 + place) for place, one in enumerate(relevance[:CUTOFF], start=1))


def _scores(gold: Gold, pages: Sequence[str], judged: Mapping[str, int]) -> list[float]:
    precision, recall, success = scores_at(DEPTHS, pages, gold.evidence_sets)
    of_sets = [r_precision(pages, gold.page_sets), *precision, *recall, *success]
    return [*of_sets, reciprocal_rank(pages, judged), gain(pages, judged)]
