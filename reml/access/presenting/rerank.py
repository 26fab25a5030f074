"""Reranking: what a search found, put in the order of a scorer that is too slow to search with."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from reml.access.presenting.processors import keep as kept
from reml.contract.arguments.checked import checked
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer

if TYPE_CHECKING:
    from torch import Tensor


@checked()
class Rerank:
    """Orders responses by a scorer, ties by their former places, and keeps the `keep` best of each query.

    The scores become the scorer's, without gradient or dropout. In an experiment `scorer` may be the name of one of its
    `rankers`, which may be trained.
    """

    def __init__(self, scorer: Scorer | str, keep: int | None = None) -> None:
        if keep is not None and keep < 1:
            raise ValueError(f"keep is a number of items, 1 or more, not {keep}.")
        self.scorer = scorer
        self.keep = keep

    def with_scorer(self, scorer: Scorer) -> Rerank:
        """Give the same processor with this scorer."""
        return Rerank(scorer, self.keep)

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        """Give the responses in their new order.

        `ValueError` if there is not one row of them for each query, or if a score is no number.
        """
        if len(queries) != len(responses):
            raise ValueError(f"{len(responses)} rows of responses are not those of {len(queries)} queries.")
        scores = score_found(self.scorer, queries, responses)
        order = scores.argsort(dim=1, descending=True, stable=True).tolist()
        places = [
            [place for place in ranked if place < len(items)][: self.keep]
            for ranked, items in zip(order, responses.items, strict=True)
        ]
        return kept(replace(responses, scores=scores.to(responses.scores.device)), places)


def score_found(scorer: Scorer | str, queries: Queries, responses: Responses) -> Tensor:
    """Score what was found anew, float32 [Q, K], without gradient or dropout; -inf where there is no item.

    `ValueError` for a score that is no number, and for a ranker that is only named.
    """
    import torch

    from reml.devices.evaluating import evaluating

    if isinstance(scorer, str):
        raise ValueError(
            f"{scorer!r} names a ranker, which an experiment has under `rankers`: run it as one, or give the scorer."
        )
    distinct = {item.row: item for items in responses.items for item in items}
    rows = np.array(sorted(distinct), dtype=np.int64)
    mask = responses.mask.cpu().numpy()
    positions = np.where(mask, np.searchsorted(rows, responses.rows), -1)
    module = scorer.module
    with torch.no_grad(), evaluating(module) if module is not None else contextlib.nullcontext():
        scores = scorer.score(queries, [distinct[row] for row in rows.tolist()], positions).float()
    query, place = next(iter(scores.isnan().nonzero().tolist()), (None, None))
    if query is not None:
        raise ValueError(
            f"{type(scorer).__name__} gave item {responses.rows[query, place]} of query {query} a score that is no "
            "number: look at its weights, or at how it was trained."
        )
    return scores
