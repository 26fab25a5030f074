"""Reranking: what a search found, put in the order of a scorer that is too slow to search with.

How much it costs is chosen for all queries (`depth`), and by query (`margin`): one whose first item leads clearly is
not reranked. Leaving a cascade early: Cambazoglu et al., "Early Exit Optimizations for Additive Machine Learned Ranking
Systems", WSDM 2010, https://doi.org/10.1145/1718487.1718538. Deviation: there items leave, between trees of one model,
by scores and ranks so far; here whole queries do, before the ranker, by how far their first item leads. Adding up old
and new scores (`former`) is Yilmaz et al.'s, "Applying BERT to Document Retrieval with Birch", EMNLP-IJCNLP 2019,
https://aclanthology.org/D19-3004, whose documents have the scores of several sentences.

Published: scores of Yahoo's queries more than four times faster, with almost no loss. Here, no such gain: nDCG@10 of 60
train questions of factbook's qa, BM25's 20 items reranked by all-MiniLM-L6-v2 as a bi-encoder, is .776 without it, .896
at depth 5, .938 at 10 and .965 at 20; a margin of .2 at depth 20 reads 16.7 items for .931, one of .1 11.3 for .891:
BM25's lead says little, and a lower depth saves more. `reml.access.presenting.budget` compares them on a split.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt

from reml.access.presenting.processors import keep as kept
from reml.access.presenting.scoring import scores_of
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count, Weight
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer

if TYPE_CHECKING:
    from torch import Tensor

    from reml.contract.vectors import Int64Array

Margin = Annotated[float, Bounds(above=0, most=1)]


@checked()
class Rerank:
    """Orders responses by a scorer, ties by their former places, and keeps the `keep` best of each query.

    The scores become the scorer's, without gradient or dropout. An item is scored as it is shown, by each query. In an
    experiment `scorer` may be the name of one of its `rankers`, which may be trained.

    depth: only so many items of a query are scored. The others follow in their former order; each has the largest
    float32 below the score before it, of which the first is below the lowest of those scored.

    former: how much of the score that an item came with is added to its new one, as both are: that of a search whose
    words count. It depends on the scale of both; `reml.access.presenting.budget` compares several on a split.

    margin: a query whose first item leads its second by this share of the first's score or more is not scored at all:
    it keeps its order and its former scores, without gradient, cut to `keep`. An item that is alone leads. A share says
    nothing where the first score is not above 0, the second is below 0 (logits), or one is no number: such a query is
    reranked. Scores of one query are of one kind, but those of two queries need not be: what compares them, as
    `Truncate(of="score")` does, is not to follow.
    """

    def __init__(
        self,
        scorer: Scorer | str,
        keep: int | None = None,
        *,
        depth: Count | None = None,
        margin: Margin | None = None,
        former: Weight = 0.0,
    ) -> None:
        if keep is not None and keep < 1:
            raise ValueError(f"keep is a number of items, 1 or more, not {keep}.")
        self.scorer, self.keep, self.depth, self.margin, self.former = scorer, keep, depth, margin, former

    def with_scorer(self, scorer: Scorer) -> Rerank:
        """Give the same processor with this scorer."""
        return Rerank(scorer, self.keep, depth=self.depth, margin=self.margin, former=self.former)

    def reads(self, responses: Responses) -> int:
        """Count the items that are scored."""
        return int((responses.rows[self._asked(responses), : self.depth] >= 0).sum())

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        """Give the responses in their new order.

        `ValueError` if there is not one row of them for each query, or if a score is no number.
        """
        if len(queries) != len(responses):
            raise ValueError(f"{len(responses)} rows of responses are not those of {len(queries)} queries.")
        scores, asked = responses.scores.detach().float().cpu().clone(), self._asked(responses)
        order = np.tile(np.arange(responses.k), (len(responses), 1))
        if len(asked):
            new = scores_of(self.scorer, queries.take(asked), _first(responses, asked, self.depth)).cpu()
            new = both(new, scores[asked], self.former)
            order[asked, : new.shape[1]] = ranked(new)
            scores[asked] = _followed(new, responses.k)
        places = [
            [place for place in own if place < len(items)][: self.keep]
            for own, items in zip(order.tolist(), responses.items, strict=True)
        ]
        return kept(replace(responses, scores=scores.to(responses.scores.device)), places)

    def _asked(self, responses: Responses) -> Int64Array:
        """Give the places of the queries that are scored."""
        there = np.asarray((responses.rows >= 0).any(axis=1))
        return np.flatnonzero(there if self.margin is None else there & ~leading(responses, self.margin))


def leading(responses: Responses, margin: float) -> npt.NDArray[np.bool_]:
    """Say of each query whether its first item leads its second by this share of the first's score, bool [Q]."""
    if not responses.k:
        return np.zeros(len(responses), dtype=np.bool_)
    scores = responses.scores.detach().double().cpu().numpy()
    best = scores[:, 0]
    second = np.where(responses.rows[:, 1] >= 0, scores[:, 1], 0.0) if responses.k > 1 else np.zeros_like(best)
    leads: npt.NDArray[np.bool_] = (best > 0) & (second >= 0) & (best - second >= margin * best)
    return leads


def both(scores: Tensor, former: Tensor, weight: float) -> Tensor:
    """Add former scores [Q, K] to those [Q, K'] of the first K' items, by their weight."""
    return scores + weight * former[:, : scores.shape[1]] if weight else scores  # 0 of -inf is no number


def ranked(scores: Tensor) -> Int64Array:
    """Give the places [Q, K] by score, largest first, ties by place."""
    order: Int64Array = scores.argsort(dim=1, descending=True, stable=True).numpy()
    return order


def _first(responses: Responses, asked: Int64Array, depth: int | None) -> Responses:
    """Give the first items of some queries, as they are shown."""
    items = [responses.items[query][:depth] for query in asked.tolist()]
    rows = responses.rows[asked, :depth]
    return Responses(items, rows, responses.scores[asked, :depth].detach(), responses.mask[asked, :depth])


def _followed(scores: Tensor, k: int) -> Tensor:
    """Give scores [Q, K'] and those of what follows unscored, [Q, k]: each just below the one before."""
    import torch

    columns = [scores.masked_fill(scores.isneginf(), torch.inf).min(dim=1).values]
    for _ in range(k - scores.shape[1]):
        columns.append(torch.nextafter(columns[-1], torch.tensor(-torch.inf)))
    return torch.cat([scores, *(one[:, None] for one in columns[1:])], dim=1)
