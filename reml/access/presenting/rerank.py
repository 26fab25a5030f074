"""Reranking: what a search found, put in the order of a scorer that is too slow to search with."""

from __future__ import annotations

from dataclasses import replace

from reml.access.presenting.processors import keep as kept
from reml.access.presenting.scoring import scores_of
from reml.contract.arguments.checked import checked
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer


@checked()
class Rerank:
    """Orders responses by a scorer, ties by their former places, and keeps the `keep` best of each query.

    The scores become the scorer's, without gradient or dropout. An item is scored as it is shown, by each query. In an
    experiment `scorer` may be the name of one of its `rankers`, which may be trained.
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
        scores = scores_of(self.scorer, queries, responses)
        order = scores.argsort(dim=1, descending=True, stable=True).tolist()
        places = [
            [place for place in ranked if place < len(items)][: self.keep]
            for ranked, items in zip(order, responses.items, strict=True)
        ]
        return kept(replace(responses, scores=scores.to(responses.scores.device)), places)
